//! Address translators and firewalls (RFC 4787), as one machine: what it maps, what it lets in, and what it lets out.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pavane::{Instant, Transport};

/// On what of the destination a behaviour depends (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    /// On nothing.
    Endpoint,
    /// On its address.
    Address,
    /// On its address and port.
    AddressAndPort,
}

impl Dependence {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Endpoint, Self::Address, Self::AddressAndPort];

    /// What of an address counts.
    fn part(self, address: SocketAddr) -> Option<(IpAddr, u16)> {
        match self {
            Self::Endpoint => None,
            Self::Address => Some((address.ip(), 0)),
            Self::AddressAndPort => Some((address.ip(), address.port())),
        }
    }
}

/// What a translator is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// When two destinations see the same address; `None` if addresses are not translated at all, as by a firewall.
    pub mapping: Option<Dependence>,
    /// Who may send to an address that is in use.
    pub filtering: Dependence,
    /// Whether a host inside reaches another by the address that it has outside (RFC 4787 §6).
    pub hairpinning: bool,
    /// What goes out at all.
    pub egress: Egress,
    /// After how long without being used from inside a mapping is forgotten (RFC 4787 §4.3: two minutes at least).
    pub timeout: Duration,
    /// How many mappings there are at a time.
    pub ports: usize,
}

/// What a firewall lets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Egress {
    /// Everything.
    All,
    /// TCP to port 443.
    Https,
}

impl Behaviour {
    /// A translator that maps and filters like this, and else as RFC 4787 would have it.
    pub const fn nat(mapping: Dependence, filtering: Dependence) -> Self {
        Self {
            mapping: Some(mapping),
            filtering,
            hairpinning: true,
            egress: Egress::All,
            timeout: Duration::from_secs(120),
            ports: 1000,
        }
    }

    /// A firewall that lets answers in.
    pub const fn firewall() -> Self {
        Self { mapping: None, ..Self::nat(Dependence::Endpoint, Dependence::AddressAndPort) }
    }
}

/// A translator at work.
pub struct Nat {
    /// What it is like.
    pub behaviour: Behaviour,
    outside: IpAddr,
    next_port: u16,
    mappings: Vec<Mapping>,
}

struct Mapping {
    inside: (SocketAddr, Transport),
    part: Option<(IpAddr, u16)>,
    outside: SocketAddr,
    sent_to: Vec<SocketAddr>,
    used_at: Instant,
}

/// Where translated ports begin.
const FIRST_PORT: u16 = 20_000;

impl Nat {
    /// A translator with this address outside.
    pub const fn new(behaviour: Behaviour, outside: IpAddr) -> Self {
        Self { behaviour, outside, next_port: FIRST_PORT, mappings: Vec::new() }
    }

    /// Its address outside.
    pub const fn outside(&self) -> IpAddr {
        self.outside
    }

    /// Whether datagrams to this address are for it.
    pub fn owns(&self, address: SocketAddr) -> bool {
        match self.behaviour.mapping {
            Some(_) => address.ip() == self.outside,
            None => self.mappings.iter().any(|mapping| mapping.outside == address),
        }
    }

    /// Forgets every mapping, as by a restart; what is used again comes from elsewhere.
    pub fn forget(&mut self) {
        self.mappings.clear();
    }

    /// A datagram goes out: where it seems to come from, if it gets out.
    pub fn outbound(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
        transport: Transport,
    ) -> Option<SocketAddr> {
        let is_https = transport == Transport::Tcp && to.port() == 443;
        if self.behaviour.egress == Egress::Https && !is_https {
            return None;
        }
        self.expire(now);
        let part = self.behaviour.mapping.and_then(|mapping| mapping.part(to));
        let inside = (from, transport);
        let known = self.mappings.iter().position(|mapping| (mapping.inside, mapping.part) == (inside, part));
        let n = match known {
            Some(n) => n,
            None if self.mappings.len() >= self.behaviour.ports => return None,
            None => {
                let outside = match self.behaviour.mapping {
                    Some(_) => {
                        self.next_port += 1;
                        SocketAddr::new(self.outside, self.next_port)
                    }
                    None => from,
                };
                self.mappings.push(Mapping { inside, part, outside, sent_to: Vec::new(), used_at: now });
                self.mappings.len() - 1
            }
        };
        let mapping = &mut self.mappings[n];
        mapping.used_at = now;
        if !mapping.sent_to.contains(&to) {
            mapping.sent_to.push(to);
        }
        Some(mapping.outside)
    }

    /// A datagram comes in: whom it is for, if it gets in.
    pub fn inbound(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
        transport: Transport,
    ) -> Option<SocketAddr> {
        self.expire(now);
        let filtering = self.behaviour.filtering;
        let mapping = self.mappings.iter().find(|mapping| {
            mapping.outside == to
                && mapping.inside.1 == transport
                && (filtering == Dependence::Endpoint
                    || mapping.sent_to.iter().any(|sent| filtering.part(*sent) == filtering.part(from)))
        })?;
        Some(mapping.inside.0)
    }

    fn expire(&mut self, now: Instant) {
        let timeout = self.behaviour.timeout;
        self.mappings.retain(|mapping| now - mapping.used_at < timeout);
    }
}
