//! Packets on their way: what the application hands in, what is written.

use core::fmt;

use bytes::Bytes;
use pavane_base::Instant;

use crate::payload::Payload;
use crate::{
    AbsoluteCaptureTime, AbsoluteSendTime, AudioLevel, ExtensionMap, ExtensionValues, PayloadType,
    PlayoutDelay, RtpTimestamp, Ssrc, TransportSequence, VideoOrientation,
};

/// Header extensions that go with the media, in the first transmission and in others.
#[derive(Clone, Debug, Default)]
pub struct MediaExtensions {
    /// How loud the sound is.
    pub audio_level: Option<AudioLevel>,
    /// How the camera was held.
    pub video_orientation: Option<VideoOrientation>,
    /// Bounds for the delay.
    pub playout_delay: Option<PlayoutDelay>,
    /// When the media was captured.
    pub capture_time: Option<AbsoluteCaptureTime>,
    /// Whether the video is a screen or a camera's.
    pub video_content_type: Option<u8>,
    /// How the frame depends on others, at most 255 bytes.
    pub dependency_descriptor: Option<Bytes>,
    /// The bit rates and sizes of the layers, at most 255 bytes.
    pub video_layers_allocation: Option<Bytes>,
}

impl MediaExtensions {
    /// The extensions of a packet that is passed on; `share` makes the two long ones outlive it, best by slicing the
    /// `Bytes` that the packet lies in.
    pub fn pass_on(values: &ExtensionValues<'_>, share: impl Fn(&[u8]) -> Bytes) -> Self {
        Self {
            audio_level: values.audio_level,
            video_orientation: values.video_orientation,
            playout_delay: values.playout_delay,
            capture_time: values.capture_time,
            video_content_type: values.video_content_type,
            dependency_descriptor: values.dependency_descriptor.map(&share),
            video_layers_allocation: values.video_layers_allocation.map(&share),
        }
    }

    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        let Self {
            audio_level,
            video_orientation,
            playout_delay,
            capture_time,
            video_content_type,
            dependency_descriptor,
            video_layers_allocation,
        } = self;
        audio_level.is_none()
            && video_orientation.is_none()
            && playout_delay.is_none()
            && capture_time.is_none()
            && video_content_type.is_none()
            && dependency_descriptor.is_none()
            && video_layers_allocation.is_none()
    }

    pub(super) fn values(&self) -> ExtensionValues<'_> {
        ExtensionValues {
            audio_level: self.audio_level,
            video_orientation: self.video_orientation,
            playout_delay: self.playout_delay,
            capture_time: self.capture_time,
            video_content_type: self.video_content_type,
            dependency_descriptor: self.dependency_descriptor.as_deref(),
            video_layers_allocation: self.video_layers_allocation.as_deref(),
            ..ExtensionValues::default()
        }
    }
}

/// A packet to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The payload's format.
    pub payload_type: PayloadType,
    /// The marker, whose meaning is the payload format's.
    pub marker: bool,
    /// The media's moment.
    pub timestamp: RtpTimestamp,
    /// The payload, shared with whoever else sends it; made of a `Bytes` by `into`, or of a frame by a
    /// [`Packetizer`](crate::payload::Packetizer).
    pub payload: Payload,
    /// Header extensions that go with the media.
    pub extensions: MediaExtensions,
    /// When the media was captured; the moment at which it is handed in without. Reports relate timestamps to the wall
    /// clock by it.
    pub captured_at: Option<Instant>,
}

/// Why a packet is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// As many packets wait as may.
    Full,
    /// Its number lies before those that are remembered, or was used.
    TooOld,
    /// The stream has ended.
    Ended,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "as many packets wait as may",
            Self::TooOld => "the packet's number lies before those that are remembered",
            Self::Ended => "the stream has ended",
        })
    }
}

impl core::error::Error for SendError {}

/// What a transport adds to a packet at the moment of sending.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// The ids of header extensions.
    pub extensions: &'a ExtensionMap,
    /// The packet's number in its transport.
    pub transport_sequence: Option<TransportSequence>,
    /// The moment of sending.
    pub absolute_send_time: Option<AbsoluteSendTime>,
}

/// What a packet that was written is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentKind {
    /// Media for the first time.
    Media,
    /// Media again.
    Retransmission,
    /// Bytes that are there for their number.
    Padding,
}

/// A packet that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its source: the retransmission stream's for those.
    pub ssrc: Ssrc,
    /// Its number, or the original's of a retransmission, in numbers that do not wrap.
    pub sequence: u64,
    /// What it is.
    pub kind: SentKind,
    /// How many bytes were written.
    pub len: usize,
    /// The number in its transport, if the one that was offered was used: a packet that is sent again under its own number
    /// keeps the one that it had.
    pub transport_sequence: Option<TransportSequence>,
}

/// A packet that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What it is.
    pub kind: SentKind,
    /// How many bytes its payload has.
    pub payload_len: usize,
    /// Since when it waits.
    pub since: Instant,
}
