//! A simulated network, itself without I/O: datagrams go in with a moment, and come out at a later one, or never, or twice.
//!
//! Everything random about it is drawn from one seeded generator, so that a failing run can be run again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pavane::{Instant, Path, Transport};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What every way through the network is like.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The time that a datagram takes.
    delay: Duration,
    /// How much longer it may take.
    jitter: Duration,
    /// The share that is lost, outside of bursts.
    loss: f64,
    /// Times of heavier loss.
    bursts: Option<Bursts>,
    /// The share of which a second copy arrives.
    duplication: f64,
    /// The share that is overtaken by what is sent behind it.
    reordering: f64,
    /// How many bytes pass in a second, if that is limited, and how many wait in the queue before it.
    bottleneck: Option<Bottleneck>,
    /// How many bytes each datagram takes in the bottleneck beside its own.
    framing: u64,
    /// The largest datagram that passes.
    mtu: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bottleneck {
    bytes_per_second: u64,
    queue: u64,
}

/// Times of heavier loss, as a chain of two states after Gilbert and Elliott that moves with every datagram.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// The share of datagrams that a burst begins with.
    pub begin: f64,
    /// The share of datagrams in a burst that it ends with; its inverse is a burst's mean length.
    pub end: f64,
    /// The share of datagrams in a burst that is lost.
    pub loss: f64,
}

/// The largest UDP payload of an Ethernet frame with IPv6.
const MTU: usize = 1500 - 40 - 8;

impl Link {
    /// A perfect link with this one-way delay.
    pub const fn with_delay(delay: Duration) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            loss: 0.0,
            bursts: None,
            duplication: 0.0,
            reordering: 0.0,
            bottleneck: None,
            framing: 0,
            mtu: MTU,
        }
    }

    /// Loses this share of datagrams.
    #[must_use]
    pub const fn loss(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    /// Loses more at times.
    #[must_use]
    pub const fn bursts(self, bursts: Bursts) -> Self {
        Self { bursts: Some(bursts), ..self }
    }

    /// Delays each datagram by up to this much more. What is sent later still arrives later.
    #[must_use]
    pub const fn jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// Delivers this share of datagrams twice.
    #[must_use]
    pub const fn duplication(self, duplication: f64) -> Self {
        Self { duplication, ..self }
    }

    /// Has this share of datagrams overtaken by what is sent behind them.
    #[must_use]
    pub const fn reordering(self, reordering: f64) -> Self {
        Self { reordering, ..self }
    }

    /// Lets this much through, and keeps `queue` bytes waiting before it drops.
    #[must_use]
    pub const fn bottleneck(self, bytes_per_second: u64, queue: u64) -> Self {
        Self { bottleneck: Some(Bottleneck { bytes_per_second, queue }), ..self }
    }

    /// Has each datagram take this many bytes more in the bottleneck: the headers of the layers below.
    #[must_use]
    pub const fn framing(self, framing: u64) -> Self {
        Self { framing, ..self }
    }

    /// Drops datagrams larger than this.
    #[must_use]
    pub const fn mtu(self, mtu: usize) -> Self {
        Self { mtu, ..self }
    }
}

/// The network.
pub struct Net {
    link: Link,
    /// The ways that differ, from sender to receiver.
    links: HashMap<(SocketAddr, SocketAddr), Link>,
    rng: ChaCha8Rng,
    down: bool,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    sent: u64,
    /// What is known of each way, from sender to receiver: two hosts share one, whatever the ports.
    ways: HashMap<(IpAddr, IpAddr), Way>,
    spare: Vec<Vec<u8>>,
    /// The hash over what was sent, if anybody wants it.
    trace: Option<u64>,
}

#[derive(Clone, Copy, Default)]
struct Way {
    /// When the bottleneck is free.
    free_at: Instant,
    /// When the last datagram in order arrives.
    last_arrival: Instant,
    in_burst: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct InFlight {
    at: Instant,
    number: u64,
    path: Path,
    payload: Vec<u8>,
}

impl Net {
    /// A network with nothing on its way.
    pub fn new(seed: u64, link: Link) -> Self {
        Self {
            link,
            links: HashMap::new(),
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x6e65_7477_6f72_6b00),
            down: false,
            in_flight: BinaryHeap::new(),
            sent: 0,
            ways: HashMap::new(),
            spare: Vec::new(),
            trace: Some(FNV_OFFSET),
        }
    }

    /// Changes what the ways are like that have no link of their own, for what is sent from here on.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// Gives the way from one address to another a link of its own, for what is sent from here on.
    pub fn set_way(&mut self, from: SocketAddr, to: SocketAddr, link: Link) {
        self.links.insert((from, to), link);
    }

    /// Cuts every way, or joins it again.
    pub fn set_down(&mut self, down: bool) {
        self.down = down;
    }

    /// A hash over everything that was sent: when, where to, and each byte; zero without a trace.
    pub fn trace_hash(&self) -> u64 {
        self.trace.unwrap_or(0)
    }

    /// Keeps no hash over what is sent: with much of it, hashing takes longer than everything else.
    #[must_use]
    pub fn without_trace(self) -> Self {
        Self { trace: None, ..self }
    }

    /// How long a datagram that is sent at this moment waits in the bottleneck's queue.
    pub fn queueing(&self, now: Instant, from: IpAddr, to: IpAddr) -> Duration {
        self.ways.get(&(from, to)).map_or(Duration::ZERO, |way| way.free_at.max(now) - now)
    }

    /// How many datagrams were sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Takes a datagram; `path` is the sender's.
    pub fn send(&mut self, now: Instant, path: Path, payload: &[u8]) {
        self.sent += 1;
        self.note(now, path, payload);
        let link = self.links.get(&(path.local, path.remote)).copied().unwrap_or(self.link);
        let lost = self.chance(link.loss);
        let twice = self.chance(link.duplication);
        let lost = link.bursts.is_some_and(|bursts| self.lost_in_burst(bursts, path)) || lost;
        // A stream loses nothing; that it repeats what is lost is in its delay.
        let lost = lost && path.transport == Transport::Udp;
        let too_large = payload.len() > link.mtu && path.transport == Transport::Udp;
        if lost || self.down || too_large {
            return;
        }
        let Some(leaves) = self.leave(now, link, path, payload.len() as u64) else { return };
        for _ in 0..=usize::from(twice) {
            let at = self.arrival(leaves, link, path);
            let mut copy = self.spare.pop().unwrap_or_default();
            copy.extend_from_slice(payload);
            let path = Path { local: path.remote, remote: path.local, ..path };
            let number = self.sent;
            self.in_flight.push(Reverse(InFlight { at, number, path, payload: copy }));
        }
    }

    /// Moves the way's chain on by one datagram, and tells whether that one is lost in a burst.
    fn lost_in_burst(&mut self, bursts: Bursts, path: Path) -> bool {
        let (begins, ends, loses) =
            (self.chance(bursts.begin), self.chance(bursts.end), self.chance(bursts.loss));
        let way = self.way(path);
        let in_burst = way.in_burst || begins;
        way.in_burst = in_burst && !ends;
        in_burst && loses
    }

    fn way(&mut self, path: Path) -> &mut Way {
        self.ways.entry((path.local.ip(), path.remote.ip())).or_default()
    }

    /// When a datagram of this length has passed the bottleneck; never, if its queue is full.
    fn leave(&mut self, now: Instant, link: Link, path: Path, len: u64) -> Option<Instant> {
        let Some(Bottleneck { bytes_per_second, queue }) = link.bottleneck else { return Some(now) };
        let way = self.way(path);
        let begins = way.free_at.max(now);
        let nanos = |bytes: u64| Duration::from_nanos(bytes * 1_000_000_000 / bytes_per_second);
        if begins - now > nanos(queue) {
            return None;
        }
        way.free_at = begins + nanos(len + link.framing);
        Some(way.free_at)
    }

    fn arrival(&mut self, leaves: Instant, link: Link, path: Path) -> Instant {
        let at = leaves + link.delay + self.random_share(link.jitter);
        let overtaken = self.chance(link.reordering);
        let late = self.random_share(link.delay + link.jitter);
        if overtaken {
            return at + late;
        }
        let way = self.way(path);
        way.last_arrival = way.last_arrival.max(at);
        way.last_arrival
    }

    /// When the next datagram arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.in_flight.peek().map(|Reverse(next)| next.at)
    }

    /// A datagram that has arrived by `now`, with the path as the receiver sees it.
    pub fn receive(&mut self, now: Instant) -> Option<(Path, Vec<u8>)> {
        self.next_arrival().filter(|at| *at <= now)?;
        let Reverse(arrived) = self.in_flight.pop()?;
        Some((arrived.path, arrived.payload))
    }

    /// Takes a buffer back.
    pub fn recycle(&mut self, mut payload: Vec<u8>) {
        payload.clear();
        self.spare.push(payload);
    }

    fn chance(&mut self, share: f64) -> bool {
        let draw = self.rng.next_u32();
        f64::from(draw) < share * (f64::from(u32::MAX) + 1.0)
    }

    fn random_share(&mut self, of: Duration) -> Duration {
        let draw = u64::from(self.rng.next_u32());
        Duration::from_nanos((of.as_nanos() as u64 / 1024).saturating_mul(draw % 1024))
    }

    /// FNV-1a over moment, path and payload.
    fn note(&mut self, now: Instant, path: Path, payload: &[u8]) {
        let Some(mut hash) = self.trace else { return };
        let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        now.as_nanos().to_be_bytes().into_iter().for_each(&mut add);
        for address in [path.local, path.remote] {
            match address.ip() {
                IpAddr::V4(ip) => ip.octets().into_iter().for_each(&mut add),
                IpAddr::V6(ip) => ip.octets().into_iter().for_each(&mut add),
            }
            address.port().to_be_bytes().into_iter().for_each(&mut add);
        }
        add(path.transport as u8);
        payload.iter().copied().for_each(&mut add);
        self.trace = Some(hash);
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests;
