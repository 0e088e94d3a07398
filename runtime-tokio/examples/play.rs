//! Plays a WebM or Matroska file to browsers, or to whatever else watches by WHEP.
//!
//! ```sh
//! cargo run --release --example play -p pavane-tokio -- film.webm
//! ```
//!
//! It prints an address. The page there shows the file from its beginning, again and again, to everybody who opens it. The
//! file's frames are put into packets as they are: pictures of VP8, VP9 or AV1 and sound of Opus.

mod site;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::StatusCode;
use clap::Parser;
use pavane_tokio::pavane::rtp::send::OutgoingFrame;
use pavane_tokio::pavane::rtp::{PayloadType, RtpTimestamp};
use pavane_tokio::pavane::{MediaKind, TrackInit};
use pavane_tokio::{Builder, ConnectionState, Event, LocalTrack, PeerConnection};
use pavane_whip::Kind;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use webm_iterable::WebmIterator;
use webm_iterable::matroska_spec::{Block, Master, MatroskaSpec, SimpleBlock};

use site::Page;

/// Plays a file to browsers.
#[derive(Parser)]
struct Arguments {
    /// The file.
    file: PathBuf,
    /// The port of the page; any that is free if it is 0.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { file, port } = Arguments::parse();
    let formats = describe(&file)?;
    let (listener, url) = site::bind(port).await?;
    println!("{formats}: open {url} in a browser.");
    let port = Builder::new().include_loopback(true).build_port()?;
    let accept = move || {
        let peer = port.peer().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        let track = |kind| peer.add_track(TrackInit::new(kind).stream("film"));
        let tracks = track(MediaKind::Audio).and_then(|audio| Ok([audio, track(MediaKind::Video)?]));
        let tracks = tracks.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        tokio::spawn(show(peer.clone(), tracks, file.clone()));
        Ok(peer)
    };
    site::serve(listener, Kind::Whep, PAGE, accept).await?;
    Ok(())
}

/// Sees a watcher through its connection; the film begins when that is there, and again when the watcher lacks a key
/// frame: files have few, and the first may be sent before a browser is ready for it.
async fn show(peer: PeerConnection, tracks: [LocalTrack; 2], file: PathBuf) {
    let mut showing: Option<Showing> = None;
    while let Some(event) = peer.next_event().await {
        match event {
            Event::ConnectionStateChanged(ConnectionState::Connected) if showing.is_none() => {
                showing = Some(Showing::begin(tracks.clone(), file.clone(), Instant::now()));
            }
            Event::KeyframeWanted(_) => {
                if let Some(shown) = showing.take_if(|showing| showing.began.elapsed() > PATIENCE) {
                    showing = Some(Showing::begin(tracks.clone(), file.clone(), shown.origin));
                }
            }
            Event::ConnectionStateChanged(ConnectionState::Failed) => peer.close(),
            _ => {}
        }
    }
}

/// How long a showing goes on at least: its key frame has to arrive.
const PATIENCE: Duration = Duration::from_secs(1);

/// The film for one watcher, from its beginning on; dropped, it ends.
struct Showing {
    began: Instant,
    /// From when on the watcher's clock counts, through all showings.
    origin: Instant,
    sending: JoinHandle<()>,
}

impl Showing {
    fn begin(tracks: [LocalTrack; 2], file: PathBuf, origin: Instant) -> Self {
        let began = Instant::now();
        let (frames, read) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || read_again_and_again(&file, began - origin, &frames));
        Self { began, origin, sending: tokio::spawn(send(tracks, origin, read)) }
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        // What reads the file ends when nobody takes its frames.
        self.sending.abort();
    }
}

/// Frames that are read ahead of their time.
const AHEAD: usize = 64;

/// Sends frames when their time has come.
async fn send(tracks: [LocalTrack; 2], origin: Instant, mut frames: mpsc::Receiver<FilmFrame>) {
    while let Some(frame) = frames.recv().await {
        sleep_until(origin + frame.time).await;
        let Some(track) = tracks.iter().find(|track| track.kind() == frame.format.kind()) else { continue };
        let codecs = track.codecs();
        let Some(codec) = codecs.iter().find(|codec| codec.codec.is(frame.format.name())) else { continue };
        let Some(payload_type) = PayloadType::new(codec.payload_type) else { continue };
        let ticks = frame.time.as_micros() * u128::from(codec.codec.clock_rate) / 1_000_000;
        // A frame that cannot be sent is missed, as others may be.
        let _ = track.write_frame(OutgoingFrame::new(payload_type, RtpTimestamp(ticks as u32), frame.data));
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What a track of the file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Vp8,
    Vp9,
    Av1,
    Opus,
}

impl Format {
    fn of(codec_id: &str) -> Option<Self> {
        Some(match codec_id {
            "V_VP8" => Self::Vp8,
            "V_VP9" => Self::Vp9,
            "V_AV1" => Self::Av1,
            "A_OPUS" => Self::Opus,
            _ => return None,
        })
    }

    /// Its name in descriptions.
    const fn name(self) -> &'static str {
        match self {
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Av1 => "AV1",
            Self::Opus => "opus",
        }
    }

    const fn kind(self) -> MediaKind {
        if matches!(self, Self::Opus) { MediaKind::Audio } else { MediaKind::Video }
    }
}

/// A frame, and when it is to be shown.
struct FilmFrame {
    format: Format,
    time: Duration,
    data: Vec<u8>,
}

/// Between the end of the file and its beginning anew.
const INTERVAL: Duration = Duration::from_millis(40);

fn read_again_and_again(file: &Path, mut begins: Duration, frames: &mpsc::Sender<FilmFrame>) {
    loop {
        let mut last = begins;
        let read = Film::open(file).and_then(|film| {
            film.read(|mut frame| {
                frame.time += begins;
                last = last.max(frame.time);
                frames.blocking_send(frame).is_ok()
            })
        });
        match read {
            Ok(true) if last > begins => begins = last + INTERVAL,
            Ok(_) => return,
            Err(error) => return eprintln!("The file cannot be read: {error}"),
        }
    }
}

/// What the file's tracks are.
fn describe(file: &Path) -> Result<String> {
    let mut film = Film::open(file)?;
    let mut formats = Vec::new();
    for tag in &mut film.tags {
        match tag? {
            MatroskaSpec::TrackEntry(Master::Full(entry)) => formats.extend(film.track.add(&entry)),
            MatroskaSpec::Cluster(_) => break,
            _ => {}
        }
    }
    match formats.is_empty() {
        true => Err("there is neither VP8, VP9, AV1 nor Opus in the file".into()),
        false => Ok(formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(" and ")),
    }
}

/// A file that is being read.
struct Film {
    tags: WebmIterator<BufReader<File>>,
    track: Tracks,
}

/// The tracks of a file by their numbers, those of them that can be played.
#[derive(Default)]
struct Tracks(Vec<(u64, Format)>);

impl Tracks {
    fn add(&mut self, entry: &[MatroskaSpec]) -> Option<Format> {
        let number = entry.iter().find_map(|tag| match tag {
            MatroskaSpec::TrackNumber(number) => Some(*number),
            _ => None,
        })?;
        let format = entry.iter().find_map(|tag| match tag {
            MatroskaSpec::CodecID(id) => Format::of(id),
            _ => None,
        })?;
        self.0.push((number, format));
        Some(format)
    }

    fn format(&self, number: u64) -> Option<Format> {
        self.0.iter().find(|(known, _)| *known == number).map(|(_, format)| *format)
    }
}

impl Film {
    fn open(file: &Path) -> Result<Self> {
        let whole = [MatroskaSpec::TrackEntry(Master::Start), MatroskaSpec::BlockGroup(Master::Start)];
        let tags = WebmIterator::new(BufReader::new(File::open(file)?), &whole);
        Ok(Self { tags, track: Tracks::default() })
    }

    /// Reads every frame, until the file ends or one is not taken; says whether the file ended.
    fn read(mut self, mut take: impl FnMut(FilmFrame) -> bool) -> Result<bool> {
        let (mut scale, mut cluster) = (1_000_000, 0);
        for tag in &mut self.tags {
            let (number, since, frames) = match tag? {
                MatroskaSpec::TimestampScale(nanos) => {
                    scale = nanos;
                    continue;
                }
                MatroskaSpec::Timestamp(time) => {
                    cluster = time;
                    continue;
                }
                MatroskaSpec::TrackEntry(Master::Full(entry)) => {
                    self.track.add(&entry);
                    continue;
                }
                tag @ MatroskaSpec::SimpleBlock(_) => {
                    let block = SimpleBlock::try_from(&tag)?;
                    (
                        block.track,
                        block.timestamp,
                        data(block.read_frame_data()?.iter().map(|frame| frame.data)),
                    )
                }
                MatroskaSpec::BlockGroup(Master::Full(group)) => {
                    let block = group.iter().find(|tag| matches!(tag, MatroskaSpec::Block(_)));
                    let Some(block) = block.map(Block::try_from).transpose()? else { continue };
                    (
                        block.track,
                        block.timestamp,
                        data(block.read_frame_data()?.iter().map(|frame| frame.data)),
                    )
                }
                _ => continue,
            };
            let Some(format) = self.track.format(number) else { continue };
            let time = cluster.saturating_add_signed(since.into());
            let time = Duration::from_nanos(time.saturating_mul(scale));
            for data in frames {
                if !take(FilmFrame { format, time, data }) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

fn data<'f>(frames: impl Iterator<Item = &'f [u8]>) -> Vec<Vec<u8>> {
    frames.map(<[u8]>::to_vec).collect()
}

const PAGE: Page = Page {
    title: "Play",
    actions: &["watch"],
    script: r#"
  async function watch() {
    const peer = new RTCPeerConnection();
    const stream = new MediaStream();
    for (const kind of ["audio", "video"]) stream.addTrack(peer.addTransceiver(kind, { direction: "recvonly" }).receiver.track);
    video.srcObject = stream;
    const session = await open(peer);
    addEventListener("pagehide", () => fetch(session, { method: "DELETE", keepalive: true }));
  }
"#,
};
