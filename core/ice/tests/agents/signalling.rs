//! What the caller tells an agent, and what it makes of it.

use std::time::Duration;

use pavane_base::Transport;
use pavane_ice::{
    ActionOutcome, CandidateKind, Credentials, LocalAddressError, NamedCandidate, PairState, RemoteCandidate,
    RemoteCandidateError, Role, State, TcpType,
};
use pavane_stun::AttributeType;

use crate::pair::address;
use crate::peer::{Peer, candidate};

const THEIRS: &str = "192.0.2.2:4002";
const CONTROLLING: (AttributeType, u64) = (AttributeType::ICE_CONTROLLING, 0);

fn named(name: &str) -> NamedCandidate {
    NamedCandidate {
        name: name.into(),
        port: 4002,
        foundation: "1".into(),
        component: 1,
        transport: Transport::Udp,
        tcp_type: None,
        priority: 1,
        kind: CandidateKind::Host,
    }
}

#[test]
fn what_cannot_be_used_is_passed_over() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    let mut tcp = candidate(THEIRS, 1);
    (tcp.transport, tcp.tcp_type) = (Transport::Tcp, Some(TcpType::Active));
    let mut rtcp = candidate(THEIRS, 1);
    rtcp.component = 2;
    let texts = ["0.0.0.0:1", "224.0.0.1:1", "192.0.2.2:0", "[::]:1", "[ff02::1]:1", "[::ffff:192.0.2.2]:1"];
    let addresses = texts.map(|text| candidate(text, 1));
    for candidate in addresses.into_iter().chain([tcp, rtcp]) {
        let candidate = RemoteCandidate::Address(candidate);
        peer.agent.add_remote_candidate(peer.now, &mut peer.rng, candidate).unwrap();
    }
    for name in ["example.org", "a.b.local", "local", ""] {
        let candidate = RemoteCandidate::Name(named(name));
        peer.agent.add_remote_candidate(peer.now, &mut peer.rng, candidate).unwrap();
    }
    assert_eq!(peer.agent.pairs().count(), 0);
    assert_eq!(peer.agent.poll_action(), None);
    assert_eq!(peer.agent.state(), State::New);
}

#[test]
fn families_and_scopes_are_not_mixed() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    for local in ["[2001:db8::1]:1", "[fe80::1%2]:2"] {
        peer.agent.add_local_address(peer.now, &mut peer.rng, address(local)).unwrap();
    }
    for remote in [THEIRS, "[2001:db8::2]:1", "[fe80::2]:2"] {
        peer.signal(remote, 1000);
    }
    let mut pairs: Vec<_> = peer.agent.pairs().map(|pair| (pair.path.local, pair.path.remote)).collect();
    pairs.sort();
    let expected = [
        (address("192.0.2.1:4001"), address(THEIRS)),
        (address("[2001:db8::1]:1"), address("[2001:db8::2]:1")),
        // The peer's scope is its own; ours is what a datagram needs.
        (address("[fe80::1%2]:2"), address("[fe80::2%2]:2")),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn one_address_signalled_twice_is_one() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS, THEIRS]);
    peer.signal(THEIRS, 7);
    assert_eq!(peer.agent.pairs().count(), 1);
    for _ in 0..3 {
        let candidate = RemoteCandidate::Name(named("a.local"));
        peer.agent.add_remote_candidate(peer.now, &mut peer.rng, candidate).unwrap();
    }
    assert!(peer.agent.poll_action().is_some());
    assert_eq!(peer.agent.poll_action(), None);
}

/// RFC 8838 §11: a candidate that was learnt turns out to be signalled.
#[test]
fn a_learnt_candidate_becomes_what_it_is() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    let second = address("192.0.2.1:4009");
    peer.agent.add_local_address(peer.now, &mut peer.rng, second).unwrap();
    peer.ask(THEIRS, CONTROLLING, false);
    let learnt: Vec<_> = peer.agent.pairs().collect();
    assert_eq!((learnt.len(), learnt[0].remote_kind), (1, CandidateKind::PeerReflexive));
    peer.signal(THEIRS, 2_000_000_000);
    let known: Vec<_> = peer.agent.pairs().collect();
    assert!(known.iter().all(|pair| pair.remote_kind == CandidateKind::Host));
    assert_eq!(known.len(), 2, "and is paired with what else we have");
    assert!(known[0].priority > learnt[0].priority);
    assert_eq!(known[0].state, PairState::InProgress, "what is under way goes on");
}

#[test]
fn names_that_lead_nowhere_do_not_undo_the_beginning() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    let candidate = RemoteCandidate::Name(named("a.local"));
    peer.agent.add_remote_candidate(peer.now, &mut peer.rng, candidate).unwrap();
    let (id, _) = peer.agent.poll_action().unwrap();
    peer.agent.handle_action(peer.now, &mut peer.rng, id, ActionOutcome::Failed);
    assert_eq!(peer.agent.state(), State::Checking);
    peer.wait(Duration::from_secs(40));
    assert_eq!(peer.agent.state(), State::Failed);
}

#[test]
fn a_name_resolved_late_or_unasked_does_no_harm() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    let candidate = RemoteCandidate::Name(named("a.local"));
    peer.agent.add_remote_candidate(peer.now, &mut peer.rng, candidate).unwrap();
    assert_eq!(peer.agent.state(), State::Checking);
    let (id, _) = peer.agent.poll_action().unwrap();
    let credentials = Credentials::generate(&mut peer.rng);
    peer.agent.restart(peer.now, &mut peer.rng, credentials);
    let outcome = ActionOutcome::Resolved(vec!["192.0.2.2".parse().unwrap()]);
    for _ in 0..2 {
        peer.agent.handle_action(peer.now, &mut peer.rng, id, outcome.clone());
    }
    assert_eq!(peer.agent.pairs().count(), 0);
}

#[test]
fn priorities_beyond_their_range_are_brought_into_it() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    for (port, priority) in [(1, 0), (2, u32::MAX), (3, 1 << 31)] {
        peer.signal(&std::format!("192.0.2.2:{port}"), priority);
    }
    assert_eq!(peer.agent.pairs().count(), 3);
    assert!(peer.agent.pairs().all(|pair| pair.priority > 1 << 32 && pair.priority < 1 << 63));
}

#[test]
fn the_best_pairs_are_kept_where_there_are_too_many() {
    let mut peer = Peer::unknown(Role::Controlled);
    for port in 5001..5010 {
        let local = address(&std::format!("192.0.2.1:{port}"));
        peer.agent.add_local_address(peer.now, &mut peer.rng, local).unwrap();
    }
    for port in 1..=50 {
        peer.signal(&std::format!("192.0.2.2:{port}"), 1000 + port);
    }
    assert_eq!(peer.agent.pairs().count(), 100);
    let best = peer.agent.pairs().map(|pair| pair.path.remote.port()).min().unwrap();
    assert_eq!(best, 41, "10 local addresses by the 10 best candidates");
    peer.ask("192.0.2.2:9", CONTROLLING, false);
    assert_eq!(peer.agent.pairs().count(), 100);
    assert!(peer.agent.pairs().any(|pair| pair.path.remote.port() == 9), "who was heard finds a place");
}

#[test]
fn too_many_candidates_are_refused() {
    let mut peer = Peer::unknown(Role::Controlled);
    let mut results = Vec::new();
    for port in 1..=60 {
        let address = RemoteCandidate::Address(candidate(&std::format!("192.0.2.2:{port}"), 1));
        results.push(peer.agent.add_remote_candidate(peer.now, &mut peer.rng, address));
        let name = RemoteCandidate::Name(named(&std::format!("n{port}.local")));
        results.push(peer.agent.add_remote_candidate(peer.now, &mut peer.rng, name));
    }
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 100);
    assert_eq!(results.last(), Some(&Err(RemoteCandidateError::TooMany { max: 100 })));
}

#[test]
fn only_addresses_of_sockets_are_ours() {
    let mut peer = Peer::unknown(Role::Controlled);
    let mut add = |text: &str| peer.agent.add_local_address(peer.now, &mut peer.rng, address(text));
    assert_eq!(add("0.0.0.0:1"), Err(LocalAddressError::NotUnicast));
    assert_eq!(add("[ff02::1]:1"), Err(LocalAddressError::NotUnicast));
    assert_eq!(add("192.0.2.1:0"), Err(LocalAddressError::NoPort));
    assert_eq!(add("127.0.0.1:1"), Ok(()));
    assert_eq!(add("127.0.0.1:1"), Ok(()));
    let results: Vec<_> = (2..40).map(|port| add(&std::format!("127.0.0.1:{port}"))).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 30);
    let told = peer.agent.local_candidates();
    assert_eq!(told.iter().filter(|told| told.transport == Transport::Udp).count(), 32);
    // One for each IP address opens streams (RFC 6544 §4.1).
    assert_eq!(told.iter().filter(|told| told.tcp_type == Some(TcpType::Active)).count(), 2);
}

/// RFC 8863 §4: with credentials and nothing else, failure waits for the same time.
#[test]
fn a_peer_without_candidates_fails_no_sooner() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    peer.agent.end_of_remote_candidates(peer.now);
    assert!(peer.wait(Duration::from_millis(39_499)).is_empty());
    assert_eq!(peer.agent.state(), State::New);
    peer.wait(Duration::from_millis(1));
    assert_eq!(peer.agent.state(), State::Failed);
}

#[test]
fn other_credentials_are_those_of_another_peer() {
    let mut peer = Peer::known(Role::Controlled, &[THEIRS]);
    let said = peer.said();
    peer.answer(&said[0]);
    assert!(peer.selected().is_some());
    peer.introduce();
    assert!(peer.selected().is_some(), "the same again are no news");
    peer.credentials = Credentials::generate(&mut peer.rng);
    peer.introduce();
    assert_eq!((peer.selected(), peer.agent.pairs().count()), (None, 0));
    peer.signal(THEIRS, 1000);
    let said = peer.said();
    peer.answer(&said[0]);
    assert!(peer.selected().is_some());
}

#[test]
fn passwords_are_not_shown() {
    let peer = Peer::unknown(Role::Controlled);
    let credentials = peer.agent.local_credentials();
    assert!(!std::format!("{credentials:?} {:?}", peer.agent).contains(&credentials.pwd));
    assert!(credentials.ufrag.len() >= 4 && credentials.pwd.len() >= 22, "RFC 8839 §5.4");
}
