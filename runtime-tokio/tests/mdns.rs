//! Peers whose addresses hide behind names find each other by multicast DNS, over the loopback interface.

use std::net::{Ipv4Addr, SocketAddr};
use std::task::Waker;
use std::time::Duration;

use pavane_drive::Turn;
use pavane_tokio::{Builder, ChannelInit, Event, MdnsMode, PeerConnection};

fn builder(mode: MdnsMode) -> Builder {
    Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]).mdns(mode)
}

fn peer(mode: MdnsMode) -> PeerConnection {
    builder(mode).build().expect("a socket")
}

async fn connect(alice: &PeerConnection, bob: &PeerConnection) {
    let _channel = alice.create_data_channel("chat", ChannelInit::default()).expect("it is possible");
    alice.set_local_description(None).expect("an offer is possible");
    alice.gathering_complete().await;
    let offer = alice.local_description().expect("it was just set");
    assert!(offer.sdp.contains(".local ") && !offer.sdp.contains("127.0.0.1 "), "{}", offer.sdp);
    bob.set_remote_description(offer).expect("the offer is good");
    bob.set_local_description(None).expect("an answer is possible");
    bob.gathering_complete().await;
    let answer = bob.local_description().expect("it was just set");
    alice.set_remote_description(answer).expect("the answer is good");
    loop {
        if let Event::Channel(_) = bob.next_event().await.expect("the connection lives") {
            return;
        }
    }
}

#[tokio::test]
async fn hidden_peers_find_each_other() {
    // The second resolves as well: either side's checks would do.
    for mode in [MdnsMode::ResolveAndHide, MdnsMode::Resolve] {
        let (alice, bob) = (peer(MdnsMode::ResolveAndHide), peer(mode));
        let connected = tokio::time::timeout(Duration::from_secs(20), connect(&alice, &bob));
        connected.await.expect("they find each other");
        alice.close();
        bob.close();
    }
}

/// The socket for a link is opened in the middle of a turn: what comes to it before the next one is not left lying until
/// something else happens.
#[tokio::test]
async fn a_link_is_watched_from_the_turn_that_opens_it() {
    let (mut driver, alice) = builder(MdnsMode::ResolveAndHide).into_driver().expect("a socket");
    let _channel = alice.create_data_channel("chat", ChannelInit::default()).expect("it is possible");
    alice.set_local_description(None).expect("an offer is possible");
    while let Turn::Again = driver.turn(Waker::noop()) {}
    assert!(driver.socket_count() > 1, "one of them is the link's");
    assert!((0..driver.socket_count()).all(|index| driver.awaits_readable(index)));
}

/// All peers of a port have the same address, and each a name of its own for it.
#[tokio::test]
async fn peers_behind_a_port_hide_and_are_found() {
    let port = builder(MdnsMode::ResolveAndHide).build_port().expect("a socket");
    for _ in 0..2 {
        let (alice, bob) = (port.peer().expect("the configuration is good"), peer(MdnsMode::Resolve));
        let connected = tokio::time::timeout(Duration::from_secs(20), connect(&alice, &bob));
        connected.await.expect("they find each other");
        bob.close();
    }
}
