//! Two peers in one process.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use pavane::ChannelInit;
use pavane_drive::{DataChannel, Event, PeerConnection};

use super::{Builder, build};

/// Fails a test that waits for ever.
pub(crate) async fn within<F: Future>(seconds: u64, future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(seconds), future).await.expect("it takes too long")
}

/// A peer on the loopback interface.
pub(crate) fn peer() -> PeerConnection {
    build(builder())
}

pub(crate) fn builder() -> Builder {
    Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
}

/// An exchange of descriptions that hold all candidates.
pub(crate) async fn negotiate(offerer: &PeerConnection, answerer: &PeerConnection) {
    offerer.set_local_description(None).expect("an offer is possible");
    offerer.gathering_complete().await;
    let offer = offerer.local_description().expect("it was just set");
    answerer.set_remote_description(offer).expect("the offer is good");
    answerer.set_local_description(None).expect("an answer is possible");
    answerer.gathering_complete().await;
    let answer = answerer.local_description().expect("it was just set");
    offerer.set_remote_description(answer).expect("the answer is good");
}

/// The next channel that the other side opens.
pub(crate) async fn next_channel(peer: &PeerConnection) -> DataChannel {
    loop {
        match within(20, peer.next_event()).await {
            Some(Event::Channel(channel)) => return channel,
            Some(_) => {}
            None => panic!("the connection ended"),
        }
    }
}

/// Two connected peers with an open channel between them.
pub(crate) struct Pair {
    pub(crate) alice: PeerConnection,
    pub(crate) bob: PeerConnection,
    pub(crate) alices: DataChannel,
    pub(crate) bobs: DataChannel,
}

pub(crate) async fn pair() -> Pair {
    pair_of(peer(), peer()).await
}

pub(crate) async fn pair_of(alice: PeerConnection, bob: PeerConnection) -> Pair {
    let alices = alice.create_data_channel("test", ChannelInit::default()).expect("a channel is possible");
    negotiate(&alice, &bob).await;
    let bobs = next_channel(&bob).await;
    assert!(within(20, alices.opened()).await);
    Pair { alice, bob, alices, bobs }
}

/// Bytes that differ from message to message.
pub(crate) fn pattern(number: usize, size: usize) -> Vec<u8> {
    (0..size).map(|index| (index * 7 + (index >> 8) + number) as u8).collect()
}
