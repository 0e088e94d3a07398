//! Handshakes on a clean path: every suite and group, their timing, and what can be done with the result.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::Instant;
use pavane_crypto::NamedGroup;

use super::pair::{Pair, config};
use crate::record_layer::PROTECTED;
use crate::{
    CipherSuite, CloseReason, Config, Connection, Event, ExportError, Incompatible, Role, SealError, State,
    Version,
};

fn exchange_data(pair: &mut Pair) {
    for (from, to) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
        for data in [&b""[..], b"data", &[7; 1 << 14]] {
            let record = pair.side(from).seal(data);
            assert_eq!(record.len(), data.len() + pair.side(from).connection.overhead());
            let now = pair.now;
            pair.side(to).received.clear();
            pair.side(to).deliver(now, &record);
            assert_eq!(pair.side(to).received, [data]);
            pair.side(to).deliver(now, &record);
            assert_eq!(pair.side(to).received.len(), 1, "a replay is dropped");
        }
        assert_eq!(pair.side(to).connection.counters().replayed, 3);
    }
}

fn exported(connection: &Connection, context: Option<&[u8]>) -> [u8; 60] {
    let mut out = [0; 60];
    connection.export("EXTRACTOR-dtls_srtp", context, &mut out).unwrap();
    out
}

#[test]
fn every_suite_and_group_connects() {
    for suite in &CipherSuite::ALL[..3] {
        for group in [NamedGroup::X25519, NamedGroup::Secp256r1] {
            let mut server = config(Role::Server);
            server.cipher_suites = vec![*suite];
            server.groups = vec![group];
            let mut pair = Pair::with(1, config(Role::Client), server);
            pair.connect();
            for side in [&pair.client, &pair.server] {
                assert_eq!(side.connection.cipher_suite(), Some(*suite));
                assert_eq!(side.connection.version(), Some(Version::Dtls12));
            }
            assert_eq!(exported(&pair.client.connection, None), exported(&pair.server.connection, None));
            let with_context = exported(&pair.client.connection, Some(b""));
            assert_eq!(with_context, exported(&pair.server.connection, Some(b"")));
            assert_ne!(with_context, exported(&pair.client.connection, None));
            exchange_data(&mut pair);
        }
    }
}

#[test]
fn the_client_takes_two_round_trips_and_four_datagrams() {
    let mut pair = Pair::new(1);
    pair.connect();
    assert_eq!(pair.server.connected_at(), Some(Instant::from_millis(1150)));
    assert_eq!(pair.client.connected_at(), Some(Instant::from_millis(1200)));
    pair.run();
    let lengths: Vec<usize> = pair.sent.iter().map(|sent| sent.bytes.len()).collect();
    std::println!("datagrams: {lengths:?}");
    assert_eq!(lengths.len(), 4, "{lengths:?}");
    assert_eq!(pair.client.connection.poll_timeout(), None);
    assert_eq!(pair.server.connection.poll_timeout(), None);
    let peer = pair.client.connection.remote_certificate();
    assert_eq!(peer, Some(config(Role::Server).certificate.der()));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let mut pair = Pair::new(seed);
        pair.connect();
        pair.run();
        pair.sent
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn large_messages_travel_in_fragments() {
    for max_datagram in [0, 128, 256, 600] {
        let small = |role| {
            let mut config = config(role);
            config.max_datagram = max_datagram;
            config
        };
        let mut pair = Pair::with(1, small(Role::Client), small(Role::Server));
        pair.connect();
        let limit = max_datagram.max(Config::MIN_DATAGRAM);
        assert!(pair.sent.iter().all(|sent| sent.bytes.len() <= limit));
        assert!(pair.sent.len() > 4);
        exchange_data(&mut pair);
    }
}

#[test]
fn a_server_is_started_by_the_first_record_and_a_client_is_not() {
    let mut pair = Pair::new(1);
    let now = pair.now;
    pair.client.connection.start(now, &mut pair.client.rng);
    let mut hello = vec![];
    pair.client.connection.poll_transmit(now, &mut hello).unwrap();
    pair.client.deliver(now, &[]);
    pair.server.deliver(now, &hello);
    assert_eq!(pair.server.connection.state(), State::Connecting);
    assert!(pair.server.connection.poll_transmit(now, &mut vec![]).is_some());

    let mut client = Pair::new(2).client;
    client.deliver(now, &hello);
    assert_eq!(client.connection.state(), State::New);
    assert_eq!(client.connection.poll_transmit(now, &mut vec![]), None);
}

#[test]
fn nothing_in_common_is_told_to_both() {
    let run = |change: fn(&mut Config)| {
        let mut server = config(Role::Server);
        change(&mut server);
        let mut pair = Pair::with(1, config(Role::Client), server);
        pair.start();
        pair.run();
        assert_eq!(pair.client.connection.state(), State::Failed);
        let [(_, Event::Closed(CloseReason::PeerAlert(alert)))] = pair.client.events[..] else {
            panic!("{:?}", pair.client.events);
        };
        let [(_, Event::Closed(reason))] = pair.server.events[..] else { panic!() };
        (alert.0, reason)
    };
    let suites = run(|server| server.cipher_suites = vec![]);
    assert_eq!(suites, (40, CloseReason::Incompatible(Incompatible::CipherSuite)));
    let groups = run(|server| server.groups = vec![]);
    assert_eq!(groups, (40, CloseReason::Incompatible(Incompatible::Group)));
}

#[test]
fn commands_before_the_end_of_the_handshake_are_refused() {
    let mut pair = Pair::new(1);
    let mut buf = vec![0; 100];
    assert_eq!(pair.client.connection.seal(&mut buf, 0), Err(SealError::NotConnected));
    assert_eq!(pair.client.connection.export("x", None, &mut [0]), Err(ExportError::NotConnected));
    assert_eq!(pair.client.connection.headroom(), Connection::MAX_HEADROOM);
    pair.connect();
    let client = &mut pair.client.connection;
    assert_eq!(client.seal(&mut vec![0; 20], 0), Err(SealError::NoHeadroom));
    let mut large = vec![0; client.headroom() + (1 << 14) + 1];
    assert_eq!(client.seal(&mut large, 0), Err(SealError::TooLarge { max: 1 << 14 }));
    assert_eq!(client.export("client finished", None, &mut [0]), Err(ExportError::ReservedLabel));
    let long = vec![0; 1 << 16];
    assert_eq!(client.export("x", Some(&long), &mut [0]), Err(ExportError::ContextTooLong));
}

#[test]
fn a_record_is_sealed_behind_others() {
    let mut pair = Pair::new(1);
    pair.connect();
    let mut datagram = pair.client.seal(b"one");
    let start = datagram.len();
    datagram.resize(start + pair.client.connection.headroom(), 0);
    datagram.extend_from_slice(b"two");
    pair.client.connection.seal(&mut datagram, start).unwrap();
    let now = pair.now;
    pair.server.deliver(now, &datagram);
    assert_eq!(pair.server.received, [b"one", b"two"]);
}

#[test]
fn data_that_overtakes_the_handshake_is_kept() {
    let mut pair = Pair::new(1);
    pair.start();
    // The server is done, and its data arrives before its Finished.
    pair.run_until(|pair| pair.server.is_connected());
    let early = pair.server.seal(b"early");
    let now = pair.now;
    pair.client.deliver(now, &early);
    assert!(pair.client.received.is_empty());
    assert_eq!(pair.client.connection.poll_early_data(), None);
    pair.run_until(|pair| pair.client.is_connected());
    assert_eq!(pair.client.received, [b"early"]);
}

#[test]
fn a_finished_that_overtakes_its_flight_waits_for_its_keys() {
    let mut small = config(Role::Client);
    small.max_datagram = 200;
    let mut pair = Pair::with(1, small, config(Role::Server));
    pair.start();
    pair.run_until(|pair| pair.sent.iter().filter(|sent| sent.from == Role::Client).count() > 1);
    let now = pair.now;
    let flight: Vec<_> = pair.sent.iter().filter(|s| s.from == Role::Client).skip(1).cloned().collect();
    for sent in flight.iter().rev() {
        pair.server.deliver(now, &sent.bytes);
    }
    assert!(pair.server.is_connected());
}

#[test]
fn a_peer_that_falls_silent_is_given_up() {
    let mut pair = Pair::new(1);
    pair.faults.loss = 100;
    pair.start();
    pair.run();
    let [(at, Event::Closed(CloseReason::HandshakeTimeout))] = pair.client.events[..] else { panic!() };
    assert_eq!((at - Instant::from_millis(1000)).as_secs(), 60);
    assert_eq!(pair.client.connection.state(), State::Failed);
    assert!(pair.client.connection.counters().retransmissions > 50);
}

#[test]
fn no_time_passes_while_nobody_asks_for_the_flight() {
    let mut pair = Pair::new(1);
    pair.start();
    assert_eq!(pair.client.connection.poll_timeout(), None);
    let later = pair.now + Duration::from_secs(600);
    pair.client.connection.handle_timeout(later, &mut pair.client.rng);
    assert_eq!(pair.client.connection.state(), State::Connecting);
    pair.now = later;
    pair.connect();
}

#[test]
fn a_second_handshake_is_refused_once() {
    let mut pair = Pair::new(1);
    pair.connect();
    pair.run();
    for _ in 0..3 {
        let mut record = vec![0; pair.client.connection.headroom()];
        record.extend_from_slice(&[1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0]);
        let content = crate::record::ContentType::Handshake;
        pair.client.connection.records.seal(PROTECTED, content, 0xfefd, &mut record, 0).unwrap();
        pair.send(Role::Client, record);
    }
    let before = pair.sent.len();
    pair.run();
    assert_eq!(pair.sent.len(), before + 1);
    assert!(pair.client.is_connected() && pair.server.is_connected());
}

#[test]
fn exhausted_keys_close_the_connection() {
    let mut pair = Pair::new(1);
    pair.connect();
    pair.client.connection.records.exhaust();
    let mut buf = vec![0; 100];
    assert_eq!(pair.client.connection.seal(&mut buf, 0), Err(SealError::KeysExhausted));
    assert_eq!(buf, [0; 100]);
    assert_eq!(pair.client.connection.poll_event(), Some(Event::Closed(CloseReason::KeysExhausted)));
    assert_eq!(pair.client.connection.state(), State::Failed);
    assert_eq!(pair.client.connection.poll_transmit(pair.now, &mut vec![]), None);
}

#[test]
fn connections_move_between_threads() {
    fn check<T: Send>() {}
    check::<Connection>();
}
