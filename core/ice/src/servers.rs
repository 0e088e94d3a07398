//! Which servers are asked from which of our sockets, and when.
//!
//! ```text
//! a server's URL ─▶ its addresses (a name is resolved once) ─▶ each with each of our sockets: a Start, in a queue
//!                ─▶ every Ta one of them begins: a Probe, a Relay, or a stream for a Relay
//! ```

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Transmit, Transport, earliest};

use crate::action::{Action, Framing};
use crate::candidate::compatible;
use crate::probe::Probes;
use crate::purpose::Purpose;
use crate::relays::{Errand, Relays};
use crate::server::{Host, Service};
use crate::{Agent, Event, GatheringState, Mode, Prefetch, ServerFailure};

/// What is known of the servers, and what is asked of them.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    stage: Stage,
    /// Addresses, each with the index of its server.
    addresses: Vec<(usize, SocketAddr)>,
    starts: VecDeque<Start>,
    /// Before this, nothing begins.
    paced_until: Instant,
    pub(crate) probes: Probes,
    pub(crate) relays: Relays,
}

/// Whether servers have been asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Unasked,
    /// They have, since then.
    Asked(Instant),
}

/// Something to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    /// Ask a STUN server from a socket.
    Probe { base: SocketAddr, server: SocketAddr, index: usize },
    /// Ask a TURN server from a socket.
    Relay { base: SocketAddr, errand: Errand },
    /// Ask a TURN server along a stream from one of our addresses.
    Stream { from: IpAddr, errand: Errand },
}

/// How many addresses of a name are tried.
const MAX_ADDRESSES: usize = 4;

/// How many starts wait: sockets and servers are the caller's, redirections are not.
const MAX_STARTS: usize = 512;

impl Servers {
    /// When the next start is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let start = (!self.starts.is_empty()).then_some(self.paced_until);
        earliest(earliest(start, self.probes.deadline()), self.relays.deadline())
    }

    /// Has all servers asked once more; those that have answered are passed over.
    pub(crate) const fn ask_again(&mut self) {
        self.stage = Stage::Unasked;
    }

    /// Writes the next question to a server.
    pub(crate) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.relays.poll_transmit(buf).or_else(|| self.probes.poll_transmit(buf))
    }

    fn plan(&mut self, start: Start) {
        if self.starts.len() < MAX_STARTS && !self.starts.contains(&start) {
            self.starts.push_back(start);
        }
    }

    /// Has a relay asked for once more, or at another server.
    pub(crate) fn plan_relay(&mut self, base: SocketAddr, transport: Transport, errand: Errand) {
        self.plan(match transport {
            Transport::Udp => Start::Relay { base, errand },
            Transport::Tcp => Start::Stream { from: base.ip(), errand },
        });
    }

    /// Forgets what was to begin from an address that is gone.
    pub(crate) fn remove_socket(&mut self, address: SocketAddr) {
        self.starts.retain(|start| match start {
            Start::Probe { base, .. } | Start::Relay { base, .. } => *base != address,
            Start::Stream { .. } => true,
        });
        self.probes.remove_base(address);
    }

    /// Asks nobody any more, and gives back what was lent; what says so is still to be polled.
    pub(crate) fn close(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.starts.clear();
        self.probes = Probes::default();
        self.relays.close(now, rng);
    }
}

impl Agent {
    /// Asks all servers, once in each generation, if it is time to.
    pub(crate) fn ask_servers(&mut self, now: Instant) {
        let is_time = self.locals.state != GatheringState::New || self.config.prefetch == Prefetch::On;
        if self.config.mode == Mode::Lite || !is_time || self.servers.stage != Stage::Unasked {
            return;
        }
        self.servers.stage = Stage::Asked(now);
        let mut names: Vec<String> = Vec::new();
        for index in 0..self.config.servers.len() {
            match self.config.servers[index].url.host.clone() {
                Host::Ip(ip) => self.server_found(index, ip),
                Host::Name(name) if names.contains(&name) => {}
                Host::Name(name) => names.push(name),
            }
        }
        for name in names {
            self.actions.ask(Action::Resolve { name: name.clone() }, Purpose::ServerName(name));
        }
    }

    /// Takes the addresses of a server's name, in place of those that it had before.
    pub(crate) fn server_resolved(&mut self, name: &str, addresses: &[IpAddr]) {
        let addresses = &addresses[..addresses.len().min(MAX_ADDRESSES)];
        for index in 0..self.config.servers.len() {
            if self.config.servers[index].url.host != Host::Name(name.to_string()) {
                continue;
            }
            if addresses.is_empty() {
                self.server_failed(index, None, ServerFailure::Unresolved);
                continue;
            }
            let is_kept = |(of, known): &(usize, SocketAddr)| *of != index || addresses.contains(&known.ip());
            self.servers.addresses.retain(is_kept);
            for ip in addresses {
                self.server_found(index, *ip);
            }
        }
    }

    pub(crate) fn server_failed(
        &mut self,
        server: usize,
        address: Option<SocketAddr>,
        failure: ServerFailure,
    ) {
        self.tell(Event::ServerFailed { server, address, failure });
    }

    fn server_found(&mut self, index: usize, ip: IpAddr) {
        let address = SocketAddr::new(ip, self.config.servers[index].url.port);
        let known = (index, address);
        if address.ip().is_unspecified() {
            return;
        }
        if !self.servers.addresses.contains(&known) {
            self.servers.addresses.push(known);
        }
        for n in 0..self.locals.sockets().len() {
            let bound = self.locals.sockets()[n].bound;
            if bound.transport == Transport::Udp {
                self.plan_from(bound.address, known);
            }
        }
    }

    /// Asks every server from a new socket as well.
    pub(crate) fn ask_servers_from(&mut self, socket: SocketAddr) {
        for n in 0..self.servers.addresses.len() {
            self.plan_from(socket, self.servers.addresses[n]);
        }
    }

    fn plan_from(&mut self, base: SocketAddr, (index, server): (usize, SocketAddr)) {
        if !compatible(base, server) || base.ip().is_loopback() != server.ip().is_loopback() {
            return;
        }
        let errand = Errand::new(index, server);
        match self.config.servers[index].url.service {
            Service::Stun => self.servers.plan(Start::Probe { base, server, index }),
            Service::Turn(Transport::Udp) => self.servers.plan(Start::Relay { base, errand }),
            Service::Turn(Transport::Tcp) | Service::TurnTls => {
                let from = base.ip();
                if !self.servers.relays.serves(from, &errand) && !self.has_stream_for(from, &errand) {
                    self.servers.plan(Start::Stream { from, errand });
                }
            }
        }
    }

    fn has_stream_for(&self, from: IpAddr, errand: &Errand) -> bool {
        let mut streams = self.actions.purposes().filter_map(|purpose| match purpose {
            Purpose::RelayStream { from, errand } => Some((from, errand)),
            _ => None,
        });
        streams.any(|stream| stream == (&from, errand))
    }

    /// Does what is due for what has begun, and begins what is due, one thing each Ta (RFC 8445 §14.2).
    pub(crate) fn gather_what_is_due(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.relay_what_is_due(now, rng);
        while now >= self.servers.paced_until {
            let Some(start) = self.servers.starts.pop_front() else { break };
            if self.begin(now, rng, start) {
                self.servers.paced_until = now + self.config.timing.pacing;
            }
        }
        self.probe_what_is_due(now, rng);
        self.settle_gathering(now);
    }

    /// Begins something; false if it turns out to be of no use.
    fn begin(&mut self, now: Instant, rng: &mut dyn CryptoRng, start: Start) -> bool {
        match start {
            Start::Probe { base, server, index } => self.servers.probes.begin(now, rng, base, server, index),
            Start::Relay { base, errand } => self.begin_relay(now, rng, base, errand),
            Start::Stream { from, errand } => {
                let url = &self.config.servers[errand.server()].url;
                let tls = (url.service == Service::TurnTls).then(|| match &url.host {
                    Host::Name(name) => name.clone(),
                    Host::Ip(ip) => ip.to_string(),
                });
                let (remote, framing) = (errand.address(), Framing::Turn);
                let action = Action::OpenStream { local: Some(from), remote, tls, framing };
                self.actions.ask(action, Purpose::RelayStream { from, errand });
                true
            }
        }
    }

    /// When gathering counts as complete, whatever is still on its way; nothing if nothing is.
    pub(crate) fn gathering_ends_at(&self) -> Option<Instant> {
        match self.servers.stage {
            Stage::Asked(since) if self.awaits_servers() => Some(since + self.config.timing.gathering),
            _ => None,
        }
    }

    /// Whether an answer of a server's may bring a candidate yet.
    fn awaits_servers(&self) -> bool {
        let is_server =
            |purpose: &Purpose| matches!(purpose, Purpose::ServerName(_) | Purpose::RelayStream { .. });
        !self.servers.starts.is_empty()
            || self.servers.probes.are_pending()
            || self.servers.relays.are_pending()
            || self.actions.purposes().any(is_server)
    }
}
