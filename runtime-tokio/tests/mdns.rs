//! Peers whose addresses hide behind names find each other by multicast DNS, over the loopback interface.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::task::Waker;
use std::time::Duration;

use pavane_drive::Turn;
use pavane_tokio::{Builder, ChannelInit, Event, MdnsMode, PeerConnection};
use socket2::{Domain, Protocol, Socket, Type};

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

/// Somebody else on the link of the loopback interface.
fn neighbour() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
    socket.set_reuse_address(true).expect("the port is shared");
    socket.set_reuse_port(true).expect("the port is shared");
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5353)).into()).expect("the port is shared");
    socket.join_multicast_v4(&Ipv4Addr::new(224, 0, 0, 251), &Ipv4Addr::LOCALHOST).expect("a group");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
    socket
}

/// A question leaves by the socket that was opened for it, though the runtime has not seen yet that it takes any.
#[tokio::test]
async fn the_first_question_is_heard() {
    let mut neighbour = neighbour();
    let alice = peer(MdnsMode::ResolveAndHide);
    let _channel = alice.create_data_channel("chat", ChannelInit::default()).expect("it is possible");
    alice.set_local_description(None).expect("an offer is possible");
    alice.gathering_complete().await;
    let offer = alice.local_description().expect("it was just set");
    let label = offer.sdp.split(".local ").next().and_then(|before| before.rsplit(' ').next());
    let label = label.expect("a candidate has a name").to_owned();
    let (mut driver, bob) = builder(MdnsMode::Resolve).into_driver().expect("a socket");
    bob.set_remote_description(offer).expect("the offer is good");
    bob.set_local_description(None).expect("an answer is possible");
    while let Turn::Again = driver.turn(Waker::noop()) {}
    let mut message = [0; 1500];
    loop {
        let len = neighbour.read(&mut message).expect("the question");
        let (is_question, rest) = (message[2] & 0x80 == 0, &message[..len]);
        if is_question && rest.windows(label.len()).any(|part| part == label.as_bytes()) {
            return;
        }
    }
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
