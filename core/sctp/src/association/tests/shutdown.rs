//! Ends, graceful and not.

use super::*;

#[test]
fn a_graceful_end_comes_after_the_data() {
    let mut pair = Pair::connected(1);
    pair.send(Side::A, 0, numbered(1, 100_000), SendOptions::default());
    pair.send(Side::B, 0, numbered(2, 50_000), SendOptions::default());
    pair.a.shutdown(pair.now);
    assert_eq!(pair.a.state(), State::ShutdownPending);
    let refused =
        pair.a.send(pair.now, StreamId(0), Ppid(1), Bytes::from_static(b"x"), SendOptions::default());
    assert_eq!(refused, Err(SendError::Closed));
    let over = |p: &mut Pair| p.a.state() == State::Closed && p.b.state() == State::Closed;
    assert!(pair.run(Duration::from_secs(10), over));
    assert!(pair.has_event(Side::A, &Event::Closed(CloseReason::Shutdown)));
    assert!(pair.has_event(Side::B, &Event::Closed(CloseReason::Shutdown)));
    // What arrived before the end can be read after it.
    assert_eq!(number_of(&pair.recv(Side::B, 0).unwrap()), 1);
    assert_eq!(number_of(&pair.recv(Side::A, 0).unwrap()), 2);
    assert_eq!((pair.a.poll_timeout(), pair.b.poll_timeout()), (None, None));
}

/// Every combination of who ends it when, with losses: both end, gracefully, and everything has arrived.
#[test]
fn ends_cross_in_bad_weather() {
    for seed in 0..200 {
        let weather = Weather {
            loss: seed % 200,
            duplication: seed % 70,
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(seed % 20),
        };
        let mut pair = Pair::new(seed, weather);
        for side in [&mut pair.a, &mut pair.b] {
            side.config.timing.shutdown_guard = Duration::from_secs(120);
        }
        pair.connect();
        for side in [Side::A, Side::B] {
            pair.send(side, 0, numbered(7, 20_000), SendOptions::default());
        }
        pair.a.shutdown(pair.now);
        if seed % 2 == 0 {
            let pause = Duration::from_millis(pair.random(60));
            pair.run_for(pause);
            pair.b.shutdown(pair.now);
        }
        let over = |p: &mut Pair| p.a.state() == State::Closed && p.b.state() == State::Closed;
        assert!(
            pair.run(Duration::from_secs(100), over),
            "seed {seed} {:?} {:?}",
            pair.a.state(),
            pair.b.state()
        );
        for side in [Side::A, Side::B] {
            assert_eq!(number_of(&pair.recv(side, 0).unwrap()), 7);
            // The last packet of all may be lost: whoever waits for it asks again, and is told by an ABORT at worst.
            let graceful = Event::Closed(CloseReason::Shutdown);
            assert!(pair.has_event(side, &graceful), "seed {seed} {:?}", pair.events);
        }
    }
}

#[test]
fn an_abort_ends_both_and_says_why() {
    let mut pair = Pair::connected(1);
    pair.a.abort(pair.now, b"enough");
    pair.run_for(Duration::from_secs(1));
    assert!(pair.has_event(Side::A, &Event::Closed(CloseReason::Aborted)));
    let told = Event::Closed(CloseReason::PeerAborted(Some(crate::event::CauseCode(12))));
    assert!(pair.has_event(Side::B, &told));
}

/// RFC 9260 §8.4: a peer that has missed the ABORT learns of the end with the next thing that it says.
#[test]
fn a_lost_abort_is_repeated_on_demand() {
    let mut pair = Pair::connected(1);
    pair.a.abort(pair.now, b"");
    pair.flush();
    pair.lose_all();
    pair.send(Side::B, 0, numbered(1, 10), SendOptions::default());
    pair.run_for(Duration::from_secs(1));
    assert!(pair.has_event(Side::B, &Event::Closed(CloseReason::PeerAborted(None))));
}

#[test]
fn what_never_began_ends_at_once() {
    let mut pair = Pair::new(1, Weather::CLEAR);
    pair.a.shutdown(pair.now);
    pair.b.connect(pair.now);
    pair.b.abort(pair.now, b"");
    pair.flush();
    assert_eq!(
        pair.events,
        [(Side::A, Event::Closed(CloseReason::Shutdown)), (Side::B, Event::Closed(CloseReason::Aborted))]
    );
}

/// RFC 9260 §9.2: T5-shutdown-guard.
#[test]
fn a_graceful_end_does_not_wait_for_ever() {
    let mut pair = Pair::connected(1);
    pair.weather.loss = 1000;
    pair.a.shutdown(pair.now);
    pair.run_for(Duration::from_secs(20));
    assert!(pair.has_event(Side::A, &Event::Closed(CloseReason::Unreachable)));
}
