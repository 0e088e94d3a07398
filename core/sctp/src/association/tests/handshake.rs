//! Becoming acquainted: alone, crossing, with losses, anew.

use super::*;
use crate::chunk::{Init, InitAck, RawChunk};
use crate::packet::Packet;

/// Both sides begin, one later than the other by every distance up to two round trips; the result is one association, of
/// which each is told once.
#[test]
fn beginnings_cross_at_every_distance() {
    for late in 0..=45 {
        for first in [Side::A, Side::B] {
            for stray in 0..4 {
                let mut pair = Pair::new(late + stray, Weather::CLEAR);
                let second = if first == Side::A { Side::B } else { Side::A };
                let now = pair.now;
                pair.side(first).connect(now);
                pair.send(first, 1, numbered(1, 3000), SendOptions::default());
                pair.run_for(Duration::from_millis(late));
                // Losses that make timers part of the game.
                if stray & 1 != 0 {
                    pair.flush();
                    pair.lose_all();
                }
                let now = pair.now;
                pair.side(second).connect(now);
                pair.send(second, 2, numbered(2, 3000), SendOptions::default());
                if stray & 2 != 0 {
                    pair.flush();
                    pair.lose_all();
                }
                let both = |p: &mut Pair| p.recv(first, 2).is_some();
                assert!(pair.run(Duration::from_secs(5), both), "{late} {first:?} {stray}");
                assert!(
                    pair.run(Duration::from_secs(5), |p| p.recv(second, 1).is_some()),
                    "{late} {first:?} {stray}"
                );
                pair.run_for(Duration::from_secs(2));
                for side in [Side::A, Side::B] {
                    assert_eq!(pair.side(side).state(), State::Established);
                    assert_eq!(pair.count_events(side, &Event::Connected), 1, "{late} {first:?} {stray}");
                    assert_eq!(pair.count_events(side, &Event::Restarted), 0, "{late} {first:?} {stray}");
                }
            }
        }
    }
}

/// One side only answers; data rides with COOKIE ECHO, so that it is there after two round trips and a half of them.
#[test]
fn data_rides_with_the_cookie() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    let begin = pair.now;
    pair.send(Side::A, 3, numbered(5, 900), SendOptions::default());
    pair.a.connect(begin);
    assert!(pair.run(Duration::from_secs(1), |pair| pair.recv(Side::B, 3).is_some()));
    assert_eq!(pair.now - begin, Duration::from_millis(30));
    // The answer rides with COOKIE ACK.
    pair.send(Side::B, 3, numbered(6, 900), SendOptions::default());
    assert!(pair.run(Duration::from_secs(1), |pair| pair.recv(Side::A, 3).is_some()));
    assert_eq!(pair.now - begin, Duration::from_millis(40));
}

#[test]
fn nothing_happens_before_it_is_asked_for() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    pair.send(Side::A, 0, numbered(0, 10), SendOptions::default());
    assert!(!pair.run(Duration::from_secs(100), |pair| pair.count > 0));
    assert_eq!((pair.a.poll_timeout(), pair.a.poll_event()), (None, None));
}

/// RFC 9260 §5.2.4, table 12: a peer that has lost its state begins anew, and is told from a stranger by the tie tags.
#[test]
fn a_peer_that_begins_anew_replaces_the_association() {
    let mut pair = Pair::connected(3);
    pair.send(Side::A, 1, numbered(1, 5000), SendOptions::default());
    pair.run_for(Duration::from_secs(1));
    assert_eq!(number_of(&pair.recv(Side::B, 1).unwrap()), 1);
    // What A has sent and B has not got dies with B; what was not sent waits for the new B.
    pair.send(Side::A, 1, numbered(2, 100), SendOptions::default());
    pair.flush();
    pair.lose_all();
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    pair.b = Association::new(Config::default(), &mut rng);
    pair.b.connect(pair.now);
    pair.send(Side::B, 1, numbered(7, 5000), SendOptions::default());
    assert!(pair.run(Duration::from_secs(10), |pair| pair.has_event(Side::A, &Event::Restarted)));
    pair.send(Side::A, 1, numbered(3, 5000), SendOptions::default());
    assert!(
        pair.run(Duration::from_secs(10), |pair| pair.recv(Side::A, 1).is_some_and(|m| number_of(&m) == 7))
    );
    assert!(
        pair.run(Duration::from_secs(10), |pair| pair.recv(Side::B, 1).is_some_and(|m| number_of(&m) == 3))
    );
    assert_eq!(pair.count_events(Side::A, &Event::Restarted), 1);
    assert_eq!(pair.b.state(), State::Established);
}

/// Restarts in bad weather, at odd moments, of either side: the two always find each other again.
#[test]
fn restarts_succeed_in_bad_weather() {
    for seed in 0..100 {
        let weather = Weather {
            loss: seed * 3 % 200,
            duplication: 50,
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(seed % 30),
        };
        let mut pair = Pair::new(seed, weather);
        pair.connect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed + 5000);
        for round in 0..3 {
            let pause = Duration::from_millis(pair.random(200));
            pair.run_for(pause);
            let fresh = Association::new(Config::default(), &mut rng);
            let side = if pair.random(2) == 0 { Side::A } else { Side::B };
            *pair.side(side) = fresh;
            let now = pair.now;
            pair.side(side).connect(now);
            let both = |p: &mut Pair| p.a.state() == State::Established && p.b.state() == State::Established;
            assert!(pair.run(Duration::from_secs(60), both), "seed {seed}");
            // An old packet may still end it in one way only: by a restart. So the numbers must be agreed on.
            let (from, to) = if round % 2 == 0 { (Side::A, Side::B) } else { (Side::B, Side::A) };
            pair.send(from, 9, numbered(round, 2000), SendOptions::default());
            let arrived = |p: &mut Pair| p.recv(to, 9).is_some_and(|m| number_of(&m) == round);
            assert!(pair.run(Duration::from_secs(60), arrived), "seed {seed} round {round}");
        }
    }
}

/// RFC 9260 §5.1.5: an old cookie is refused, and the peer gets a fresh one.
#[test]
fn a_stale_cookie_is_replaced() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    pair.b.config.timing.cookie_life = Duration::from_millis(5);
    pair.a.connect(pair.now);
    pair.send(Side::A, 0, numbered(0, 100), SendOptions::default());
    pair.run_for(Duration::from_millis(100));
    assert!(pair.b.counters().dropped.cookies > 0);
    pair.b.config.timing.cookie_life = Duration::from_secs(60);
    assert!(pair.run(Duration::from_secs(10), |pair| pair.recv(Side::B, 0).is_some()));
}

/// The cookie of another association, or a forged one, is nothing.
#[test]
fn a_forged_cookie_is_dropped() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    pair.record = true;
    pair.connect();
    let echo = |packet: &Vec<u8>| packet[12] == 10;
    let (_, packet) = pair.sent.iter().find(|(_, p)| echo(p)).cloned().expect("a COOKIE ECHO was sent");
    let mut stranger = Association::new(Config::default(), &mut ChaCha8Rng::seed_from_u64(50));
    stranger.handle_packet(pair.now, &packet);
    assert_eq!((stranger.state(), stranger.counters().dropped.cookies), (State::Closed, 1));
}

/// RFC 9260 §5.1.1: each direction has the streams that both agree on.
#[test]
fn the_numbers_of_streams_are_negotiated() {
    let few = Config { outgoing_streams: 10, incoming_streams: 256, ..Config::default() };
    let mut pair = Pair::with(1, Weather::CLEAR, few, Config::default());
    pair.connect();
    assert_eq!((pair.a.max_outgoing_streams(), pair.a.max_incoming_streams()), (Some(10), Some(256)));
    assert_eq!((pair.b.max_outgoing_streams(), pair.b.max_incoming_streams()), (Some(256), Some(10)));
    let now = pair.now;
    let mut send =
        |id| pair.a.send(now, StreamId(id), Ppid(1), Bytes::from_static(b"x"), SendOptions::default());
    assert_eq!((send(9), send(10)), (Ok(()), Err(SendError::NoSuchStream)));
}

/// What was queued for streams that the peer does not have is dropped when it says so.
#[test]
fn queued_messages_for_missing_streams_are_dropped() {
    let few = Config { incoming_streams: 2, ..Config::default() };
    let mut pair = Pair::with(1, Weather::CLEAR, Config::default(), few);
    pair.send(Side::A, 0, numbered(0, 10), SendOptions::default());
    pair.send(Side::A, 2, numbered(1, 10), SendOptions::default());
    pair.connect();
    assert_eq!((pair.a.buffered_amount(StreamId(2)), pair.a.stats().queued), (0, 0));
    assert!(pair.run(Duration::from_secs(1), |pair| pair.recv(Side::B, 0).is_some()));
}

/// An INIT of libwebrtc's is answered; its initiate tag comes back as the verification tag (RFC 9260 §5.1 B).
#[test]
fn an_init_is_answered_under_its_own_tag() {
    let init = include_bytes!("../../../testdata/libwebrtc/init.bin");
    let parsed = Packet::parse(init).unwrap();
    let tag = Init::parse(parsed.chunks().next().unwrap()).unwrap().opening.tag;
    let mut a = Association::new(Config::default(), &mut ChaCha8Rng::seed_from_u64(1));
    a.handle_packet(Instant::ZERO, init);
    let mut out = Vec::new();
    a.poll_transmit(Instant::ZERO, &mut out).expect("an answer");
    let answer = Packet::parse(&out).unwrap();
    let raw: RawChunk<'_> = answer.chunks().next().unwrap();
    assert_eq!((answer.header.tag, raw.kind), (tag, InitAck::TYPE));
    assert!(InitAck::parse(raw).unwrap().cookie.is_some());
}

/// Without a limit it goes on for ever, at a steady pace; with one it ends.
#[test]
fn an_unanswered_init_is_repeated() {
    let mut lonely = Pair::new(1, Weather { loss: 1000, ..Weather::CLEAR });
    lonely.a.connect(lonely.now);
    lonely.run_for(Duration::from_secs(60));
    assert!((40..60).contains(&lonely.a.counters().packets_sent), "{:?}", lonely.a.counters());
    assert_eq!(lonely.a.state(), State::CookieWait);

    let impatient = Config { max_retransmissions: Some(5), ..Config::default() };
    let mut lonely = Pair::with(1, Weather { loss: 1000, ..Weather::CLEAR }, impatient, Config::default());
    lonely.a.connect(lonely.now);
    lonely.run_for(Duration::from_secs(60));
    assert_eq!(lonely.events, [(Side::A, Event::Closed(CloseReason::Unreachable))]);
}

/// RFC 9653: packets lack a checksum where both have offered that, except those that set the association up.
#[test]
fn checksums_are_left_out_where_both_agree() {
    for (a, b) in [(true, true), (true, false), (false, true)] {
        let config = |zero_checksum| Config { zero_checksum, ..Config::default() };
        let mut pair = Pair::with(1, Weather::CLEAR, config(a), config(b));
        pair.record = true;
        pair.connect();
        pair.send(Side::A, 0, numbered(0, 5000), SendOptions::default());
        assert!(pair.run(Duration::from_secs(5), |pair| pair.recv(Side::B, 0).is_some()));
        let lacking = |packet: &[u8]| packet[8..12] == [0; 4];
        let sets_up = |packet: &[u8]| matches!(packet[12], 1 | 2 | 10);
        assert!(pair.sent.iter().all(|(_, packet)| !(sets_up(packet) && lacking(packet))));
        assert_eq!(pair.sent.iter().any(|(_, packet)| lacking(packet)), a && b);
        assert_eq!(pair.a.counters().dropped.checksum + pair.b.counters().dropped.checksum, 0);
    }
}

/// Old peers drop an INIT whose parameters they do not all know; the third goes without the one that they stumble over.
#[test]
fn the_third_init_does_without_what_is_new() {
    let offers = |packet: &[u8]| packet.windows(4).any(|bytes| bytes == [0x80, 0x01, 0, 8]);
    let mut lonely = Pair::new(1, Weather { loss: 1000, ..Weather::CLEAR });
    lonely.record = true;
    lonely.a.connect(lonely.now);
    lonely.run_for(Duration::from_secs(20));
    let inits: Vec<bool> = lonely.sent.iter().map(|(_, packet)| offers(packet)).collect();
    assert_eq!(inits[..4], [true, true, false, false]);
}

/// SNAP: where both have the other's INIT from elsewhere, messages flow without a handshake.
#[test]
fn peers_that_were_introduced_need_no_handshake() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let [a, b] = [0; 2].map(|_| Introduction::new(&mut rng));
    let config = Config::default();
    let chunks = [a.chunk(&config), b.chunk(&config)];
    let mut pair = Pair::new(1, Weather::CLEAR);
    pair.a = Association::with_introduction(config.clone(), a);
    pair.b = Association::with_introduction(config, b);
    pair.record = true;
    pair.send(Side::A, 0, numbered(0, 500), SendOptions::default());
    let now = pair.now;
    assert_eq!(pair.a.connect_introduced(now, &chunks[1][..19]), Err(InvalidIntroduction));
    assert_eq!(pair.a.state(), State::Closed);
    pair.a.connect_introduced(now, &chunks[1]).unwrap();
    pair.b.connect_introduced(now, &chunks[0]).unwrap();
    assert!(pair.run(Duration::from_millis(10), |pair| pair.recv(Side::B, 0).is_some()));
    assert_eq!((pair.a.state(), pair.b.state()), (State::Established, State::Established));
    assert_eq!(pair.count_events(Side::A, &Event::Connected), 1);
    pair.send(Side::B, 1, numbered(1, 50_000), SendOptions::default());
    assert!(pair.run(Duration::from_secs(1), |pair| pair.recv(Side::A, 1).is_some()));
    let first = &pair.sent[0].1;
    assert!(first.len() > 500, "data is in the first packet");
}

/// One that knows of no introductions meets one that would: the usual handshake, under the numbers that were introduced.
#[test]
fn an_introduction_that_nobody_reads_is_said_again_by_init() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    let introduction = Introduction::new(&mut ChaCha8Rng::seed_from_u64(5));
    let tag = introduction.tag;
    pair.a = Association::with_introduction(Config::default(), introduction);
    pair.connect();
    assert_eq!(pair.b.peer_tag(), tag);
}

/// What is sent as soon as the peer has answered INIT rides with the cookie.
#[test]
fn the_first_data_rides_with_the_cookie() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    let now = pair.now;
    pair.a.connect(now);
    let carry = |from: &mut Association, to: &mut Association| {
        let mut packet = Vec::new();
        from.poll_transmit(now, &mut packet).expect("there is something to say");
        to.handle_packet(now, &packet);
    };
    carry(&mut pair.a, &mut pair.b);
    carry(&mut pair.b, &mut pair.a);
    assert_eq!((pair.a.poll_event(), pair.a.state()), (Some(Event::Connected), State::CookieEchoed));
    pair.send(Side::A, 0, numbered(0, 500), SendOptions::default());
    carry(&mut pair.a, &mut pair.b);
    assert!(pair.recv(Side::B, 0).is_some());
}

/// RFC 9260 §3.2.2: what an INIT ACK says that we do not know, its sender hears of if it wants to.
#[test]
fn unknown_parameters_of_an_init_ack_are_reported() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    pair.record = true;
    pair.a.connect(pair.now);
    pair.run_for(Duration::from_millis(15));
    let mut packet = pair.sent.iter().find(|(side, _)| *side == Side::B).expect("an INIT ACK").1.clone();
    pair.lose_all();
    packet.extend_from_slice(&[0xc0, 0xff, 0, 5, 7, 0, 0, 0]);
    let len = (packet.len() - 12) as u16;
    packet[14..16].copy_from_slice(&len.to_be_bytes());
    packet[8..12].fill(0);
    let checksum = crate::crc32c::checksum(&packet);
    packet[8..12].copy_from_slice(&checksum);
    pair.a.handle_packet(pair.now, &packet);
    pair.sent.clear();
    assert!(pair.run(Duration::from_secs(1), |pair| pair.a.state() == State::Established));
    pair.run_for(Duration::from_millis(1));
    let cause = [0, 8, 0, 12, 0xc0, 0xff, 0, 5, 7, 0, 0, 0];
    let errors = pair.sent.iter().filter(|(side, _)| *side == Side::A);
    assert!(errors.filter(|(_, packet)| packet.windows(12).any(|bytes| bytes == cause)).count() == 1);
}
