//! The receive window: not reading closes it, reading opens it.

use std::vec;

use super::*;

fn narrow() -> Config {
    Config { receive_window: 100_000, max_message_size: 20_000, ..Config::default() }
}

#[test]
fn an_unread_stream_stops_the_peer_and_reading_starts_it_again() {
    for loss in [0, 100] {
        let weather = Weather { loss, ..Weather::CLEAR };
        let mut pair = Pair::with(1 + loss, weather, Config::default(), narrow());
        pair.connect();
        for number in 0..100 {
            pair.send(Side::A, 0, numbered(number, 10_000), SendOptions::default());
        }
        pair.run_for(Duration::from_secs(30));
        let arrived = pair.b.counters().bytes_received;
        assert!((60_000..=130_000).contains(&arrived), "{arrived}");
        assert!(pair.a.buffered_amount(StreamId(0)) > 800_000);
        // Nothing but a probe now and then.
        let before = pair.a.counters().packets_sent;
        pair.run_for(Duration::from_secs(30));
        assert!(pair.a.counters().packets_sent - before < 60);
        let mut next = 0;
        assert!(
            pair.run(Duration::from_secs(60), |pair| {
                while let Some(message) = pair.recv(Side::B, 0) {
                    assert_eq!(number_of(&message), next);
                    next += 1;
                }
                next == 100
            }),
            "{next}"
        );
    }
}

/// The news of the open window may be lost: the sender asks.
#[test]
fn a_lost_window_update_does_not_stop_everything() {
    let mut pair = Pair::with(1, Weather::CLEAR, Config::default(), narrow());
    pair.connect();
    for number in 0..30 {
        pair.send(Side::A, 0, numbered(number, 10_000), SendOptions::default());
    }
    pair.run_for(Duration::from_secs(10));
    while pair.recv(Side::B, 0).is_some() {}
    pair.flush();
    pair.lose_all();
    assert!(pair.run(Duration::from_secs(5), |p| p.recv(Side::B, 0).is_some()));
}

/// Tiny messages cost memory beyond their bytes, and the window counts it.
#[test]
fn the_window_bounds_what_tiny_messages_cost() {
    let mut pair = Pair::with(1, Weather::CLEAR, Config::default(), narrow());
    pair.connect();
    for _ in 0..20_000 {
        pair.send(Side::A, 0, vec![1], SendOptions::default());
    }
    pair.run_for(Duration::from_secs(30));
    let mut count = 0;
    while pair.recv(Side::B, 0).is_some() {
        count += 1;
    }
    assert!(count <= 100_000 / 48 + 200, "{count}");
    assert!(
        pair.run(Duration::from_secs(60), |p| {
            while p.recv(Side::B, 0).is_some() {
                count += 1;
            }
            count == 20_000
        }),
        "{count}"
    );
}

#[test]
fn a_message_beyond_the_limit_ends_the_association() {
    let mut pair = Pair::with(1, Weather::CLEAR, Config::default(), narrow());
    pair.connect();
    pair.send(Side::A, 0, numbered(0, 20_001), SendOptions::default());
    pair.run_for(Duration::from_secs(1));
    let how = CloseReason::Misbehaved(crate::event::Misbehaved::MessageTooLarge);
    assert!(pair.has_event(Side::B, &Event::Closed(how)));
    assert!(
        pair.has_event(Side::A, &Event::Closed(CloseReason::PeerAborted(Some(crate::event::CauseCode(13)))))
    );
}

/// A large window is used to the full: as much as its size is in flight on a long path.
#[test]
fn a_large_window_is_filled() {
    let weather = Weather { delay: Duration::from_millis(100), ..Weather::CLEAR };
    let large = || Config { receive_window: 32 << 20, max_buffered_send: 64 << 20, ..Config::default() };
    let mut pair = Pair::with(1, weather, large(), large());
    pair.connect();
    for number in 0..200 {
        pair.send(Side::A, 0, numbered(number, 200_000), SendOptions::default());
    }
    let mut most = 0;
    let mut got = 0;
    assert!(pair.run(Duration::from_secs(60), |pair| {
        most = most.max(pair.a.stats().in_flight);
        while pair.recv(Side::B, 0).is_some() {
            got += 1;
        }
        got == 200
    }));
    assert!(most > 8 << 20, "{most} {:?} {:?}", pair.a.stats(), pair.a.counters());
}

/// A graceful path: heartbeats keep the round trip known while nothing is sent.
#[test]
fn an_idle_association_asks_for_signs_of_life() {
    let mut pair = Pair::connected(1);
    let before = pair.b.counters().packets_received;
    pair.run_for(Duration::from_secs(100));
    assert!((3..=10).contains(&(pair.b.counters().packets_received - before)));
    assert_eq!(pair.a.state(), State::Established);
}
