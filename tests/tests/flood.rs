//! A million datagrams of garbage leave memory where it was.

use std::alloc::System;
use std::time::Duration;

use pavane::{Datagram, Message, Path, Transport};
use pavane_tests::{End, Link, Pair};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What may be kept of strangers: nothing to speak of.
const TOLERANCE: isize = 64 * 1024;

#[test]
fn a_flood_of_garbage_leaves_memory_where_it_was() {
    let (mut pair, channels) = Pair::connected(1, Link::with_delay(Duration::from_millis(10)));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let local = pair.address(End::Bob);
    let friend = pair.address(End::Alice);
    let mut garbage = vec![0; 1200];
    let region = Region::new(ALLOCATOR);
    for n in 0..1_000_000_u32 {
        let len = (rng.next_u32() % 200) as usize;
        rng.fill_bytes(&mut garbage[..len]);
        // Half of it comes from the peer's own address, and each protocol gets its share.
        let remote = match n % 2 {
            0 => friend,
            _ => (std::net::Ipv4Addr::from(rng.next_u32()), 4000).into(),
        };
        if len > 0 {
            garbage[0] = [0, 1, 20, 22, 23, 32, 63, 64, 128, 255][n as usize % 10];
        }
        let path = Path { local, remote, transport: Transport::Udp };
        let now = pair.now;
        let datagram = Datagram { path, ecn: None, payload: &mut garbage[..len] };
        pair.connection(End::Bob).handle_datagram(now, datagram);
    }
    let change = region.change();
    let grown = change.bytes_allocated as isize - change.bytes_deallocated as isize;
    println!("{grown} bytes more than before, {} allocations", change.allocations);
    assert!(grown < TOLERANCE, "{grown} bytes are kept");
    let mut sent = 0;
    let now = pair.now;
    let mut buf = Vec::new();
    while pair.connection(End::Bob).poll_transmit(now, 1, &mut buf).is_some() {
        sent += 1;
        buf.clear();
    }
    assert!(sent <= 2, "garbage is not answered: {sent} datagrams");
    pair.connection(End::Alice).channel(channels[0]).unwrap().send(now, Message::text("still here")).unwrap();
    assert!(pair.run(Duration::from_secs(5), |pair| !pair.peer(End::Bob).heard.is_empty()));
}
