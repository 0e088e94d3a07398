//! `a=` lines.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::{
    Candidate, Direction, Extmap, Fmtp, Msid, ParseErrorKind, Rid, Rtcp, RtcpFeedback, Rtpmap, Simulcast,
    Ssrc, SsrcGroup,
};

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute {
    /// `mid` (RFC 5888 §4).
    Mid(String),
    /// `group` (RFC 5888 §5).
    Group {
        /// What the sections have in common, such as `BUNDLE`.
        semantics: String,
        /// The sections.
        mids: Vec<String>,
    },
    /// `bundle-only` (RFC 9143 §6).
    BundleOnly,
    /// `ice-ufrag` (RFC 8839 §5.4).
    IceUfrag(String),
    /// `ice-pwd` (RFC 8839 §5.4).
    IcePwd(String),
    /// `ice-options` (RFC 8839 §5.6).
    IceOptions(Vec<String>),
    /// `ice-lite` (RFC 8839 §5.3).
    IceLite,
    /// `candidate` (RFC 8839 §5.1); boxed, for it is by far the largest and lists are as wide as that.
    Candidate(Box<Candidate>),
    /// `end-of-candidates` (RFC 8840 §8.2).
    EndOfCandidates,
    /// `fingerprint` (RFC 8122 §5).
    Fingerprint {
        /// The hash function's name.
        hash: String,
        /// The hash.
        value: Vec<u8>,
    },
    /// `setup` (RFC 4145 §4).
    Setup(Setup),
    /// `tls-id` (RFC 8842 §4).
    TlsId(String),
    /// `sctp-port` (RFC 8841 §5).
    SctpPort(u16),
    /// `sctp-init`, an INIT chunk (draft-hancke-tsvwg-snap).
    SctpInit(Vec<u8>),
    /// `max-message-size` (RFC 8841 §6).
    MaxMessageSize(u64),
    /// `sctpmap`, the form before RFC 8841.
    Sctpmap {
        /// SCTP's port.
        port: u16,
        /// The protocol on it.
        protocol: String,
        /// How many streams, where it is said.
        streams: Option<u32>,
    },
    /// `sendrecv` (RFC 8866 §6.7).
    Sendrecv,
    /// `sendonly`.
    Sendonly,
    /// `recvonly`.
    Recvonly,
    /// `inactive`.
    Inactive,
    /// `rtcp` (RFC 3605 §2.1).
    Rtcp(Rtcp),
    /// `rtcp-mux` (RFC 5761 §5.1.1).
    RtcpMux,
    /// `rtcp-mux-only` (RFC 8858 §3).
    RtcpMuxOnly,
    /// `rtcp-rsize` (RFC 5506 §5.2).
    RtcpRsize,
    /// `rtpmap` (RFC 8866 §6.6).
    Rtpmap(Rtpmap),
    /// `fmtp` (RFC 8866 §6.15).
    Fmtp(Fmtp),
    /// `rtcp-fb` (RFC 4585 §4.2).
    RtcpFeedback(RtcpFeedback),
    /// `extmap` (RFC 8285 §5).
    Extmap(Extmap),
    /// `extmap-allow-mixed` (RFC 8285 §6).
    ExtmapAllowMixed,
    /// `ssrc` (RFC 5576 §4.1).
    Ssrc(Ssrc),
    /// `ssrc-group` (RFC 5576 §4.2).
    SsrcGroup(SsrcGroup),
    /// `msid` (RFC 8830 §2).
    Msid(Msid),
    /// `rid` (RFC 8851 §4).
    Rid(Rid),
    /// `simulcast` (RFC 8853 §5.1).
    Simulcast(Simulcast),
    /// Any other, as it stands.
    Unknown {
        /// What stands before the colon.
        name: String,
        /// What stands behind it, if there is one.
        value: Option<String>,
    },
}

/// Who opens the connection (RFC 4145 §4.1); for DTLS: who is client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// This side: it is client.
    Active,
    /// The other side: this one is server.
    Passive,
    /// The other side may choose.
    Actpass,
    /// Nobody for the time being.
    Holdconn,
}

impl Attribute {
    /// An `sctpmap` for data channels.
    pub fn sctpmap(port: u16, streams: u32) -> Self {
        Self::Sctpmap { port, protocol: "webrtc-datachannel".to_owned(), streams: Some(streams) }
    }

    /// The direction, for the attributes that are one.
    pub const fn direction(&self) -> Option<Direction> {
        match self {
            Self::Sendrecv => Some(Direction::Sendrecv),
            Self::Sendonly => Some(Direction::Sendonly),
            Self::Recvonly => Some(Direction::Recvonly),
            Self::Inactive => Some(Direction::Inactive),
            _ => None,
        }
    }

    /// Reads what stands behind `a=`.
    ///
    /// A known attribute that is malformed is an error (RFC 8829 §5.8).
    pub(crate) fn parse(text: &str) -> Result<Self, ParseErrorKind> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(ParseErrorKind::Attribute);
        }
        let known = match value {
            None => Self::flag(name),
            Some(value) => Self::valued(name, value)?,
        };
        let unknown = || Self::Unknown { name: name.to_owned(), value: value.map(ToOwned::to_owned) };
        Ok(known.unwrap_or_else(unknown))
    }

    fn flag(name: &str) -> Option<Self> {
        Some(match name {
            "bundle-only" => Self::BundleOnly,
            "ice-lite" => Self::IceLite,
            "end-of-candidates" => Self::EndOfCandidates,
            "sendrecv" => Self::Sendrecv,
            "sendonly" => Self::Sendonly,
            "recvonly" => Self::Recvonly,
            "inactive" => Self::Inactive,
            "rtcp-mux" => Self::RtcpMux,
            "rtcp-mux-only" => Self::RtcpMuxOnly,
            "rtcp-rsize" => Self::RtcpRsize,
            "extmap-allow-mixed" => Self::ExtmapAllowMixed,
            _ => return None,
        })
    }

    /// An attribute with a value; `None` for a name that is not known.
    fn valued(name: &str, value: &str) -> Result<Option<Self>, ParseErrorKind> {
        let parsed = match name {
            "mid" => token(value).map(Self::Mid),
            "group" => group(value),
            "ice-ufrag" => token(value).map(Self::IceUfrag),
            "ice-pwd" => token(value).map(Self::IcePwd),
            "ice-options" => {
                Some(Self::IceOptions(value.split_ascii_whitespace().map(ToOwned::to_owned).collect()))
            }
            "candidate" => Candidate::parse(value).ok().map(|candidate| Self::Candidate(Box::new(candidate))),
            "fingerprint" => fingerprint(value),
            "setup" => Setup::parse(value).map(Self::Setup),
            "tls-id" => token(value).map(Self::TlsId),
            "sctp-port" => number(value).map(Self::SctpPort),
            // A draft's: what it does not mean by it is passed over.
            "sctp-init" => return Ok(BASE64.decode(value.trim_ascii_end()).ok().map(Self::SctpInit)),
            "max-message-size" => number(value).map(Self::MaxMessageSize),
            "sctpmap" => sctpmap(value),
            "rtcp" => Rtcp::parse(value).map(Self::Rtcp),
            "rtpmap" => Rtpmap::parse(value).map(Self::Rtpmap),
            "fmtp" => Fmtp::parse(value).map(Self::Fmtp),
            "rtcp-fb" => RtcpFeedback::parse(value).map(Self::RtcpFeedback),
            "extmap" => Extmap::parse(value).map(Self::Extmap),
            "ssrc" => Ssrc::parse(value).map(Self::Ssrc),
            "ssrc-group" => SsrcGroup::parse(value).map(Self::SsrcGroup),
            "msid" => Msid::parse(value).map(Self::Msid),
            "rid" => Rid::parse(value).map(Self::Rid),
            // A draft's form begins with a space and is passed over.
            "simulcast" if !value.starts_with(' ') => Simulcast::parse(value).map(Self::Simulcast),
            _ => return Ok(None),
        };
        parsed.map(Some).ok_or(ParseErrorKind::Attribute)
    }
}

/// A single word.
pub(crate) fn token(value: &str) -> Option<String> {
    let word = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
    word.then(|| value.to_owned())
}

pub(crate) fn number<N: FromStr>(value: &str) -> Option<N> {
    let value = value.trim_ascii_end();
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten()
}

fn group(value: &str) -> Option<Attribute> {
    let mut words = value.split_ascii_whitespace().map(ToOwned::to_owned);
    Some(Attribute::Group { semantics: words.next()?, mids: words.collect() })
}

/// `sha-256 4A:AD:…`.
fn fingerprint(value: &str) -> Option<Attribute> {
    let (hash, digits) = value.split_once(' ')?;
    let bytes = digits.trim_ascii().split(':').map(|pair| {
        let hex = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
    });
    Some(Attribute::Fingerprint { hash: token(hash)?, value: bytes.collect::<Option<_>>()? })
}

/// `5000 webrtc-datachannel 1024`.
fn sctpmap(value: &str) -> Option<Attribute> {
    let mut words = value.split_ascii_whitespace();
    let port = number(words.next()?)?;
    let protocol = words.next()?.to_owned();
    let streams = words.next().map(number).map_or(Some(None), |streams| streams.map(Some))?;
    Some(Attribute::Sctpmap { port, protocol, streams })
}

impl Setup {
    fn parse(value: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::Actpass, Self::Holdconn]
            .into_iter()
            .find(|setup| setup.as_str() == value)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Actpass => "actpass",
            Self::Holdconn => "holdconn",
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mid(mid) => write!(f, "mid:{mid}"),
            Self::Group { semantics, mids } => {
                write!(f, "group:{semantics}")?;
                mids.iter().try_for_each(|mid| write!(f, " {mid}"))
            }
            Self::BundleOnly => f.write_str("bundle-only"),
            Self::IceUfrag(ufrag) => write!(f, "ice-ufrag:{ufrag}"),
            Self::IcePwd(pwd) => write!(f, "ice-pwd:{pwd}"),
            Self::IceOptions(options) => write!(f, "ice-options:{}", options.join(" ")),
            Self::IceLite => f.write_str("ice-lite"),
            Self::Candidate(candidate) => candidate.fmt(f),
            Self::EndOfCandidates => f.write_str("end-of-candidates"),
            Self::Fingerprint { hash, value } => {
                write!(f, "fingerprint:{hash}")?;
                value
                    .iter()
                    .enumerate()
                    .try_for_each(|(n, byte)| write!(f, "{}{byte:02X}", if n == 0 { ' ' } else { ':' }))
            }
            Self::Setup(setup) => write!(f, "setup:{}", setup.as_str()),
            Self::TlsId(id) => write!(f, "tls-id:{id}"),
            Self::SctpPort(port) => write!(f, "sctp-port:{port}"),
            Self::SctpInit(chunk) => write!(f, "sctp-init:{}", BASE64.encode(chunk)),
            Self::MaxMessageSize(size) => write!(f, "max-message-size:{size}"),
            Self::Sctpmap { port, protocol, streams } => {
                write!(f, "sctpmap:{port} {protocol}")?;
                streams.map_or(Ok(()), |streams| write!(f, " {streams}"))
            }
            Self::Sendrecv => f.write_str("sendrecv"),
            Self::Sendonly => f.write_str("sendonly"),
            Self::Recvonly => f.write_str("recvonly"),
            Self::Inactive => f.write_str("inactive"),
            Self::Rtcp(rtcp) => write!(f, "rtcp:{rtcp}"),
            Self::RtcpMux => f.write_str("rtcp-mux"),
            Self::RtcpMuxOnly => f.write_str("rtcp-mux-only"),
            Self::RtcpRsize => f.write_str("rtcp-rsize"),
            Self::Rtpmap(rtpmap) => write!(f, "rtpmap:{rtpmap}"),
            Self::Fmtp(fmtp) => write!(f, "fmtp:{fmtp}"),
            Self::RtcpFeedback(feedback) => write!(f, "rtcp-fb:{feedback}"),
            Self::Extmap(extmap) => write!(f, "extmap:{extmap}"),
            Self::ExtmapAllowMixed => f.write_str("extmap-allow-mixed"),
            Self::Ssrc(ssrc) => write!(f, "ssrc:{ssrc}"),
            Self::SsrcGroup(group) => write!(f, "ssrc-group:{group}"),
            Self::Msid(msid) => write!(f, "msid:{msid}"),
            Self::Rid(rid) => write!(f, "rid:{rid}"),
            Self::Simulcast(simulcast) => write!(f, "simulcast:{simulcast}"),
            Self::Unknown { name, value: None } => f.write_str(name),
            Self::Unknown { name, value: Some(value) } => write!(f, "{name}:{value}"),
        }
    }
}
