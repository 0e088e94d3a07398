//! Candidates and their numbers (RFC 8445 §5.1).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
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
        priority: in_range(priority),
        address: path.remote,
        kind: CandidateKind::PeerReflexive,
        related: None,
    }
}

/// RFC 8445 §5.1.2.1, for component 1.
pub(crate) const fn priority(type_preference: u32, local_preference: u16) -> u32 {
    type_preference << 24 | (local_preference as u32) << 8 | (256 - 1)
}

/// The local preference within a priority.
pub(crate) const fn local_preference(priority: u32) -> u16 {
    (priority >> 8) as u16
}

/// The priority of the same type with the next lower local preference.
pub(crate) const fn next_lower(priority: u32) -> u32 {
    priority.saturating_sub(1 << 8)
}

/// The priority that a check from this base announces: that of a candidate which the check may bring to light
/// (RFC 8445 §7.1.1).
///
/// Deviation: a check from a relay announces the relayed candidate's own priority. Nothing translates addresses behind a
/// relay, and a peer that has not heard of the candidate yet would take the relay for the better way.
pub(crate) fn check_priority(base: &Candidate) -> u32 {
    match (base.kind, base.transport) {
        (CandidateKind::Relayed, _) => base.priority,
        (_, Transport::Udp) => priority(PEER_REFLEXIVE, local_preference(base.priority)),
        (_, Transport::Tcp) => priority(PEER_REFLEXIVE_TCP, local_preference(base.priority)),
    }
}

/// A priority as the peer tells it, in the range that RFC 8445 §5.1.2 gives it.
pub(crate) fn in_range(priority: u32) -> u32 {
    priority.clamp(1, (1 << 31) - 1)
}

/// Type preferences (RFC 8445 §5.1.2.2). Streams come behind datagrams (RFC 6544 §4.2): what is lost in them delays all that
/// follows. Among relays, the one that is reached the plainest way is the best.
const HOST: u32 = 126;
const PEER_REFLEXIVE: u32 = 110;
pub(crate) const SERVER_REFLEXIVE: u32 = 100;
const HOST_TCP: u32 = 90;
const PEER_REFLEXIVE_TCP: u32 = 80;
pub(crate) const RELAYED: u32 = 2;
pub(crate) const RELAYED_TCP: u32 = 1;
pub(crate) const RELAYED_TLS: u32 = 0;

/// The port of candidates that only connect (RFC 6544 §4.5).
pub(crate) const DISCARD: u16 = 9;

/// The priority of a UDP socket's candidate, where others have `taken` theirs.
pub(crate) fn host_priority(ip: IpAddr, taken: &[u32]) -> u32 {
    priority(HOST, free_preference(ip, taken))
}

/// The priority of a TCP candidate (RFC 6544 §4.2): three bits of direction, thirteen that tell candidates apart.
pub(crate) fn tcp_priority(ip: IpAddr, tcp_type: TcpType, taken: &[u32]) -> u32 {
    let direction = match tcp_type {
        TcpType::Active => 6,
        TcpType::Passive => 4,
        TcpType::SimultaneousOpen => 2,
    };
    // The thirteen bits, as if they stood alone at the upper end of sixteen.
    const ALONE: u16 = 0xe000;
    let is_like = |taken: &u32| taken >> 24 == HOST_TCP && local_preference(*taken) >> 13 == direction;
    let like: Vec<u32> =
        taken.iter().copied().filter(is_like).map(|taken| taken | u32::from(ALONE) << 8).collect();
    let other = free_preference(ip, &like).max(ALONE) & !ALONE;
    priority(HOST_TCP, direction << 13 | other)
}

/// The highest preference that no other has in this address's order: two of IPv6, one of IPv4, and so on (RFC 8421 §4);
/// behind all of them link-local addresses, and behind those loopback.
///
/// Deviation: RFC 8445 §5.1.2.1 gives a single address 65535. Further ones may be added at any time, and those that were
/// told cannot change.
fn free_preference(ip: IpAddr, taken: &[u32]) -> u16 {
    let slot = |n: u16| match ip {
        ip if ip.is_loopback() => 0x8000 + n,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 0x4000 + n,
        IpAddr::V6(_) => n + n / 2,
        IpAddr::V4(_) => n * 3 + 2,
    };
    let is_taken = |preference: &u16| taken.iter().any(|taken| local_preference(*taken) == *preference);
    (0..=u16::try_from(taken.len()).unwrap_or(0x1000))
        .map(|n| u16::MAX - slot(n))
        .find(|preference| !is_taken(preference))
        .unwrap_or(0)
}

/// What candidates have in common that share their fate (RFC 8445 §5.1.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foundation {
    pub(crate) kind: CandidateKind,
    pub(crate) base: IpAddr,
    /// The server's address, and how it is reached.
    pub(crate) server: Option<(IpAddr, Transport)>,
    pub(crate) transport: Transport,
}

/// The texts that stand for foundations: numbers from 1.
#[derive(Debug)]
pub(crate) struct Foundations(Vec<Foundation>);

impl Foundations {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The text for a foundation; one that no candidate has any more is used anew.
    pub(crate) fn of(&mut self, foundation: Foundation, candidates: &[Candidate]) -> String {
        let text = |n: usize| format!("{}", n + 1);
        let is_free = |n: &usize| candidates.iter().all(|other| other.foundation != text(*n));
        let known = self.0.iter().position(|known| *known == foundation);
        match known.or_else(|| (0..self.0.len()).find(is_free)) {
            Some(n) => {
                self.0[n] = foundation;
                text(n)
            }
            None => {
                self.0.push(foundation);
                text(self.0.len() - 1)
            }
        }
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
    use alloc::vec::Vec;

    use super::*;

    fn priorities(addresses: &[&str]) -> Vec<u32> {
        let mut taken = Vec::new();
        for address in addresses {
            taken.push(host_priority(address.parse().unwrap(), &taken));
        }
        taken
    }

    #[test]
    fn families_are_intermingled() {
        let addresses =
            ["127.0.0.1", "10.0.0.1", "10.0.0.2", "fe80::1", "2001:db8::1", "2001:db8::2", "2001:db8::3"];
        let mut order: Vec<_> = priorities(&addresses).into_iter().zip(addresses).collect();
        order.sort_by_key(|(priority, _)| core::cmp::Reverse(*priority));
        let order: Vec<_> = order.into_iter().map(|(_, address)| address).collect();
        let expected =
            ["2001:db8::1", "2001:db8::2", "10.0.0.1", "2001:db8::3", "10.0.0.2", "fe80::1", "127.0.0.1"];
        assert_eq!(order, expected);
    }

    #[test]
    fn priorities_are_unique() {
        let priorities = priorities(&["10.0.0.1", "10.0.0.1", "10.0.0.2", "2001:db8::1"]);
        let mut unique = priorities.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), priorities.len());
        // RFC 8445 §5.1.2.1: 2^24 * 126 + 2^8 * preference + 255.
        assert_eq!(priorities[3], (126 << 24) + (65_535 << 8) + 255);
        // RFC 6544 §4.2: 2^13 * 4 + other, for passive ones.
        let ip = "2001:db8::1".parse().unwrap();
        let passive = tcp_priority(ip, TcpType::Passive, &[]);
        assert_eq!(passive, (90 << 24) + (((4 << 13) + 0x1fff) << 8) + 255);
        assert_eq!(local_preference(tcp_priority(ip, TcpType::Passive, &[passive])), (4 << 13) + 0x1ffe);
        assert_eq!(local_preference(tcp_priority(ip, TcpType::Active, &[])) >> 13, 6);
    }

    fn candidate(foundation: &str) -> Candidate {
        Candidate {
            foundation: foundation.into(),
            component: 1,
            transport: Transport::Udp,
            tcp_type: None,
            priority: 1,
            address: "10.0.0.1:1".parse().unwrap(),
            kind: CandidateKind::Host,
            related: None,
        }
    }

    #[test]
    fn foundations_are_of_kind_base_and_server() {
        let mut foundations = Foundations::new();
        let of = |n: u8, server| Foundation {
            kind: CandidateKind::Host,
            base: [10, 0, 0, n].into(),
            server,
            transport: Transport::Udp,
        };
        let server = Some(([192, 0, 2, 1].into(), Transport::Udp));
        let mut texts = Vec::new();
        let mut candidates = Vec::new();
        for (n, server) in [(1, None), (2, None), (1, server), (1, None)] {
            let foundation = foundations.of(of(n, server), &candidates);
            candidates.push(candidate(&foundation));
            texts.push(foundation);
        }
        assert_eq!(texts, ["1", "2", "3", "1"]);
        // What no candidate has any more is used anew.
        candidates.remove(1);
        assert_eq!(foundations.of(of(3, None), &candidates), "2");
    }

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
