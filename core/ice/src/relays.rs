//! Addresses on relays (RFC 8656): from the asking to the candidate, and to its end.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transmit, Transport, earliest};
use pavane_turn::{Allocation, EndReason, Family};

use crate::pair::{Failure, Pair, Preparation, Progress};
use crate::server::Service;
use crate::{Agent, Candidate, CandidateKind, ServerFailure, priority};

/// All allocations.
#[derive(Debug, Default)]
pub(crate) struct Relays(Vec<Relay>);

/// An allocation, asked for or there.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) allocation: Allocation,
    errand: Errand,
    /// The addresses that are candidates.
    addresses: Vec<SocketAddr>,
}

/// What a relay is wanted for, and what has come of that before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Errand {
    /// The server's index.
    server: usize,
    /// Its address, or that of the server that it sent us to.
    address: SocketAddr,
    redirections: u8,
    losses: u8,
}

/// How many allocations there are at a time.
const MAX_RELAYS: usize = 32;

/// How often one server after the other may send us on (RFC 8489 §10: loops are to be guarded against).
const MAX_REDIRECTIONS: u8 = 3;

/// How often an allocation that was there and is lost is asked for anew.
const MAX_LOSSES: u8 = 3;

impl Errand {
    pub(crate) const fn new(server: usize, address: SocketAddr) -> Self {
        Self { server, address, redirections: 0, losses: 0 }
    }

    pub(crate) const fn server(&self) -> usize {
        self.server
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to do where the server sends us on.
    fn redirected(&self, address: SocketAddr) -> Option<Self> {
        let redirections = self.redirections + 1;
        (redirections <= MAX_REDIRECTIONS).then_some(Self { address, redirections, ..self.clone() })
    }

    /// What to do where an allocation was lost that was there.
    fn lost(&self) -> Option<Self> {
        let losses = self.losses + 1;
        (losses <= MAX_LOSSES).then_some(Self { losses, ..self.clone() })
    }
}

impl Relays {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The relay at the other end of this way.
    pub(crate) fn at(&mut self, path: Path) -> Option<&mut Relay> {
        self.0.iter_mut().find(|relay| relay.allocation.path() == path)
    }

    /// The relay that lends this address.
    pub(crate) fn lending(&mut self, address: SocketAddr) -> Option<&mut Relay> {
        self.0.iter_mut().find(|relay| relay.addresses.contains(&address))
    }

    /// Whether no relay is in the way of this pair's datagrams.
    pub(crate) fn let_through(&self, path: Path) -> bool {
        let relay = self.0.iter().find(|relay| relay.addresses.contains(&path.local));
        relay.is_none_or(|relay| relay.allocation.is_permitted(path.remote.ip()))
    }

    /// Whether a stream from this address leads to a relay already.
    pub(crate) fn serves(&self, from: IpAddr, errand: &Errand) -> bool {
        self.0.iter().any(|relay| {
            let path = relay.allocation.path();
            path.transport == Transport::Tcp
                && (path.local.ip(), path.remote, relay.errand.server)
                    == (from, errand.address, errand.server)
        })
    }

    /// Whether a first answer is waited for.
    pub(crate) fn are_pending(&self) -> bool {
        self.0.iter().any(|relay| relay.addresses.is_empty() && !relay.allocation.is_over())
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.iter().fold(None, |deadline, relay| earliest(deadline, relay.allocation.poll_timeout()))
    }

    /// Writes the next request.
    pub(crate) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.0.iter_mut().find_map(|relay| relay.allocation.poll_transmit(buf))
    }

    /// Has every allocation refreshed: one that its server has forgotten is of no use, and another one is asked for.
    pub(crate) fn look_after(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.0.iter_mut().for_each(|relay| relay.allocation.refresh(now, rng));
    }

    /// Gives all addresses back; what says so to the servers is still to be polled.
    pub(crate) fn close(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.0.iter_mut().for_each(|relay| relay.allocation.close(now, rng));
    }
}

impl Agent {
    /// Asks a relay from a socket; false if that has been done, or the socket is gone.
    pub(crate) fn begin_relay(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        base: SocketAddr,
        errand: Errand,
    ) -> bool {
        let is_there = self.locals.socket(base, Transport::Udp).is_some();
        is_there && self.allocate(now, rng, (base, Transport::Udp), errand)
    }

    /// Asks a relay along a stream that is open.
    pub(crate) fn begin_relay_on_stream(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        local: SocketAddr,
        errand: Errand,
    ) {
        let path = Path { local, remote: errand.address, transport: Transport::Tcp };
        self.streams.push(path);
        self.allocate(now, rng, (local, Transport::Tcp), errand);
    }

    fn allocate(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        (local, transport): (SocketAddr, Transport),
        errand: Errand,
    ) -> bool {
        let path = Path { local, remote: errand.address, transport };
        let relays = &mut self.servers.relays;
        if relays.0.len() == MAX_RELAYS || relays.at(path).is_some() {
            return false;
        }
        let Some(user) = self.config.servers[errand.server].credentials.clone() else { return false };
        let mut config = pavane_turn::Config::new(self.config.provider.clone(), user);
        config.family = Family::Both;
        let allocation = Allocation::new(now, rng, config, path);
        relays.0.push(Relay { allocation, errand, addresses: Vec::new() });
        true
    }

    /// Does what is due for allocations, and takes what they have to tell.
    pub(crate) fn relay_what_is_due(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        let mut n = 0;
        while let Some(relay) = self.servers.relays.0.get_mut(n) {
            if relay.allocation.poll_timeout().is_some_and(|at| at <= now) {
                relay.allocation.handle_timeout(now, rng);
            }
            let path = relay.allocation.path();
            let mut end = None;
            while let Some(event) = self.servers.relays.0[n].allocation.poll_event() {
                match event {
                    pavane_turn::Event::Allocated { relayed, additional, mapped } => {
                        self.allocated(now, n, [Some(relayed), additional], mapped);
                    }
                    pavane_turn::Event::Permitted(ip) => self.permitted(n, ip),
                    pavane_turn::Event::Refused(ip) => self.not_permitted(n, ip),
                    pavane_turn::Event::Ended(reason) => end = Some(reason),
                    _ => {}
                }
            }
            match end {
                Some(reason) => self.relay_ended(now, path, reason),
                None => n += 1,
            }
        }
    }

    fn allocated(
        &mut self,
        now: Instant,
        n: usize,
        addresses: [Option<SocketAddr>; 2],
        mapped: Option<SocketAddr>,
    ) {
        let relay = &mut self.servers.relays.0[n];
        let path = relay.allocation.path();
        relay.addresses = addresses.into_iter().flatten().collect();
        relay.errand.losses = 0;
        let index = relay.errand.server;
        let via = (path.remote, path.transport);
        if let (Some(mapped), Transport::Udp) = (mapped, path.transport) {
            self.server_reflexive(now, path.local, mapped, via);
        }
        let type_preference = match self.config.servers[index].url.service {
            Service::Stun | Service::Turn(Transport::Udp) => priority::RELAYED,
            Service::Turn(Transport::Tcp) => priority::RELAYED_TCP,
            Service::TurnTls => priority::RELAYED_TLS,
        };
        let local_preference = self.locals.preference(path.local.ip());
        let kind = CandidateKind::Relayed;
        for address in addresses.into_iter().flatten() {
            let server = Some((path.remote.ip(), path.transport));
            let foundation = self.locals.foundation(kind, address.ip(), server, Transport::Udp);
            let candidate = Candidate {
                foundation,
                component: 1,
                transport: Transport::Udp,
                tcp_type: None,
                priority: priority::of(type_preference, local_preference),
                address,
                kind,
                related: Some(mapped.unwrap_or(path.local)),
            };
            self.gathered(now, candidate);
        }
    }

    /// The pairs that stand on this allocation and lead to this address.
    fn pairs_through(&self, n: usize, ip: IpAddr) -> Vec<Path> {
        let lent = &self.servers.relays.0[n].addresses;
        let leads = |path: &Path| path.remote.ip() == ip && lent.contains(&path.local);
        self.checklist.iter().map(Pair::path).filter(leads).collect()
    }

    fn permitted(&mut self, n: usize, ip: IpAddr) {
        for path in self.pairs_through(n, ip) {
            if let Some(pair) = self.checklist.get_mut(path).filter(|pair| pair.is_preparing()) {
                pair.progress = Progress::Waiting;
            }
        }
    }

    fn not_permitted(&mut self, n: usize, ip: IpAddr) {
        for path in self.pairs_through(n, ip) {
            if let Some(pair) = self.checklist.get_mut(path) {
                pair.fail(Failure::Final);
            }
        }
    }

    /// An allocation is over, or the way to it is.
    ///
    /// Deviation: where the server holds somebody else's allocation for our 5-tuple, RFC 8656 §7.4 tries another port; ports
    /// are the caller's here. Nor is a server asked again that had no room.
    pub(crate) fn relay_ended(&mut self, now: Instant, path: Path, reason: EndReason) {
        let Some(n) = self.servers.relays.0.iter().position(|relay| relay.allocation.path() == path) else {
            return;
        };
        let relay = self.servers.relays.0.swap_remove(n);
        for address in &relay.addresses {
            self.locals.remove_relayed(*address);
            self.checklist.retain(|pair| pair.local != *address || pair.transport != Transport::Udp);
        }
        self.former =
            self.former.take().filter(|former| !relay.addresses.contains(&former.pair.path().local));
        let was_there = !relay.addresses.is_empty();
        let next = match reason {
            EndReason::Redirected(server) => relay.errand.redirected(server),
            EndReason::Unreachable | EndReason::Mismatch if was_there => relay.errand.lost(),
            _ => None,
        };
        if let Some(errand) = next {
            self.servers.plan_relay(path.local, path.transport, errand);
        } else if let Some(failure) = ServerFailure::from_end(reason) {
            self.server_failed(relay.errand.server, Some(path.remote), failure);
        }
        self.search_again_if_lost(now);
    }

    /// Asks that the peer behind a pair may reach us at the relay. The pair waits until it may.
    pub(crate) fn permit(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path) {
        let ip = path.remote.ip();
        let (is_permitted, is_asked) = match self.servers.relays.lending(path.local) {
            Some(relay) => {
                relay.allocation.permit(now, rng, ip);
                (relay.allocation.is_permitted(ip), relay.allocation.awaits_permission(ip))
            }
            None => (false, false),
        };
        let Some(pair) = self.checklist.get_mut(path) else { return };
        match (is_permitted, is_asked) {
            (true, _) => pair.progress = Progress::Waiting,
            (false, true) => pair.progress = Progress::Preparing(Preparation::Asked),
            (false, false) => pair.fail(Failure::Unanswered),
        }
    }

    /// Has a channel bound to the peer where data goes through a relay: it takes 4 bytes a datagram, not 36.
    pub(crate) fn bind_channel(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if let Some(path) = self.selected()
            && let Some(relay) = self.servers.relays.lending(path.local)
        {
            relay.allocation.bind_channel(now, rng, path.remote);
        }
    }

    /// Forgets the relays that were reached by ways that are gone.
    pub(crate) fn remove_relays(&mut self, now: Instant, is_gone: impl Fn(Path) -> bool) {
        let paths: Vec<_> = self.servers.relays.0.iter().map(|relay| relay.allocation.path()).collect();
        for path in paths.into_iter().filter(|path| is_gone(*path)) {
            self.relay_ended(now, path, EndReason::Closed);
        }
    }
}

impl Relay {
    /// Our address on the relay that this peer sends to.
    pub(crate) fn address_for(&self, peer: SocketAddr) -> Option<SocketAddr> {
        self.addresses.iter().copied().find(|address| address.is_ipv4() == peer.is_ipv4())
    }
}
