//! One publishes, many watch: WHIP in, WHEP out, for browsers, GStreamer, OBS and whatever else speaks them.
//!
//! ```sh
//! cargo run --release --example broadcast -p pavane-tokio
//! ```
//!
//! It prints an address. The page there publishes a camera to `/whip`, or watches by `/whep` what anybody publishes there.
//! Pictures and sound are passed on as they come, packet by packet; a watcher who lacks a key frame has the publisher asked
//! for one.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::response::Html;
use axum::routing::{any, get};
use pavane_tokio::pavane::rtp::send::Outgoing;
use pavane_tokio::pavane::rtp::{PayloadType, RtpTimestamp, SequenceNumber};
use pavane_tokio::pavane::{Codec, MediaKind, TrackInit};
use pavane_tokio::{
    BuildError, Builder, ConnectionState, Event, LocalTrack, PeerConnection, Port, RemoteTrack, RtpPacket,
};
use pavane_whip::{Endpoint, Kind};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// What everybody here shares.
struct Studio {
    port: Port,
    whip: Endpoint,
    whep: Endpoint,
    stage: Stage,
}

/// What is published.
#[derive(Clone)]
struct Stage {
    packets: broadcast::Sender<Arc<Published>>,
    /// The pictures that are published last; key frames are asked of whoever sends them.
    video: Arc<Mutex<Option<RemoteTrack>>>,
}

/// A packet, and what a watcher has to know of it to get it under numbers of its own.
struct Published {
    kind: MediaKind,
    codec: Codec,
    packet: RtpPacket,
    /// Which track it is of, among all that there were.
    source: u64,
}

/// Packets that a watcher may be behind by; beyond, it misses some.
const BACKLOG: usize = 1024;

/// Bytes of a request at most.
const MAX_REQUEST: usize = 64 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port_argument())).await?;
    println!("Open http://localhost:{} in a browser.", listener.local_addr()?.port());
    serve(listener).await?;
    Ok(())
}

fn port_argument() -> u16 {
    std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8080)
}

/// Serves the page and both endpoints; one port carries everybody's media.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let port = Builder::new().include_loopback(true).build_port();
    let port = port.map_err(|error: BuildError| io::Error::other(error.to_string()))?;
    let studio = Arc::new(Studio {
        port,
        whip: Endpoint::new(Kind::Whip, "/whip"),
        whep: Endpoint::new(Kind::Whep, "/whep"),
        stage: Stage { packets: broadcast::Sender::new(BACKLOG), video: Arc::default() },
    });
    let app = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/whip", any(whip))
        .route("/whip/{id}", any(whip))
        .route("/whep", any(whep))
        .route("/whep/{id}", any(whep))
        .with_state(studio);
    axum::serve(listener, app).await
}

async fn whip(State(studio): State<Arc<Studio>>, request: Request) -> Response<Body> {
    let Some(request) = whole(request).await else { return too_large() };
    let accept = |_: &_, _: &_| {
        let peer = studio.port.peer().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        tokio::spawn(publish(peer.clone(), studio.stage.clone()));
        Ok(peer)
    };
    studio.whip.handle(request, accept).await.map(Body::from)
}

async fn whep(State(studio): State<Arc<Studio>>, request: Request) -> Response<Body> {
    let Some(request) = whole(request).await else { return too_large() };
    let accept = |_: &_, _: &_| {
        let peer = studio.port.peer().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        let mut tracks = Vec::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let track = peer.add_track(TrackInit::new(kind).stream("broadcast"));
            tracks.push(track.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?);
        }
        tokio::spawn(watch(peer.clone(), tracks, studio.stage.clone()));
        Ok(peer)
    };
    studio.whep.handle(request, accept).await.map(Body::from)
}

/// A request with its body.
async fn whole(request: Request) -> Option<axum::http::Request<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_REQUEST).await.ok()?;
    Some(axum::http::Request::from_parts(parts, body))
}

fn too_large() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}

/// Puts on the stage what a publisher sends.
async fn publish(peer: PeerConnection, stage: Stage) {
    while let Some(event) = peer.next_event().await {
        match event {
            Event::Track(track) => {
                if track.kind() == MediaKind::Video {
                    *stage.video.lock().unwrap_or_else(PoisonError::into_inner) = Some(track.clone());
                }
                tokio::spawn(play(track, stage.packets.clone()));
            }
            Event::ConnectionStateChanged(ConnectionState::Failed) => peer.close(),
            _ => {}
        }
    }
}

async fn play(track: RemoteTrack, stage: broadcast::Sender<Arc<Published>>) {
    let source = next_source();
    let mut codecs: BTreeMap<u8, Codec> = BTreeMap::new();
    while let Some(packet) = track.recv().await {
        let number = packet.payload_type.get();
        if !codecs.contains_key(&number) {
            codecs = track.codecs().into_iter().map(|known| (known.payload_type, known.codec)).collect();
        }
        let Some(codec) = codecs.get(&number).cloned() else { continue };
        // Without watchers nobody takes it.
        let _ = stage.send(Arc::new(Published { kind: track.kind(), codec, packet, source }));
    }
}

/// A number for each track that is published.
fn next_source() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Sends a watcher what is published, by the numbers of the watcher's own stream.
async fn pass_on(track: LocalTrack, mut stage: broadcast::Receiver<Arc<Published>>) {
    let mut place = Place::default();
    loop {
        let published = match stage.recv().await {
            Ok(published) => published,
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if published.kind != track.kind() {
            continue;
        }
        let codecs = track.codecs();
        let Some(codec) = codecs.iter().find(|ours| ours.codec.matches(&published.codec)) else { continue };
        let Some(payload_type) = PayloadType::new(codec.payload_type) else { continue };
        let Some(next) = track.next_sequence_number() else { continue };
        let (number, timestamp) = place.of(&published, next);
        let packet = Outgoing { payload_type, timestamp, ..published.packet.clone().into_outgoing() };
        // Nothing is lost by a packet that cannot be sent: the next one follows.
        let _ = track.forward(number, packet);
    }
}

/// Where a watcher's stream is: what is added to the numbers of the source.
#[derive(Default)]
struct Place {
    source: Option<u64>,
    number: u16,
    time: u32,
    last: u32,
}

/// Between the last picture of one source and the first of the next: a thirtieth of a second of video's clock.
const GAP: u32 = 3000;

impl Place {
    fn of(&mut self, published: &Published, next: SequenceNumber) -> (SequenceNumber, RtpTimestamp) {
        let (number, time) = (published.packet.sequence as u16, published.packet.timestamp as u32);
        if self.source != Some(published.source) {
            let resumed = self.last.wrapping_add(GAP);
            self.time = if self.source.is_some() { resumed.wrapping_sub(time) } else { 0 };
            self.number = next.0.wrapping_sub(number);
            self.source = Some(published.source);
        }
        self.last = time.wrapping_add(self.time);
        (SequenceNumber(number.wrapping_add(self.number)), RtpTimestamp(self.last))
    }
}

/// Sees a watcher through its connection.
async fn watch(peer: PeerConnection, tracks: Vec<LocalTrack>, stage: Stage) {
    // They end with this function, and so with the connection.
    let mut passing = JoinSet::new();
    for track in tracks {
        passing.spawn(pass_on(track, stage.packets.subscribe()));
    }
    while let Some(event) = peer.next_event().await {
        match event {
            Event::ConnectionStateChanged(ConnectionState::Failed) => peer.close(),
            Event::ConnectionStateChanged(ConnectionState::Connected) | Event::KeyframeWanted(_) => {
                if let Some(video) = &*stage.video.lock().unwrap_or_else(PoisonError::into_inner) {
                    video.request_keyframe();
                }
            }
            _ => {}
        }
    }
}

const PAGE: &str = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Broadcast</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
  video { width: 100%; aspect-ratio: 4/3; background: #222; border-radius: .5rem }
  button { font: inherit; padding: .4rem 1rem; margin: 0 .5rem 1rem 0 }
</style>
<h1>Broadcast</h1>
<button id="publish">Publish</button><button id="watch">Watch</button> <span id="state"></span>
<video id="video" autoplay playsinline muted controls></video>
<script>
  const show = (text) => { document.getElementById("state").textContent = text; };
  const video = document.getElementById("video");

  async function gathered(peer) {
    await peer.setLocalDescription();
    if (peer.iceGatheringState === "complete") return;
    await new Promise((resolve) => {
      peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
    });
  }

  async function open(path, peer) {
    peer.onconnectionstatechange = () => show(peer.connectionState);
    await gathered(peer);
    const response = await fetch(path, { method: "POST", headers: { "content-type": "application/sdp" }, body: peer.localDescription.sdp });
    if (!response.ok) throw new Error(`the server says ${response.status}`);
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    const session = response.headers.get("location");
    addEventListener("pagehide", () => fetch(session, { method: "DELETE", keepalive: true }));
    return session;
  }

  async function publish() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const peer = new RTCPeerConnection();
    for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    video.srcObject = stream;
    return open("/whip", peer);
  }

  async function watch() {
    const peer = new RTCPeerConnection();
    const stream = new MediaStream();
    for (const kind of ["audio", "video"]) stream.addTrack(peer.addTransceiver(kind, { direction: "recvonly" }).receiver.track);
    video.srcObject = stream;
    return open("/whep", peer);
  }

  for (const [name, action] of Object.entries({ publish, watch })) {
    document.getElementById(name).onclick = () => action().catch((error) => show(error.message));
  }
</script>
</html>
"#;
