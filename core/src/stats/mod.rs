//! Figures about a connection: its layers' own ([`Stats`]), and W3C's objects ([`StatsReport`]).

mod member;
mod object;
mod report;

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::{Instant, Path};

use crate::{dtls, ice, sctp};

pub use member::StatsValue;
pub use object::{
    CertificateStats, CodecStats, DataChannelStats, DtlsRole, IceCandidatePairStats, IceCandidateStats,
    InboundRtpStats, MediaSourceStats, OutboundRtpStats, PeerConnectionStats, RemoteInboundRtpStats,
    RemoteOutboundRtpStats, TransportStats,
};
pub use report::{StatsEntry, StatsId, StatsObject, StatsReport, UnixTime};

/// What a connection has done, at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// When the figures were taken.
    pub at: Instant,
    /// Datagrams and their bytes.
    pub traffic: Traffic,
    /// What arrived and was of no use, by reason.
    pub drops: Drops,
    /// Where data is sent.
    pub selected_path: Option<Path>,
    /// The last round trip of a connectivity check on that path.
    pub round_trip_time: Option<Duration>,
    /// Every candidate pair.
    pub pairs: Vec<ice::PairStats>,
    /// ICE's counters.
    pub ice: ice::Counters,
    /// DTLS, once its role is known.
    pub dtls: Option<DtlsStats>,
    /// SCTP, once there is an association.
    pub sctp: Option<sctp::Stats>,
    /// Channels that were opened since the beginning.
    pub channels_opened: u64,
    /// Channels that were closed since the beginning.
    pub channels_closed: u64,
}

/// Datagrams and their bytes, UDP's and IP's headers not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Datagrams handed out to be sent.
    pub datagrams_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Datagrams handed in.
    pub datagrams_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
}

/// Datagrams that were dropped before any protocol saw them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// They came after the connection was closed.
    pub after_close: u64,
    /// Their first byte is that of no protocol of ours (RFC 7983 §7).
    pub unknown_protocol: u64,
    /// They were media, and came before there were keys.
    pub before_keys: u64,
    /// They came from an address that no candidate pair has.
    pub unknown_path: u64,
    /// They are RTP or RTCP, and no media is negotiated.
    pub media_not_negotiated: u64,
    /// They are DTLS, more of it than is kept before a description settles our role.
    pub before_dtls: u64,
}

/// DTLS's state and what it negotiated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DtlsStats {
    /// Where the handshake stands.
    pub state: dtls::State,
    /// Our role.
    pub role: dtls::Role,
    /// The version, once negotiated.
    pub version: Option<dtls::Version>,
    /// The cipher suite, once negotiated.
    pub cipher_suite: Option<dtls::CipherSuite>,
    /// DTLS's counters.
    pub counters: dtls::Counters,
}
