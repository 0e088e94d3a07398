//! The network that a responder speaks on.

use core::net::IpAddr;

/// An address of ours, and how many of its bits all on its link have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    address: IpAddr,
    prefix_len: u8,
}

impl Link {
    /// The link of an interface with this address.
    pub const fn new(address: IpAddr, prefix_len: u8) -> Self {
        Self { address, prefix_len }
    }

    /// Our address.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether an address is one of the link's. Multicast DNS is heard from nobody else (RFC 6762 §11).
    pub fn contains(&self, other: IpAddr) -> bool {
        let differing_bits = |ours: u128, theirs: u128, width: u32| {
            let shared = u32::from(self.prefix_len).min(width);
            (ours ^ theirs).checked_shr(width - shared).unwrap_or(0) != 0
        };
        match (self.address, other) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                !differing_bits(ours.to_bits().into(), theirs.to_bits().into(), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                theirs.is_unicast_link_local() || !differing_bits(ours.to_bits(), theirs.to_bits(), 128)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_the_prefix() {
        let link = |address: &str, prefix_len| Link::new(address.parse().unwrap(), prefix_len);
        let holds = |link: Link, other: &str| link.contains(other.parse().unwrap());
        assert!(holds(link("192.0.2.1", 24), "192.0.2.200"));
        assert!(!holds(link("192.0.2.1", 24), "192.0.3.1"));
        assert!(holds(link("192.0.2.1", 0), "203.0.113.1"));
        assert!(holds(link("192.0.2.1", 32), "192.0.2.1") && !holds(link("192.0.2.1", 32), "192.0.2.2"));
        assert!(holds(link("2001:db8::1", 64), "2001:db8::9") && holds(link("2001:db8::1", 64), "fe80::9"));
        assert!(!holds(link("2001:db8::1", 64), "2001:db8:0:1::9"));
        assert!(!holds(link("192.0.2.1", 0), "::1"));
    }
}
