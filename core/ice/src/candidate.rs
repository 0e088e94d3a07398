//! Candidates, and the ways between them (RFC 8445 §5.1).

use alloc::string::String;
use core::net::{IpAddr, SocketAddr, SocketAddrV6};

use pavane_base::{Path, Transport};

use crate::priority;

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
    pub tcp_type: Option<TcpType>,
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
            tcp_type: self.tcp_type,
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

impl Candidate {
    /// Where its datagrams leave from: the address itself, or, for what a NAT makes of it, the address behind that.
    pub(crate) fn base(&self) -> SocketAddr {
        match self.kind {
            CandidateKind::Host | CandidateKind::Relayed => self.address,
            CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => {
                self.related.unwrap_or(self.address)
            }
        }
    }

    /// Whether pairs are made of it: what a NAT makes of an address is not paired, its base is (RFC 8445 §6.1.2.4).
    pub(crate) const fn is_base(&self) -> bool {
        matches!(self.kind, CandidateKind::Host | CandidateKind::Relayed)
    }

    pub(crate) fn is_active(&self) -> bool {
        self.tcp_type == Some(TcpType::Active)
    }
}

/// The candidate of the peer's that a check by this way brings to light (RFC 8445 §7.3.1.3).
pub(crate) fn peer_reflexive(path: Path, priority: u32) -> Candidate {
    Candidate {
        foundation: "prflx".into(),
        component: 1,
        transport: path.transport,
        tcp_type: (path.transport == Transport::Tcp).then_some(TcpType::Active),
        priority: priority::in_range(priority),
        address: path.remote,
        kind: CandidateKind::PeerReflexive,
        related: None,
    }
}

/// The port of candidates that only connect (RFC 6544 §4.5).
pub(crate) const DISCARD: u16 = 9;

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

/// The way between two addresses, written as it is compared: without a flow label, and with a scope only where the address
/// needs one, which then is that of our interface.
pub(crate) fn path(path: Path) -> Path {
    let Path { local, remote, transport } = path;
    let remote = match (local, remote) {
        (SocketAddr::V6(local), SocketAddr::V6(remote)) => {
            let scope = match (remote.ip().is_unicast_link_local(), remote.scope_id()) {
                (false, _) => 0,
                (true, 0) => local.scope_id(),
                (true, scope) => scope,
            };
            SocketAddrV6::new(*remote.ip(), remote.port(), 0, scope).into()
        }
        _ => remote,
    };
    Path { local, remote, transport }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_kept_where_it_is_needed() {
        let local: SocketAddr = "[fe80::1%3]:1".parse().unwrap();
        let signalled: SocketAddr = "[fe80::2]:2".parse().unwrap();
        let arrived: SocketAddr = "[fe80::2%3]:2".parse().unwrap();
        let path = |local, remote| path(Path { local, remote, transport: Transport::Udp });
        assert_eq!(path(local, signalled), path(local, arrived));
        let global = |text: &str| text.parse::<SocketAddr>().unwrap();
        let with_flow: SocketAddr = SocketAddrV6::new("2001:db8::2".parse().unwrap(), 2, 7, 3).into();
        assert_eq!(path(global("[2001:db8::1]:1"), with_flow).remote, global("[2001:db8::2]:2"));
    }
}
