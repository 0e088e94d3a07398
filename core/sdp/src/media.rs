//! `m=` lines and the sections that they begin (RFC 8866 §5.14).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{fmt, vec};
use core::net::IpAddr;

use crate::attribute::number;
use crate::{Attribute, Bandwidth, Candidate, Direction, Line, ParseErrorKind, Setup};

/// A media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDescription {
    /// What it carries.
    pub kind: MediaKind,
    /// Where; 0 for a section that is rejected.
    pub port: u16,
    /// How many ports, where it is said.
    pub port_count: Option<u16>,
    /// The protocols on top of each other, such as `UDP/DTLS/SCTP`.
    pub protocol: String,
    /// Payload types, or what else the protocol calls its formats.
    pub formats: Vec<String>,
    /// The lines between `m=` and the attributes: `i=`, `c=`, `b=`, `k=`.
    pub lines: Vec<Line>,
    /// The attributes, in their order.
    pub attributes: Vec<Attribute>,
}

/// What a section carries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaKind {
    /// Audio.
    Audio,
    /// Video.
    Video,
    /// Data.
    Application,
    /// Something else.
    Other(String),
}

impl MediaDescription {
    /// A section without attributes, at an address that candidates will tell.
    pub fn new(kind: MediaKind, port: u16, protocol: &str, formats: Vec<String>) -> Self {
        Self {
            kind,
            port,
            port_count: None,
            protocol: protocol.to_owned(),
            formats,
            lines: vec![Line::new('c', "IN IP4 0.0.0.0")],
            attributes: Vec::new(),
        }
    }

    /// The section's name (RFC 5888 §4).
    pub fn mid(&self) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::Mid(mid) => Some(mid.as_str()),
            _ => None,
        })
    }

    /// Who is DTLS's client (RFC 8842 §5.3).
    pub fn setup(&self) -> Option<Setup> {
        self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::Setup(setup) => Some(*setup),
            _ => None,
        })
    }

    /// The section's own user name for ICE; where it has none, the session's holds (RFC 8839 §5.4).
    pub fn ice_ufrag(&self) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::IceUfrag(ufrag) => Some(ufrag.as_str()),
            _ => None,
        })
    }

    /// The section's own password for ICE; where it has none, the session's holds (RFC 8839 §5.4).
    pub fn ice_pwd(&self) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::IcePwd(pwd) => Some(pwd.as_str()),
            _ => None,
        })
    }

    /// The section's candidates, in their order.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.attributes.iter().filter_map(|attribute| match attribute {
            Attribute::Candidate(candidate) => Some(&**candidate),
            _ => None,
        })
    }

    /// The section's own direction; where it has none, the session's holds, or both ways (RFC 8866 §6.7).
    pub fn direction(&self) -> Option<Direction> {
        self.attributes.iter().find_map(Attribute::direction)
    }

    /// The section's bandwidths: its `b=` lines.
    pub fn bandwidths(&self) -> impl Iterator<Item = Bandwidth> {
        self.lines.iter().filter_map(Line::bandwidth)
    }

    /// The address of the section's own `c=` line, unless it is a name or a group.
    pub fn connection_address(&self) -> Option<IpAddr> {
        self.lines.iter().find_map(Line::connection_address)
    }

    /// Reads what stands behind `m=`.
    pub(crate) fn parse(value: &str) -> Result<Self, ParseErrorKind> {
        Self::parse_line(value).ok_or(ParseErrorKind::Value)
    }

    fn parse_line(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let kind = MediaKind::parse(words.next()?);
        let port = words.next()?;
        let (port, port_count) = match port.split_once('/') {
            Some((port, count)) => (port, Some(number(count)?)),
            None => (port, None),
        };
        let port = number(port)?;
        let protocol = words.next()?.to_owned();
        let formats: Vec<_> = words.map(ToOwned::to_owned).collect();
        (!formats.is_empty()).then_some(Self {
            kind,
            port,
            port_count,
            protocol,
            formats,
            lines: Vec::new(),
            attributes: Vec::new(),
        })
    }
}

impl MediaKind {
    fn parse(text: &str) -> Self {
        match text {
            "audio" => Self::Audio,
            "video" => Self::Video,
            "application" => Self::Application,
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Application => "application",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for MediaDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", self.kind, self.port)?;
        if let Some(count) = self.port_count {
            write!(f, "/{count}")?;
        }
        write!(f, " {}", self.protocol)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))?;
        f.write_str("\r\n")?;
        self.lines.iter().try_for_each(|line| write!(f, "{line}\r\n"))?;
        self.attributes.iter().try_for_each(|attribute| write!(f, "a={attribute}\r\n"))
    }
}
