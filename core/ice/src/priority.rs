//! Priorities: of candidates, and of the checks that may bring further ones to light (RFC 8445 §5.1.2).

use alloc::vec::Vec;
use core::net::IpAddr;

use pavane_base::Transport;

use crate::{Candidate, CandidateKind, TcpType};

/// RFC 8445 §5.1.2.1, for component 1.
pub(crate) const fn of(type_preference: u32, local_preference: u16) -> u32 {
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
pub(crate) fn of_check(base: &Candidate) -> u32 {
    match (base.kind, base.transport) {
        (CandidateKind::Relayed, _) => base.priority,
        (_, Transport::Udp) => of(PEER_REFLEXIVE, local_preference(base.priority)),
        (_, Transport::Tcp) => of(PEER_REFLEXIVE_TCP, local_preference(base.priority)),
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

/// The priority of a UDP socket's candidate, where others have `taken` theirs.
pub(crate) fn of_host(ip: IpAddr, taken: &[u32]) -> u32 {
    of(HOST, free_preference(ip, taken))
}

/// The priority of a TCP candidate (RFC 6544 §4.2): three bits of direction, thirteen that tell candidates apart.
pub(crate) fn of_tcp(ip: IpAddr, tcp_type: TcpType, taken: &[u32]) -> u32 {
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
    of(HOST_TCP, direction << 13 | other)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn priorities(addresses: &[&str]) -> Vec<u32> {
        let mut taken = Vec::new();
        for address in addresses {
            taken.push(of_host(address.parse().unwrap(), &taken));
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
        let passive = of_tcp(ip, TcpType::Passive, &[]);
        assert_eq!(passive, (90 << 24) + (((4 << 13) + 0x1fff) << 8) + 255);
        assert_eq!(local_preference(of_tcp(ip, TcpType::Passive, &[passive])), (4 << 13) + 0x1ffe);
        assert_eq!(local_preference(of_tcp(ip, TcpType::Active, &[])) >> 13, 6);
    }
}
