//! Servers that help to gather candidates, and the URLs that name them (RFC 7064, RFC 7065).

use alloc::string::{String, ToString};
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::str::FromStr;

use pavane_base::Transport;
use pavane_stun::LongTermCredentials;

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub url: ServerUrl,
    /// Who asks; a TURN server without it is not asked.
    pub credentials: Option<LongTermCredentials>,
}

/// Where a server is, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    /// What it is for.
    pub service: Service,
    /// Its name or address.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// What a server is for, and how it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// It tells what address it sees, over UDP.
    Stun,
    /// It relays, over UDP or TCP.
    Turn(Transport),
    /// It relays, over TLS over TCP.
    TurnTls,
}

/// A server's name or address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name to be resolved.
    Name(String),
}

/// A text that is no URL of a server, or of none that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerUrlError {
    /// The scheme is none of `stun`, `turn` and `turns`, or there is none.
    UnknownScheme,
    /// The scheme or transport is known, and not served: `stuns`, or DTLS.
    Unsupported,
    /// The host is missing or malformed.
    Host,
    /// The port is no number from 1 to 65535.
    Port,
    /// The part behind `?` is not `transport=udp` or `transport=tcp`, or has no place in the URL.
    Query,
}

impl fmt::Display for ServerUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownScheme => "the URL's scheme is not stun, turn or turns",
            Self::Unsupported => "servers are not reached by this scheme and transport",
            Self::Host => "the URL's host is missing or malformed",
            Self::Port => "the URL's port is no number from 1 to 65535",
            Self::Query => "the URL's query is not a transport that it may have",
        })
    }
}

impl core::error::Error for ServerUrlError {}

/// RFC 7064 §3.2, RFC 7065 §3.2.
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;

/// The longest name that DNS has.
const MAX_NAME: usize = 253;

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    /// Deviation: RFC 5928 asks DNS for NAPTR and SRV records where the URL has no port or no transport. Like browsers,
    /// this takes the default ones.
    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let (scheme, rest) = text.split_once(':').ok_or(ServerUrlError::UnknownScheme)?;
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let transport = query.map(transport).transpose()?;
        let service = match (scheme.to_ascii_lowercase().as_str(), transport) {
            ("stun" | "stuns", Some(_)) => return Err(ServerUrlError::Query),
            ("stun", None) => Service::Stun,
            ("turn", transport) => Service::Turn(transport.unwrap_or(Transport::Udp)),
            ("turns", None | Some(Transport::Tcp)) => Service::TurnTls,
            ("stuns", None) | ("turns", Some(Transport::Udp)) => return Err(ServerUrlError::Unsupported),
            _ => return Err(ServerUrlError::UnknownScheme),
        };
        let (host, port) = split_authority(authority)?;
        let default = if service == Service::TurnTls { TLS_PORT } else { PORT };
        Ok(Self { service, host, port: port.unwrap_or(default) })
    }
}

fn transport(query: &str) -> Result<Transport, ServerUrlError> {
    let value = query.strip_prefix("transport=").ok_or(ServerUrlError::Query)?;
    match value.to_ascii_lowercase().as_str() {
        "udp" => Ok(Transport::Udp),
        "tcp" => Ok(Transport::Tcp),
        _ => Err(ServerUrlError::Query),
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_authority(authority: &str) -> Result<(Host, Option<u16>), ServerUrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (ip, rest) = rest.split_once(']').ok_or(ServerUrlError::Host)?;
            let ip: Ipv6Addr = ip.parse().map_err(|_| ServerUrlError::Host)?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or(ServerUrlError::Host)?),
            };
            (Host::Ip(ip.into()), port)
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            (named(host)?, port)
        }
    };
    let port = match port {
        None => None,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse().ok().filter(|port| *port != 0).ok_or(ServerUrlError::Port)?)
        }
        Some(_) => return Err(ServerUrlError::Port),
    };
    Ok((host, port))
}

fn named(host: &str) -> Result<Host, ServerUrlError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Host::Ip(ip));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    match host.is_empty() || host.len() > MAX_NAME || !host.bytes().all(allowed) {
        true => Err(ServerUrlError::Host),
        false => Ok(Host::Name(host.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Service, Host, u16), ServerUrlError> {
        text.parse::<ServerUrl>().map(|url| (url.service, url.host, url.port))
    }

    #[test]
    fn urls_of_the_standards_are_read() {
        let name = || Host::Name("example.org".into());
        let turn = Service::Turn;
        // RFC 7064 appendix A, RFC 7065 appendix A.
        for (text, expected) in [
            ("stun:example.org", (Service::Stun, name(), 3478)),
            ("stun:example.org:8000", (Service::Stun, name(), 8000)),
            ("turn:example.org", (turn(Transport::Udp), name(), 3478)),
            ("turn:example.org:8000", (turn(Transport::Udp), name(), 8000)),
            ("turn:example.org?transport=udp", (turn(Transport::Udp), name(), 3478)),
            ("turn:example.org?transport=tcp", (turn(Transport::Tcp), name(), 3478)),
            ("turns:example.org", (Service::TurnTls, name(), 5349)),
            ("turns:example.org:443?transport=tcp", (Service::TurnTls, name(), 443)),
            ("TURN:192.0.2.1?transport=TCP", (turn(Transport::Tcp), Host::Ip([192, 0, 2, 1].into()), 3478)),
            ("stun:[2001:db8::1]", (Service::Stun, Host::Ip("2001:db8::1".parse().unwrap()), 3478)),
            ("stun:[2001:db8::1]:9", (Service::Stun, Host::Ip("2001:db8::1".parse().unwrap()), 9)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_reason() {
        use ServerUrlError as E;
        for (text, expected) in [
            ("", E::UnknownScheme),
            ("example.org", E::UnknownScheme),
            ("http://example.org", E::UnknownScheme),
            ("stuns:example.org", E::Unsupported),
            ("turns:example.org?transport=udp", E::Unsupported),
            ("stun:", E::Host),
            ("stun://example.org", E::Host),
            ("turn:user@example.org", E::Host),
            ("stun:[2001:db8::1", E::Host),
            ("stun:[example.org]", E::Host),
            ("stun:[::1]x", E::Host),
            ("stun:2001:db8::1", E::Port),
            ("stun:example.org:", E::Port),
            ("stun:example.org:0", E::Port),
            ("stun:example.org:65536", E::Port),
            ("stun:example.org:+1", E::Port),
            ("stun:example.org?transport=udp", E::Query),
            ("turn:example.org?transport=sctp", E::Query),
            ("turn:example.org?", E::Query),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }
}
