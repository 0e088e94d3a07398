//! An endpoint and a client of it, with nothing between them but requests and responses: media flows, trickles, survives a
//! restart of ICE, and what is wrong is refused.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use pavane_drive::{Event, PeerConnection};
use pavane_tokio::Builder;
use pavane_tokio::pavane::rtp::send::Outgoing;
use pavane_tokio::pavane::rtp::{PayloadType, RtpTimestamp};
use pavane_tokio::pavane::{Direction, MediaKind, TrackInit, TransceiverInit};
use pavane_whip::{Client, Endpoint, Kind, Opening, Session};

const URL: &str = "http://media.example/live";

fn peer() -> PeerConnection {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Builder::new().addresses([address]).build().expect("the loopback interface is there")
}

fn publisher() -> PeerConnection {
    let peer = peer();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let track = TrackInit::new(kind).stream("live");
        let init = TransceiverInit::new(Direction::Sendonly).track(track);
        peer.add_transceiver(kind, init).expect("it is possible");
    }
    peer
}

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

/// Publishes; returns the client's session and both connections.
async fn publish(endpoint: &Endpoint) -> (Session, PeerConnection, PeerConnection) {
    let client = Client::new(URL.parse().unwrap());
    let ours = publisher();
    ours.set_local_description(None).unwrap();
    let mut theirs = None;
    let request = client.offer(&ours).unwrap();
    let response = endpoint
        .handle(request, |_, _| {
            theirs = Some(peer());
            Ok(theirs.clone().unwrap())
        })
        .await;
    let opening = client.open(&ours, &response).expect("the session is made");
    let Opening::Opened(session) = opening else { panic!("nobody redirects") };
    (session, ours, theirs.unwrap())
}

async fn ask(endpoint: &Endpoint, request: Request<Bytes>) -> Response<Bytes> {
    endpoint.handle(request, |_, _| panic!("that is no offer")).await
}

#[tokio::test]
async fn a_track_is_published_until_the_session_ends() {
    let endpoint = Endpoint::new(Kind::Whip, "/live");
    let (session, ours, theirs) = publish(&endpoint).await;
    within(ours.connected()).await.unwrap();
    within(theirs.connected()).await.unwrap();
    let track = loop {
        if let Some(Event::Track(track)) = within(theirs.next_event()).await
            && track.kind() == MediaKind::Video
        {
            break track;
        }
    };
    send(&ours);
    assert_eq!(within(track.recv()).await.expect("the track lives").payload, "a picture");
    assert_eq!(endpoint.len(), 1);

    let response = ask(&endpoint, session.end().unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(endpoint.is_empty());
    within(theirs.closed()).await;
    let response = ask(&endpoint, session.end().unwrap()).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

/// Sends a packet of video.
fn send(peer: &PeerConnection) {
    let tracks = peer.transceivers().into_iter().filter_map(|transceiver| peer.local_track(transceiver.id));
    let track = tracks.into_iter().find(|track| track.kind() == MediaKind::Video).unwrap();
    let packet = Outgoing {
        payload_type: PayloadType::new(track.codecs()[0].payload_type).unwrap(),
        marker: true,
        timestamp: RtpTimestamp(1),
        payload: b"a picture".into(),
        extensions: Default::default(),
        captured_at: None,
    };
    track.write(packet).expect("the track is sent");
}

#[tokio::test]
async fn candidates_trickle_and_ice_restarts() {
    let endpoint = Endpoint::new(Kind::Whip, "/live");
    let (mut session, ours, theirs) = publish(&endpoint).await;
    ours.gathering_complete().await;
    let response = ask(&endpoint, session.trickle(&ours).unwrap()).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    within(ours.connected()).await.unwrap();

    let before = theirs.local_description().unwrap();
    ours.restart_ice();
    ours.set_local_description(None).unwrap();
    ours.gathering_complete().await;
    let outdated = session.trickle(&ours).unwrap();
    let response = ask(&endpoint, session.restart(&ours).unwrap()).await;
    session.restarted(&ours, &response).expect("ICE restarts");
    assert_ne!(theirs.local_description().unwrap(), before);
    within(ours.connected()).await.unwrap();

    let response = ask(&endpoint, outdated).await;
    assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
    let response = ask(&endpoint, session.trickle(&ours).unwrap()).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let endpoint = Endpoint::new(Kind::Whip, "/live").bearer(|token| token == "open sesame");
    let ours = publisher();
    ours.set_local_description(None).unwrap();
    let anybody = Client::new(URL.parse().unwrap());
    let response = ask(&endpoint, anybody.offer(&ours).unwrap()).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let client = anybody.bearer("open sesame");
    let offer = || client.offer(&ours).unwrap();

    let mut of_another_type = offer();
    of_another_type.headers_mut().remove("content-type");
    assert_eq!(ask(&endpoint, of_another_type).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let no_description = offer().map(|_| Bytes::from_static(b"v=1"));
    assert_eq!(ask(&endpoint, no_description).await.status(), StatusCode::BAD_REQUEST);
    let watching = offer().map(|sdp| String::from_utf8_lossy(&sdp).replace("sendonly", "recvonly").into());
    assert_eq!(ask(&endpoint, watching).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let huge = offer().map(|_| Bytes::from(vec![b'a'; 1 << 20]));
    assert_eq!(ask(&endpoint, huge).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let busy = endpoint.handle(offer(), |_, _| Err(StatusCode::SERVICE_UNAVAILABLE)).await;
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(endpoint.is_empty());
}

#[tokio::test]
async fn pages_of_other_origins_may_ask() {
    let endpoint = Endpoint::new(Kind::Whep, "/live");
    let request = Request::options(URL).body(Bytes::new()).unwrap();
    let response = ask(&endpoint, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["accept-post"], "application/sdp");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let request = Request::get(URL).body(Bytes::new()).unwrap();
    assert_eq!(ask(&endpoint, request).await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_redirection_leads_elsewhere() {
    let client = Client::new(URL.parse().unwrap()).bearer("token");
    let ours = publisher();
    ours.set_local_description(None).unwrap();
    for (location, endpoint, shows_token) in [
        ("/other", "http://media.example/other", true),
        ("http://stranger.example/live", "http://stranger.example/live", false),
        ("http://media.example:8080/live", "http://media.example:8080/live", false),
    ] {
        let response = Response::builder()
            .status(StatusCode::TEMPORARY_REDIRECT)
            .header("location", location)
            .body(Bytes::new())
            .unwrap();
        let Ok(Opening::Redirected(other)) = client.open(&ours, &response) else { panic!("it is elsewhere") };
        assert_eq!(*other.endpoint(), *endpoint);
        let request = other.offer(&ours).unwrap();
        assert_eq!(request.headers().contains_key("authorization"), shows_token, "{location}");
    }
}
