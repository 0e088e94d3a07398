//! What a buffer of frames works by.

use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use crate::PayloadType;
use crate::payload::PayloadFormat;

/// Whether a frame is of use without those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is: a decoder conceals what is missing.
    Audio,
    /// It is not: after a loss only a key frame helps.
    Video,
}

/// When frames are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playout {
    /// As soon as they can be decoded.
    Immediate,
    /// Evenly, as they were captured, delayed by as much as the network's jitter needs.
    Smooth,
}

/// What a buffer of frames works by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The formats of the stream's payloads. Packets of other types carry no media.
    pub formats: Vec<(PayloadType, PayloadFormat)>,
    /// Whether a frame is of use without those before it.
    pub kind: Kind,
    /// When frames are handed over.
    pub playout: Playout,
    /// The least and the most that is waited: for what is missing, and by [`Playout::Smooth`] with every frame.
    pub delay: RangeInclusive<Duration>,
    /// Whether what is missing is asked for, and worth a wait of some round trips.
    pub retransmission: bool,
}

impl Config {
    /// Pictures, as soon as they can be decoded; what is missing comes again.
    pub const fn video(formats: Vec<(PayloadType, PayloadFormat)>) -> Self {
        Self {
            formats,
            kind: Kind::Video,
            playout: Playout::Immediate,
            delay: Duration::ZERO..=Duration::from_secs(1),
            retransmission: true,
        }
    }

    /// Sound, evenly; what is missing does not come again.
    pub const fn audio(formats: Vec<(PayloadType, PayloadFormat)>) -> Self {
        Self {
            formats,
            kind: Kind::Audio,
            playout: Playout::Smooth,
            delay: Duration::ZERO..=Duration::from_millis(500),
            retransmission: false,
        }
    }

    pub(super) fn format(&self, payload_type: PayloadType) -> Option<PayloadFormat> {
        self.formats.iter().find(|(number, _)| *number == payload_type).map(|(_, format)| *format)
    }
}
