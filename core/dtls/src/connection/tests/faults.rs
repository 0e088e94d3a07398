//! Handshakes over a path that loses, doubles, reorders, cuts and garbles.

use alloc::vec::Vec;
use std::println;

use super::pair::{Faults, Pair, Sent, config};
use crate::{Config, Role, State};

const BAD: Faults = Faults { loss: 30, duplication: 10, reordering: 20, ..Faults::NONE };

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// Handshakes from many seeds; gives back how long the client's took, in milliseconds, sorted.
fn times(seeds: u64, faults: Faults, configs: impl Fn(Role) -> Config) -> Vec<u64> {
    let mut times: Vec<u64> = (0..seeds)
        .map(|seed| {
            let mut pair = Pair::with(seed, configs(Role::Client), configs(Role::Server));
            pair.faults = faults;
            let start = pair.now;
            pair.connect();
            let record = pair.client.seal(b"data");
            let now = pair.now;
            pair.server.deliver(now, &record);
            assert_eq!(pair.server.received.len(), 1);
            (pair.client.connected_at().unwrap() - start).as_millis() as u64
        })
        .collect();
    times.sort_unstable();
    let [median, p99, max] = [50, 99, 100].map(|percent| percentile(&times, percent));
    println!("{faults:?}: median {median} ms, p99 {p99} ms, max {max} ms");
    times
}

#[test]
fn thirty_percent_of_loss_cost_a_few_round_trips() {
    let times = times(1000, BAD, config);
    assert!(percentile(&times, 50) <= 600);
    assert!(percentile(&times, 99) <= 2500);
}

#[test]
fn a_little_loss_costs_little() {
    for loss in [1, 10] {
        let times = times(200, Faults { loss, ..Faults::NONE }, config);
        assert!(percentile(&times, 50) <= 200);
    }
}

#[test]
fn fragments_survive_a_bad_path() {
    let times = times(200, Faults { loss: 10, duplication: 10, reordering: 30, ..Faults::NONE }, |role| {
        let mut config = config(role);
        config.max_datagram = 256;
        config
    });
    assert!(percentile(&times, 99) <= 10_000);
}

/// Whatever happens, both sides come to an end, and two that are connected agree on their keys.
#[test]
fn garbled_paths_lead_somewhere() {
    for seed in 0..300 {
        let small = |role| {
            let mut config = config(role);
            config.max_datagram = if seed % 2 == 0 { 300 } else { 1200 };
            config
        };
        let mut pair = Pair::with(seed, small(Role::Client), small(Role::Server));
        pair.faults = Faults { garbling: 20, ..BAD };
        pair.start();
        pair.run_until(|pair| {
            [&pair.client, &pair.server].iter().all(|side| side.is_connected() || side.is_over())
        });
        let states = [&pair.client, &pair.server].map(|side| side.connection.state());
        assert!(!states.contains(&State::Connecting), "seed {seed}: {states:?}");
        if states == [State::Connected; 2] {
            let [mut ours, mut theirs] = [[0; 32]; 2];
            pair.client.connection.export("x", None, &mut ours).unwrap();
            pair.server.connection.export("x", None, &mut theirs).unwrap();
            assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn doubled_datagrams_raise_no_storm() {
    let mut pair = Pair::new(1);
    pair.faults = Faults { duplication: 100, reordering: 50, ..Faults::NONE };
    pair.connect();
    pair.run();
    assert!(pair.sent.len() <= 10, "{} datagrams", pair.sent.len());
}

#[test]
fn repeated_datagrams_of_a_finished_handshake_are_answered_by_the_last_flight_alone() {
    let mut pair = Pair::new(1);
    pair.connect();
    pair.run();
    let sent = pair.sent.clone();
    for _ in 0..50 {
        for Sent { from, bytes, .. } in &sent {
            pair.send(*from, bytes.clone());
        }
        pair.run();
    }
    assert_eq!(pair.sent.len(), 4, "replays of authentic records are no repetitions");
    assert!(pair.client.is_connected() && pair.server.is_connected());
}

#[test]
fn a_lost_last_flight_is_sent_again_on_demand() {
    let mut pair = Pair::new(1);
    pair.start();
    pair.run_until(|pair| pair.sent.len() == 3);
    pair.replace = Some((3, Vec::new()));
    pair.run();
    assert!(pair.client.is_connected() && pair.server.is_connected());
    assert_eq!(pair.server.connection.counters().retransmissions, 1);
}

#[test]
fn data_tells_that_the_last_flight_was_lost() {
    let mut pair = Pair::new(1);
    pair.start();
    pair.run_until(|pair| pair.sent.len() == 3);
    let asked = pair.now;
    pair.replace = Some((3, Vec::new()));
    pair.run_until(|pair| pair.server.is_connected());
    let record = pair.server.seal(b"data");
    pair.send(Role::Server, record);
    pair.run_until(|pair| pair.client.is_connected());
    // A repetition when the data comes, after one round trip, not when the timer fires, after one and a half.
    assert_eq!((pair.now - asked).as_millis(), 200);
}

/// A handshake in which the datagram of this number arrives as `bytes`, once.
fn with_replacement(number: usize, bytes: Vec<u8>) {
    let mut pair = Pair::new(1);
    pair.replace = Some((number, bytes));
    pair.start();
    pair.run_until(|pair| {
        let done = |side: &super::pair::Side| side.is_connected() || side.is_over();
        done(&pair.client) && done(&pair.server)
    });
    let connected = pair.client.is_connected() && pair.server.is_connected();
    let told = pair.client.is_over() || pair.server.is_over();
    assert!(connected || told, "datagram {number}: {:?} {:?}", pair.client.events, pair.server.events);
}

fn recording() -> Vec<Sent> {
    let mut pair = Pair::new(1);
    pair.connect();
    pair.run();
    pair.sent
}

#[test]
fn every_truncation_is_survived() {
    for (number, sent) in recording().iter().enumerate() {
        for len in (0..sent.bytes.len()).step_by(3) {
            with_replacement(number, sent.bytes[..len].to_vec());
        }
    }
}

#[test]
fn every_garbled_octet_is_survived() {
    for (number, sent) in recording().iter().enumerate() {
        for index in 0..sent.bytes.len() {
            let mut bytes = sent.bytes.clone();
            bytes[index] ^= 1 << (index % 8);
            with_replacement(number, bytes);
        }
    }
}
