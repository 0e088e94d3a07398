//! Nominations as real controlling agents make them, and ours.

use std::time::Duration;

use pavane_ice::{Event, Role, State};
use pavane_stun::{AttributeType, Class};

use crate::pair::address;
use crate::peer::{Peer, Said};

const FIRST: &str = "192.0.2.2:4002";
const SECOND: &str = "192.0.2.2:5002";
const THIRD: &str = "192.0.2.2:6002";
const CONTROLLING: (AttributeType, u64) = (AttributeType::ICE_CONTROLLING, 0);

/// A controlled agent that has all three pairs, the first the best.
fn controlled() -> Peer {
    let mut peer = Peer::known(Role::Controlled, &[FIRST, SECOND, THIRD]);
    for said in peer.wait(Duration::from_millis(120)) {
        peer.answer(&said);
    }
    assert_eq!(peer.selected(), Some(address(FIRST)), "unnominated, the best");
    peer
}

fn checks(said: &[Said]) -> impl Iterator<Item = &Said> {
    said.iter().filter(|said| said.message().class() == Class::Request)
}

/// Firefox: every check says USE-CANDIDATE (RFC 5245 §8.1.1.2).
#[test]
fn of_nominations_in_a_row_the_best_pair_counts() {
    let mut peer = controlled();
    for from in [THIRD, FIRST, SECOND] {
        peer.ask(from, CONTROLLING, true);
        peer.wait(Duration::from_millis(20));
    }
    assert_eq!(peer.selected(), Some(address(FIRST)));
}

/// Chromium: one pair at a time, and then a better one, or the next best.
#[test]
fn a_nomination_that_moves_is_followed() {
    let mut peer = controlled();
    for from in [SECOND, FIRST, THIRD, SECOND] {
        for _ in 0..5 {
            peer.ask(from, CONTROLLING, true);
            for said in peer.wait(Duration::from_secs(1)) {
                if said.message().class() == Class::Request {
                    peer.answer(&said);
                }
            }
        }
        assert_eq!(peer.selected(), Some(address(from)));
    }
    assert_eq!(peer.agent.pairs().filter(|pair| pair.state == pavane_ice::PairState::Succeeded).count(), 3);
}

/// Chromium where both sides know renomination: the largest number holds, in whatever order they come.
#[test]
fn of_numbered_nominations_the_largest_holds() {
    let mut peer = controlled();
    let mut nominate = |from: &str, number: u32| {
        peer.ask_with(from, CONTROLLING, &[(AttributeType::NOMINATION, &number.to_be_bytes())]);
        peer.wait(Duration::from_millis(20));
        peer.selected().unwrap()
    };
    assert_eq!(nominate(SECOND, 1), address(SECOND));
    assert_eq!(nominate(THIRD, 3), address(THIRD));
    assert_eq!(nominate(FIRST, 2), address(THIRD), "overtaken on its way");
    assert_eq!(nominate(FIRST, 4), address(FIRST));
    assert_eq!(nominate(SECOND, 0x0100_0005), address(SECOND), "24 bits of it count");
}

#[test]
fn the_same_nomination_again_changes_nothing() {
    let mut peer = controlled();
    while peer.agent.poll_event().is_some() {}
    for _ in 0..100 {
        peer.ask(FIRST, CONTROLLING, true);
        peer.wait(Duration::from_millis(10));
    }
    assert_eq!(peer.agent.poll_event(), None);
}

/// RFC 8445 §7.3.1.5: a nomination before the pair works takes effect when it does.
#[test]
fn an_early_nomination_waits_for_its_pair() {
    let mut peer = Peer::known(Role::Controlled, &[FIRST, SECOND]);
    let said = peer.wait(Duration::from_millis(60));
    peer.answer(&said[0]);
    peer.ask(SECOND, CONTROLLING, true);
    assert_eq!(peer.selected(), Some(address(FIRST)));
    let said = peer.said();
    let check = checks(&said).next().unwrap();
    peer.answer(check);
    assert_eq!(peer.selected(), Some(address(SECOND)));
}

#[test]
fn we_nominate_the_best_with_its_first_check_and_no_other() {
    let mut peer = Peer::known(Role::Controlling, &[FIRST, SECOND]);
    let said = peer.wait(Duration::from_millis(60));
    let nominates: Vec<_> =
        said.iter().map(|said| (said.path.remote, said.message().use_candidate())).collect();
    assert_eq!(nominates, [(address(FIRST), true), (address(SECOND), false)]);
}

#[test]
fn we_wait_a_little_for_the_better_and_not_for_long() {
    let mut peer = Peer::known(Role::Controlling, &[FIRST, SECOND]);
    let said = peer.wait(Duration::from_millis(60));
    peer.answer(&said[1]);
    assert_eq!(peer.selected(), Some(address(SECOND)), "data goes at once");
    let before = peer.now;
    while !peer.agent.pairs().any(|pair| pair.nominated) {
        for said in peer.wait(Duration::from_millis(10)) {
            if said.path.remote == address(SECOND) && said.message().use_candidate() {
                peer.answer(&said);
            }
        }
        assert!(peer.now - before <= Duration::from_millis(120));
    }
    // The better one answers after all.
    let said = peer.wait(Duration::from_secs(1));
    let late = checks(&said).filter(|said| said.path.remote == address(FIRST)).last().unwrap();
    peer.answer(late);
    assert_eq!(peer.selected(), Some(address(FIRST)));
    let said = peer.said();
    assert!(said.len() == 1 && said[0].message().use_candidate(), "and is nominated at once");
}

#[test]
fn a_lost_nomination_is_repeated() {
    let mut peer = Peer::known(Role::Controlling, &[FIRST, SECOND]);
    let said = peer.wait(Duration::from_millis(60));
    peer.answer(&said[1]);
    let said = peer.wait(Duration::from_secs(2));
    let wishes = said.iter().filter(|said| said.path.remote == address(SECOND));
    assert!(wishes.filter(|said| said.message().use_candidate()).count() >= 3);
}

#[test]
fn completion_waits_for_the_nomination_and_for_both_ends_of_candidates() {
    let mut peer = Peer::known(Role::Controlled, &[FIRST]);
    let said = peer.said();
    peer.answer(&said[0]);
    peer.agent.end_of_remote_candidates(peer.now);
    assert_eq!(peer.agent.state(), State::Connected);
    peer.ask(FIRST, CONTROLLING, true);
    assert_eq!(peer.agent.state(), State::Completed);
    let events: Vec<_> = std::iter::from_fn(|| peer.agent.poll_event()).collect();
    let states = [State::Checking, State::Connected, State::Completed].map(Event::StateChanged);
    assert!(states.iter().all(|state| events.contains(state)), "{events:?}");
}

#[test]
fn few_spare_pairs_are_kept_alive() {
    let candidates: Vec<_> = (1..=20).map(|n| std::format!("192.0.2.2:{n}")).collect();
    let candidates: Vec<_> = candidates.iter().map(|text| &**text).collect();
    let mut peer = Peer::known(Role::Controlling, &candidates);
    let mut late = Vec::new();
    for second in 0..120 {
        for said in peer.wait(Duration::from_secs(1)) {
            peer.answer(&said);
            if second > 60 {
                late.push(said.path.remote);
            }
        }
    }
    late.sort();
    late.dedup();
    assert_eq!(late.len(), 4, "the one in use and three to fall back on: {late:?}");
}

/// A pair that was let lapse is kept alive from the moment that it is used.
#[test]
fn a_superfluous_pair_may_come_into_use() {
    let candidates: Vec<_> = (1..=20).map(|n| std::format!("192.0.2.2:{n}")).collect();
    let candidates: Vec<_> = candidates.iter().map(|text| &**text).collect();
    let mut peer = Peer::known(Role::Controlled, &candidates);
    for second in 0..120 {
        if second == 20 {
            peer.ask(candidates[15], CONTROLLING, true);
        }
        for said in peer.wait(Duration::from_secs(1)) {
            if said.message().class() == Class::Request {
                peer.answer(&said);
            }
        }
    }
    assert_eq!(peer.selected(), Some(address(candidates[15])));
    assert_eq!(peer.agent.state(), State::Connected);
}

/// Checks to an address within ten seconds, where another one answers, and within a minute after that.
fn tried(unanswered: &str, answered: &str) -> [usize; 2] {
    let mut peer = Peer::known(Role::Controlled, &[FIRST, SECOND]);
    let mut tried = [0, 0];
    for n in 0..700 {
        for said in peer.wait(Duration::from_millis(100)) {
            if said.path.remote == address(answered) {
                peer.answer(&said);
            }
            tried[usize::from(n > 110)] += usize::from(said.path.remote == address(unanswered));
        }
    }
    tried
}

/// A way that would be better than the one in use is worth more than one to fall back on, and neither is tried for ever.
#[test]
fn better_ways_are_tried_more_often_than_others() {
    let [better, after] = tried(FIRST, SECOND);
    assert!((20..30).contains(&better) && after == 0, "{better}, {after}");
    let [worse, after] = tried(SECOND, FIRST);
    assert!((8..16).contains(&worse) && after == 0, "{worse}, {after}");
}

/// To an address that nobody signalled the peer sends no more than came from there. So it is asked often, lest it wait for
/// the chance to check: but not for ever.
#[test]
fn a_peer_that_our_address_is_new_to_is_asked_often_for_a_while() {
    for (seen, often) in [("192.0.2.1:4001", false), ("203.0.113.1:7", true)] {
        for (role, theirs) in [
            (Role::Controlled, AttributeType::ICE_CONTROLLING),
            (Role::Controlling, AttributeType::ICE_CONTROLLED),
        ] {
            let mut peer = Peer::known(role, &[FIRST]);
            let mut asked = [0, 0];
            for n in 0..600 {
                for said in peer.wait(Duration::from_millis(100)) {
                    if said.message().class() == Class::Request {
                        asked[usize::from(n > 150)] += 1;
                        peer.answer_as(&said, address(seen));
                    }
                }
                if n == 0 {
                    peer.ask(FIRST, (theirs, 0), true);
                }
            }
            assert_eq!(asked[0] >= 15, often, "{asked:?}");
            assert!((7..=13).contains(&asked[1]), "{asked:?}");
        }
    }
}
