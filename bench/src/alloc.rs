//! Counting allocations, in the stretches of work that ask for it.
//!
//! While nobody counts, an allocation costs one load and a branch more than the system's: timings are taken then, so that
//! stacks which allocate much do not pay for being counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);

struct Counting;

fn note() {
    if COUNTS.load(Relaxed) {
        // The benchmarks have one thread: no need to pay for a locked addition.
        COUNT.store(COUNT.load(Relaxed) + 1, Relaxed);
    }
}

// SAFETY: everything is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise about `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise about `layout`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: the caller's promises about `pointer`, `layout` and `size`.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises about `pointer` and `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Adds to `count` the allocations and reallocations that `work` makes, if `counts`.
pub fn counted<T>(counts: bool, count: &mut u64, work: impl FnOnce() -> T) -> T {
    if !counts {
        return work();
    }
    let before = COUNT.load(Relaxed);
    COUNTS.store(true, Relaxed);
    let result = work();
    COUNTS.store(false, Relaxed);
    *count += COUNT.load(Relaxed) - before;
    result
}

/// Does `work`, inside of what is counted, without counting it.
pub fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    let counts = COUNTS.swap(false, Relaxed);
    let result = work();
    COUNTS.store(counts, Relaxed);
    result
}
