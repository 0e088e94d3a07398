//! Messages that are given up (RFC 3758, RFC 7496).

use super::*;
use crate::packet::Packet;
use crate::send::Reliability;

fn limited(ordered: bool, reliability: Reliability) -> SendOptions {
    SendOptions { ordered, reliability, counted: true }
}

/// Without repetitions what is lost stays lost, and everything else arrives, in order, without waiting for long.
#[test]
fn lost_messages_are_skipped_and_the_others_arrive() {
    for seed in 0..100 {
        for (ordered, reliability) in [
            (true, Reliability::MaxRetransmits(0)),
            (false, Reliability::MaxRetransmits(0)),
            (true, Reliability::MaxRetransmits(1)),
            (true, Reliability::MaxLifetime(Duration::from_millis(50))),
            (false, Reliability::MaxLifetime(Duration::from_millis(50))),
        ] {
            let weather = Weather {
                loss: 100 + seed,
                duplication: 30,
                delay: Duration::from_millis(10),
                jitter: Duration::from_millis(seed % 10),
            };
            let mut pair = Pair::new(seed, weather);
            pair.connect();
            let mut got = Vec::new();
            for number in 0..60 {
                let size = [20, 1160, 6000][pair.random(3) as usize];
                pair.send(Side::A, 1, numbered(number, size), limited(ordered, reliability));
                pair.send(Side::A, 2, numbered(number, 50), SendOptions::default());
                pair.run_for(Duration::from_millis(5));
                while let Some(message) = pair.recv(Side::B, 1) {
                    got.push(number_of(&message));
                }
            }
            let mut reliable = 0;
            assert!(
                pair.run(Duration::from_secs(60), |pair| {
                    while let Some(message) = pair.recv(Side::B, 1) {
                        got.push(number_of(&message));
                    }
                    while let Some(message) = pair.recv(Side::B, 2) {
                        assert_eq!(number_of(&message), reliable);
                        reliable += 1;
                    }
                    reliable == 60
                }),
                "seed {seed} {reliable} {:?}",
                pair.a.stats()
            );
            pair.run_for(Duration::from_secs(20));
            while let Some(message) = pair.recv(Side::B, 1) {
                got.push(number_of(&message));
            }
            assert!(!ordered || got.is_sorted(), "seed {seed}: {got:?}");
            let distinct: BTreeSet<_> = got.iter().collect();
            assert_eq!(distinct.len(), got.len(), "seed {seed}: twice");
            assert_eq!((pair.a.stats().in_flight, pair.a.stats().queued), (0, 0), "seed {seed}");
            assert!(!pair.a.sender.is_waiting(), "seed {seed}: the peer was told to skip everything");
            // The last one is not held back by a gap before it.
            pair.weather.loss = 0;
            pair.send(Side::A, 1, numbered(99, 10), limited(ordered, reliability));
            assert!(
                pair.run(Duration::from_secs(5), |p| p.recv(Side::B, 1).is_some_and(|m| number_of(&m) == 99))
            );
        }
    }
}

/// A message that is too old before it begins is never sent, and takes no number.
#[test]
fn old_messages_are_not_begun() {
    let mut pair = Pair::connected(1);
    pair.send(
        Side::A,
        1,
        numbered(0, 500),
        limited(true, Reliability::MaxLifetime(Duration::from_millis(5))),
    );
    pair.now += Duration::from_millis(10);
    pair.send(Side::A, 1, numbered(1, 500), SendOptions::default());
    assert!(pair.run(Duration::from_secs(1), |p| p.recv(Side::B, 1).is_some_and(|m| number_of(&m) == 1)));
    assert_eq!((pair.a.counters().abandoned, pair.a.counters().bytes_sent), (0, 500));
}

/// A message whose time is over in the midst of it: the peer forgets what it has of it, and goes on.
#[test]
fn a_message_is_given_up_in_its_midst() {
    for ordered in [true, false] {
        let mut pair = Pair::connected(1);
        let options = limited(ordered, Reliability::MaxLifetime(Duration::from_millis(30)));
        pair.send(Side::A, 1, numbered(0, 200_000), options);
        pair.send(Side::A, 1, numbered(1, 100), SendOptions { ordered, ..SendOptions::default() });
        assert!(pair.run(Duration::from_secs(5), |p| p.recv(Side::B, 1).is_some_and(|m| number_of(&m) == 1)));
        assert_eq!(pair.a.counters().abandoned, 1);
        assert_eq!(pair.a.buffered_amount(StreamId(1)), 0);
        pair.run_for(Duration::from_secs(5));
        assert!(!pair.a.sender.is_waiting());
    }
}

/// A peer that does not know FORWARD TSN gets everything that was begun.
#[test]
fn without_the_extension_everything_is_reliable() {
    let mut pair = Pair::new(1, Weather { loss: 200, ..Weather::CLEAR });
    pair.connect();
    let extensions =
        crate::chunk::Extensions { partial_reliability: false, ..pair.a.link_mut().unwrap().extensions };
    pair.a.sender.start(1 << 20, extensions, 65535, &mut VecDeque::new());
    for number in 0..20 {
        pair.send(Side::A, 1, numbered(number, 3000), limited(true, Reliability::MaxRetransmits(0)));
    }
    let mut got = Vec::new();
    assert!(pair.run(Duration::from_secs(60), |pair| {
        while let Some(message) = pair.recv(Side::B, 1) {
            got.push(number_of(&message));
        }
        is_complete(&got, 20)
    }));
}

/// Messages on more streams than a FORWARD TSN has room for are skipped in several steps.
#[test]
fn skips_of_many_streams_take_several_chunks() {
    let mut pair = Pair::connected(1);
    for stream in 0..600 {
        pair.send(Side::A, stream, numbered(1, 4), limited(true, Reliability::MaxRetransmits(0)));
    }
    let many = |p: &mut Pair| p.a.stats().queued == 0;
    pair.weather.loss = 1000;
    pair.run(Duration::from_secs(60), many);
    pair.weather.loss = 0;
    for stream in 0..600 {
        pair.send(Side::A, stream, numbered(2, 4), SendOptions::default());
    }
    let mut got = 0;
    assert!(
        pair.run(Duration::from_secs(60), |p| {
            for stream in 0..600 {
                got += u32::from(p.recv(Side::B, stream).is_some_and(|m| number_of(&m) == 2));
            }
            got == 600
        }),
        "{got}"
    );
}

/// A reset waits until nothing of its stream has to be skipped any more: the peer may perform it long before we hear of it,
/// and what we skip then would be messages that come after.
#[test]
fn a_reset_waits_until_what_was_given_up_is_known_to_be_skipped() {
    for interleaving in [false, true] {
        let config = || Config { interleaving, ..Config::default() };
        let mut pair = Pair::with(1, Weather::CLEAR, config(), config());
        pair.connect();
        pair.weather.loss = 1000;
        pair.send(Side::A, 4, numbered(0, 100), limited(true, Reliability::MaxRetransmits(0)));
        pair.flush();
        pair.weather.loss = 0;
        pair.record = true;
        pair.a.reset_streams(pair.now, &[StreamId(4)]);
        // A hears of no SACK.
        pair.run(Duration::from_secs(5), |pair| {
            let wire = core::mem::take(&mut pair.wire).into_iter();
            let heard = |to, packet: Vec<u8>| if to == Side::A { without_sack(&packet) } else { packet };
            pair.wire = wire.map(|(key, (to, packet))| (key, (to, heard(to, packet)))).collect();
            false
        });
        let asks = |(from, packet): &(Side, Vec<u8>)| {
            *from == Side::A && Packet::parse(packet).unwrap().chunks().any(|chunk| chunk.kind == 130)
        };
        assert!(!pair.sent.iter().any(asks), "{interleaving}");
        pair.run_for(Duration::from_secs(5));
        assert!(pair.has_event(Side::A, &Event::StreamsReset(std::vec![StreamId(4)])));
        pair.send(Side::A, 4, numbered(2, 100), SendOptions::default());
        assert!(pair.run(Duration::from_secs(5), |pair| pair.recv(Side::B, 4).is_some()));
    }
}

/// The packet with a PAD chunk in the place of every SACK.
fn without_sack(packet: &[u8]) -> Vec<u8> {
    let mut changed = packet.to_vec();
    let mut at = 12;
    while at + 4 <= changed.len() {
        if changed[at] == 3 {
            changed[at] = 132;
        }
        at += usize::from(u16::from_be_bytes([changed[at + 2], changed[at + 3]])).next_multiple_of(4);
    }
    changed[8..12].fill(0);
    let checksum = crate::crc32c::checksum(&changed);
    changed[8..12].copy_from_slice(&checksum);
    changed
}
