//! Candidates and their numbers (RFC 8445 §5.1).

use alloc::format;
use alloc::string::String;
use core::net::{IpAddr, SocketAddr, SocketAddrV6};

use pavane_base::{Path, Transport};

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

/// The priority of a candidate that a check from this host candidate may bring to light (RFC 8445 §7.1.1).
pub(crate) const fn peer_reflexive_priority(host: &Candidate) -> u32 {
    let local_preference = (host.priority >> 8) as u16;
    priority(CandidateKind::PeerReflexive, local_preference)
}

/// A priority as the peer tells it, in the range that RFC 8445 §5.1.2 gives it.
pub(crate) fn in_range(priority: u32) -> u32 {
    priority.clamp(1, (1 << 31) - 1)
}

/// The host candidate of a socket, told apart from the `others`.
pub(crate) fn host(address: SocketAddr, others: &[Candidate]) -> Candidate {
    Candidate {
        foundation: foundation(address, others),
        component: 1,
        transport: Transport::Udp,
        tcp_type: None,
        priority: priority(CandidateKind::Host, local_preference(address, others)),
        address,
        kind: CandidateKind::Host,
        related: None,
    }
}

/// Equal for equal bases (RFC 8445 §5.1.1.3): the number of the IP address.
fn foundation(address: SocketAddr, others: &[Candidate]) -> String {
    if let Some(same) = others.iter().find(|other| other.address.ip() == address.ip()) {
        return same.foundation.clone();
    }
    (1_u32..)
        .map(|n| format!("{n}"))
        .find(|foundation| others.iter().all(|other| other.foundation != *foundation))
        .expect("there are more numbers than candidates")
}

/// The highest preference that no other has in this address's order: two of IPv6, one of IPv4, and so on (RFC 8421 §4);
/// behind all of them link-local addresses, and behind those loopback.
///
/// Deviation: RFC 8445 §5.1.2.1 gives a single address 65535. Further ones may be added at any time, and those that were
/// told cannot change.
fn local_preference(address: SocketAddr, others: &[Candidate]) -> u16 {
    let slot = |n: u16| match address.ip() {
        ip if ip.is_loopback() => 0x8000 + n,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 0x4000 + n,
        IpAddr::V6(_) => n + n / 2,
        IpAddr::V4(_) => n * 3 + 2,
    };
    let taken = |preference: &u16| others.iter().any(|other| (other.priority >> 8) as u16 == *preference);
    (0..=u16::try_from(others.len()).unwrap_or(0x1000))
        .map(|n| u16::MAX - slot(n))
        .find(|preference| !taken(preference))
        .unwrap_or(0)
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

/// The way between two addresses, written as it is compared: without a flow label, and with a scope only where the address
/// needs one, which then is that of our interface.
pub(crate) fn path(local: SocketAddr, remote: SocketAddr) -> Path {
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
    Path { local, remote, transport: Transport::Udp }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn hosts(addresses: &[&str]) -> Vec<Candidate> {
        let mut hosts = Vec::new();
        for address in addresses {
            hosts.push(host(address.parse().unwrap(), &hosts));
        }
        hosts
    }

    #[test]
    fn families_are_intermingled() {
        let mut hosts = hosts(&[
            "127.0.0.1:1",
            "10.0.0.1:1",
            "10.0.0.2:1",
            "[fe80::1]:1",
            "[2001:db8::1]:1",
            "[2001:db8::2]:1",
            "[2001:db8::3]:1",
        ]);
        hosts.sort_by_key(|host| core::cmp::Reverse(host.priority));
        let order: Vec<_> = hosts.iter().map(|host| format!("{}", host.address.ip())).collect();
        let expected =
            ["2001:db8::1", "2001:db8::2", "10.0.0.1", "2001:db8::3", "10.0.0.2", "fe80::1", "127.0.0.1"];
        assert_eq!(order, expected);
    }

    #[test]
    fn priorities_are_unique_and_foundations_are_of_addresses() {
        let hosts = hosts(&["10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "[2001:db8::1]:1"]);
        let mut priorities: Vec<_> = hosts.iter().map(|host| host.priority).collect();
        priorities.sort_unstable();
        priorities.dedup();
        assert_eq!(priorities.len(), hosts.len());
        assert_eq!(hosts[0].foundation, hosts[1].foundation);
        assert_ne!(hosts[0].foundation, hosts[2].foundation);
        // RFC 8445 §5.1.2.1: 2^24 * 126 + 2^8 * preference + 255.
        assert_eq!(hosts[3].priority, (126 << 24) + (65_535 << 8) + 255);
        assert_eq!(peer_reflexive_priority(&hosts[3]), (110 << 24) + (65_535 << 8) + 255);
    }

    #[test]
    fn a_scope_is_kept_where_it_is_needed() {
        let local: SocketAddr = "[fe80::1%3]:1".parse().unwrap();
        let signalled: SocketAddr = "[fe80::2]:2".parse().unwrap();
        let arrived: SocketAddr = "[fe80::2%3]:2".parse().unwrap();
        assert_eq!(path(local, signalled), path(local, arrived));
        let global = |text: &str| text.parse::<SocketAddr>().unwrap();
        let with_flow: SocketAddr = SocketAddrV6::new("2001:db8::2".parse().unwrap(), 2, 7, 3).into();
        assert_eq!(path(global("[2001:db8::1]:1"), with_flow).remote, global("[2001:db8::2]:2"));
    }
}
