//! Attributes of sections that carry RTP: formats, feedback, extensions, sources, encodings.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::attribute::{number, token};

/// Which way media flows (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Sendrecv,
    /// From the describer alone.
    Sendonly,
    /// To the describer alone.
    Recvonly,
    /// Neither way.
    Inactive,
}

/// `rtpmap`: what a payload type means (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtpmap {
    /// The payload type.
    pub payload_type: u8,
    /// The codec's name; its case does not matter.
    pub encoding: String,
    /// Ticks a second.
    pub clock_rate: u32,
    /// What stands behind the clock rate; for audio the number of channels.
    pub parameters: Option<String>,
}

/// `fmtp`: a format's parameters (RFC 8866 §6.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fmtp {
    /// The format, as in the `m=` line.
    pub format: String,
    /// The parameters, in the codec's own grammar.
    pub parameters: String,
}

/// Which of a section's payload types a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadTypes {
    /// All of them: `*`.
    All,
    /// One of them, which the section need not have: stray ones are met and are to be passed over.
    One(u8),
}

/// `rtcp-fb`: feedback that may be sent (RFC 4585 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtcpFeedback {
    /// What it is about.
    pub payload_types: PayloadTypes,
    /// Its kind, such as `nack` or `transport-cc`.
    pub kind: String,
    /// What narrows the kind down, such as `pli`.
    pub parameters: Option<String>,
}

/// `extmap`: a header extension and its number (RFC 8285 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extmap {
    /// Its number in packets; 4096 to 4351 in offers for one that the answerer is to number.
    pub id: u16,
    /// Which way it is used, where that is not the section's.
    pub direction: Option<Direction>,
    /// What it is.
    pub uri: String,
    /// What else is said of it.
    pub attributes: Option<String>,
}

/// `ssrc`: something about a source (RFC 5576 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssrc {
    /// The source.
    pub ssrc: u32,
    /// The name of what is said, such as `cname`.
    pub name: String,
    /// What is said.
    pub value: Option<String>,
}

/// `ssrc-group`: sources that belong together (RFC 5576 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsrcGroup {
    /// How they do, such as `FID`.
    pub semantics: String,
    /// The sources.
    pub ssrcs: Vec<u32>,
}

/// `msid`: the stream that a track is in (RFC 8830 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Msid {
    /// The stream's name; `-` for none.
    pub stream: String,
    /// The track's name, where it is said.
    pub track: Option<String>,
}

/// `rtcp`: where RTCP goes that is not multiplexed (RFC 3605 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// The port.
    pub port: u16,
    /// Network type, address type and address, where they are not the section's.
    pub address: Option<String>,
}

impl Direction {
    const ALL: [Self; 4] = [Self::Sendrecv, Self::Sendonly, Self::Recvonly, Self::Inactive];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sendrecv => "sendrecv",
            Self::Sendonly => "sendonly",
            Self::Recvonly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str() == text)
    }

    /// The direction in which the describer sends, receives, does both or neither.
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::Sendrecv,
            (true, false) => Self::Sendonly,
            (false, true) => Self::Recvonly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the describer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Sendrecv | Self::Sendonly)
    }

    /// Whether the describer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::Sendrecv | Self::Recvonly)
    }

    /// The same, as the other side sees it (RFC 3264 §6.1).
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }
}

impl From<Direction> for crate::Attribute {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Sendrecv => Self::Sendrecv,
            Direction::Sendonly => Self::Sendonly,
            Direction::Recvonly => Self::Recvonly,
            Direction::Inactive => Self::Inactive,
        }
    }
}

impl Rtpmap {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (payload_type, rest) = value.split_once(' ')?;
        let (encoding, rest) = rest.trim_ascii().split_once('/')?;
        let (clock_rate, parameters) = optional(rest, '/');
        Some(Self {
            payload_type: number(payload_type)?,
            encoding: token(encoding)?,
            clock_rate: number(clock_rate)?,
            parameters: parameters.map(token).map_or(Some(None), |token| token.map(Some))?,
        })
    }
}

impl Fmtp {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (format, parameters) = value.split_once(' ')?;
        Some(Self { format: token(format)?, parameters: parameters.to_owned() })
    }

    /// The parameters as pairs, as most codecs write them: `name=value` between semicolons.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        parameters(&self.parameters)
    }
}

impl RtcpFeedback {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (payload_types, rest) = value.split_once(' ')?;
        let (kind, parameters) = optional(rest, ' ');
        Some(Self {
            payload_types: match payload_types {
                "*" => PayloadTypes::All,
                one => PayloadTypes::One(number(one)?),
            },
            kind: token(kind)?,
            parameters: parameters.map(ToOwned::to_owned),
        })
    }
}

impl Extmap {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (id, rest) = value.split_once(' ')?;
        let (id, direction) = optional(id, '/');
        let (uri, attributes) = optional(rest, ' ');
        Some(Self {
            id: number(id)?,
            direction: direction.map(Direction::parse).map_or(Some(None), |known| known.map(Some))?,
            uri: token(uri)?,
            attributes: attributes.map(ToOwned::to_owned),
        })
    }
}

impl Ssrc {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (ssrc, rest) = value.split_once(' ')?;
        let (name, value) = optional(rest, ':');
        Some(Self { ssrc: number(ssrc)?, name: token(name)?, value: value.map(ToOwned::to_owned) })
    }
}

impl SsrcGroup {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let semantics = words.next()?.to_owned();
        Some(Self { semantics, ssrcs: words.map(number).collect::<Option<_>>()? })
    }
}

impl Msid {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let stream = words.next()?.to_owned();
        let track = words.next().map(ToOwned::to_owned);
        words.next().is_none().then_some(Self { stream, track })
    }
}

impl Rtcp {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (port, address) = optional(value, ' ');
        Some(Self { port: number(port)?, address: address.map(ToOwned::to_owned) })
    }
}

/// What stands before the separator, and what behind it, if it is there.
fn optional(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// `a=1;b;c=2`, as pairs of name and value.
pub fn parameters(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(';').map(str::trim_ascii).filter(|pair| !pair.is_empty()).map(|pair| optional(pair, '='))
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Rtpmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.encoding, self.clock_rate)?;
        self.parameters.as_ref().map_or(Ok(()), |parameters| write!(f, "/{parameters}"))
    }
}

impl fmt::Display for Fmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format, self.parameters)
    }
}

impl fmt::Display for PayloadTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::One(payload_type) => payload_type.fmt(f),
        }
    }
}

impl fmt::Display for RtcpFeedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.payload_types, self.kind)?;
        self.parameters.as_ref().map_or(Ok(()), |parameters| write!(f, " {parameters}"))
    }
}

impl fmt::Display for Extmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)?;
        self.direction.map_or(Ok(()), |direction| write!(f, "/{direction}"))?;
        write!(f, " {}", self.uri)?;
        self.attributes.as_ref().map_or(Ok(()), |attributes| write!(f, " {attributes}"))
    }
}

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ssrc, self.name)?;
        self.value.as_ref().map_or(Ok(()), |value| write!(f, ":{value}"))
    }
}

impl fmt::Display for SsrcGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.semantics)?;
        self.ssrcs.iter().try_for_each(|ssrc| write!(f, " {ssrc}"))
    }
}

impl fmt::Display for Msid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stream)?;
        self.track.as_ref().map_or(Ok(()), |track| write!(f, " {track}"))
    }
}

impl fmt::Display for Rtcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.port.fmt(f)?;
        self.address.as_ref().map_or(Ok(()), |address| write!(f, " {address}"))
    }
}
