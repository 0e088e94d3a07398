//! Counting allocations.

use std::alloc::System;
use std::ops::{AddAssign, Sub};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many allocations and reallocations were made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocations(pub i64);

impl AddAssign for Allocations {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Allocations {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

/// Counts what `work` allocates.
pub fn count(work: impl FnOnce()) -> Allocations {
    let region = Region::new(ALLOCATOR);
    work();
    let change = region.change();
    Allocations((change.allocations + change.reallocations) as i64)
}
