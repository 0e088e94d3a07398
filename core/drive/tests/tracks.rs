//! Handles of tracks: those of one track that was announced twice are told the same, and nothing outlives its handles.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use pavane::{Config, Direction, TrackInit, TransceiverId};
use pavane_drive::{Clock, Driver, Event, PeerConnection, RemoteTrack, Std, seeded_rng};

/// Remembers that it was woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection whose driver is not turned: descriptions alone matter here.
fn peer(seed: u64) -> (Driver<Std>, PeerConnection) {
    let clock = Clock::system();
    let config = Config::new(pavane_crypto_rustls::provider(), &mut *seeded_rng(seed), &clock.epoch());
    Driver::new(Arc::new(config), seeded_rng(seed), clock).expect("the defaults work together")
}

fn negotiate(offerer: &PeerConnection, answerer: &PeerConnection) {
    offerer.set_local_description(None).expect("an offer is possible");
    answerer.set_remote_description(offerer.local_description().expect("it was set")).expect("it is good");
    answerer.set_local_description(None).expect("an answer is possible");
    offerer.set_remote_description(answerer.local_description().expect("it was set")).expect("it is good");
}

/// Sends, or does not, and tells the other side.
fn direct(alice: &PeerConnection, id: TransceiverId, direction: Direction, bob: &PeerConnection) {
    alice.set_direction(id, direction);
    negotiate(alice, bob);
}

fn announced(peer: &PeerConnection) -> Option<RemoteTrack> {
    std::iter::from_fn(|| peer.try_next_event()).find_map(|event| match event {
        Event::Track(track) => Some(track),
        _ => None,
    })
}

#[test]
fn a_track_that_is_announced_again_outlives_its_first_handle() {
    let ((_alices, alice), (_bobs, bob)) = (peer(1), peer(2));
    let track = alice.add_track(TrackInit::video()).expect("it is possible");
    negotiate(&alice, &bob);
    let first = announced(&bob).expect("a track was announced");
    direct(&alice, track.transceiver(), Direction::Inactive, &bob);
    direct(&alice, track.transceiver(), Direction::Sendrecv, &bob);
    let second = announced(&bob).expect("it was announced again");
    assert_eq!(first.receiver(), second.receiver());
    drop(first);

    let flag = Arc::new(Flag::default());
    let waker = Waker::from(flag.clone());
    let mut next = pin!(second.recv());
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    bob.close();
    assert!(flag.0.load(Ordering::Relaxed), "whoever waits hears of the end");
    assert!(matches!(next.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(None)));
}
