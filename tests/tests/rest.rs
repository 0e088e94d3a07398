//! A connected peer at rest weighs little: with a data channel, and with sound and pictures added.

use std::alloc::System;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use pavane::{Config, Epoch, Event, PeerConnection, TrackInit};
use pavane_tests::{End, Link, Pair};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes of a peer with a data channel, its configuration included.
const WITH_DATA: usize = 15_500;

/// The same with a track each way of sound and one of pictures.
const WITH_MEDIA: usize = 35_000;

/// What the connection itself and all that only it holds comes to, once nothing has happened on it for a minute.
fn weight(end: End, tracks: &[fn() -> TrackInit]) -> usize {
    let mut pair = Pair::new(1, Link::with_delay(Duration::from_millis(1)));
    let now = pair.now;
    pair.connection(End::Alice).create_data_channel(now, "rest", Default::default()).unwrap();
    for track in tracks {
        pair.connection(End::Alice).add_track(track()).unwrap();
        pair.connection(End::Bob).add_track(track()).unwrap();
    }
    pair.add_addresses();
    pair.exchange(End::Alice);
    assert!(pair.run(Duration::from_secs(60), Pair::open_at_both_ends));
    pair.idle(Duration::from_secs(60));
    let media = pair.peer(end).events.iter().filter(|(_, event)| matches!(event, Event::Track(_))).count();
    assert_eq!(media, tracks.len(), "what is weighed is there");
    let other = {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let epoch = Epoch { at: now, unix: Duration::from_secs(1_790_000_000) };
        let config = Config::new(pavane_crypto_rustls::provider(), &mut rng, &epoch);
        PeerConnection::new(Arc::new(config), Box::new(rng), epoch).unwrap()
    };
    let rested = mem::replace(pair.connection(end), other);
    let region = Region::new(ALLOCATOR);
    drop(rested);
    let change = region.change();
    size_of::<PeerConnection>() + change.bytes_deallocated - change.bytes_allocated
}

#[test]
fn a_peer_at_rest_weighs_little() {
    for end in End::BOTH {
        let data = weight(end, &[]);
        let media = weight(end, &[TrackInit::audio, TrackInit::video]);
        println!("{end:?}: {data} bytes with a data channel, {media} with sound and pictures");
        assert!(data < WITH_DATA && media < WITH_MEDIA, "{data}, {media}");
    }
}
