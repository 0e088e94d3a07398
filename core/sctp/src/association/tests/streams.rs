//! Streams: resets both ways, fairness, thousands of them.

use std::vec;

use super::*;

#[test]
fn a_reset_makes_the_numbers_begin_anew_in_one_direction() {
    let mut pair = Pair::connected(1);
    for number in 0..3 {
        pair.send(Side::A, 5, numbered(number, 3000), SendOptions::default());
    }
    pair.a.reset_streams(pair.now, &[StreamId(5), StreamId(5), StreamId(9)]);
    let refused =
        pair.a.send(pair.now, StreamId(5), Ppid(1), Bytes::from_static(b"x"), SendOptions::default());
    assert_eq!(refused, Err(SendError::Resetting));
    let done = |p: &mut Pair| p.count_events(Side::A, &Event::StreamsReset(vec![StreamId(5)])) == 1;
    assert!(pair.run(Duration::from_secs(5), done), "{:?}", pair.events);
    pair.run_for(Duration::from_secs(1));
    assert!(pair.has_event(Side::B, &Event::StreamsResetByPeer(vec![StreamId(9)])));
    assert!(pair.has_event(Side::B, &Event::StreamsResetByPeer(vec![StreamId(5)])));
    // What was sent before can be read after, and what comes after is in order with it.
    pair.send(Side::A, 5, numbered(3, 10), SendOptions::default());
    pair.run_for(Duration::from_secs(1));
    for number in 0..4 {
        assert_eq!(number_of(&pair.recv(Side::B, 5).unwrap()), number);
    }
}

/// Both sides reset the same and other streams again and again in bad weather; nothing is lost, nothing out of order.
#[test]
fn resets_of_both_sides_cross_in_bad_weather() {
    for seed in 0..100 {
        let weather = Weather {
            loss: seed * 2 % 200,
            duplication: 50,
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(seed % 30),
        };
        let mut pair = Pair::new(seed, weather);
        pair.connect();
        let mut next = [[0_u32; 3]; 2];
        for round in 0..5 {
            for (index, side) in [Side::A, Side::B].into_iter().enumerate() {
                for stream in 0..3_u16 {
                    let size = 10 + pair.random(4000) as usize;
                    pair.send(side, stream, numbered(round, size), SendOptions::default());
                }
                let now = pair.now;
                let streams: Vec<_> = (0..3)
                    .filter(|s| (round + s + index as u32).is_multiple_of(2))
                    .map(|s| StreamId(s as u16))
                    .collect();
                pair.side(side).reset_streams(now, &streams);
            }
            let idle = |p: &mut Pair| {
                p.a.phase.link().is_some_and(|l| !l.reconfig.is_busy())
                    && p.b.phase.link().is_some_and(|l| !l.reconfig.is_busy())
            };
            assert!(
                pair.run(Duration::from_secs(60), |p| {
                    for (index, side) in [Side::A, Side::B].into_iter().enumerate() {
                        for stream in 0..3_u16 {
                            while let Some(message) = p.recv(side, stream) {
                                assert_eq!(number_of(&message), next[index][stream as usize], "seed {seed}");
                                next[index][stream as usize] += 1;
                            }
                        }
                    }
                    next.iter().flatten().all(|n| *n == round + 1) && idle(p)
                }),
                "seed {seed} round {round} {next:?}"
            );
        }
        assert!(!pair.events.iter().any(|(_, e)| matches!(e, Event::ResetFailed(_) | Event::Closed(_))));
    }
}

#[test]
fn without_the_extension_a_reset_fails() {
    let mut pair = Pair::connected(1);
    pair.a.link_mut().unwrap().extensions.reconfiguration = false;
    pair.a.reset_streams(pair.now, &[StreamId(1)]);
    assert_eq!(pair.a.poll_event(), Some(Event::ResetFailed(vec![StreamId(1)])));
}

/// A long message does not keep those of other streams waiting for longer than it takes itself, and streams take turns.
#[test]
fn streams_take_turns() {
    let mut pair = Pair::connected(1);
    for number in 0..20 {
        pair.send(Side::A, 0, numbered(number, 10_000), SendOptions::default());
    }
    for stream in 1..4 {
        pair.send(Side::A, stream, numbered(0, 1000), SendOptions::default());
    }
    let mut order = Vec::new();
    pair.run(Duration::from_secs(5), |pair| {
        for stream in 0..4 {
            while pair.recv(Side::B, stream).is_some() {
                order.push(stream);
            }
        }
        order.len() == 23
    });
    assert!(order.iter().position(|s| *s == 3).unwrap() <= 6, "{order:?}");
}

#[test]
fn thousands_of_streams_work_at_once() {
    let mut pair = Pair::connected(1);
    for stream in 0..5000 {
        pair.send(Side::A, stream * 13, numbered(u32::from(stream), 40), SendOptions::default());
    }
    assert!(
        pair.run(Duration::from_secs(60), |pair| pair.a.stats().queued == 0 && pair.a.stats().in_flight == 0)
    );
    for stream in 0..5000 {
        assert_eq!(number_of(&pair.recv(Side::B, stream * 13).unwrap()), u32::from(stream));
    }
    let all: Vec<_> = (0..5000).map(|s| StreamId(s * 13)).collect();
    pair.a.reset_streams(pair.now, &all);
    pair.run_for(Duration::from_secs(10));
    let reset: usize = pair
        .events
        .iter()
        .map(|(side, event)| match event {
            Event::StreamsReset(streams) if *side == Side::A => streams.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(reset, 5000);
}

#[test]
fn buffered_amounts_are_exact_and_their_fall_is_told() {
    let mut pair = Pair::connected(1);
    pair.a.set_buffered_amount_low_threshold(StreamId(1), 1500);
    let uncounted = SendOptions { counted: false, ..SendOptions::default() };
    pair.send(Side::A, 1, numbered(0, 700), uncounted);
    for number in 0..3 {
        pair.send(Side::A, 1, numbered(number, 1000), SendOptions::default());
    }
    assert_eq!((pair.a.buffered_amount(StreamId(1)), pair.a.stats().queued), (3000, 3700));
    let mut packet = Vec::new();
    pair.a.poll_transmit(pair.now, &mut packet);
    assert!(pair.a.buffered_amount(StreamId(1)) > 1500);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.a.buffered_amount(StreamId(1)), 0);
    assert_eq!(pair.count_events(Side::A, &Event::BufferedAmountLow(StreamId(1))), 1);
}

#[test]
fn a_full_buffer_refuses_and_tells_when_there_is_room() {
    let small = Config { max_buffered_send: 10_000, ..Config::default() };
    let mut pair = Pair::with(1, Weather::CLEAR, small, Config::default());
    pair.connect();
    let message = || Bytes::from(vec![1; 6000]);
    let now = pair.now;
    assert_eq!(pair.a.send(now, StreamId(0), Ppid(1), message(), SendOptions::default()), Ok(()));
    assert_eq!(
        pair.a.send(now, StreamId(0), Ppid(1), message(), SendOptions::default()),
        Err(SendError::Full)
    );
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.count_events(Side::A, &Event::Writable), 1);
    // What could never fit is accepted by an empty buffer.
    pair.send(Side::A, 0, vec![1; 50_000], SendOptions::default());
}

/// A reset waits for data that the peer cannot take, however long; it is asked for again and again, and performed once.
#[test]
fn a_reset_behind_a_closed_window_waits() {
    let narrow = Config {
        receive_window: 20_000,
        max_receive_window: 20_000,
        max_message_size: 9000,
        ..Config::default()
    };
    let mut pair = Pair::with(1, Weather::CLEAR, Config::default(), narrow);
    pair.connect();
    for number in 0..10 {
        pair.send(Side::A, 0, numbered(number, 9000), SendOptions::default());
    }
    pair.run_for(Duration::from_secs(1));
    // One that fits beside, on a stream that is reset while there is a gap before it.
    pair.weather.loss = 1000;
    pair.send(Side::A, 1, numbered(0, 100), SendOptions::default());
    pair.a.reset_streams(pair.now, &[StreamId(1)]);
    pair.run_for(Duration::from_secs(30));
    pair.weather.loss = 0;
    assert!(pair.run(Duration::from_secs(90), |pair| {
        if pair.now > Instant::from_millis(61_000) {
            while pair.recv(Side::B, 0).is_some() {}
        }
        pair.has_event(Side::A, &Event::StreamsReset(vec![StreamId(1)]))
    }));
    assert!(pair.recv(Side::B, 1).is_some() && pair.recv(Side::B, 1).is_none());
    assert_eq!(pair.count_events(Side::B, &Event::StreamsResetByPeer(vec![StreamId(1)])), 1);
}
