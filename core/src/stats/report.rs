//! W3C's statistics: objects that name each other by their ids.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::member::StatsValue;
use super::object::{
    CertificateStats, CodecStats, DataChannelStats, IceCandidatePairStats, IceCandidateStats,
    InboundRtpStats, MediaSourceStats, OutboundRtpStats, PeerConnectionStats, RemoteInboundRtpStats,
    RemoteOutboundRtpStats, TransportStats,
};

/// What a connection has done, at one moment, in W3C's objects.
///
/// The objects come in an order that is the same for the same connection; an object keeps its id from report to report.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "RTCStatsReport")]
pub struct StatsReport {
    pub(crate) entries: Vec<StatsEntry>,
}

impl StatsReport {
    /// The objects.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &StatsEntry> {
        self.entries.iter()
    }

    /// The object with this id.
    pub fn get(&self, id: &StatsId) -> Option<&StatsEntry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }
}

/// One object of a report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[doc(alias = "RTCStats")]
pub struct StatsEntry {
    /// Its name in the report.
    pub id: StatsId,
    /// When its figures held: those that the peer reported, when the report came.
    pub timestamp: UnixTime,
    /// What it is.
    pub object: StatsObject,
}

impl StatsEntry {
    /// Its members by W3C's names, `id`, `timestamp` and `type` the first; absent ones are left out.
    ///
    /// ```
    /// # use pavane::{StatsEntry, StatsValue};
    /// fn print(entry: &StatsEntry) {
    ///     for (name, value) in entry.members() {
    ///         println!("{name}: {value:?}");
    ///     }
    /// }
    /// ```
    pub fn members(&self) -> Vec<(&'static str, StatsValue<'_>)> {
        let text = |text| StatsValue::Text(alloc::borrow::Cow::Borrowed(text));
        let mut members = alloc::vec![
            ("id", text(self.id.as_str())),
            ("timestamp", StatsValue::Float(self.timestamp.millis())),
            ("type", text(self.object.type_name())),
        ];
        self.object.members(&mut |name, value| members.push((name, value)));
        members
    }
}

/// The id of an object in a [`StatsReport`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatsId(pub(crate) String);

impl StatsId {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StatsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A moment of the wall clock, as the time since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub Duration);

impl UnixTime {
    /// Milliseconds since 1970.
    pub fn millis(self) -> f64 {
        self.0.as_secs_f64() * 1e3
    }
}

/// Declares the kinds of objects with W3C's names for them.
macro_rules! objects {
    ($($(#[$meta:meta])* $variant:ident($object:ident) = $name:literal,)*) => {
        /// An object of a report.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[doc(alias = "RTCStatsType")]
        pub enum StatsObject {
            $($(#[$meta])* $variant($object),)*
        }

        impl StatsObject {
            /// W3C's name for what it is.
            pub const fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            fn members<'s>(&'s self, take: &mut dyn FnMut(&'static str, StatsValue<'s>)) {
                match self { $(Self::$variant(object) => object.members(take),)* }
            }
        }

    };
}

objects! {
    /// The connection.
    PeerConnection(PeerConnectionStats) = "peer-connection",
    /// What carries everything.
    Transport(TransportStats) = "transport",
    /// A certificate, of either side.
    Certificate(CertificateStats) = "certificate",
    /// A pair of candidates.
    CandidatePair(IceCandidatePairStats) = "candidate-pair",
    /// A candidate of ours.
    LocalCandidate(IceCandidateStats) = "local-candidate",
    /// A candidate of the peer's.
    RemoteCandidate(IceCandidateStats) = "remote-candidate",
    /// A payload type.
    Codec(CodecStats) = "codec",
    /// A track of ours.
    MediaSource(MediaSourceStats) = "media-source",
    /// A stream of ours.
    OutboundRtp(OutboundRtpStats) = "outbound-rtp",
    /// What the peer says of a stream of ours.
    RemoteInboundRtp(RemoteInboundRtpStats) = "remote-inbound-rtp",
    /// A stream of the peer's.
    InboundRtp(InboundRtpStats) = "inbound-rtp",
    /// What the peer says of a stream of its.
    RemoteOutboundRtp(RemoteOutboundRtpStats) = "remote-outbound-rtp",
    /// A data channel.
    DataChannel(DataChannelStats) = "data-channel",
}
