//! Records what a browser sends, or whatever else publishes by WHIP, to a WebM file.
//!
//! ```sh
//! cargo run --release --example record -p pavane-tokio -- recording.webm
//! ```
//!
//! It prints an address. The page there publishes a camera and a microphone; the file is whole when it stops. The program
//! takes VP8 and Opus, puts their packets together into frames, and writes the frames down as they are.

mod site;

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;
use clap::Parser;
use pavane_tokio::pavane::rtp::frame::Frame;
use pavane_tokio::pavane::{Codec, CodecParameters, FrameOptions, Instant, MediaKind};
use pavane_tokio::{Builder, ConnectionState, Event, PeerConnection, RemoteTrack};
use pavane_whip::Kind;
use tokio::sync::mpsc;
use webm_iterable::matroska_spec::{Master, MatroskaSpec, SimpleBlock};
use webm_iterable::{WebmWriter, WriteOptions};

use site::Page;

/// Records what is published to a file.
#[derive(Parser)]
struct Arguments {
    /// The file; what was in it is gone.
    file: PathBuf,
    /// The port of the page; any that is free if it is 0.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { file, port } = Arguments::parse();
    let (listener, url) = site::bind(port).await?;
    println!("Open {url} in a browser.");
    let plain = |payload_type, rtx, codec| CodecParameters { payload_type, rtx, codec };
    let codecs = vec![
        plain(111, None, Codec::audio("opus", 48_000, Some(2))),
        plain(96, Some(97), Codec::video("VP8")),
    ];
    let port = Builder::new().include_loopback(true).codecs(codecs).build_port()?;
    let accept = move || {
        let peer = port.peer().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        tokio::spawn(record(peer.clone(), file.clone()));
        Ok(peer)
    };
    site::serve(listener, Kind::Whip, PAGE, accept).await?;
    Ok(())
}

/// Frames that wait to be written at most; a disk that is slower has those who read them wait.
const BACKLOG: usize = 256;

/// Sees a publisher through its connection.
async fn record(peer: PeerConnection, file: PathBuf) {
    let (frames, written) = mpsc::channel(BACKLOG);
    let writing = tokio::task::spawn_blocking(move || write(&file, written));
    while let Some(event) = peer.next_event().await {
        match event {
            Event::Track(track) => drop(tokio::spawn(read(track, frames.clone()))),
            Event::ConnectionStateChanged(ConnectionState::Failed) => peer.close(),
            _ => {}
        }
    }
    drop(frames);
    match writing.await {
        Ok(Ok(count)) => println!("Recorded {count} frames."),
        Ok(Err(error)) => eprintln!("The recording is not whole: {error}"),
        Err(_) => {}
    }
}

async fn read(track: RemoteTrack, frames: mpsc::Sender<(MediaKind, Frame)>) {
    track.receive_frames(FrameOptions::default());
    while let Some(frame) = track.recv_frame().await {
        if frames.send((track.kind(), frame)).await.is_err() {
            return;
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Writes frames until there are no more; returns how many there were.
fn write(path: &PathBuf, mut frames: mpsc::Receiver<(MediaKind, Frame)>) -> Result<usize> {
    let mut recording = Recording::default();
    let mut count = 0;
    while let Some((kind, frame)) = frames.blocking_recv() {
        recording.add(path, kind, &frame)?;
        count += 1;
    }
    recording.finish()?;
    Ok(count)
}

/// A WebM file in the making. It begins with the first picture, whose size its header tells.
#[derive(Default)]
struct Recording {
    writer: Option<WebmWriter<BufWriter<File>>>,
    /// The moments from which each kind's timestamps count: when its first frame came, and what that one's timestamp was.
    origins: [Option<(Instant, u64)>; 2],
    began: Option<Instant>,
    cluster: Option<Cluster>,
}

/// Frames whose times are told from one moment.
struct Cluster {
    begins: Duration,
    tags: Vec<MatroskaSpec>,
}

/// A cluster is no longer than this: blocks tell their times in 16 bits of milliseconds.
const MAX_CLUSTER: Duration = Duration::from_secs(5);

impl Recording {
    fn add(&mut self, path: &PathBuf, kind: MediaKind, frame: &Frame) -> Result<()> {
        if self.writer.is_none() {
            let Some(size) = Some(frame).filter(|_| kind == MediaKind::Video).and_then(picture_size) else {
                return Ok(());
            };
            self.writer = Some(begin(BufWriter::new(File::create(path)?), size)?);
        }
        let time = self.time(kind, frame);
        let is_over = |cluster: &Cluster| {
            let begins_anew = kind == MediaKind::Video && frame.keyframe;
            begins_anew || time.saturating_sub(cluster.begins) > MAX_CLUSTER
        };
        if self.cluster.as_ref().is_none_or(is_over) {
            self.end_cluster()?;
            let tags = vec![MatroskaSpec::Timestamp(time.as_millis() as u64)];
            self.cluster = Some(Cluster { begins: time, tags });
        }
        if let Some(cluster) = &mut self.cluster {
            let since = time.as_millis() as i64 - cluster.begins.as_millis() as i64;
            let track = if kind == MediaKind::Video { VIDEO } else { AUDIO };
            let since = i16::try_from(since).unwrap_or_default();
            let block =
                SimpleBlock::new_uncheked(&frame.data, track, since, false, None, false, frame.keyframe);
            cluster.tags.push(block.into());
        }
        Ok(())
    }

    /// When a frame is to be shown, from the beginning on: the tracks' clocks are joined by when their first frames came.
    fn time(&mut self, kind: MediaKind, frame: &Frame) -> Duration {
        let began = *self.began.get_or_insert(frame.first_received_at);
        let (came, timestamp) = *self.origins[usize::from(kind == MediaKind::Video)]
            .get_or_insert((frame.first_received_at, frame.timestamp));
        let ticks = frame.timestamp.saturating_sub(timestamp);
        (came - began) + Duration::from_nanos(ticks * 1_000_000_000 / u64::from(frame.clock_rate))
    }

    fn end_cluster(&mut self) -> Result<()> {
        if let (Some(writer), Some(cluster)) = (&mut self.writer, self.cluster.take()) {
            writer.write(&MatroskaSpec::Cluster(Master::Full(cluster.tags)))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.end_cluster()?;
        if let Some(mut writer) = self.writer {
            writer.write(&MatroskaSpec::Segment(Master::End))?;
            writer.flush()?;
        }
        Ok(())
    }
}

/// The tracks' numbers in the file.
const VIDEO: u64 = 1;
const AUDIO: u64 = 2;

/// The size of a VP8 key frame's picture (RFC 6386 §9.1).
fn picture_size(frame: &Frame) -> Option<(u64, u64)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, a, b, c, d] = frame.data.get(..10)? else { return None };
    let size = |low: &u8, high: &u8| u64::from(u16::from_le_bytes([*low, *high]) & 0x3fff);
    Some((size(a, b), size(c, d)))
}

/// Writes what comes before the frames.
fn begin(file: BufWriter<File>, (width, height): (u64, u64)) -> Result<WebmWriter<BufWriter<File>>> {
    use MatroskaSpec as Tag;
    let mut writer = WebmWriter::new(file);
    writer.write(&Tag::Ebml(Master::Full(vec![
        Tag::EbmlVersion(1),
        Tag::EbmlReadVersion(1),
        Tag::EbmlMaxIdLength(4),
        Tag::EbmlMaxSizeLength(8),
        Tag::DocType("webm".into()),
        Tag::DocTypeVersion(4),
        Tag::DocTypeReadVersion(2),
    ])))?;
    writer.write_advanced(&Tag::Segment(Master::Start), WriteOptions::is_unknown_sized_element())?;
    writer.write(&Tag::Info(Master::Full(vec![
        Tag::TimestampScale(1_000_000),
        Tag::MuxingApp("Pavane".into()),
        Tag::WritingApp("Pavane".into()),
    ])))?;
    let video = vec![
        Tag::TrackNumber(VIDEO),
        Tag::TrackUID(VIDEO),
        Tag::TrackType(1),
        Tag::CodecID("V_VP8".into()),
        Tag::Video(Master::Full(vec![Tag::PixelWidth(width), Tag::PixelHeight(height)])),
    ];
    let audio = vec![
        Tag::TrackNumber(AUDIO),
        Tag::TrackUID(AUDIO),
        Tag::TrackType(2),
        Tag::CodecID("A_OPUS".into()),
        Tag::CodecPrivate(OPUS_HEAD.to_vec()),
        Tag::SeekPreRoll(80_000_000),
        Tag::Audio(Master::Full(vec![Tag::SamplingFrequency(48_000.0), Tag::Channels(2)])),
    ];
    writer.write(&Tag::Tracks(Master::Full(vec![
        Tag::TrackEntry(Master::Full(video)),
        Tag::TrackEntry(Master::Full(audio)),
    ])))?;
    Ok(writer)
}

/// Two channels, nothing to skip, 48 kHz, no gain, no mapping (RFC 7845 §5.1).
const OPUS_HEAD: &[u8; 19] = b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00";

const PAGE: Page = Page {
    title: "Record",
    actions: &["record", "stop"],
    script: r#"
  let recording;

  async function record() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const peer = new RTCPeerConnection();
    for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    video.srcObject = stream;
    recording = { peer, stream, session: await open(peer) };
  }

  async function stop() {
    await fetch(recording.session, { method: "DELETE" });
    recording.peer.close();
    for (const track of recording.stream.getTracks()) track.stop();
    show("stopped");
  }
"#,
};
