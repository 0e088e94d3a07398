//! In the steady state sending a packet allocates nothing, and receiving allocates once for each message, however many
//! fragments it has.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use pavane_base::Instant;
use pavane_sctp::{Association, Config, Ppid, SendOptions, StreamId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `what` makes.
fn count(what: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    what();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

struct Flow {
    now: Instant,
    sender: Association,
    receiver: Association,
    packet: Vec<u8>,
    sending: u64,
    receiving: u64,
    packets: u64,
    messages: u64,
}

impl Flow {
    fn new(interleaving: bool) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let config = Config { interleaving, ..Config::default() };
        let mut make = || Association::new(config.clone(), &mut rng);
        let (sender, receiver) = (make(), make());
        let now = Instant::from_millis(1);
        let packet = Vec::with_capacity(4096);
        let mut flow =
            Self { now, sender, receiver, packet, sending: 0, receiving: 0, packets: 0, messages: 0 };
        flow.sender.connect(now);
        flow.receiver.connect(now);
        flow.settle();
        flow
    }

    /// Carries packets both ways until there are none.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            let Self { now, sender, receiver, packet, sending, receiving, packets, messages } = self;
            packet.clear();
            let mut some = false;
            *sending += count(|| some = sender.poll_transmit(*now, packet).is_some());
            if some {
                quiet = false;
                *packets += 1;
                *receiving += count(|| receiver.handle_packet(*now, packet));
                while receiver.poll_event().is_some() {}
                while receiver.recv(StreamId(3)).is_some() {
                    *messages += 1;
                }
            }
            packet.clear();
            *receiving += count(|| some = receiver.poll_transmit(*now, packet).is_some());
            if some {
                quiet = false;
                *sending += count(|| sender.handle_packet(*now, packet));
                while sender.poll_event().is_some() {}
            }
            if quiet {
                return;
            }
            self.now += core::time::Duration::from_micros(10);
        }
    }

    fn send(&mut self, messages: &[Bytes]) {
        for message in messages {
            let Self { now, sender, sending, .. } = self;
            *sending += count(|| {
                sender.send(*now, StreamId(3), Ppid(53), message.clone(), SendOptions::default()).unwrap();
            });
        }
        self.settle();
    }

    fn measure(interleaving: bool, size: usize) -> (u64, u64, u64, u64) {
        let mut flow = Self::new(interleaving);
        let message = Bytes::from(vec![7; size]);
        // A clone makes the first of several owners share; that is the application's allocation.
        let messages: Vec<Bytes> = (0..50).map(|_| message.clone()).collect();
        for _ in 0..20 {
            flow.send(&messages);
        }
        (flow.sending, flow.receiving, flow.packets, flow.messages) = (0, 0, 0, 0);
        for _ in 0..20 {
            flow.send(&messages);
        }
        (flow.sending, flow.receiving, flow.packets, flow.messages)
    }
}

#[test]
fn sending_allocates_nothing_and_receiving_once_for_each_message() {
    for interleaving in [true, false] {
        for size in [20, 1000, 16_384, 100_000] {
            let (sending, receiving, packets, messages) = Flow::measure(interleaving, size);
            assert_eq!(messages, 1000);
            assert_eq!(sending, 0, "{size} bytes: {packets} packets");
            assert_eq!(receiving, messages, "{size} bytes: {packets} packets");
        }
    }
}
