//! Ways that die, and what is made of it.

use std::time::Duration;

use pavane_ice::State;

use crate::pair::{Pair, RTT, address, path};

const A4: &str = "192.0.2.1:4001";
const B4: &str = "192.0.2.2:4002";
const A6: &str = "[2001:db8::1]:6001";
const B6: &str = "[2001:db8::2]:6002";
const PATIENCE: Duration = Duration::from_secs(120);

fn connected(addresses: [&[&str]; 2]) -> Pair {
    let mut pair = Pair::introduced(1, addresses);
    assert!(pair.run(PATIENCE, |pair| pair.both_completed() && pair.agree()));
    pair
}

#[test]
fn an_idle_connection_stays_and_costs_little() {
    let mut pair = connected([&[A4], &[B4]]);
    let (before, states) = (pair.trace.len(), [pair.states(0), pair.states(1)]);
    pair.idle(Duration::from_secs(600));
    assert_eq!([pair.states(0), pair.states(1)], states, "nothing changed");
    // Each side asks every 5 s, and each question has an answer.
    let sent = pair.trace.len() - before;
    assert!((400..=620).contains(&sent), "{sent} datagrams in ten minutes");
}

#[test]
fn consent_is_not_asked_for_more_often_than_every_four_seconds() {
    let mut pair = connected([&[A4], &[B4]]);
    pair.idle(Duration::from_secs(10));
    let from = pair.trace.len();
    pair.idle(Duration::from_secs(300));
    let ours: Vec<_> = pair.trace[from..]
        .iter()
        .filter(|(_, path, bytes)| path.local == address(A4) && bytes[..2] == [0, 1])
        .map(|(at, ..)| *at)
        .collect();
    assert!(ours.windows(2).all(|w| w[1] - w[0] >= Duration::from_secs(4)));
    assert!(ours.windows(2).all(|w| w[1] - w[0] <= Duration::from_secs(6)));
    assert!(ours.windows(2).any(|w| w[1] - w[0] != ours[1] - ours[0]), "the intervals vary");
}

#[test]
fn a_dead_way_is_disconnected_and_then_failed() {
    let mut pair = connected([&[A4], &[B4]]);
    let died = pair.now;
    pair.cut.push((address(A4), address(B4)));
    assert!(pair.run(PATIENCE, |pair| pair.agents[0].state() == State::Disconnected));
    assert!(pair.now - died < Duration::from_secs(12), "{:?}", pair.now - died);
    assert!(pair.agents[0].selected_path().is_some(), "consent lasts longer");
    assert!(pair.run(PATIENCE, |pair| pair.agents.iter().all(|agent| agent.state() == State::Failed)));
    let after = pair.now - died;
    assert!((Duration::from_secs(28)..Duration::from_secs(40)).contains(&after), "{after:?}");
    assert_eq!(pair.agents[0].selected_path(), None);
    let sent = pair.trace.len();
    pair.idle(Duration::from_secs(60));
    assert_eq!(pair.trace.len(), sent, "without consent nothing is sent");
}

#[test]
fn an_interruption_is_survived() {
    let mut pair = connected([&[A4], &[B4]]);
    pair.cut.push((address(A4), address(B4)));
    pair.idle(Duration::from_secs(20));
    assert_eq!(pair.agents[0].state(), State::Disconnected);
    pair.cut.clear();
    assert!(pair.run(Duration::from_secs(3), Pair::both_completed));
}

#[test]
fn another_way_is_taken_when_one_dies() {
    let mut pair = connected([&[A4, A6], &[B4, B6]]);
    assert!(pair.agents[0].selected_path().unwrap().local.is_ipv6());
    let died = pair.now;
    pair.cut.push((address(A6), address(B6)));
    assert!(pair.run(PATIENCE, |pair| {
        pair.agents.iter().all(|agent| agent.selected_path().is_some_and(|path| path.local.is_ipv4()))
    }));
    assert!(pair.now - died < Duration::from_secs(12), "{:?}", pair.now - died);
    assert!(!pair.states(0).contains(&State::Failed));
}

#[test]
fn a_socket_that_is_gone_takes_its_pairs_along() {
    let mut pair = connected([&[A4, A6], &[B4, B6]]);
    pair.idle(Duration::from_secs(1));
    pair.agents[0].remove_local_address(pair.now, &mut pair.rngs[0], address(A6));
    assert!(pair.agents[0].selected_path().is_some_and(|path| path.local.is_ipv4()), "at once");
}

#[test]
fn data_is_a_sign_of_life_and_strangers_data_is_not_known() {
    let mut pair = connected([&[A4], &[B4]]);
    let known = path(address(A4), address(B4));
    assert!(pair.agents[0].handle_data(pair.now, known, 100));
    assert!(!pair.agents[0].handle_data(pair.now, path(address(A4), address("203.0.113.9:9")), 100));
}

#[test]
fn without_any_way_patience_ends() {
    let mut pair = Pair::introduced(1, [&[A4], &[B4]]);
    pair.cut.push((address(A4), address(B4)));
    let start = pair.now;
    assert!(pair.run(PATIENCE, |pair| pair.agents[0].state() == State::Failed));
    assert_eq!(pair.now - start, Duration::from_millis(39_500));
    // A candidate that comes late is given a chance.
    pair.cut.clear();
    let late = address("192.0.2.2:4003");
    pair.agents[1].add_local_address(pair.now, &mut pair.rngs[1], late).unwrap();
    let candidate = pair.agents[1].local_candidates().last().unwrap().clone();
    let (now, rng) = (pair.now, &mut pair.rngs[0]);
    pair.agents[0].add_remote_candidate(now, rng, pavane_ice::RemoteCandidate::Address(candidate)).unwrap();
    assert!(pair.run(PATIENCE, |pair| pair.agents[0].selected_path().is_some()));
}

#[test]
fn the_last_socket_may_be_replaced() {
    let mut pair = connected([&[A4], &[B4]]);
    pair.idle(Duration::from_secs(12));
    let (now, rng) = (pair.now, &mut pair.rngs[0]);
    pair.agents[0].remove_local_address(now, rng, address(A4));
    assert_eq!(pair.agents[0].state(), State::Disconnected);
    assert_eq!(pair.agents[0].selected_path(), None);
    let other = address("198.51.100.1:4001");
    pair.agents[0].add_local_address(now, rng, other).unwrap();
    let moved = pair.now;
    assert!(pair.run(PATIENCE, |pair| pair.agree() && pair.both_completed()));
    assert!(
        pair.now - moved <= RTT * 2,
        "the peer learns the address from the checks: {:?}",
        pair.now - moved
    );
    assert_eq!(pair.agents[1].selected_path().unwrap().remote, other);
}

#[test]
fn what_does_not_work_is_left_alone_in_the_end() {
    let mut pair = Pair::introduced(1, [&[A4, A6], &[B4, B6]]);
    pair.cut.push((address(A6), address(B6)));
    assert!(pair.run(PATIENCE, Pair::both_completed));
    pair.idle(Duration::from_secs(60));
    let from = pair.trace.len();
    pair.idle(Duration::from_secs(60));
    assert!(pair.trace[from..].iter().all(|(_, path, _)| path.local.is_ipv4()));
}

#[test]
fn consent_that_ended_does_not_come_back_by_itself() {
    let mut pair = connected([&[A4], &[B4]]);
    pair.cut.push((address(A4), address(B4)));
    assert!(pair.run(PATIENCE, |pair| pair.agents[0].state() == State::Failed));
    pair.cut.clear();
    pair.idle(Duration::from_secs(60));
    assert_eq!(pair.agents[0].state(), State::Failed);
    // A way of which consent was never lost is another matter.
    let other = address("192.0.2.1:4009");
    let (now, rng) = (pair.now, &mut pair.rngs[0]);
    pair.agents[0].add_local_address(now, rng, other).unwrap();
    assert_eq!(pair.agents[0].state(), State::Checking);
    assert!(pair.run(PATIENCE, Pair::both_selected));
}

#[test]
fn one_direction_is_not_enough_for_consent() {
    let mut pair = connected([&[A4], &[B4]]);
    // What A sends is lost from here on; B's data and checks still arrive.
    pair.cut_one_way.push((address(A4), address(B4)));
    let died = pair.now;
    let known = path(address(A4), address(B4));
    while pair.agents[0].state() != State::Failed {
        pair.idle(Duration::from_millis(500));
        pair.agents[0].handle_data(pair.now, known, 100);
        assert!(pair.now - died < Duration::from_secs(40), "{:?}", pair.agents[0].state());
    }
    assert!(!pair.states(0).contains(&State::Disconnected), "the peer was heard all the time");
}

#[test]
fn a_peer_that_moves_is_followed_for_ever() {
    let mut pair = connected([&["10.0.0.1:1000"], &[B4]]);
    for port in 2000..2100 {
        let outside = address(&std::format!("203.0.113.1:{port}"));
        pair.nat.insert(address("10.0.0.1:1000"), outside);
        assert!(
            pair.run(PATIENCE, |pair| {
                pair.agents[1].selected_path().is_some_and(|path| path.remote == outside)
            }),
            "{port}"
        );
        assert_ne!(pair.agents[0].state(), State::Failed);
    }
    assert!(pair.agents[1].pairs().count() <= 34);
    assert!(pair.agents[0].peer_reflexive_candidates().len() <= 16);
}

/// Descriptions that are carried by hand: one side searches and gives up before the other has begun.
#[test]
fn a_peer_that_comes_after_patience_ended_is_welcome() {
    let mut pair = Pair::strangers(1, [&[A4], &[B4]]);
    for n in 0..2 {
        pair.agents[n].start_gathering(pair.now, &mut pair.rngs[n]);
    }
    pair.tell_candidates(0);
    pair.tell_credentials(0);
    // Before it knows who asks, the other's firewall keeps them apart.
    pair.cut.push((address(A4), address(B4)));
    assert!(pair.run(PATIENCE, |pair| pair.agents[1].state() == State::Failed));
    pair.idle(Duration::from_secs(300));
    pair.cut.clear();
    pair.tell_candidates(1);
    pair.tell_credentials(1);
    assert!(pair.run(Duration::from_secs(1), Pair::both_selected));
}

/// Pairs that were given up are tried again when the one in use dies.
#[test]
fn what_did_not_work_gets_another_chance() {
    let mut pair = Pair::introduced(1, [&[A4, A6], &[B4, B6]]);
    pair.cut.push((address(A4), address(B4)));
    assert!(pair.run(PATIENCE, Pair::both_completed));
    pair.idle(Duration::from_secs(60));
    pair.cut = vec![(address(A6), address(B6))];
    let died = pair.now;
    assert!(
        pair.run(PATIENCE, |pair| {
            pair.agree() && pair.agents[0].selected_path().unwrap().local.is_ipv4()
        })
    );
    assert!(pair.now - died < Duration::from_secs(12), "{:?}", pair.now - died);
}
