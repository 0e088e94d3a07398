//! Two peers in networks of their own, with translators and firewalls between them, and servers: in virtual time.
//!
//! ```text
//! realm 0, the Internet ─┬─ servers
//!                        ├─ a realm's boxes ── hosts, or further realms behind further boxes
//!                        └─ hosts with public addresses
//! ```
//!
//! Addresses are told apart by themselves: no two hosts have the same one, in whatever realm.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pavane::{
    Action, ActionId, ActionOutcome, Config, Datagram, Epoch, Event, IceCandidate, Instant, LocalAddress,
    Path, PeerConnection, Transport,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::nat::{Behaviour, Nat};
use crate::net::{Link, Net};
use crate::pair::{End, Peer};
use crate::server::Server;

/// A network behind boxes.
#[derive(Default)]
pub struct Realm {
    parent: usize,
    /// What translates IPv4.
    pub v4: Option<Nat>,
    /// What guards IPv6.
    pub v6: Option<Nat>,
    /// What translates IPv6 into IPv4 (RFC 6146), for addresses that begin with 64:ff9b::/96.
    pub nat64: Option<Nat>,
}

/// The number of a realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealmId(usize);

/// The Internet.
pub const INTERNET: RealmId = RealmId(0);

/// How a realm is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    V4,
    V6,
    Nat64,
}

struct Host {
    end: End,
    realm: usize,
    bound: LocalAddress,
}

enum Due {
    Signal(End, Option<IceCandidate>),
    Outcome(End, ActionId, ActionOutcome),
}

/// The world.
pub struct World {
    /// What time it is.
    pub now: Instant,
    /// What lies between the realms.
    pub net: Net,
    /// STUN and TURN servers, in the Internet.
    pub servers: Vec<Server>,
    /// What names resolve to.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// What names of multicast DNS resolve to.
    pub mdns: BTreeMap<String, IpAddr>,
    /// Addresses that nothing reaches and nothing leaves.
    pub dead: fn(SocketAddr) -> bool,
    realms: Vec<Realm>,
    hosts: Vec<Host>,
    peers: [Peer; 2],
    told: [usize; 2],
    due: BTreeMap<(Instant, u64), Due>,
    numbers: u64,
    one_way: Duration,
    buf: Vec<u8>,
}

/// How long the application's own channel takes.
const SIGNALLING: Duration = Duration::from_millis(50);

impl World {
    /// Two peers without addresses, made with these configurations; everything in the Internet is `one_way` away.
    pub fn new(seed: u64, one_way: Duration, loss: f64, configure: impl Fn(End, Config) -> Config) -> Self {
        let now = Instant::from_millis(1);
        let epoch = Epoch { at: now, unix: Duration::from_secs(1_790_000_000) };
        let peers = End::BOTH.map(|end| {
            let mut rng = ChaCha20Rng::seed_from_u64(seed * 2 + end as u64);
            let config = Config::new(pavane_crypto_rustls::provider(), &mut rng, &epoch);
            let config = Arc::new(configure(end, config));
            Peer::new(PeerConnection::new(config, Box::new(rng), epoch).unwrap())
        });
        Self {
            now,
            net: Net::new(seed, Link::with_delay(one_way).loss(loss)),
            servers: Vec::new(),
            names: BTreeMap::new(),
            mdns: BTreeMap::new(),
            dead: |_| false,
            realms: vec![Realm::default()],
            hosts: Vec::new(),
            peers,
            told: [0; 2],
            due: BTreeMap::new(),
            numbers: 0,
            one_way,
            buf: Vec::new(),
        }
    }

    /// Adds a network inside another one.
    pub fn add_realm(&mut self, parent: RealmId) -> RealmId {
        self.realms.push(Realm { parent: parent.0, ..Realm::default() });
        RealmId(self.realms.len() - 1)
    }

    /// A realm.
    pub fn realm(&mut self, id: RealmId) -> &mut Realm {
        &mut self.realms[id.0]
    }

    /// Puts a translator with this address outside before a realm.
    pub fn add_nat(&mut self, realm: RealmId, behaviour: Behaviour, outside: &str) {
        let nat = Nat::new(behaviour, outside.parse().unwrap());
        self.realms[realm.0].v4 = Some(nat);
    }

    /// Gives a peer an address.
    pub fn add_address(&mut self, end: End, realm: RealmId, bound: impl Into<LocalAddress>) {
        let (now, bound) = (self.now, bound.into());
        self.hosts.push(Host { end, realm: realm.0, bound });
        self.peer(end).connection.add_local_address(now, bound).unwrap();
    }

    /// Takes an address from a peer.
    pub fn remove_address(&mut self, end: End, bound: impl Into<LocalAddress>) {
        let (now, bound) = (self.now, bound.into());
        self.hosts.retain(|host| host.bound != bound);
        self.peer(end).connection.remove_local_address(now, bound);
    }

    /// A peer.
    pub fn peer(&mut self, end: End) -> &mut Peer {
        &mut self.peers[end as usize]
    }

    /// A peer's connection.
    pub fn connection(&mut self, end: End) -> &mut PeerConnection {
        &mut self.peer(end).connection
    }

    /// Says that all addresses have been given, has Alice create a channel and offer, and Bob answer.
    pub fn introduce(&mut self) -> pavane::ChannelId {
        let now = self.now;
        let alice = self.connection(End::Alice);
        let channel = alice.create_data_channel(now, "chat", Default::default()).unwrap();
        for end in End::BOTH {
            self.connection(end).end_of_local_addresses(now);
        }
        self.exchange(End::Alice);
        channel
    }

    /// Has `end` offer and the other answer, without a moment passing.
    pub fn exchange(&mut self, end: End) {
        let now = self.now;
        let offerer = self.connection(end);
        offerer.set_local_description(now, None).unwrap();
        let offer = offerer.local_description().unwrap();
        let answerer = self.connection(end.other());
        answerer.set_remote_description(now, offer).unwrap();
        answerer.set_local_description(now, None).unwrap();
        let answer = answerer.local_description().unwrap();
        self.connection(end).set_remote_description(now, answer).unwrap();
    }

    fn schedule(&mut self, after: Duration, due: Due) {
        self.numbers += 1;
        self.due.insert((self.now + after, self.numbers), due);
    }

    /// Sends what is to be sent, and takes note of what happened and what is asked for, at this moment.
    fn flush(&mut self) {
        for end in End::BOTH {
            let now = self.now;
            let mut buf = std::mem::take(&mut self.buf);
            while let Some(transmit) = self.connection(end).poll_transmit(now, 1, &mut buf) {
                self.send(end, transmit.path, &buf);
                buf.clear();
            }
            self.buf = buf;
            while let Some((id, action)) = self.connection(end).poll_action() {
                self.act(end, id, action);
            }
            self.peer(end).note_events(now);
            self.signal(end);
        }
    }

    /// Passes new candidates on to the other side.
    fn signal(&mut self, end: End) {
        let new = self.peers[end as usize].events.len();
        let from = std::mem::replace(&mut self.told[end as usize], new);
        for n in from..new {
            if let Event::LocalCandidate(candidate) = &self.peers[end as usize].events[n].1 {
                let candidate = candidate.clone();
                self.schedule(SIGNALLING, Due::Signal(end.other(), Some(candidate)));
            }
        }
    }

    fn act(&mut self, end: End, id: ActionId, action: Action) {
        let outcome = match action {
            Action::Resolve { name } => {
                let addresses = self.names.get(&name).cloned();
                addresses.map_or(ActionOutcome::Failed, ActionOutcome::Resolved)
            }
            Action::ResolveMdns { name } => {
                let address = self.mdns.get(&name).map(|ip| vec![*ip]);
                address.map_or(ActionOutcome::Failed, ActionOutcome::Resolved)
            }
            Action::OpenStream { local, remote, .. } => self.connect(end, local, remote),
            Action::PublishMdns { name, address } => {
                self.mdns.insert(name, address);
                return;
            }
            Action::WithdrawMdns { name } => {
                self.mdns.remove(&name);
                return;
            }
            _ => ActionOutcome::Failed,
        };
        self.schedule(self.one_way * 2, Due::Outcome(end, id, outcome));
    }

    /// Opens a stream if there is a way and somebody listens.
    fn connect(&mut self, end: End, local: Option<IpAddr>, remote: SocketAddr) -> ActionOutcome {
        let host = self.hosts.iter().find(|host| host.end == end && Some(host.bound.address.ip()) == local);
        let Some(realm) = host.map(|host| host.realm) else { return ActionOutcome::Failed };
        self.numbers += 1;
        let local = SocketAddr::new(local.expect("ours are bound"), 40_000 + self.numbers as u16);
        let listens = |host: &&Host| host.bound == LocalAddress::tcp_listener(remote);
        let Some((_, to)) = self.leave(realm, local, remote, Transport::Tcp) else {
            return ActionOutcome::Failed;
        };
        let is_server = self.servers.iter().any(|server| server.config.addresses.contains(&to));
        if !is_server && self.hosts.iter().find(listens).is_none() {
            return ActionOutcome::Failed;
        }
        self.hosts.push(Host { end, realm, bound: LocalAddress::tcp_listener(local) });
        ActionOutcome::StreamOpened { local }
    }

    fn send(&mut self, end: End, path: Path, payload: &[u8]) {
        let host = self.hosts.iter().find(|host| {
            host.end == end && (host.bound.address, host.bound.transport) == (path.local, path.transport)
        });
        // What leaves from an address that is gone goes nowhere.
        let Some(realm) = host.map(|host| host.realm) else { return };
        if let Some((from, to)) = self.leave(realm, path.local, path.remote, path.transport) {
            self.net.send(self.now, Path { local: from, remote: to, transport: path.transport }, payload);
        }
    }

    /// Takes a datagram out of its realm, as far as it has to: where it seems to come from, and where it goes.
    fn leave(
        &mut self,
        mut realm: usize,
        mut from: SocketAddr,
        mut to: SocketAddr,
        transport: Transport,
    ) -> Option<(SocketAddr, SocketAddr)> {
        if (self.dead)(from) || (self.dead)(to) {
            return None;
        }
        let mut left = None;
        while !self.is_in(realm, to) {
            if realm == 0 {
                return None;
            }
            let embedded = embedded(to);
            let gate = match (to, embedded) {
                (_, Some(_)) if self.realms[realm].nat64.is_some() => Gate::Nat64,
                (SocketAddr::V4(_), _) => Gate::V4,
                (SocketAddr::V6(_), _) => Gate::V6,
            };
            to = if gate == Gate::Nat64 { embedded.unwrap_or(to) } else { to };
            let now = self.now;
            if let Some(nat) = self.gate(realm, gate) {
                from = nat.outbound(now, from, to, transport)?;
            }
            left = Some(realm);
            realm = self.realms[realm].parent;
        }
        let comes_back =
            left.is_some_and(|left| self.realms[left].v4.as_ref().is_some_and(|nat| nat.owns(to)));
        let hairpins =
            left.is_none_or(|left| self.realms[left].v4.as_ref().is_none_or(|nat| nat.behaviour.hairpinning));
        (!comes_back || hairpins).then_some((from, to))
    }

    fn gate(&mut self, realm: usize, gate: Gate) -> Option<&mut Nat> {
        let realm = &mut self.realms[realm];
        match gate {
            Gate::V4 => realm.v4.as_mut(),
            Gate::V6 => realm.v6.as_mut(),
            Gate::Nat64 => realm.nat64.as_mut(),
        }
    }

    /// Whether an address is that of a host, a server or a box in this very realm, or of a host behind a firewall of it.
    fn is_in(&self, realm: usize, address: SocketAddr) -> bool {
        let is_server = realm == 0 && self.servers.iter().any(|server| server.owns(address));
        let has = |of: usize| self.hosts.iter().any(|host| host.realm == of && host.bound.address == address);
        let is_box = self.realms.iter().enumerate().any(|(n, inner)| {
            let translates =
                |nat: &Option<Nat>| nat.as_ref().is_some_and(|nat| nat.outside() == address.ip());
            n != 0
                && inner.parent == realm
                && (translates(&inner.v4) || translates(&inner.nat64) || (address.is_ipv6() && has(n)))
        });
        is_server || has(realm) || is_box
    }

    /// Hands what arrives at this moment to whom it is for.
    fn deliver(&mut self) {
        while let Some((path, mut payload)) = self.net.receive(self.now) {
            if let Some((host, path)) = self.enter(path) {
                let now = self.now;
                let peer = self.peer(host);
                peer.connection.handle_datagram(now, Datagram { path, ecn: None, payload: &mut payload });
                peer.note_events(now);
            } else if let Some(n) = self.servers.iter().position(|server| server.owns(path.local)) {
                for (path, bytes) in self.servers[n].handle(self.now, path, &payload) {
                    if self.is_in(0, path.remote) && !(self.dead)(path.remote) {
                        self.net.send(self.now, path, &bytes);
                    }
                }
            }
            self.net.recycle(payload);
        }
    }

    /// Takes a datagram into the realm of its receiver: whose it is, and how it sees the way.
    fn enter(&mut self, path: Path) -> Option<(End, Path)> {
        let (mut from, mut to, transport) = (path.remote, path.local, path.transport);
        loop {
            let is_it = |host: &&Host| (host.bound.address, host.bound.transport) == (to, transport);
            if let Some(host) = self.hosts.iter().find(is_it) {
                let (end, realm) = (host.end, host.realm);
                let is_near =
                    self.hosts.iter().any(|other| other.realm == realm && other.bound.address == from);
                if let Some(firewall) = self.realms[realm].v6.as_mut().filter(|_| to.is_ipv6() && !is_near)
                    && embedded(from).is_none()
                {
                    firewall.inbound(self.now, from, to, transport)?;
                }
                return Some((end, Path { local: to, remote: from, transport }));
            }
            let owns = |nat: &Option<Nat>| nat.as_ref().is_some_and(|nat| nat.outside() == to.ip());
            let realm = self.realms.iter().position(|realm| owns(&realm.v4) || owns(&realm.nat64))?;
            let gate = if owns(&self.realms[realm].v4) { Gate::V4 } else { Gate::Nat64 };
            let now = self.now;
            to = self.gate(realm, gate)?.inbound(now, from, to, transport)?;
            if gate == Gate::Nat64 {
                from = embed(from);
            }
        }
    }

    /// The next moment at which anything is due.
    pub fn next(&self) -> Option<Instant> {
        let timeouts = self.peers.iter().filter_map(|peer| peer.connection.poll_timeout());
        let due = self.due.keys().next().map(|(at, _)| *at);
        timeouts.chain(self.net.next_arrival()).chain(due).min()
    }

    fn step(&mut self) {
        let Some(next) = self.next() else { return };
        self.now = self.now.max(next);
        let now = self.now;
        self.deliver();
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Due::Signal(to, candidate) => {
                    // What came before a restart may belong to nobody.
                    let _ = self.connection(to).add_ice_candidate(now, candidate);
                }
                Due::Outcome(end, id, outcome) => self.connection(end).handle_action(now, id, outcome),
            }
        }
        for peer in &mut self.peers {
            if peer.connection.poll_timeout().is_some_and(|at| at <= now) {
                peer.connection.handle_timeout(now);
            }
        }
        self.flush();
    }

    /// Goes on until `done` holds; false if `patience` passes, or nothing more is due, before it does.
    pub fn run(&mut self, patience: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let deadline = self.now + patience;
        self.flush();
        loop {
            if done(self) {
                return true;
            }
            if self.next().is_none_or(|next| next > deadline) {
                self.now = deadline;
                return false;
            }
            self.step();
        }
    }

    /// Lets time pass.
    pub fn idle(&mut self, duration: Duration) {
        self.run(duration, |_| false);
    }

    /// Whether Alice's channel is open and Bob has been told of it.
    pub fn is_open(&mut self) -> bool {
        self.peer(End::Alice).saw(|event| matches!(event, Event::ChannelOpened(_)))
            && self.peer(End::Bob).announced().is_some()
    }
}

/// The prefix of IPv4 addresses as IPv6 hosts see them through NAT64 (RFC 6052 §2.1).
const NAT64_PREFIX: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// The IPv4 address within one of NAT64's.
fn embedded(address: SocketAddr) -> Option<SocketAddr> {
    let IpAddr::V6(ip) = address.ip() else { return None };
    let [a, b, c, d] = [ip.octets()[12], ip.octets()[13], ip.octets()[14], ip.octets()[15]];
    let is_it = ip.segments()[..6] == NAT64_PREFIX;
    is_it.then(|| SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), address.port()))
}

/// An IPv4 address as NAT64 writes it.
pub fn embed(address: SocketAddr) -> SocketAddr {
    let IpAddr::V4(ip) = address.ip() else { return address };
    let [a, b, c, d] = ip.octets().map(u16::from);
    let [p0, p1, p2, p3, p4, p5] = NAT64_PREFIX;
    let ip = Ipv6Addr::new(p0, p1, p2, p3, p4, p5, a << 8 | b, c << 8 | d);
    SocketAddr::new(ip.into(), address.port())
}
