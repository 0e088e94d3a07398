//! What a receiver that wants whole frames has instead of packets.

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::{Instant, earliest};

use super::{Agreement, MediaKind};
use crate::ReceivedRtp;
use crate::rtp::frame::{Config, Frame, FrameBuffer, Playout};
use crate::rtp::{PayloadType, ReceiverKey};

/// How whole frames are to be handed over; what is `None` is by the kind of media.
///
/// Pictures are handed over as soon as they can be decoded, and wait up to a second for what is sent again; sound is handed
/// over evenly, and waits as long as the network's jitter needs, up to half a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameOptions {
    /// When they are handed over.
    pub playout: Option<Playout>,
    /// The least that they are held back.
    pub min_delay: Option<Duration>,
    /// The most that anything missing is waited for.
    pub max_delay: Option<Duration>,
}

/// The streams of one receiver, and the frames that wait in them.
#[derive(Debug)]
pub(crate) struct FrameInbox {
    config: Config,
    options: FrameOptions,
    streams: Vec<FrameStream>,
    /// Whether the application was told that a frame waits, and has not found none since.
    told: bool,
}

#[derive(Debug)]
struct FrameStream {
    key: ReceiverKey,
    buffer: FrameBuffer,
    /// When a key frame was last asked for, while one is needed.
    asked: Option<Instant>,
}

/// How many streams of a receiver have frames; a peer that begins one more loses what waits in the oldest.
const MAX_STREAMS: usize = 4;

/// After this time a key frame is asked for again, though one may have begun to come.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// What is to be said of a stream's key frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyframe {
    /// It is to be asked for.
    Wanted(ReceiverKey),
    /// All is well.
    Fine,
}

impl FrameInbox {
    pub(crate) fn new(kind: MediaKind, options: FrameOptions) -> Self {
        let config = match kind {
            MediaKind::Audio => Config::audio(Vec::new()),
            MediaKind::Video => Config::video(Vec::new()),
        };
        Self { config, options, streams: Vec::new(), told: false }
    }

    /// Follows what is agreed.
    pub(crate) fn follow(&mut self, kind: MediaKind, agreement: &Agreement) {
        let formats = agreement
            .receive
            .iter()
            .filter_map(|codec| Some((PayloadType::new(codec.payload_type)?, codec.codec.payload_format()?)));
        let formats = formats.collect();
        let defaults = match kind {
            MediaKind::Audio => Config::audio(formats),
            MediaKind::Video => Config::video(formats),
        };
        let least = self.options.min_delay.unwrap_or(*defaults.delay.start());
        let most = self.options.max_delay.unwrap_or(*defaults.delay.end());
        self.config = Config {
            playout: self.options.playout.unwrap_or(defaults.playout),
            delay: least..=most.max(least),
            retransmission: agreement.send.iter().any(|codec| codec.codec.feedback.nack),
            ..defaults
        };
        for stream in &mut self.streams {
            stream.buffer.set_config(self.config.clone());
        }
    }

    /// Takes a packet of a stream.
    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        key: ReceiverKey,
        received: &ReceivedRtp<'_>,
        round_trip: Option<Duration>,
    ) -> Keyframe {
        let stream = self.stream(key);
        if let Some(time) = round_trip {
            stream.buffer.set_round_trip_time(time);
        }
        stream.buffer.handle_packet(now, received.place, &received.packet, &received.values);
        stream.keyframe(now)
    }

    fn stream(&mut self, key: ReceiverKey) -> &mut FrameStream {
        let index = self.streams.iter().position(|stream| stream.key == key).unwrap_or_else(|| {
            if self.streams.len() == MAX_STREAMS {
                self.streams.remove(0);
            }
            let buffer = FrameBuffer::new(self.config.clone());
            self.streams.push(FrameStream { key, buffer, asked: None });
            self.streams.len() - 1
        });
        &mut self.streams[index]
    }

    /// Does what time brings; `ask` is given the streams that need a key frame.
    pub(crate) fn handle_timeout(&mut self, now: Instant, mut ask: impl FnMut(ReceiverKey)) {
        for stream in &mut self.streams {
            stream.buffer.handle_timeout(now);
            if let Keyframe::Wanted(key) = stream.keyframe(now) {
                ask(key);
            }
        }
    }

    /// The next frame, if one is due: of the stream that came first, where there are several.
    pub(crate) fn recv(&mut self, now: Instant) -> Option<Frame> {
        let frame = self.streams.iter_mut().find_map(|stream| stream.buffer.poll_frame(now));
        self.told &= frame.is_some();
        frame
    }

    /// Whether the application is to be told that a frame waits.
    pub(crate) fn is_news(&mut self, now: Instant) -> bool {
        let readable = self.poll_timeout().is_some_and(|at| at <= now);
        readable && !core::mem::replace(&mut self.told, true)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.streams.iter().fold(None, |next, stream| earliest(next, stream.buffer.poll_timeout()))
    }

    /// The buffer of a stream.
    pub(crate) fn buffer(&self, key: ReceiverKey) -> Option<&FrameBuffer> {
        self.streams.iter().find(|stream| stream.key == key).map(|stream| &stream.buffer)
    }
}

impl FrameStream {
    fn keyframe(&mut self, now: Instant) -> Keyframe {
        if !self.buffer.needs_keyframe() {
            self.asked = None;
        } else if self.asked.is_none_or(|at| now - at >= ASK_AGAIN) {
            self.asked = Some(now);
            return Keyframe::Wanted(self.key);
        }
        Keyframe::Fine
    }
}
