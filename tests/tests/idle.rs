//! A channel on which nothing happens costs little, and one that is closed hardly anything.

use std::alloc::System;
use std::time::Duration;

use pavane::{ChannelId, ChannelState};
use pavane_tests::{End, Link, Pair};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CHANNELS: usize = 10_000;

/// Bytes, at both ends together.
const MOST: usize = 2400;

/// Bytes of a closed channel, at both ends together and the network between them.
const LEFT: isize = 100;

/// How often channels are opened and closed again.
const CYCLES: usize = 3;

#[test]
fn idle_channels_cost_little_and_closed_ones_hardly_anything() {
    let (mut pair, _) = Pair::connected(1, Link::with_delay(Duration::from_millis(1)));
    pair.run(Duration::from_secs(1), |_| false);
    let region = Region::new(ALLOCATOR);
    let held = || {
        let change = region.change();
        change.bytes_allocated as isize - change.bytes_deallocated as isize
    };
    let ids = open(&mut pair);
    let each = held().unsigned_abs() / CHANNELS;
    println!("{each} bytes for each channel, both ends together");
    assert!(each < MOST, "{each} bytes");
    close(&mut pair, ids);
    // Queues and tables keep their room for the next ones.
    let after = held();
    for _ in 0..CYCLES {
        let ids = open(&mut pair);
        close(&mut pair, ids);
        println!("{} bytes more", held() - after);
    }
    let each = (held() - after) / (CYCLES * CHANNELS) as isize;
    assert!(each < LEFT, "{each} bytes are left of each");
}

fn open(pair: &mut Pair) -> Vec<ChannelId> {
    let now = pair.now;
    let alice = pair.connection(End::Alice);
    let ids: Vec<_> =
        (0..CHANNELS).map(|_| alice.create_data_channel(now, "idle", Default::default()).unwrap()).collect();
    let last = ids[CHANNELS - 1];
    assert!(pair.run(Duration::from_secs(60), |pair| {
        pair.connection(End::Alice).channel(last).is_some_and(|c| c.state() == ChannelState::Open)
    }));
    settle(pair);
    ids
}

fn close(pair: &mut Pair, ids: Vec<ChannelId>) {
    let now = pair.now;
    for id in ids {
        pair.connection(End::Alice).channel(id).unwrap().close(now);
    }
    settle(pair);
}

/// Lets everything come to rest; what the test itself keeps is not the connection's.
fn settle(pair: &mut Pair) {
    pair.run(Duration::from_secs(20), |_| false);
    for end in [End::Alice, End::Bob] {
        pair.peer(end).events = Vec::new();
    }
}
