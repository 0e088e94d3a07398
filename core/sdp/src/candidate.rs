//! `a=candidate` (RFC 8839 §5.1, RFC 6544 §4.5).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

/// One candidate.
///
/// Its text is read with or without `a=` before `candidate:`, and written without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Equal for candidates that share their fate.
    pub foundation: String,
    /// 1 for RTP and all that shares its 5-tuple, 2 for RTCP on its own.
    pub component: u16,
    /// What carries the datagrams.
    pub transport: CandidateTransport,
    /// The higher, the better.
    pub priority: u32,
    /// Where it is.
    pub address: CandidateAddress,
    /// Its port; 9 for an active TCP candidate.
    pub port: u16,
    /// How it was found.
    pub kind: CandidateKind,
    /// The address that it was found from.
    pub related: Option<(CandidateAddress, u16)>,
    /// A TCP candidate's part in the connection.
    pub tcp_type: Option<TcpType>,
    /// Further pairs of names and values, in their order.
    pub extensions: Vec<(String, String)>,
}

/// What carries a candidate's datagrams.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CandidateTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// Another one, to be passed over.
    Other(String),
}

/// A candidate's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CandidateAddress {
    /// An IP address.
    Ip(IpAddr),
    /// A name; those that end in `.local` are multicast DNS's.
    Name(String),
}

/// How a candidate was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CandidateKind {
    /// On an interface.
    Host,
    /// By asking a server.
    ServerReflexive,
    /// By a check.
    PeerReflexive,
    /// On a relay.
    Relayed,
    /// In another way, to be passed over.
    Other(String),
}

/// A TCP candidate's part (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpType {
    /// It connects.
    Active,
    /// It listens.
    Passive,
    /// It does both at once.
    SimultaneousOpen,
}

/// A text that is no candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateError;

impl fmt::Display for CandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not a candidate")
    }
}

impl core::error::Error for CandidateError {}

impl FromStr for Candidate {
    type Err = CandidateError;

    fn from_str(text: &str) -> Result<Self, CandidateError> {
        let text = text.strip_prefix("a=").unwrap_or(text);
        Self::parse(text.strip_prefix("candidate:").ok_or(CandidateError)?)
    }
}

/// RFC 8839 §5.1 allows 32 characters; longer ones are met and do no harm.
const MAX_FOUNDATION: usize = 256;

impl Candidate {
    /// Reads what stands behind `candidate:`.
    pub(crate) fn parse(text: &str) -> Result<Self, CandidateError> {
        let mut tokens = text.split_ascii_whitespace();
        let mut next = || tokens.next().ok_or(CandidateError);
        let foundation = next()?;
        let component = number(next()?)?;
        let transport = CandidateTransport::parse(next()?);
        let priority = number(next()?)?;
        let address = CandidateAddress::parse(next()?);
        let port = number(next()?)?;
        if next()? != "typ" || foundation.len() > MAX_FOUNDATION {
            return Err(CandidateError);
        }
        let kind = CandidateKind::parse(next()?);
        let Pairs { related, related_port, tcp_type, mut others } = Pairs::parse(tokens)?;
        if related.is_none() {
            others.extend(related_port.map(|port| ("rport".to_owned(), port.to_string())));
        }
        Ok(Self {
            foundation: foundation.to_owned(),
            component,
            transport,
            priority,
            address,
            port,
            kind,
            related: related.map(|address| (address, related_port.unwrap_or(0))),
            tcp_type,
            extensions: others,
        })
    }
}

/// The pairs of names and values behind a candidate's fixed part, in whatever order they came.
#[derive(Default)]
struct Pairs {
    related: Option<CandidateAddress>,
    related_port: Option<u16>,
    tcp_type: Option<TcpType>,
    others: Vec<(String, String)>,
}

impl Pairs {
    fn parse<'t>(mut tokens: impl Iterator<Item = &'t str>) -> Result<Self, CandidateError> {
        let mut pairs = Self::default();
        while let Some(name) = tokens.next() {
            let value = tokens.next().ok_or(CandidateError)?;
            let twice = match name {
                "raddr" => pairs.related.replace(CandidateAddress::parse(value)).is_some(),
                "rport" => pairs.related_port.replace(number(value)?).is_some(),
                "tcptype" => pairs.tcp_type.replace(TcpType::parse(value)?).is_some(),
                _ => {
                    pairs.others.push((name.to_owned(), value.to_owned()));
                    false
                }
            };
            if twice {
                return Err(CandidateError);
            }
        }
        Ok(pairs)
    }
}

fn number<N: FromStr>(text: &str) -> Result<N, CandidateError> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().map_err(|_| CandidateError),
        false => Err(CandidateError),
    }
}

impl CandidateTransport {
    fn parse(text: &str) -> Self {
        match text {
            _ if text.eq_ignore_ascii_case("udp") => Self::Udp,
            _ if text.eq_ignore_ascii_case("tcp") => Self::Tcp,
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl CandidateAddress {
    fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Ip)
    }
}

impl CandidateKind {
    fn parse(text: &str) -> Self {
        match text {
            "host" => Self::Host,
            "srflx" => Self::ServerReflexive,
            "prflx" => Self::PeerReflexive,
            "relay" => Self::Relayed,
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl TcpType {
    fn parse(text: &str) -> Result<Self, CandidateError> {
        match text {
            "active" => Ok(Self::Active),
            "passive" => Ok(Self::Passive),
            "so" => Ok(Self::SimultaneousOpen),
            _ => Err(CandidateError),
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, transport, priority, address, port, kind, .. } = self;
        write!(f, "candidate:{foundation} {component} {transport} {priority} {address} {port} typ {kind}")?;
        if let Some((address, port)) = &self.related {
            write!(f, " raddr {address} rport {port}")?;
        }
        if let Some(tcp_type) = self.tcp_type {
            write!(f, " tcptype {tcp_type}")?;
        }
        self.extensions.iter().try_for_each(|(name, value)| write!(f, " {name} {value}"))
    }
}

impl fmt::Display for CandidateTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for CandidateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for TcpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        })
    }
}
