//! Candidates and their numbers (RFC 8445 §5.1).

use alloc::format;
use alloc::string::String;
use core::net::{IpAddr, SocketAddr};

use pavane_base::Transport;

/// A transport address that may work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Equal for candidates of one kind, base and server.
    pub foundation: String,
    /// The component; 1 for everything that is multiplexed.
    pub component: u16,
    /// What carries the datagrams.
    pub transport: Transport,
    /// A TCP candidate's part in the connection.
    pub tcp_type: Option<TcpType>,
    /// The higher, the better.
    pub priority: u32,
    /// Where it is.
    pub address: SocketAddr,
    /// How it was found.
    pub kind: CandidateKind,
    /// The address that it was found from.
    pub related: Option<SocketAddr>,
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

/// A candidate whose address hides behind a multicast DNS name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCandidate {
    /// The name, ending in `.local`.
    pub name: String,
    /// The port at the address behind it.
    pub port: u16,
    /// As in [`Candidate`].
    pub foundation: String,
    /// As in [`Candidate`].
    pub component: u16,
    /// As in [`Candidate`].
    pub transport: Transport,
    /// As in [`Candidate`].
    pub priority: u32,
    /// As in [`Candidate`].
    pub kind: CandidateKind,
}

impl NamedCandidate {
    /// The candidate, its name resolved.
    pub(crate) fn at(self, ip: IpAddr) -> Candidate {
        Candidate {
            foundation: self.foundation,
            component: self.component,
            transport: self.transport,
            tcp_type: None,
            priority: self.priority,
            address: SocketAddr::new(ip, self.port),
            kind: self.kind,
            related: None,
        }
    }
}

/// A candidate of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteCandidate {
    /// With its address.
    Address(Candidate),
    /// With a name to be resolved.
    Name(NamedCandidate),
}

/// How a candidate was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// On an interface.
    Host,
    /// By a server's answer.
    ServerReflexive,
    /// By a check.
    PeerReflexive,
    /// On a relay.
    Relayed,
}

impl CandidateKind {
    /// RFC 8445 §5.1.2.2.
    const fn type_preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }
}

/// RFC 8445 §5.1.2.1, for component 1.
pub(crate) const fn priority(kind: CandidateKind, local_preference: u16) -> u32 {
    kind.type_preference() << 24 | (local_preference as u32) << 8 | (256 - 1)
}

/// The preference of the `n`th address: IPv6 before IPv4, loopback last (RFC 8421 §4).
pub(crate) fn local_preference(address: SocketAddr, n: usize) -> u16 {
    let class = match address.ip() {
        ip if ip.is_loopback() => 0x2000,
        IpAddr::V4(_) => 0x6000,
        IpAddr::V6(_) => 0xa000,
    };
    class + 0x1fff - u16::try_from(n).unwrap_or(u16::MAX).min(0x1fff)
}

/// The host candidate of a socket.
pub(crate) fn host(address: SocketAddr, n: usize) -> Candidate {
    Candidate {
        foundation: format!("{}", n + 1),
        component: 1,
        transport: Transport::Udp,
        tcp_type: None,
        priority: priority(CandidateKind::Host, local_preference(address, n)),
        address,
        kind: CandidateKind::Host,
        related: None,
    }
}

/// Whether datagrams can travel between two addresses: one family, and link-local addresses keep to themselves.
pub(crate) fn compatible(local: SocketAddr, remote: SocketAddr) -> bool {
    match (local.ip(), remote.ip()) {
        (IpAddr::V4(_), IpAddr::V4(_)) => true,
        (IpAddr::V6(local), IpAddr::V6(remote)) => {
            local.is_unicast_link_local() == remote.is_unicast_link_local()
        }
        _ => false,
    }
}
