use alloc::format;
use core::net::Ipv4Addr;

use super::*;
use crate::message::{Answer, write_plain_response, write_response};

const NAME: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn asked(resolver: &mut Resolver, now: Instant) -> usize {
    let mut out = Vec::new();
    let mut count = 0;
    while resolver.poll_transmit(now, &mut out) {
        let message = Message::read(&out).unwrap();
        assert!(!message.is_response && message.questions().count() == 1);
        out.clear();
        count += 1;
    }
    count
}

fn response(name: &str, last: u8) -> Vec<u8> {
    let mut out = Vec::new();
    write_response(name, Answer::Address(Ipv4Addr::new(192, 0, 2, last).into()), 120, &mut out);
    out
}

#[test]
fn a_name_is_asked_for_four_times_and_then_given_up() {
    let mut resolver = Resolver::new();
    resolver.resolve(at(0), NAME).unwrap();
    let mut log = Vec::new();
    while let Some(next) = resolver.poll_timeout() {
        resolver.handle_timeout(next);
        log.push((next, asked(&mut resolver, next)));
    }
    assert_eq!(log, [(at(0), 2), (at(1000), 2), (at(3000), 2), (at(7000), 2), (at(15_000), 0)]);
    assert_eq!(resolver.poll_resolution(), Some((NAME.into(), None)));
    assert!(resolver.is_idle());
}

#[test]
fn the_first_answer_wins_and_ends_the_asking() {
    let mut resolver = Resolver::new();
    resolver.resolve(at(0), &NAME.to_ascii_uppercase()).unwrap();
    resolver.resolve(at(0), NAME).unwrap();
    assert_eq!(asked(&mut resolver, at(0)), 2, "one name, however it is written");
    resolver.handle_message(&response("2579ef4b-50ae-4bfe-95af-70b3376ecb9c.local", 9));
    assert_eq!(resolver.poll_resolution(), None, "another's");
    resolver.handle_message(&response(&NAME.to_ascii_uppercase(), 1));
    resolver.handle_message(&response(NAME, 2));
    let first: IpAddr = Ipv4Addr::new(192, 0, 2, 1).into();
    assert_eq!(resolver.poll_resolution(), Some((NAME.into(), Some(first))));
    assert_eq!((resolver.poll_resolution(), resolver.poll_timeout()), (None, None));
}

#[test]
fn plain_answers_count_as_well_and_farewells_do_not() {
    let mut resolver = Resolver::new();
    resolver.resolve(at(0), NAME).unwrap();
    let address = Ipv4Addr::new(192, 0, 2, 1).into();
    let mut out = Vec::new();
    write_response(NAME, Answer::Address(address), 0, &mut out);
    resolver.handle_message(&out);
    out.clear();
    write_response(NAME, Answer::Only(RecordType::AAAA), 120, &mut out);
    resolver.handle_message(&out);
    assert_eq!(resolver.poll_resolution(), None);
    out.clear();
    write_plain_response(9, NAME, RecordType::A, address, 10, &mut out);
    resolver.handle_message(&out);
    assert_eq!(resolver.poll_resolution(), Some((NAME.into(), Some(address))));
}

#[test]
fn several_addresses_are_none() {
    let mut resolver = Resolver::new();
    resolver.resolve(at(0), NAME).unwrap();
    let (mut several, other) = (response(NAME, 1), response(NAME, 2));
    several[7] = 2;
    several[11] = 0;
    let record = &other[12..12 + NAME.len() + 2 + 14];
    several.truncate(12 + record.len());
    several.extend_from_slice(record);
    assert_eq!(Message::read(&several).unwrap().records().filter_map(|r| r.address()).count(), 2);
    resolver.handle_message(&several);
    assert_eq!(resolver.poll_resolution(), Some((NAME.into(), None)));
}

#[test]
fn what_is_asked_for_is_bounded_and_so_is_the_rate() {
    let mut resolver = Resolver::new();
    assert_eq!(resolver.resolve(at(0), "printer.local"), Err(ResolveError::NotHiding));
    let name = |n: usize| format!("{n:08x}-ea17-4bcf-a596-105139dfd8bf.local");
    for n in 0..MAX_QUERIES {
        resolver.resolve(at(0), &name(n)).unwrap();
    }
    let too_many = Err(ResolveError::TooMany { max: MAX_QUERIES });
    assert_eq!(resolver.resolve(at(0), &name(MAX_QUERIES)), too_many);
    let mut sent = 0;
    while let Some(next) = resolver.poll_timeout().filter(|next| *next < at(3000)) {
        resolver.handle_timeout(next);
        sent += asked(&mut resolver, next);
    }
    assert!((100..=64 + 60).contains(&sent), "{sent} messages in three seconds");
    assert!(resolver.due.len() <= 2 * MAX_QUERIES);
}
