//! New credentials, while data goes on by the way that there is (RFC 8445 §9).

use std::time::Duration;

use pavane_ice::{Credentials, Event, GatheringState, Role, State};

use crate::pair::{Pair, RTT, address, path};
use crate::peer::{OURS, Peer};

const A: &str = "192.0.2.1:4001";
const B: &str = "192.0.2.2:4002";
const PATIENCE: Duration = Duration::from_secs(60);

fn connected() -> Pair {
    let mut pair = Pair::introduced(1, [&[A], &[B]]);
    assert!(pair.run(PATIENCE, Pair::both_completed));
    pair
}

fn restart(pair: &mut Pair, n: usize) {
    let credentials = Credentials::generate(&mut pair.rngs[n]);
    pair.agents[n].restart(pair.now, &mut pair.rngs[n], credentials);
}

fn tell(pair: &mut Pair, n: usize) {
    pair.tell_candidates(n);
    pair.tell_credentials(n);
    pair.agents[1 - n].end_of_remote_candidates(pair.now);
}

#[test]
fn a_way_is_found_anew_while_the_old_one_carries_on() {
    let mut pair = connected();
    let before = pair.agents[0].selected_path();
    for n in 0..2 {
        restart(&mut pair, n);
        assert_eq!(pair.agents[n].state(), State::Connected, "complete no longer");
        assert!(pair.agents[n].selected_path().is_some(), "data goes on by the old way");
        assert!(pair.agents[n].handle_data(pair.now, pair.agents[n].selected_path().unwrap(), 100));
        pair.idle(Duration::from_millis(70));
    }
    assert_eq!(pair.agents[0].selected_path(), before);
    let start = pair.now;
    for n in 0..2 {
        tell(&mut pair, n);
    }
    assert!(pair.run(PATIENCE, Pair::both_completed));
    assert_eq!(pair.now - start, RTT);
    assert!(pair.agree());
    for n in 0..2 {
        assert!(!pair.states(n).iter().any(|state| matches!(state, State::New | State::Disconnected)));
    }
}

#[test]
fn candidates_are_told_again() {
    let mut pair = connected();
    pair.events[0].clear();
    restart(&mut pair, 0);
    pair.flush();
    let events: Vec<_> = pair.events[0].iter().map(|(_, event)| event.clone()).collect();
    let host = pair.agents[0].local_candidates()[0].clone();
    let expected = [
        Event::GatheringStateChanged(GatheringState::Gathering),
        Event::LocalCandidate(host),
        Event::GatheringStateChanged(GatheringState::Complete),
    ];
    assert!(expected.iter().all(|event| events.contains(event)), "{events:?}");
}

/// RFC 7675 §5.1: the way before the restart is used under consent, for as long as it takes.
#[test]
fn consent_on_the_old_way_is_kept_up() {
    let mut pair = connected();
    restart(&mut pair, 0);
    pair.idle(Duration::from_secs(120));
    assert_eq!(pair.agents[0].state(), State::Connected);
    assert!(pair.agents[0].selected_path().is_some());
    assert!(pair.agents[1].selected_path().is_some(), "the peer, which knows of nothing, has its answers");
    let died = pair.now;
    pair.cut.push((address(A), address(B)));
    assert!(pair.run(PATIENCE, |pair| pair.agents[0].selected_path().is_none()));
    assert!(pair.now - died <= Duration::from_secs(30));
    assert_eq!(pair.agents[0].state(), State::New);
}

#[test]
fn a_second_restart_before_the_first_is_done_keeps_the_way() {
    let mut pair = connected();
    for _ in 0..3 {
        for n in 0..2 {
            restart(&mut pair, n);
        }
        pair.idle(Duration::from_secs(10));
        assert!(pair.both_selected());
    }
    for n in 0..2 {
        tell(&mut pair, n);
    }
    assert!(pair.run(PATIENCE, Pair::both_completed));
}

#[test]
fn data_by_the_old_way_is_taken_for_a_while() {
    let mut pair = connected();
    let old = path(address(A), address(B));
    for n in 0..2 {
        restart(&mut pair, n);
    }
    let other = address("198.51.100.1:4001");
    let (now, rng) = (pair.now, &mut pair.rngs[0]);
    pair.agents[0].add_local_address(now, rng, other).unwrap();
    pair.cut.push((address(A), address(B)));
    for n in 0..2 {
        tell(&mut pair, n);
    }
    assert!(pair.run(PATIENCE, |pair| {
        pair.agents[0].selected_path().is_some_and(|path| path.local == other) && pair.both_completed()
    }));
    assert!(pair.agents[0].handle_data(pair.now, old, 100));
    assert_eq!(pair.agents[0].selected_path().unwrap().local, other);
}

/// A controlled Chromium goes on sending by the pair that it has data from, which need not be the one that we send by, until
/// data comes by another.
#[test]
fn data_by_any_old_way_that_worked_is_taken_for_a_while() {
    const OTHER: &str = "192.0.2.3:4003";
    const AFTER: &str = "192.0.2.4:4004";
    let mut peer = Peer::known(Role::Controlling, &[B, OTHER]);
    for said in peer.wait(Duration::from_secs(1)) {
        peer.answer(&said);
    }
    assert_eq!(peer.selected(), Some(address(B)));
    let credentials = Credentials::generate(&mut peer.rng);
    peer.agent.restart(peer.now, &mut peer.rng, credentials);
    peer.credentials = Credentials::generate(&mut peer.rng);
    peer.introduce();
    peer.signal(AFTER, 1000);
    let said = peer.said();
    peer.answer(&said[0]);
    assert_eq!(peer.selected(), Some(address(AFTER)));

    let from = |text| path(address(OURS), address(text));
    for old in [B, OTHER] {
        assert!(peer.agent.handle_data(peer.now, from(old), 100), "{old}");
    }
    assert!(!peer.agent.handle_data(peer.now, from("192.0.2.5:4005"), 100), "nobody is known there");
    peer.wait(Duration::from_secs(31));
    for old in [B, OTHER] {
        assert!(!peer.agent.handle_data(peer.now, from(old), 100), "consent has ended: {old}");
    }
}

#[test]
fn a_failed_agent_is_restarted() {
    let mut pair = connected();
    pair.cut.push((address(A), address(B)));
    assert!(pair.run(PATIENCE, |pair| pair.agents.iter().all(|agent| agent.state() == State::Failed)));
    pair.cut.clear();
    for n in 0..2 {
        restart(&mut pair, n);
        assert_eq!(pair.agents[n].state(), State::New);
    }
    for n in 0..2 {
        tell(&mut pair, n);
    }
    assert!(pair.run(PATIENCE, Pair::both_completed));
}

#[test]
fn a_disconnected_agent_begins_by_checking() {
    let mut pair = connected();
    pair.cut.push((address(A), address(B)));
    assert!(pair.run(PATIENCE, |pair| pair.agents[0].state() == State::Disconnected));
    restart(&mut pair, 0);
    restart(&mut pair, 1);
    tell(&mut pair, 1);
    assert_eq!(pair.agents[0].state(), State::Checking);
}

#[test]
fn a_late_response_on_the_old_way_leaves_nothing_due() {
    let mut peer = Peer::known(Role::Controlled, &[B]);
    let said = peer.said();
    peer.answer(&said[0]);
    let asked = peer.wait(Duration::from_secs(6));
    let (before, credentials) = (peer.credentials.clone(), Credentials::generate(&mut peer.rng));
    peer.agent.restart(peer.now, &mut peer.rng, credentials);
    peer.credentials = Credentials::generate(&mut peer.rng);
    peer.introduce();
    peer.signal(B, 1000);
    let said = peer.said();
    peer.answer(&said[0]);
    peer.credentials = before;
    peer.answer(&asked[0]);
    while let Some(next) = peer.agent.poll_timeout() {
        assert!(next > peer.now);
        peer.now = next;
        peer.agent.handle_timeout(peer.now, &mut peer.rng);
        peer.said();
    }
}
