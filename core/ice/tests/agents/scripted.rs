//! An agent's answers to single messages.

use std::time::Duration;

use pavane_ice::{PairState, Role, State};
use pavane_stun::{AttributeType, Class, ErrorCode};

use crate::pair::address;
use crate::peer::{OURS, Peer};

const THEIRS: &str = "192.0.2.2:4002";
const OTHER: &str = "192.0.2.2:5002";
const CONTROLLED: (AttributeType, u64) = (AttributeType::ICE_CONTROLLED, 0);
const CONTROLLING: (AttributeType, u64) = (AttributeType::ICE_CONTROLLING, 0);

#[test]
fn a_check_says_what_it_has_to() {
    let mut peer = Peer::known(Role::Controlling, &[THEIRS]);
    let said = peer.said();
    assert_eq!(said.len(), 1, "the first check leaves at once");
    let message = said[0].message();
    let ours = peer.agent.local_credentials();
    assert_eq!(message.username(), Some(&*std::format!("{}:{}", peer.credentials.ufrag, ours.ufrag)));
    assert!(message.controlling().is_some() && message.controlled().is_none());
    assert!(message.use_candidate() && message.has_fingerprint());
    // RFC 8445 §7.1.1: type preference 110, and the local preference of the base.
    assert_eq!(message.priority().unwrap() >> 24, 110);
    assert_eq!(message.priority().unwrap() & 0xff, 255);
}

#[test]
fn a_controlled_agent_nominates_nothing() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.wait(Duration::from_secs(3));
    assert!(said.len() > 3);
    for said in said {
        assert!(said.message().controlled().is_some() && !said.message().use_candidate());
    }
}

/// RFC 8445 §7.3: before the answer has come, the offerer answers checks, and remembers them.
#[test]
fn a_check_before_the_credentials_is_answered_and_returned_later() {
    let mut peer = Peer::unknown(Role::Controlled);
    peer.ask(THEIRS, CONTROLLING, true);
    assert_eq!(peer.said().len(), 0, "what came is kept for the check");
    peer.ask(THEIRS, CONTROLLING, true);
    let said = peer.said();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].message().class(), Class::Success);
    assert_eq!(said[0].message().mapped_address(), Some(address(THEIRS)));
    assert_eq!(peer.agent.state(), State::New);
    peer.introduce();
    let said = peer.said();
    assert_eq!((said.len(), said[0].path.remote), (1, address(THEIRS)));
    peer.answer(&said[0]);
    assert_eq!(peer.selected(), Some(address(THEIRS)));
    assert!(peer.agent.pairs().all(|pair| pair.nominated), "the wish was remembered as well");
}

#[test]
fn a_check_is_returned_at_once() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    peer.said();
    peer.ask(OTHER, CONTROLLING, false);
    let said = peer.said();
    assert_eq!(said.len(), 1, "without waiting for the pace of ordinary checks");
    assert_eq!(said[0].message().class(), Class::Request);
    assert_eq!(said[0].path.remote, address(OTHER));
    let (theirs, learnt) = (peer.agent.pairs().next().unwrap(), peer.agent.pairs().nth(1).unwrap());
    assert!(theirs.priority > learnt.priority, "what was learnt has the priority that the check told");
}

#[test]
fn a_working_pair_is_not_checked_in_return() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.said();
    peer.answer(&said[0]);
    peer.ask(THEIRS, CONTROLLING, true);
    assert_eq!(peer.said().len(), 1, "the answer");
}

#[test]
fn a_late_response_counts() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.wait(Duration::from_secs(2));
    assert!(said.len() > 3);
    peer.answer(&said[0]);
    assert_eq!(peer.selected(), Some(address(THEIRS)));
    let rtt = peer.agent.round_trip_time().unwrap();
    assert_eq!(rtt, Duration::from_secs(2), "it is known which check it answers");
}

#[test]
fn a_response_after_the_search_was_given_up_counts() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.wait(Duration::from_secs(40));
    assert_eq!(peer.agent.state(), State::Failed);
    peer.answer(said.last().unwrap());
    assert_eq!(peer.agent.state(), State::Connected);
}

#[test]
fn a_response_is_taken_once() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.said();
    peer.answer(&said[0]);
    peer.answer(&said[0]);
    assert_eq!(peer.agent.counters().stray_responses, 1);
    assert_eq!(peer.agent.counters().responses_received, 1);
}

#[test]
fn our_address_behind_a_nat_is_learnt() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.said();
    let seen = address("203.0.113.1:7");
    peer.answer_as(&said[0], seen);
    let learnt = peer.agent.peer_reflexive_candidates();
    assert_eq!((learnt.len(), learnt[0].address), (1, seen));
    assert_eq!(learnt[0].related, Some(address(OURS)));
    assert_eq!(Some(learnt[0].priority), said[0].message().priority());
    let told = peer.agent.local_candidates();
    assert!(told.iter().all(|told| told.address != seen), "it is not signalled");
    assert_eq!(peer.agent.pairs().next().unwrap().mapped, Some(seen));
    assert_eq!(peer.agent.selected_path().unwrap().local, address(OURS), "its base is what is sent from");
}

#[test]
fn a_role_conflict_is_settled_by_the_tiebreakers() {
    for (ours, theirs) in [
        (Role::Controlling, AttributeType::ICE_CONTROLLING),
        (Role::Controlled, AttributeType::ICE_CONTROLLED),
    ] {
        for tiebreaker in [0, u64::MAX] {
            let mut peer = Peer::unknown(ours);
            peer.ask(THEIRS, (theirs, tiebreaker), false);
            let said = peer.said();
            // RFC 8445 §7.3.1.1: the larger tiebreaker controls.
            let we_win = tiebreaker == 0;
            let we_change = we_win != (ours == Role::Controlling);
            assert_eq!(peer.agent.role() != ours, we_change);
            let code = said.first().and_then(|said| said.message().error_code());
            assert_eq!(code, (!we_change).then_some(ErrorCode::ROLE_CONFLICT));
        }
    }
}

#[test]
fn a_refused_role_is_given_up_and_the_pair_checked_again() {
    let mut peer = Peer::known(Role::Controlling, &[THEIRS]);
    let first = peer.said();
    let tiebreaker = first[0].message().controlling().unwrap();
    peer.refuse(&first[0], ErrorCode::ROLE_CONFLICT);
    assert_eq!(peer.agent.role(), Role::Controlled);
    let again = peer.said();
    assert_eq!(again.len(), 1, "at once");
    let told = again[0].message().controlled().unwrap();
    assert_ne!(told, tiebreaker, "RFC 8445 §16.1: the tiebreaker is another");
    // The second refusal of the first role comes late.
    peer.refuse(&first[0], ErrorCode::ROLE_CONFLICT);
    assert_eq!(peer.agent.role(), Role::Controlled);
    peer.answer(&again[0]);
    assert!(peer.selected().is_some());
}

#[test]
fn two_refusals_of_one_role_change_it_once() {
    let mut peer = Peer::known(Role::Controlling, &[THEIRS, OTHER]);
    let said = peer.wait(Duration::from_millis(60));
    assert_eq!(said.len(), 2);
    for said in &said {
        peer.refuse(said, ErrorCode::ROLE_CONFLICT);
    }
    assert_eq!(peer.agent.role(), Role::Controlled);
}

#[test]
fn consent_that_is_revoked_ends_at_once() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.said();
    peer.answer(&said[0]);
    assert!(peer.selected().is_some());
    let consent = peer.wait(Duration::from_secs(6));
    peer.refuse(&consent[0], ErrorCode::FORBIDDEN);
    assert_eq!(peer.selected(), None);
    assert_eq!(peer.agent.state(), State::Failed);
    assert!(peer.wait(Duration::from_secs(60)).is_empty());
    peer.ask(THEIRS, CONTROLLING, true);
    assert!(peer.said().is_empty(), "RFC 7675 §5.1: nothing is sent there any more");
    assert_eq!(peer.agent.counters().without_consent, 1);
}

#[test]
fn a_refused_pair_is_not_checked_again() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.said();
    peer.refuse(&said[0], ErrorCode::BAD_REQUEST);
    assert_eq!(peer.agent.pairs().next().unwrap().state, PairState::Failed);
    assert_eq!(peer.agent.state(), State::Checking, "RFC 8863 §4: candidates may come yet");
    assert!(peer.wait(Duration::from_secs(30)).is_empty());
}

#[test]
fn a_message_without_integrity_refuses_nothing() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.said();
    let mut bytes = Vec::new();
    let transaction = said[0].message().transaction();
    pavane_stun::Builder::new(&mut bytes, Class::Error, pavane_stun::Method::BINDING, transaction)
        .error_code(ErrorCode::FORBIDDEN)
        .fingerprint();
    peer.hear(address(THEIRS), &bytes);
    assert_eq!(peer.agent.counters().unauthentic, 1);
    peer.answer(&said[0]);
    assert!(peer.selected().is_some());
}

#[test]
fn a_check_without_priority_is_refused() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    peer.said();
    let ours = peer.agent.local_credentials().clone();
    let mut bytes = Vec::new();
    let transaction = pavane_stun::TransactionId([7; 12]);
    use pavane_crypto::Provider as _;
    let key = pavane_crypto::software::SoftwareProvider
        .mac(pavane_crypto::MacAlgorithm::HmacSha1, ours.pwd.as_bytes());
    pavane_stun::Builder::new(&mut bytes, Class::Request, pavane_stun::Method::BINDING, transaction)
        .username(&ours.ufrag, "x")
        .integrity(&*key)
        .fingerprint();
    peer.hear(address(OTHER), &bytes);
    assert_eq!(peer.said()[0].message().error_code(), Some(ErrorCode::BAD_REQUEST));
    assert_eq!(peer.agent.pairs().count(), 1);
}

#[test]
fn after_the_end_nothing_is_said() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    peer.agent.close(peer.now, &mut peer.rng);
    assert_eq!(peer.agent.state(), State::Closed);
    assert!(peer.wait(Duration::from_secs(60)).is_empty());
    peer.ask(THEIRS, CONTROLLING, true);
    peer.introduce();
    peer.signal(OTHER, 1);
    assert!(peer.wait(Duration::from_secs(60)).is_empty());
    assert_eq!(peer.agent.state(), State::Closed);
    assert_eq!(peer.agent.poll_timeout(), None);
}

#[test]
fn unanswered_checks_back_off() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let count = |said: Vec<crate::peer::Said>| said.len();
    assert!((3..=5).contains(&count(peer.wait(Duration::from_secs(1)))));
    let later = count(peer.wait(Duration::from_secs(10)));
    assert!((24..=26).contains(&later), "one every 400 ms: {later}");
}

#[test]
fn waiting_answers_are_bounded() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    for _ in 0..200 {
        peer.ask(THEIRS, CONTROLLING, false);
    }
    let said = peer.said();
    let answers = said.iter().filter(|said| said.message().class() == Class::Success).count();
    assert_eq!(answers, 64);
    assert!(said.len() - answers <= 1, "and one check, however often it was asked for");
    assert_eq!(peer.agent.counters().overflow, 136);
}

#[test]
fn a_socket_that_was_busy_does_not_spoil_the_measurement() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    peer.now += Duration::from_millis(100);
    let said = peer.said();
    peer.now += Duration::from_millis(20);
    peer.answer(&said[0]);
    assert_eq!(peer.agent.round_trip_time(), Some(Duration::from_millis(20)));
}

#[test]
fn the_controlled_role_stands_while_nobody_objects() {
    let mut peer = Peer::known(Role::Controlling, &[THEIRS]);
    peer.ask(THEIRS, CONTROLLED, false);
    assert_eq!(peer.agent.role(), Role::Controlling);
    assert_eq!(peer.said().iter().filter(|said| said.message().class() == Class::Success).count(), 1);
}
