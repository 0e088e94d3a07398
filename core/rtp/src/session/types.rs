//! What a session is told, and what it tells.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use pavane_base::{Epoch, Key};

use crate::receive::{Format, KeyframeMethod};
use crate::router::{DeclaredSource, SectionId};
use crate::{ReportTiming, Ssrc};

/// Names a stream that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderKey(pub(super) Key);

/// Names a stream that is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiverKey(pub(super) Key);

/// What a session begins with.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The name that all our sources share, at most 255 bytes (RFC 7022).
    pub cname: Box<str>,
    /// The wall clock.
    pub epoch: Epoch,
    /// Whether feedback may go without a report before it (RFC 5506).
    pub reduced_size: bool,
    /// Whether receivers' reference times are sent, so that an end that sends nothing learns the round trip (RFC 3611 §4.4).
    pub reference_time: bool,
    /// How often and how much is reported.
    pub timing: ReportTiming,
}

/// What may come in one media section.
#[derive(Clone, Debug, Default)]
pub struct SectionConfig {
    /// Its identification.
    pub mid: Option<Box<str>>,
    /// Its payload types.
    pub formats: Vec<Format>,
    /// The sources that its description declares.
    pub sources: Vec<DeclaredSource>,
    /// The layers that it may have, if it is simulcast.
    pub rids: Vec<Box<str>>,
    /// Whether missing packets are asked for.
    pub nack: bool,
    /// How key frames are asked for.
    pub keyframes: KeyframeMethod,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The first packet of a stream came.
    StreamAdded {
        /// Its name.
        stream: ReceiverKey,
        /// Its media section.
        section: SectionId,
        /// Its source.
        ssrc: Ssrc,
        /// The layer that it is, if it said so.
        rid: Option<Box<str>>,
    },
    /// The sender of a stream said goodbye, or moved its source to another media section.
    StreamEnded {
        /// Its name; after a goodbye what was counted of it stays readable.
        stream: ReceiverKey,
    },
    /// A receiver wants a key frame.
    KeyframeWanted {
        /// The stream that it wants it of.
        stream: SenderKey,
    },
    /// The peer uses an SSRC of ours (RFC 3550 §8.2): the stream should be sent under another.
    SsrcCollision {
        /// The stream of ours.
        stream: SenderKey,
    },
}

/// Another stream of ours has the SSRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsrcTaken(pub Ssrc);

impl fmt::Display for SsrcTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is another stream's", self.0)
    }
}

impl core::error::Error for SsrcTaken {}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that were no RTP.
    pub malformed_rtp: u64,
    /// Datagrams that were no RTCP, and packets in them that were not what they said.
    pub malformed_rtcp: u64,
    /// Packets that belonged nowhere.
    pub unroutable: u64,
    /// Retransmissions without an original: probes.
    pub probes: u64,
    /// Events that nobody took in time.
    pub lost_events: u64,
}
