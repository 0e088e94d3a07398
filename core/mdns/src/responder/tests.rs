use core::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::message::write_query;

const NAME: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn from(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

/// One that has announced its name, and then been still for a minute.
fn announced() -> Responder {
    let mut responder = Responder::new(Link::new(OURS, 24));
    responder.register(at(0), NAME).unwrap();
    responder.handle_timeout(at(1000));
    responder.handle_timeout(at(2000));
    assert_eq!(sent(&mut responder, at(2000)).len(), 2);
    responder
}

fn query(kind: RecordType) -> Vec<u8> {
    let mut out = Vec::new();
    write_query(NAME, kind, &mut out);
    out
}

fn alone(mut query: Vec<u8>) -> Vec<u8> {
    let class = query.len() - 2;
    query[class] |= 0x80;
    query
}

/// What is sent, and the address that it tells, if it does, for how long.
fn sent(responder: &mut Responder, now: Instant) -> Vec<(Destination, Option<IpAddr>, u32)> {
    let mut out = Vec::new();
    let mut log = Vec::new();
    while let Some(to) = responder.poll_transmit(now, &mut out) {
        let message = Message::read(&out).unwrap();
        let first = message.records().next().unwrap();
        assert!(message.is_response && first.name.is(NAME));
        assert!(out.len() <= query(RecordType::A).len() + 32, "{} bytes", out.len());
        log.push((to, first.address(), first.ttl));
        out.clear();
    }
    log
}

#[test]
fn a_name_is_announced_twice_and_taken_leave_of() {
    let mut responder = Responder::new(Link::new(OURS, 24));
    responder.register(at(0), NAME).unwrap();
    for ms in [1000, 2000] {
        assert_eq!(responder.poll_timeout(), Some(at(ms)));
        responder.handle_timeout(at(ms));
        assert_eq!(sent(&mut responder, at(ms)), [(Destination::Group, Some(OURS), 120)]);
    }
    assert_eq!(responder.poll_timeout(), None);
    responder.unregister(NAME);
    assert_eq!(sent(&mut responder, at(3000)), [(Destination::Group, Some(OURS), 0)]);
    responder.handle_message(at(9000), from("192.0.2.2:5353"), &query(RecordType::A));
    assert_eq!(responder.poll_timeout(), None);
}

/// Who has just been told a name by other means asks for it at once, and is answered at once.
#[test]
fn the_first_to_ask_does_not_wait_for_the_announcement() {
    let mut responder = Responder::new(Link::new(OURS, 24));
    responder.register(at(0), NAME).unwrap();
    responder.handle_message(at(20), from("192.0.2.2:5353"), &query(RecordType::A));
    assert_eq!(sent(&mut responder, at(20)), [(Destination::Group, Some(OURS), 120)]);
    assert_eq!(responder.poll_timeout(), Some(at(1020)), "all have heard it");
}

#[test]
fn all_hear_the_answer_once_a_second() {
    let mut responder = announced();
    for ms in [2500, 3000, 3500, 3999, 4000] {
        responder.handle_message(at(ms), from("192.0.2.2:5353"), &query(RecordType::A));
    }
    let once = (Destination::Group, Some(OURS), 120);
    assert_eq!(sent(&mut responder, at(4000)), [once, once]);
    responder.handle_message(at(60_000), from("192.0.2.2:5353"), &query(RecordType::ANY));
    assert_eq!(sent(&mut responder, at(60_000)), [once]);
}

#[test]
fn who_asks_alone_is_answered_alone_if_all_have_heard() {
    let mut responder = announced();
    let asker = from("192.0.2.2:5353");
    responder.handle_message(at(5000), asker, &alone(query(RecordType::A)));
    assert_eq!(sent(&mut responder, at(5000)), [(Destination::Address(asker), Some(OURS), 120)]);
    responder.handle_message(at(40_000), asker, &alone(query(RecordType::A)));
    assert_eq!(sent(&mut responder, at(40_000)), [(Destination::Group, Some(OURS), 120)]);
}

#[test]
fn plain_questions_get_plain_answers() {
    let mut responder = announced();
    let asker = from("192.0.2.2:40000");
    let mut plain = query(RecordType::A);
    plain[..2].copy_from_slice(&[0xab, 0xcd]);
    responder.handle_message(at(5000), asker, &plain);
    let mut out = Vec::new();
    assert_eq!(responder.poll_transmit(at(5000), &mut out), Some(Destination::Address(asker)));
    let message = Message::read(&out).unwrap();
    assert_eq!(message.id, 0xabcd);
    assert!(message.questions().next().unwrap().name.is(NAME));
    assert_eq!(message.records().map(|r| (r.address(), r.ttl)).collect::<Vec<_>>(), [(Some(OURS), 10)]);
}

#[test]
fn other_types_are_denied_and_other_names_passed_over() {
    let mut responder = announced();
    let asker = from("192.0.2.2:5353");
    responder.handle_message(at(5000), asker, &query(RecordType::AAAA));
    assert_eq!(sent(&mut responder, at(5000)), [(Destination::Group, None, 120)]);
    let mut other = Vec::new();
    write_query("2579ef4b-50ae-4bfe-95af-70b3376ecb9c.local", RecordType::A, &mut other);
    responder.handle_message(at(8000), asker, &other);
    assert_eq!(sent(&mut responder, at(8000)), []);
}

/// Browsers ask for both kinds of address at once: that there is none of the one must not keep the other from them.
#[test]
fn both_kinds_are_asked_for_in_any_order() {
    let (v4, v6) = (RecordType::A, RecordType::AAAA);
    for kinds in [[v4, v6], [v6, v4]] {
        let mut responder = Responder::new(Link::new(OURS, 24));
        responder.register(at(0), NAME).unwrap();
        for kind in kinds {
            responder.handle_message(at(20), from("192.0.2.2:5353"), &query(kind));
        }
        let mut told: Vec<_> = sent(&mut responder, at(20)).iter().map(|(_, address, _)| *address).collect();
        told.sort();
        assert_eq!(told, [None, Some(OURS)]);
    }
}

#[test]
fn what_is_known_is_not_told() {
    let mut responder = announced();
    for (ttl, answers) in [(120, 0), (60, 0), (59, 1)] {
        let mut knowing = query(RecordType::A);
        knowing[7] = 1;
        let mut response = Vec::new();
        message::write_response(NAME, Answer::Address(OURS), ttl, &mut response);
        let record = &response[12..12 + NAME.len() + 2 + 14];
        knowing.extend_from_slice(record);
        let now = at(10_000 + u64::from(ttl));
        responder.handle_message(now, from("192.0.2.2:5353"), &knowing);
        assert_eq!(sent(&mut responder, now).len(), answers, "{ttl} s are left");
    }
}

#[test]
fn strangers_to_the_link_get_no_answer() {
    let mut responder = announced();
    for asker in ["203.0.113.1:5353", "203.0.113.1:40000", "[fe80::1]:5353"] {
        responder.handle_message(at(5000), from(asker), &query(RecordType::A));
    }
    assert_eq!(sent(&mut responder, at(5000)), []);
}

#[test]
fn the_rate_is_bounded_whoever_asks() {
    let mut responder = announced();
    for _ in 0..10_000 {
        responder.handle_message(at(5000), from("192.0.2.2:40000"), &query(RecordType::A));
    }
    assert_eq!(sent(&mut responder, at(5000)).len(), 64);
    assert_eq!(sent(&mut responder, at(6000)).len(), 20);
    assert!(responder.waiting.len() <= MAX_WAITING);
}

#[test]
fn names_are_bounded_and_of_their_form() {
    let mut responder = Responder::new(Link::new(OURS, 24));
    assert_eq!(responder.register(at(0), "printer.local"), Err(RegisterError::NotHiding));
    for n in 0..MAX_NAMES {
        let name = alloc::format!("{n:08x}-ea17-4bcf-a596-105139dfd8bf.local");
        responder.register(at(0), &name).unwrap();
    }
    assert_eq!(responder.register(at(0), NAME), Err(RegisterError::TooMany { max: MAX_NAMES }));
}
