//! Frames out of packets: what belongs together, in order, and when it is handed over.
//!
//! A [`FrameBuffer`] stands behind one received stream. It takes packets in any order, puts frames together, waits a while
//! for what is missing, and says when only a key frame helps. Nothing in it grows without bound: see [`MAX_PACKETS`],
//! [`MAX_BYTES`], [`MAX_FRAMES`] and [`MAX_DELAY`].
//!
//! ```
//! # use pavane_base::{Instant, bytes::Bytes};
//! use pavane_rtp::frame::{self, FrameBuffer};
//! use pavane_rtp::payload::{Packetizer, PayloadFormat};
//! use pavane_rtp::receive::{self, Format, KeyframeMethod, Via};
//! use pavane_rtp::{ExtensionValues, Header, HeaderBuilder, Packet, PayloadType, RtpTimestamp, SequenceNumber, Ssrc};
//!
//! let payload_type = PayloadType::new(96).expect("it has seven bits");
//! let mut packetizer = Packetizer::new(PayloadFormat::Vp8, 1100);
//! let mut stream = receive::Stream::new(receive::Config {
//!     ssrc: Ssrc(1),
//!     formats: vec![Format { payload_type, clock_rate: 90_000, retransmission: None, payload: None }],
//!     nack: true,
//!     keyframes: KeyframeMethod::Pli,
//! });
//! let mut frames = FrameBuffer::new(frame::Config::video(vec![(payload_type, PayloadFormat::Vp8)]));
//!
//! let picture = Bytes::from(vec![0x90; 3000]);
//! let mut number = SequenceNumber(7);
//! for part in packetizer.packetize(picture.clone())? {
//!     // A sender's stream writes the packet, which is encrypted, and crosses a network.
//!     let mut datagram = Vec::new();
//!     let header = Header {
//!         marker: part.marker,
//!         payload_type,
//!         sequence_number: number,
//!         timestamp: RtpTimestamp(3600),
//!         ssrc: Ssrc(1),
//!     };
//!     HeaderBuilder::new(&mut datagram, &header).finish();
//!     part.payload.write(&mut datagram);
//!     number = number.next();
//!
//!     // The receiver's stream says what place it has, and the buffer takes it.
//!     let now = Instant::from_millis(40);
//!     let packet = Packet::parse(&datagram)?;
//!     let place = stream.handle_packet(now, &packet, Via::Original).expect("it is the stream's");
//!     frames.handle_packet(now, place, &packet, &ExtensionValues::default());
//! }
//! let frame = frames.poll_frame(Instant::from_millis(40)).expect("all of it has come");
//! assert_eq!((frame.data, frame.keyframe, frame.lost_packets), (picture, true, 0));
//! if frames.needs_keyframe() {
//!     stream.request_keyframe(Instant::from_millis(40));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use bytes::Bytes;
use pavane_base::{Instant, earliest};

use crate::receive::Place;
use crate::{AbsoluteCaptureTime, AudioLevel, ExtensionValues, Packet, PayloadType, VideoOrientation};

mod chain;
mod config;
mod delay;
mod output;
mod statistics;
#[cfg(test)]
mod tests;
mod window;

use chain::Chain;
pub use config::{Config, Kind, Playout};
use delay::Delay;
pub use statistics::Statistics;
use window::{Fit, Stored, Window};

/// The most packets that are kept, or missed between them: a second at 20 Mbit/s.
pub const MAX_PACKETS: usize = 2048;
/// The most bytes of payload that are kept.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most frames that wait to be taken.
pub const MAX_FRAMES: usize = 512;
/// The longest that anything is waited for, whatever the configuration says.
pub const MAX_DELAY: Duration = Duration::from_secs(10);

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Its bytes, as an encoder made them and a decoder takes them.
    pub data: Bytes,
    /// Its format's number.
    pub payload_type: PayloadType,
    /// Its moment, in numbers that do not wrap.
    pub timestamp: u64,
    /// Units of the timestamp in a second.
    pub clock_rate: u32,
    /// Whether it can be decoded without any other. All frames of audio are.
    pub keyframe: bool,
    /// Its packets.
    pub sequence: RangeInclusive<u64>,
    /// How many packets were given up between the frame before and this one; a decoder conceals them. Those that a sender
    /// filled up the network with cannot be told from others.
    pub lost_packets: u64,
    /// When its first packet came.
    pub first_received_at: Instant,
    /// When the last of its packets came, and it was whole.
    pub received_at: Instant,
    /// How the camera was held.
    pub video_orientation: Option<VideoOrientation>,
    /// How loud the sound is.
    pub audio_level: Option<AudioLevel>,
    /// When it was captured.
    pub capture_time: Option<AbsoluteCaptureTime>,
}

/// A frame that waits to be handed over.
#[derive(Debug)]
struct Ready {
    frame: Frame,
    due: Instant,
}

/// A packet that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stall {
    sequence: u64,
    /// When it was noticed that it is missing.
    since: Instant,
    /// When it is given up.
    until: Instant,
}

/// Makes frames of one stream's packets.
///
/// Packets go to [`handle_packet`](Self::handle_packet), time to [`handle_timeout`](Self::handle_timeout), and frames come
/// from [`poll_frame`](Self::poll_frame) in the order in which they are decoded.
#[derive(Debug)]
pub struct FrameBuffer {
    config: Config,
    window: Window,
    chain: Chain,
    delay: Delay,
    round_trip: Duration,
    stall: Option<Stall>,
    /// Packets given up since the last frame.
    lost: u64,
    /// The timestamp of the last frame of which something was dropped.
    dropped: Option<u64>,
    ready: VecDeque<Ready>,
    ready_bytes: usize,
    statistics: Statistics,
}

impl Frame {
    const fn place(&self) -> Place {
        Place { sequence: *self.sequence.start(), timestamp: self.timestamp, clock_rate: self.clock_rate }
    }
}

impl FrameBuffer {
    /// A buffer of a stream of which nothing has come.
    pub fn new(config: Config) -> Self {
        Self {
            window: Window::default(),
            chain: Chain::new(config.kind),
            delay: Delay::default(),
            round_trip: INITIAL_ROUND_TRIP,
            stall: None,
            lost: 0,
            dropped: None,
            ready: VecDeque::new(),
            ready_bytes: 0,
            statistics: Statistics::default(),
            config,
        }
    }

    /// What it works by.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Changes what it works by, for packets to come.
    pub fn set_config(&mut self, config: Config) {
        self.config = config;
    }

    /// Tells how long a round trip takes, which what is sent again needs at least.
    pub const fn set_round_trip_time(&mut self, time: Duration) {
        self.round_trip = time;
    }

    /// What has been counted.
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// How long frames are held back, counted from the fastest one's way, to be handed over evenly.
    pub fn target_delay(&self) -> Duration {
        self.bounded(self.delay.target())
    }

    /// Whether nothing can be decoded until a key frame comes, which is to be asked for.
    pub const fn needs_keyframe(&self) -> bool {
        self.chain.needs_keyframe()
    }

    /// Takes a packet, each once. One of a type that has no format carries no media, and only fills its place.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        place: Place,
        packet: &Packet<'_>,
        values: &ExtensionValues<'_>,
    ) {
        let Some(stored) = self.read(now, place, packet, values) else {
            self.statistics.packets_malformed += 1;
            return;
        };
        if !self.make_room(now, place) {
            return;
        }
        self.window.insert(stored, packet.payload());
        self.advance(now);
        while self.window.bytes() > MAX_BYTES {
            self.drop_front();
            self.advance(now);
        }
    }

    /// Makes sure that there is a slot for a packet; there is none if it comes too late.
    fn make_room(&mut self, now: Instant, place: Place) -> bool {
        loop {
            match self.window.fit(place.sequence) {
                Fit::Yes => return true,
                Fit::Late => {
                    self.statistics.packets_late += 1;
                    // It was not waited for long enough.
                    self.delay.measure(now, place);
                    return false;
                }
                Fit::Ahead if self.window.is_empty() => {
                    self.window.restart(place.sequence);
                    self.delay.restart();
                    self.chain.lose();
                }
                Fit::Ahead => {
                    self.drop_front();
                    self.advance(now);
                }
            }
        }
    }

    /// Does what time brings.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// The next frame, if it is due.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Frame> {
        self.ready.front().filter(|ready| ready.due <= now)?;
        let ready = self.ready.pop_front()?;
        self.ready_bytes -= ready.frame.data.len();
        Some(ready.frame)
    }

    /// When a frame is due, or [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.ready.front().map(|ready| ready.due), self.deadline())
    }

    fn read(
        &self,
        now: Instant,
        place: Place,
        packet: &Packet<'_>,
        values: &ExtensionValues<'_>,
    ) -> Option<Stored> {
        let format = self.config.format(packet.payload_type()).filter(|_| !packet.payload().is_empty());
        let media = match format {
            Some(format) => Some((format, format.describe(packet.payload()).ok()?)),
            None => None,
        };
        Some(Stored {
            place,
            media,
            payload_type: packet.payload_type(),
            marker: packet.marker(),
            received_at: now,
            video_orientation: values.video_orientation,
            audio_level: values.audio_level,
            capture_time: values.capture_time,
            payload: Vec::new(),
        })
    }

    fn bounded(&self, time: Duration) -> Duration {
        time.max(*self.config.delay.start()).min(*self.config.delay.end()).min(MAX_DELAY)
    }

    fn deadline(&self) -> Option<Instant> {
        self.stall.map(|stall| stall.until)
    }
}

/// How long a round trip is thought to be before one was measured.
const INITIAL_ROUND_TRIP: Duration = crate::receive::INITIAL_ROUND_TRIP;
