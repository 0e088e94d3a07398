//! A simulated network, itself without I/O: datagrams go in with a moment, and come out at a later one, or never, or twice.
//!
//! Everything random about it is drawn from one seeded generator, so that a failing run can be run again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use pavane::{Instant, Path};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What every way through the network is like.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The time that a datagram takes.
    delay: Duration,
    /// How much longer it may take.
    jitter: Duration,
    /// The share that is lost.
    loss: f64,
    /// The share of which a second copy arrives.
    duplication: f64,
    /// The share that is overtaken by what is sent behind it.
    reordering: f64,
    /// How many bytes pass in a second, if that is limited, and how many wait in the queue before it.
    bottleneck: Option<Bottleneck>,
    /// The largest datagram that passes.
    mtu: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bottleneck {
    bytes_per_second: u64,
    queue: u64,
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
            duplication: 0.0,
            reordering: 0.0,
            bottleneck: None,
            mtu: MTU,
        }
    }

    /// Loses this share of datagrams.
    #[must_use]
    pub const fn loss(self, loss: f64) -> Self {
        Self { loss, ..self }
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

    /// Drops datagrams larger than this.
    #[must_use]
    pub const fn mtu(self, mtu: usize) -> Self {
        Self { mtu, ..self }
    }
}

/// The network.
pub struct Net {
    link: Link,
    rng: ChaCha8Rng,
    down: bool,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    sent: u64,
    /// For each direction, when the bottleneck is free and when the last datagram in order arrives.
    ways: HashMap<(SocketAddr, SocketAddr), Way>,
    spare: Vec<Vec<u8>>,
    trace: u64,
}

#[derive(Clone, Copy, Default)]
struct Way {
    free_at: Instant,
    last_arrival: Instant,
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
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x6e65_7477_6f72_6b00),
            down: false,
            in_flight: BinaryHeap::new(),
            sent: 0,
            ways: HashMap::new(),
            spare: Vec::new(),
            trace: FNV_OFFSET,
        }
    }

    /// Changes what the ways are like, for what is sent from here on.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// Cuts every way, or joins it again.
    pub fn set_down(&mut self, down: bool) {
        self.down = down;
    }

    /// A hash over everything that was sent: when, where to, and each byte.
    pub fn trace_hash(&self) -> u64 {
        self.trace
    }

    /// How many datagrams were sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Takes a datagram; `path` is the sender's.
    pub fn send(&mut self, now: Instant, path: Path, payload: &[u8]) {
        self.sent += 1;
        self.note(now, path, payload);
        let lost = self.chance(self.link.loss);
        let twice = self.chance(self.link.duplication);
        if lost || self.down || payload.len() > self.link.mtu {
            return;
        }
        let Some(leaves) = self.leave(now, path, payload.len() as u64) else { return };
        for _ in 0..=usize::from(twice) {
            let at = self.arrival(leaves, path);
            let mut copy = self.spare.pop().unwrap_or_default();
            copy.extend_from_slice(payload);
            let path = Path { local: path.remote, remote: path.local, ..path };
            let number = self.sent;
            self.in_flight.push(Reverse(InFlight { at, number, path, payload: copy }));
        }
    }

    /// When a datagram of this length has passed the bottleneck; never, if its queue is full.
    fn leave(&mut self, now: Instant, path: Path, len: u64) -> Option<Instant> {
        let Some(Bottleneck { bytes_per_second, queue }) = self.link.bottleneck else { return Some(now) };
        let way = self.ways.entry((path.local, path.remote)).or_default();
        let begins = way.free_at.max(now);
        let nanos = |bytes: u64| Duration::from_nanos(bytes * 1_000_000_000 / bytes_per_second);
        if begins - now > nanos(queue) {
            return None;
        }
        way.free_at = begins + nanos(len);
        Some(way.free_at)
    }

    fn arrival(&mut self, leaves: Instant, path: Path) -> Instant {
        let at = leaves + self.link.delay + self.random_share(self.link.jitter);
        let overtaken = self.chance(self.link.reordering);
        let late = self.random_share(self.link.delay + self.link.jitter);
        let way = self.ways.entry((path.local, path.remote)).or_default();
        if overtaken {
            return at + late;
        }
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
        f64::from(draw) < share * f64::from(u32::MAX)
    }

    fn random_share(&mut self, of: Duration) -> Duration {
        let draw = u64::from(self.rng.next_u32());
        Duration::from_nanos((of.as_nanos() as u64 / 1024).saturating_mul(draw % 1024))
    }

    /// FNV-1a over moment, path and payload.
    fn note(&mut self, now: Instant, path: Path, payload: &[u8]) {
        let mut hash = self.trace;
        let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        now.as_nanos().to_be_bytes().into_iter().for_each(&mut add);
        format!("{path:?}").into_bytes().into_iter().for_each(&mut add);
        payload.iter().copied().for_each(&mut add);
        self.trace = hash;
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use pavane::Transport;

    use super::*;

    fn path() -> Path {
        let (local, remote) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.2:2".parse().unwrap());
        Path { local, remote, transport: Transport::Udp }
    }

    /// The numbers of the datagrams in the order of their arrival, with the times of it.
    fn run(seed: u64, link: Link, count: u32) -> Vec<(u32, Duration)> {
        let mut net = Net::new(seed, link);
        let start = Instant::from_millis(1);
        for n in 0..count {
            net.send(start, path(), &n.to_be_bytes());
        }
        let mut arrived = Vec::new();
        while let Some(at) = net.next_arrival() {
            let (seen, payload) = net.receive(at).unwrap();
            assert_eq!((seen.local, seen.remote), (path().remote, path().local));
            arrived.push((u32::from_be_bytes(payload.try_into().unwrap()), at - start));
        }
        arrived
    }

    #[test]
    fn a_perfect_link_delivers_all_in_order_after_its_delay() {
        let delay = Duration::from_millis(7);
        let expected: Vec<_> = (0..100).map(|n| (n, delay)).collect();
        assert_eq!(run(1, Link::with_delay(delay), 100), expected);
    }

    #[test]
    fn shares_of_loss_and_duplication_are_kept() {
        let link = Link::with_delay(Duration::from_millis(1));
        let arrived = run(2, link.loss(0.3), 10_000).len();
        assert!((6_800..7_200).contains(&arrived), "{arrived}");
        let arrived = run(3, link.duplication(0.1), 10_000).len();
        assert!((10_800..11_200).contains(&arrived), "{arrived}");
    }

    #[test]
    fn jitter_keeps_the_order_and_reordering_does_not() {
        let sorted = |arrived: &[(u32, Duration)]| arrived.windows(2).all(|w| w[0].0 < w[1].0);
        let link = Link::with_delay(Duration::from_millis(10)).jitter(Duration::from_millis(10));
        let arrived = run(4, link, 1000);
        assert!(sorted(&arrived));
        assert!(arrived.iter().all(|(_, at)| (10..20).contains(&at.as_millis())));
        assert!(!sorted(&run(5, link.reordering(0.1), 1000)));
    }

    #[test]
    fn a_bottleneck_spreads_what_passes_and_drops_what_does_not_fit() {
        let link = Link::with_delay(Duration::ZERO).bottleneck(1000, 40);
        let arrived = run(6, link, 100);
        assert_eq!(arrived.len(), 11, "one on the way and forty bytes in the queue");
        assert_eq!(arrived[10].1, Duration::from_millis(44));
    }

    #[test]
    fn the_same_seed_does_the_same() {
        let link = Link::with_delay(Duration::from_millis(10)).loss(0.2).duplication(0.1).reordering(0.2);
        assert_eq!(run(7, link, 500), run(7, link, 500));
        assert_ne!(run(7, link, 500), run(8, link, 500));
    }
}
