//! Connections through a relay that none of us wrote, over real sockets: coturn, by UDP, TCP and TLS, and all that users get
//! to see when it does not let them in, forgets them, or dies.

mod server;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use pavane_tokio::pavane::{IceServer, IceTransportPolicy, ServerFailure};
use pavane_tokio::{
    Builder, ChannelInit, ConnectError, ConnectionState, DataChannel, Event, IceTiming, Message,
    PeerConnection, TlsConnector,
};
use sha1::Sha1;

use self::server::{PASSWORD, SECRET, Server, USER, known_user};

async fn within<F: Future>(seconds: u64, future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(seconds), future).await.expect("it takes too long")
}

/// A server that knows the user.
async fn server(more: &[&str]) -> Server {
    let user = known_user();
    let arguments: Vec<&str> = user.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Server::start(&arguments).await
}

fn plain() -> Builder {
    Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
}

/// Whoever can be reached through this server alone, by this transport.
fn relayed(server: &Server, transport: &str) -> Builder {
    let turn = IceServer::new([server.url(transport)]).credentials(USER, PASSWORD);
    through(turn).tls(trusting(server))
}

fn through(turn: IceServer) -> Builder {
    plain().ice_servers([turn]).ice_transport_policy(IceTransportPolicy::Relay)
}

/// TLS that trusts the server's own certificate and nothing else.
fn trusting(server: &Server) -> TlsConnector {
    TlsConnector::trusting(&server.certificate()).expect("it is a certificate")
}

/// An exchange of descriptions that hold all candidates.
async fn negotiate(offerer: &PeerConnection, answerer: &PeerConnection) {
    offerer.set_local_description(None).expect("an offer is possible");
    within(20, offerer.gathering_complete()).await;
    let offer = offerer.local_description().expect("it was just set");
    answerer.set_remote_description(offer).expect("the offer is good");
    answerer.set_local_description(None).expect("an answer is possible");
    within(20, answerer.gathering_complete()).await;
    let answer = answerer.local_description().expect("it was just set");
    offerer.set_remote_description(answer).expect("the answer is good");
}

async fn next_channel(peer: &PeerConnection) -> DataChannel {
    loop {
        match within(20, peer.next_event()).await {
            Some(Event::Channel(channel)) => return channel,
            Some(_) => {}
            None => panic!("the connection ended"),
        }
    }
}

/// Connects two, and sends bytes both ways; returns the two ends of the channel.
async fn converse(alice: &PeerConnection, bob: &PeerConnection) -> [DataChannel; 2] {
    let alices = alice.create_data_channel("test", ChannelInit::default()).expect("a channel is possible");
    negotiate(alice, bob).await;
    let bobs = next_channel(bob).await;
    exchange(&alices, &bobs).await;
    [alices, bobs]
}

async fn exchange(one: &DataChannel, other: &DataChannel) {
    let message = Message::binary((0..200_000_u32).map(|n| (n * 7) as u8).collect::<Vec<_>>());
    for (from, to) in [(one, other), (other, one)] {
        within(20, from.send(message.clone())).await.expect("the channel is open");
        assert_eq!(within(20, to.recv()).await, Some(message.clone()));
    }
}

fn candidates(peer: &PeerConnection) -> Vec<String> {
    let sdp = peer.local_description().expect("it was set").sdp;
    sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:")).map(str::to_owned).collect()
}

async fn relay_by(transport: &str) {
    let server = server(&[]).await;
    let alice = relayed(&server, transport).build().expect("the loopback interface is there");
    let bob = plain().build().expect("the loopback interface is there");
    converse(&alice, &bob).await;
    let candidates = candidates(&alice);
    assert!(!candidates.is_empty() && candidates.iter().all(|line| line.contains(" typ relay ")));
    assert!(candidates.iter().all(|line| line.contains(" raddr 0.0.0.0 rport 9")), "{candidates:?}");
}

#[tokio::test]
async fn relayed_by_udp() {
    relay_by("udp").await;
}

#[tokio::test]
async fn relayed_by_tcp() {
    relay_by("tcp").await;
}

#[tokio::test]
async fn relayed_by_tls() {
    relay_by("tls").await;
}

#[tokio::test]
async fn from_relay_to_relay() {
    let server = server(&[]).await;
    let alice = relayed(&server, "tls").build().expect("the loopback interface is there");
    let bob = relayed(&server, "udp").build().expect("the loopback interface is there");
    converse(&alice, &bob).await;
}

#[tokio::test]
async fn many_behind_a_port_have_relays_of_their_own() {
    let server = server(&[]).await;
    let port = relayed(&server, "tcp").build_port().expect("the loopback interface is there");
    for _ in 0..3 {
        let alice = port.peer().expect("the configuration is good");
        let bob = plain().build().expect("the loopback interface is there");
        converse(&alice, &bob).await;
        alice.close();
        within(5, alice.closed()).await;
    }
}

/// What becomes of one who can be reached through a relay alone, and is not let in.
async fn refused(builder: Builder) -> ServerFailure {
    let timing = IceTiming { patience: Duration::from_secs(2), ..IceTiming::default() };
    let alice = builder.ice_timing(timing).build().expect("the loopback interface is there");
    let bob = plain().ice_timing(timing).build().expect("the loopback interface is there");
    let _channel = alice.create_data_channel("test", ChannelInit::default()).expect("a channel is possible");
    negotiate(&alice, &bob).await;
    assert_eq!(candidates(&alice), <[String; 0]>::default());
    assert_eq!(within(10, alice.connected()).await, Err(ConnectError::Failed));
    loop {
        let event = within(1, alice.next_event()).await.expect("the connection is there");
        if let Event::IceServerFailed { failure, .. } = event {
            return failure;
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such() {
    let server = server(&[]).await;
    for transport in ["udp", "tcp"] {
        let turn = IceServer::new([server.url(transport)]).credentials(USER, "hearts");
        assert_eq!(refused(through(turn)).await, ServerFailure::Unauthorized, "{transport}");
    }
}

#[tokio::test]
async fn a_server_with_a_certificate_that_nobody_trusts_is_not_spoken_to() {
    let (server, other) = (server(&[]).await, server(&[]).await);
    let turn = IceServer::new([server.url("tls")]).credentials(USER, PASSWORD);
    assert_eq!(refused(through(turn).tls(trusting(&other))).await, ServerFailure::Unreachable);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_such() {
    let mut server = server(&[]).await;
    server.kill();
    assert_eq!(refused(relayed(&server, "tcp")).await, ServerFailure::Unreachable);
}

/// Credentials of the REST kind, good until so many seconds from the present.
fn temporary(server: &Server, seconds: i64) -> IceServer {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    let user = format!("{}:{USER}", unix.saturating_add_signed(seconds));
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
    mac.update(user.as_bytes());
    let password = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    IceServer::new([server.url("udp")]).credentials(user, password)
}

#[tokio::test]
async fn credentials_for_a_time_are_good_until_then() {
    let server = Server::start(&["--use-auth-secret", &format!("--static-auth-secret={SECRET}")]).await;
    let alice = through(temporary(&server, 600)).build().expect("the loopback interface is there");
    let bob = plain().build().expect("the loopback interface is there");
    converse(&alice, &bob).await;
    assert_eq!(refused(through(temporary(&server, -600))).await, ServerFailure::Unauthorized);
}

#[tokio::test]
async fn a_nonce_that_grows_old_is_replaced() {
    let server = server(&["--stale-nonce=1"]).await;
    let alice = relayed(&server, "udp").build().expect("the loopback interface is there");
    let bob = plain().build().expect("the loopback interface is there");
    let alices = alice.create_data_channel("test", ChannelInit::default()).expect("a channel is possible");
    alice.set_local_description(None).expect("an offer is possible");
    within(20, alice.gathering_complete()).await;
    // The permission for Bob is asked for when his candidates come: with a nonce that is long stale.
    tokio::time::sleep(Duration::from_secs(3)).await;
    negotiate(&alice, &bob).await;
    exchange(&alices, &next_channel(&bob).await).await;
}

async fn state(peer: &PeerConnection, expected: ConnectionState) {
    let reached = async {
        while peer.connection_state() != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(30, reached).await;
}

/// Tells one the candidates that the other finds from here on.
async fn pass_candidates(from: PeerConnection, to: PeerConnection) {
    while let Some(event) = from.next_event().await {
        if let Event::LocalCandidate(candidate) = event {
            // Those of the former generation are refused.
            let _ = to.add_ice_candidate(Some(candidate));
        }
    }
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back_serves_after_a_restart() {
    let mut server = server(&[]).await;
    let timing = IceTiming {
        consent_interval: Duration::from_millis(400),
        disconnected_after: Duration::from_secs(1),
        ..IceTiming::default()
    };
    for transport in ["tcp", "udp"] {
        let builder = relayed(&server, transport).ice_timing(timing);
        let alice = builder.build().expect("the loopback interface is there");
        let bob = plain().ice_timing(timing).build().expect("the loopback interface is there");
        let [alices, bobs] = converse(&alice, &bob).await;
        server.kill();
        state(&bob, ConnectionState::Disconnected).await;
        server.restart().await;
        alice.restart_ice();
        negotiate(&alice, &bob).await;
        tokio::spawn(pass_candidates(alice.clone(), bob.clone()));
        state(&bob, ConnectionState::Connected).await;
        exchange(&alices, &bobs).await;
    }
}
