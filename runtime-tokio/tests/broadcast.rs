//! The broadcast example over real HTTP: what one publishes by WHIP, two watch by WHEP, and a second publisher takes over.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::http::Uri;
use pavane_tokio::pavane::rtp::send::Outgoing;
use pavane_tokio::pavane::rtp::{PayloadType, RtpTimestamp};
use pavane_tokio::pavane::{Direction, MediaKind, TrackInit, TransceiverInit};
use pavane_tokio::{Builder, Event, LocalTrack, PeerConnection, RemoteTrack};
use pavane_whip::{Client, Opening, Session};
use tokio::net::TcpListener;

#[path = "../examples/broadcast.rs"]
#[expect(dead_code, reason = "a test has no use for the example's main function")]
mod broadcast;

#[path = "support/http.rs"]
mod http;

use http::fetch;

async fn open(url: &str, path: &str, direction: Direction) -> (Session, PeerConnection) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let peer = Builder::new().addresses([address]).build().expect("the loopback interface is there");
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let init = TransceiverInit::new(direction);
        let init = if direction == Direction::Sendonly {
            init.track(TrackInit::new(kind).stream("live"))
        } else {
            init
        };
        peer.add_transceiver(kind, init).expect("it is possible");
    }
    peer.set_local_description(None).expect("an offer is possible");
    peer.gathering_complete().await;
    let client = Client::new(format!("{url}{path}").parse::<Uri>().expect("a good URL"));
    let response = fetch(client.offer(&peer).expect("there is an offer")).await;
    let Ok(Opening::Opened(session)) = client.open(&peer, &response) else { panic!("{response:?}") };
    peer.connected().await.expect("it connects");
    (session, peer)
}

async fn picture_track(peer: &PeerConnection) -> RemoteTrack {
    loop {
        if let Some(Event::Track(track)) = peer.next_event().await
            && track.kind() == MediaKind::Video
        {
            return track;
        }
    }
}

fn own_picture_track(peer: &PeerConnection) -> LocalTrack {
    let mut transceivers = peer.transceivers().into_iter();
    let video = transceivers.find(|transceiver| transceiver.kind == MediaKind::Video).expect("there is one");
    peer.local_track(video.id).expect("it has a track")
}

/// Publishes `payload` until everybody who watches has it; returns the timestamps that they saw.
async fn broadcast_to(track: &LocalTrack, payload: &'static [u8], watchers: &[RemoteTrack]) -> Vec<u64> {
    let codec = track.codecs().into_iter().find(|codec| codec.codec.is("VP8")).expect("everybody has VP8");
    let publishing = async {
        for number in 0.. {
            let packet = Outgoing {
                payload_type: PayloadType::new(codec.payload_type).expect("it has seven bits"),
                marker: true,
                timestamp: RtpTimestamp(90_000 + number * 3000),
                payload: payload.into(),
                extensions: Default::default(),
                captured_at: None,
            };
            let _ = track.write(packet);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let watching = async {
        let mut times = Vec::new();
        for watcher in watchers {
            let packet = loop {
                let packet = watcher.recv().await.expect("the track lives");
                if packet.payload == payload {
                    break packet;
                }
            };
            times.push(packet.timestamp);
        }
        times
    };
    tokio::select! {
        times = watching => times,
        () = publishing => Vec::new(),
    }
}

#[tokio::test]
async fn one_publishes_and_many_watch() {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the loopback interface is there");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(broadcast::serve(listener));
    let test = async {
        let (session, publisher) = open(&url, "/whip", Direction::Sendonly).await;
        let (_, first) = open(&url, "/whep", Direction::Recvonly).await;
        let (_, second) = open(&url, "/whep", Direction::Recvonly).await;
        let watchers = [picture_track(&first).await, picture_track(&second).await];
        let before = broadcast_to(&own_picture_track(&publisher), b"the first", &watchers).await;

        let response = fetch(session.end().expect("there is a session")).await;
        assert!(response.status().is_success());
        publisher.closed().await;
        let (_, publisher) = open(&url, "/whip", Direction::Sendonly).await;
        let after = broadcast_to(&own_picture_track(&publisher), b"the second", &watchers).await;
        assert!(
            before.iter().zip(&after).all(|(before, after)| before < after),
            "time goes on: {before:?} {after:?}"
        );
    };
    tokio::time::timeout(Duration::from_secs(60), test).await.expect("it takes too long");
}
