//! What strangers can do: nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use pavane_base::rand_core::{Rng, SeedableRng};
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{MacAlgorithm, Provider};
use pavane_ice::{Candidate, CandidateFilter, Origin, RemoteCandidate, Role, State};
use pavane_stun::{AttributeType, Builder, Class, Method, TransactionId};
use rand_chacha::ChaCha8Rng;

use crate::pair::{Pair, address, path};
use crate::peer::{OURS, Peer};

const A: &str = "192.0.2.1:4001";
const B: &str = "192.0.2.2:4002";
const STRANGER: &str = "203.0.113.9:9";
const THEIRS: &str = "192.0.2.77:7";

/// What an address that was signalled is sent at most before it answers.
const SIGNALLED_CREDIT: usize = 50_000;

fn connected() -> Pair {
    let mut pair = Pair::introduced(1, [&[A], &[B]]);
    assert!(pair.run(Duration::from_secs(60), Pair::both_completed));
    pair.idle(Duration::from_secs(1));
    pair
}

/// A check from the stranger with this user name and password.
fn request(username: (&str, &str), password: &str) -> Vec<u8> {
    let key = SoftwareProvider.mac(MacAlgorithm::HmacSha1, password.as_bytes());
    let mut bytes = Vec::new();
    Builder::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([9; 12]))
        .username(username.0, username.1)
        .attribute(AttributeType::ICE_CONTROLLING, &u64::MAX.to_be_bytes())
        .priority(u32::MAX / 2)
        .attribute(AttributeType::USE_CANDIDATE, &[])
        .integrity(&*key)
        .fingerprint();
    bytes
}

#[test]
fn a_forged_check_is_not_answered_and_changes_nothing() {
    let mut pair = connected();
    let [ours, theirs] = [0, 1].map(|n| pair.agents[n].local_credentials().clone());
    let role = pair.agents[0].role();
    let before = (pair.trace.len(), pair.agents[0].pairs().count());
    for bytes in [
        request((&ours.ufrag, &theirs.ufrag), "a guess of the password"),
        request((&theirs.ufrag, &ours.ufrag), &ours.pwd),
        request(("", ""), &ours.pwd),
    ] {
        let (now, rng) = (pair.now, &mut pair.rngs[0]);
        pair.agents[0].handle_datagram(now, rng, path(address(A), address(STRANGER)), &bytes);
    }
    pair.flush();
    assert_eq!((pair.trace.len(), pair.agents[0].pairs().count()), before);
    assert_eq!(pair.agents[0].role(), role);
    let counters = pair.agents[0].counters();
    assert_eq!((counters.unauthentic, counters.unknown_username), (1, 2));
}

#[test]
fn a_response_from_elsewhere_does_not_count() {
    let mut pair = Pair::introduced(1, [&[A], &[B]]);
    pair.flush();
    let (_, _, check) = pair.trace.iter().find(|(_, path, _)| path.local == address(A)).unwrap().clone();
    let transaction = TransactionId(check[8..20].try_into().unwrap());
    let key = pair.agents[1].local_credentials().pwd.clone();
    let key = SoftwareProvider.mac(MacAlgorithm::HmacSha1, key.as_bytes());
    let mut bytes = Vec::new();
    Builder::new(&mut bytes, Class::Success, Method::BINDING, transaction)
        .xor_mapped_address(address(A))
        .integrity(&*key)
        .fingerprint();
    let (now, rng) = (pair.now, &mut pair.rngs[0]);
    pair.agents[0].handle_datagram(now, rng, path(address(A), address(STRANGER)), &bytes);
    assert_eq!(pair.agents[0].selected_path(), None);
    assert_eq!(pair.agents[0].counters().stray_responses, 1);
    pair.agents[0].handle_datagram(now, rng, path(address(A), address(B)), &bytes);
    assert!(pair.agents[0].selected_path().is_some(), "from where it was asked, it does");
}

#[test]
fn unknown_attributes_that_must_be_understood_are_refused_with_their_list() {
    let mut pair = connected();
    let ours = pair.agents[0].local_credentials().clone();
    let key = SoftwareProvider.mac(MacAlgorithm::HmacSha1, ours.pwd.as_bytes());
    let mut bytes = Vec::new();
    Builder::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([9; 12]))
        .username(&ours.ufrag, "them")
        .attribute(AttributeType(0x7abc), b"what?")
        .priority(1)
        .integrity(&*key)
        .fingerprint();
    let (now, rng) = (pair.now, &mut pair.rngs[0]);
    pair.agents[0].handle_datagram(now, rng, path(address(A), address(B)), &bytes);
    let mut answer = Vec::new();
    pair.agents[0].poll_transmit(now, &mut answer).unwrap();
    let answer = pavane_stun::Message::parse(&answer).unwrap();
    assert_eq!(answer.error_code(), Some(pavane_stun::ErrorCode::UNKNOWN_ATTRIBUTE));
    assert_eq!(answer.attribute(AttributeType::UNKNOWN_ATTRIBUTES), Some(&[0x7a, 0xbc][..]));
}

#[test]
fn everything_that_a_peer_can_grow_is_bounded() {
    let mut pair = connected();
    let ours = pair.agents[0].local_credentials().clone();
    let bytes = request((&ours.ufrag, "them"), &ours.pwd);
    for port in 1..5000 {
        let from = format!("203.0.113.9:{port}").parse().unwrap();
        let (now, rng) = (pair.now, &mut pair.rngs[0]);
        pair.agents[0].handle_datagram(now, rng, path(address(A), from), &bytes);
    }
    assert!(pair.agents[0].pairs().count() <= 100);
    assert!(pair.agents[0].counters().overflow > 0);
    let mut taken = 0;
    for port in 1..5000 {
        let mut candidate = pair.agents[1].local_candidates()[0].clone();
        candidate.address.set_port(port);
        let (now, rng) = (pair.now, &mut pair.rngs[0]);
        taken += usize::from(
            pair.agents[0].add_remote_candidate(now, rng, RemoteCandidate::Address(candidate)).is_ok(),
        );
    }
    assert!(taken <= 101, "{taken}");
    assert!(pair.agents[0].pairs().count() <= 100);
}

#[test]
fn garbage_is_counted_and_nothing_else() {
    let mut pair = connected();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let sent = pair.trace.len();
    for n in 0..50_000_u32 {
        let mut bytes = [0; 64];
        rng.fill_bytes(&mut bytes);
        bytes[0] &= 3;
        if n % 2 == 0 {
            bytes[4..8].copy_from_slice(&0x2112_a442_u32.to_be_bytes());
            bytes[2..4].copy_from_slice(&44_u16.to_be_bytes());
        }
        let (now, rng) = (pair.now, &mut pair.rngs[0]);
        pair.agents[0].handle_datagram(now, rng, path(address(A), address(B)), &bytes);
    }
    pair.flush();
    assert_eq!(pair.trace.len(), sent);
    assert_eq!(pair.agents[0].state(), State::Completed);
}

#[test]
fn every_corrupted_byte_of_a_session_is_survived() {
    let mut pair = connected();
    let trace = pair.trace.clone();
    let sent = pair.trace.len();
    for (_, way, bytes) in &trace {
        let to = usize::from(way.local == address(A));
        for at in 0..bytes.len() {
            let mut mangled = bytes.clone();
            mangled[at] ^= 0x11;
            let seen = path(way.remote, way.local);
            let (now, rng) = (pair.now, &mut pair.rngs[to]);
            pair.agents[to].handle_datagram(now, rng, seen, &mangled);
            pair.agents[to].handle_datagram(now, rng, seen, &bytes[..at]);
        }
    }
    pair.flush();
    assert_eq!(pair.trace.len(), sent, "none of it was answered");
    assert!(pair.both_completed());
}

#[test]
fn any_sequence_of_operations_and_packets_is_survived() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut script = vec![0; 1500];
    for _ in 0..3000 {
        rng.fill_bytes(&mut script);
        pavane_ice::fuzzing::agent(&script);
    }
}

#[test]
fn any_misfortune_of_the_network_is_survived() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for len in 0..200 {
        let mut fates = vec![0; len];
        rng.fill_bytes(&mut fates);
        pavane_ice::fuzzing::pair(&fates);
    }
}

/// Whoever pretends to be elsewhere cannot have more sent there than he sends himself, whatever he sends.
#[test]
fn an_address_that_has_proved_nothing_gets_no_more_than_came_from_it() {
    for role in [Role::Controlled, Role::Controlling] {
        let (same, other) = match role {
            Role::Controlled => (AttributeType::ICE_CONTROLLED, AttributeType::ICE_CONTROLLING),
            Role::Controlling => (AttributeType::ICE_CONTROLLING, AttributeType::ICE_CONTROLLED),
        };
        let mut peer = Peer::known(role, &[]);
        let mut came = BTreeMap::new();
        let mut said = Vec::new();
        for n in 0..40_u8 {
            let from = format!("203.0.113.{n}:7");
            for request in 0..=n % 8 {
                let len = match (n + request) % 5 {
                    // A conflict of roles, and what has to be understood and is not.
                    0 => peer.ask(&from, (same, u64::from(request)), true),
                    1 => peer.ask_with(&from, (other, 0), &[(AttributeType(0x7abc), b"what?")]),
                    _ => peer.ask(&from, (other, 0), request % 2 == 0),
                };
                peer.agent.handle_data(peer.now, path(address(OURS), address(&from)), 60);
                *came.entry(address(&from)).or_insert(0) += len + 60;
                said.extend(peer.wait(Duration::from_millis(200)));
            }
        }
        said.extend(peer.wait(Duration::from_secs(120)));
        for (from, came) in came {
            let to_it = said.iter().filter(|said| said.path.remote == from);
            let sent: usize = to_it.map(|said| said.bytes.len()).sum();
            assert!(0 < sent && sent <= came, "{from}: {sent} for {came}");
        }
        assert!(peer.agent.counters().checks_sent >= 40, "each is checked");
    }
}

/// An answer alone is no larger than its question, to whomever it goes, and whatever it says.
#[test]
fn an_answer_is_no_larger_than_its_question() {
    let mut peer = Peer::unknown(Role::Controlled);
    for (n, from) in [THEIRS, "[2001:db8::9]:7"].into_iter().cycle().take(20).enumerate() {
        let unknown = [(AttributeType(0x7abc), &[][..]), (AttributeType(0x7abd), &[][..])];
        let attributes = if n % 4 < 2 { &unknown[..] } else { &[] };
        let role = (AttributeType::ICE_CONTROLLED, if n % 3 == 0 { 0 } else { u64::MAX });
        let len = peer.ask_with(from, role, attributes);
        assert!(peer.said().iter().all(|said| said.bytes.len() <= len));
    }
}

/// An address that was signalled is checked, but not for ever (RFC 8445 §19.5.1), however often there is new hope.
#[test]
fn what_a_signalled_address_is_sent_on_credit_has_an_end() {
    let victim = "203.0.113.9:9";
    let mut peer = Peer::known(Role::Controlled, &[victim]);
    let mut sent = 0;
    for n in 0..20 {
        let bytes = peer.wait(Duration::from_secs(60));
        let to_victim = bytes.iter().filter(|said| said.path.remote == address(victim));
        sent += to_victim.map(|said| said.bytes.len()).sum::<usize>();
        peer.signal(&format!("198.51.100.{n}:7"), 1000 + n);
    }
    assert!((40_000..=SIGNALLED_CREDIT).contains(&sent), "{sent}");
    // The victim's own words are worth as much as they are long, and no more.
    let asked = peer.ask(victim, (AttributeType::ICE_CONTROLLING, 0), true);
    let answered = peer.wait(Duration::from_secs(60));
    let answered = answered.iter().filter(|said| said.path.remote == address(victim));
    let answered: usize = answered.map(|said| said.bytes.len()).sum();
    assert!(sent + answered <= SIGNALLED_CREDIT + asked, "{answered} for {asked}");
}

/// Without our password, nothing at all is sent.
#[test]
fn a_stranger_gets_nothing() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    let stranger = address("198.51.100.7:7");
    for bytes in
        [request(("", ""), "x"), request(("a", "b"), ""), vec![0; 20], vec![0x40; 100], vec![0x80; 100]]
    {
        peer.hear(stranger, &bytes);
    }
    assert!(peer.wait(Duration::from_secs(60)).is_empty());
}

/// Whoever was not answered is when he has proven himself, and freely from then on.
#[test]
fn a_proven_address_is_answered() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    peer.ask(STRANGER, (AttributeType::ICE_CONTROLLING, 0), true);
    let checks = peer.said();
    assert_eq!((checks.len(), checks[0].message().class()), (1, Class::Request));
    peer.answer(&checks[0]);
    assert_eq!(peer.said()[0].message().class(), Class::Success);
    for _ in 0..10 {
        peer.ask(STRANGER, (AttributeType::ICE_CONTROLLING, 0), true);
        assert_eq!(peer.said()[0].message().class(), Class::Success);
    }
}

/// Two peers who are both unknown to each other answer each other in the end. Whom the first answer has not satisfied is
/// checked twice before the next one, unless what is left over pays for both.
#[test]
fn requests_are_checked_and_answered_in_turns() {
    let mut peer = Peer::known(Role::Controlled, &[]);
    let [check, answer] = [Class::Request, Class::Success];
    for expected in [&[check][..], &[answer], &[answer, check], &[check], &[answer]] {
        peer.ask(STRANGER, (AttributeType::ICE_CONTROLLING, 0), true);
        let said: Vec<_> = peer.said().iter().map(|said| said.message().class()).collect();
        assert_eq!(said, expected);
    }
}

/// The caller has addresses that nothing is to be sent to, whoever names them.
#[test]
fn forbidden_addresses_are_left_alone() {
    let inner = |candidate: &Candidate| matches!(candidate.address.ip(), IpAddr::V4(ip) if ip.is_private());
    let mut peer = Peer::with_config(Role::Controlled, |config| {
        config.filter =
            Some(CandidateFilter::new(move |origin, candidate| origin == Origin::Local || !inner(candidate)));
    });
    peer.introduce();
    peer.signal("10.0.0.1:80", 7);
    peer.ask("192.168.0.1:80", (AttributeType::ICE_CONTROLLING, 0), true);
    peer.signal("203.0.113.1:80", 7);
    let said = peer.wait(Duration::from_secs(10));
    assert!(!said.is_empty() && said.iter().all(|said| said.path.remote == address("203.0.113.1:80")));
}
