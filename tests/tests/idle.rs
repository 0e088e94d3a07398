//! A channel on which nothing happens costs little, and one that is closed nothing.

use std::alloc::System;
use std::time::Duration;

use pavane::ChannelState;
use pavane_tests::{End, Link, Pair};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CHANNELS: usize = 10_000;

/// Bytes, at both ends together.
const MOST: usize = 2400;

#[test]
fn idle_channels_cost_little_and_closed_ones_nothing() {
    let (mut pair, _) = Pair::connected(1, Link::with_delay(Duration::from_millis(1)));
    pair.run(Duration::from_secs(1), |_| false);
    let region = Region::new(ALLOCATOR);
    let held = || {
        let change = region.change();
        change.bytes_allocated as isize - change.bytes_deallocated as isize
    };
    let now = pair.now;
    let ids: Vec<_> = (0..CHANNELS)
        .map(|_| pair.connection(End::Alice).create_data_channel(now, "idle", Default::default()).unwrap())
        .collect();
    let last = ids[CHANNELS - 1];
    assert!(pair.run(Duration::from_secs(60), |pair| {
        pair.connection(End::Alice).channel(last).is_some_and(|c| c.state() == ChannelState::Open)
    }));
    pair.run(Duration::from_secs(2), |_| false);
    for end in [End::Alice, End::Bob] {
        // What the test itself keeps is not the connection's.
        pair.peer(end).events = Vec::new();
    }
    let each = held().unsigned_abs() / CHANNELS;
    println!("{each} bytes for each channel, both ends together");
    assert!(each < MOST, "{each} bytes");
    let now = pair.now;
    for id in ids {
        pair.connection(End::Alice).channel(id).unwrap().close(now);
    }
    pair.run(Duration::from_secs(30), |_| false);
    for end in [End::Alice, End::Bob] {
        pair.peer(end).events = Vec::new();
    }
    let left = held() / CHANNELS as isize;
    println!("{left} bytes are left of each");
    assert!(left < MOST as isize / 4, "{left} bytes are left of each");
}
