//! Lines besides attributes and those that begin a section: kept as they stand, and read when they are asked for.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;
use core::net::IpAddr;

use crate::ParseErrorKind;

/// A line that is kept as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The letter before `=`.
    pub kind: char,
    /// What stands behind it.
    pub value: String,
}

/// A `b=` line (RFC 8866 §5.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// What is limited, and in which unit.
    pub kind: BandwidthKind,
    /// The limit.
    pub value: u64,
}

/// What a bandwidth limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BandwidthKind {
    /// `CT`: all of a session, in kbit/s.
    ConferenceTotal,
    /// `AS`: one application, in kbit/s.
    ApplicationSpecific,
    /// `TIAS`: media without the headers below RTP, in bit/s (RFC 3890 §6.2).
    TransportIndependent,
    /// `RS`: RTCP of those who send, in bit/s (RFC 3556 §2).
    RtcpSenders,
    /// `RR`: RTCP of those who receive, in bit/s (RFC 3556 §2).
    RtcpReceivers,
    /// Something else, to be passed over.
    Other(String),
}

impl Line {
    /// A line.
    pub fn new(kind: char, value: &str) -> Self {
        Self { kind, value: value.to_owned() }
    }

    /// A line whose value follows its grammar.
    pub(crate) fn checked(kind: char, value: &str) -> Result<Self, ParseErrorKind> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let well_formed = match kind {
            'c' => words(value) == 3,
            'b' => {
                value.split_once(':').is_some_and(|(kind, n)| !kind.is_empty() && digits(n.trim_ascii_end()))
            }
            't' => words(value) == 2 && value.split_ascii_whitespace().all(digits),
            _ => true,
        };
        match well_formed {
            true => Ok(Self::new(kind, value)),
            false => Err(ParseErrorKind::Value),
        }
    }

    /// The bandwidth, if the line is a `b=` one and its number is not beyond all measure.
    pub fn bandwidth(&self) -> Option<Bandwidth> {
        let (kind, value) = self.value.split_once(':').filter(|_| self.kind == 'b')?;
        Some(Bandwidth { kind: BandwidthKind::parse(kind), value: value.trim_ascii_end().parse().ok()? })
    }

    /// The address, if the line is a `c=` one and the address is neither a name nor a group.
    pub fn connection_address(&self) -> Option<IpAddr> {
        let address = self.value.split_ascii_whitespace().nth(2).filter(|_| self.kind == 'c')?;
        address.parse().ok()
    }
}

impl From<Bandwidth> for Line {
    fn from(bandwidth: Bandwidth) -> Self {
        Self { kind: 'b', value: bandwidth.to_string() }
    }
}

impl BandwidthKind {
    fn parse(text: &str) -> Self {
        match text {
            "CT" => Self::ConferenceTotal,
            "AS" => Self::ApplicationSpecific,
            "TIAS" => Self::TransportIndependent,
            "RS" => Self::RtcpSenders,
            "RR" => Self::RtcpReceivers,
            _ => Self::Other(text.to_owned()),
        }
    }
}

pub(crate) fn words(value: &str) -> usize {
    value.split_ascii_whitespace().count()
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.value)
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            BandwidthKind::ConferenceTotal => "CT",
            BandwidthKind::ApplicationSpecific => "AS",
            BandwidthKind::TransportIndependent => "TIAS",
            BandwidthKind::RtcpSenders => "RS",
            BandwidthKind::RtcpReceivers => "RR",
            BandwidthKind::Other(kind) => kind,
        };
        write!(f, "{kind}:{}", self.value)
    }
}
