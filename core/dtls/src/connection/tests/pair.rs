//! Two connections and a pipe between them that loses, doubles and delays, all from one seed.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use pavane_base::{Epoch, Instant, earliest};
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Certificate, Fingerprint, HashAlgorithm, Provider};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{Config, Connection, Event, Record, Role, State};

pub(super) fn provider() -> Arc<dyn Provider> {
    Arc::new(SoftwareProvider)
}

/// Configurations of the client and the server, the same for all tests: keys take time to make.
pub(super) fn config(role: Role) -> Config {
    static CERTIFICATES: OnceLock<[Certificate; 2]> = OnceLock::new();
    let [client, server] = CERTIFICATES.get_or_init(|| {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) };
        [(), ()].map(|()| Certificate::generate(&*provider(), &mut rng, &epoch))
    });
    let certificate = if role == Role::Client { client } else { server };
    Config::new(provider(), certificate.clone())
}

pub(super) fn fingerprint(role: Role) -> Fingerprint {
    config(role).certificate.fingerprint(&*provider(), HashAlgorithm::Sha256)
}

const fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// What the pipe does to datagrams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults {
    pub(super) latency: Duration,
    /// Percent of datagrams lost.
    pub(super) loss: u32,
    /// Percent of datagrams doubled.
    pub(super) duplication: u32,
    /// Percent of datagrams delayed by up to four latencies more.
    pub(super) reordering: u32,
    /// Percent of datagrams of which an octet is garbled.
    pub(super) garbling: u32,
}

impl Faults {
    pub(super) const NONE: Self =
        Self { latency: Duration::from_millis(50), loss: 0, duplication: 0, reordering: 0, garbling: 0 };
}

/// A datagram that was sent, whether it arrived or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) from: Role,
    pub(super) bytes: Vec<u8>,
}

pub(super) struct Side {
    pub(super) connection: Connection,
    pub(super) rng: ChaCha8Rng,
    pub(super) events: Vec<(Instant, Event)>,
    pub(super) received: Vec<Vec<u8>>,
}

pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) client: Side,
    pub(super) server: Side,
    pub(super) sent: Vec<Sent>,
    pub(super) faults: Faults,
    /// Replaces the datagram of a number on its way.
    pub(super) replace: Option<(usize, Vec<u8>)>,
    wire: BTreeMap<(Instant, usize), (Role, Vec<u8>)>,
    chance: ChaCha8Rng,
    counter: usize,
}

impl Side {
    fn new(config: Config, role: Role, seed: u64) -> Self {
        Self {
            connection: Connection::new(Arc::new(config), role),
            rng: ChaCha8Rng::seed_from_u64(seed),
            events: vec![],
            received: vec![],
        }
    }

    pub(super) fn deliver(&mut self, now: Instant, datagram: &[u8]) {
        let mut bytes = datagram.to_vec();
        let mut rest = &mut bytes[..];
        while let Some(record) = self.connection.handle_record(now, &mut self.rng, &mut rest) {
            if let Record::ApplicationData(data) = record {
                self.received.push(data.to_vec());
            }
        }
        assert!(rest.is_empty());
    }

    pub(super) fn seal(&mut self, data: &[u8]) -> Vec<u8> {
        let mut record = vec![0; self.connection.headroom()];
        record.extend_from_slice(data);
        self.connection.seal(&mut record, 0).unwrap();
        record
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.state() == State::Connected
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.connection.state(), State::Closed | State::Failed)
    }

    pub(super) fn connected_at(&self) -> Option<Instant> {
        self.events.iter().find(|(_, event)| *event == Event::Connected).map(|(at, _)| *at)
    }
}

impl Pair {
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, config(Role::Client), config(Role::Server))
    }

    pub(super) fn with(seed: u64, client: Config, server: Config) -> Self {
        let mut pair = Self {
            now: Instant::from_millis(1000),
            client: Side::new(client, Role::Client, seed),
            server: Side::new(server, Role::Server, seed + 1),
            sent: vec![],
            faults: Faults::NONE,
            replace: None,
            wire: BTreeMap::new(),
            chance: ChaCha8Rng::seed_from_u64(seed),
            counter: 0,
        };
        pair.client.connection.set_remote_fingerprints(vec![fingerprint(Role::Server)]);
        pair.server.connection.set_remote_fingerprints(vec![fingerprint(Role::Client)]);
        for role in [Role::Client, Role::Server] {
            pair.side(role).connection.set_round_trip_time(Duration::from_millis(100));
        }
        pair
    }

    pub(super) fn side(&mut self, role: Role) -> &mut Side {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    pub(super) fn start(&mut self) {
        let now = self.now;
        for role in [Role::Client, Role::Server] {
            let side = self.side(role);
            side.connection.start(now, &mut side.rng);
        }
    }

    /// Puts a datagram on the wire by hand.
    pub(super) fn send(&mut self, from: Role, bytes: Vec<u8>) {
        self.wire.insert((self.now + self.faults.latency, self.counter), (other(from), bytes));
        self.counter += 1;
    }

    /// Lets time pass until `done`, or nothing is left to happen, or two minutes are over.
    pub(super) fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let end = self.now + Duration::from_secs(120);
        loop {
            for role in [Role::Client, Role::Server] {
                self.flush(role);
            }
            if done(self) {
                return;
            }
            let timers =
                earliest(self.client.connection.poll_timeout(), self.server.connection.poll_timeout());
            let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = earliest(timers, arrival) else { return };
            if next > end {
                return;
            }
            self.now = self.now.max(next);
            self.step();
        }
    }

    pub(super) fn run(&mut self) {
        self.run_until(|_| false);
    }

    pub(super) fn connect(&mut self) {
        self.start();
        self.run_until(|pair| pair.client.is_connected() && pair.server.is_connected());
        assert!(self.client.is_connected(), "client: {:?}", self.client.events);
        assert!(self.server.is_connected(), "server: {:?}", self.server.events);
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, bytes) = entry.remove();
            self.side(to).deliver(now, &bytes);
            self.collect(to);
        }
        for role in [Role::Client, Role::Server] {
            let side = self.side(role);
            side.connection.handle_timeout(now, &mut side.rng);
            self.collect(role);
        }
    }

    fn collect(&mut self, role: Role) {
        let now = self.now;
        let side = self.side(role);
        while let Some(event) = side.connection.poll_event() {
            side.events.push((now, event));
        }
        while let Some(data) = side.connection.poll_early_data() {
            side.received.push(data);
        }
    }

    fn flush(&mut self, from: Role) {
        let now = self.now;
        self.collect(from);
        loop {
            let mut bytes = vec![];
            let Some(len) = self.side(from).connection.poll_transmit(now, &mut bytes) else { return };
            assert_eq!(len, bytes.len());
            let number = self.sent.len();
            self.sent.push(Sent { at: now, from, bytes: bytes.clone() });
            if let Some((_, replacement)) = self.replace.take_if(|(replaced, _)| *replaced == number) {
                bytes = replacement;
            }
            self.transport(from, bytes);
        }
    }

    fn transport(&mut self, from: Role, bytes: Vec<u8>) {
        let Faults { latency, loss, duplication, reordering, garbling } = self.faults;
        let copies = 1 + usize::from(self.happens(duplication));
        for _ in 0..copies {
            if self.happens(loss) {
                continue;
            }
            let mut bytes = bytes.clone();
            if self.happens(garbling) && !bytes.is_empty() {
                let index = self.chance.next_u32() as usize % bytes.len();
                bytes[index] = self.chance.next_u32() as u8;
            }
            let late = match self.happens(reordering) {
                true => latency * (1 + self.chance.next_u32() % 4),
                false => Duration::ZERO,
            };
            self.wire.insert((self.now + latency + late, self.counter), (other(from), bytes));
            self.counter += 1;
        }
    }

    fn happens(&mut self, percent: u32) -> bool {
        percent > 0 && self.chance.next_u32() % 100 < percent
    }
}
