//! Two associations that talk to each other over a network made of a seed.

mod handshake;
mod hostile;
mod interleaving;
mod lossy;
mod partial;
mod path;
mod path_mtu;
mod shutdown;
mod streams;
mod window;

use alloc::collections::{BTreeMap, BTreeSet};
use std::vec::Vec;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::*;

/// What the network does to packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Of a thousand packets so many are lost.
    pub(super) loss: u64,
    /// Of a thousand packets so many come twice.
    pub(super) duplication: u64,
    pub(super) delay: Duration,
    /// Each packet takes up to this much longer, so that packets overtake each other.
    pub(super) jitter: Duration,
}

impl Weather {
    pub(super) const CLEAR: Self =
        Self { loss: 0, duplication: 0, delay: Duration::from_millis(10), jitter: Duration::ZERO };
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    A,
    B,
}

/// Two associations, the time, and the packets between them.
pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) a: Association,
    pub(super) b: Association,
    pub(super) weather: Weather,
    pub(super) events: Vec<(Side, Event)>,
    /// Every packet that was sent, in order: by whom, its bytes.
    pub(super) sent: Vec<(Side, Vec<u8>)>,
    wire: BTreeMap<(Instant, u64), (Side, Vec<u8>)>,
    count: u64,
    rng: ChaCha8Rng,
    pub(super) record: bool,
    /// The largest packet that passes.
    pub(super) mtu: usize,
}

impl Pair {
    /// Two that interleave, if the seed is even.
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        let config = || Config { interleaving: seed.is_multiple_of(2), ..Config::default() };
        Self::with(seed, weather, config(), config())
    }

    pub(super) fn with(seed: u64, weather: Weather, a: Config, b: Config) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (a, b) = (Association::new(a, &mut rng), Association::new(b, &mut rng));
        Self {
            now: Instant::from_millis(1000),
            a,
            b,
            weather,
            events: Vec::new(),
            sent: Vec::new(),
            wire: BTreeMap::new(),
            count: 0,
            rng,
            record: false,
            mtu: usize::MAX,
        }
    }

    /// A pair that does not interleave, which has connected over a clear network.
    pub(super) fn plain(seed: u64) -> Self {
        let config = || Config { interleaving: false, ..Config::default() };
        let mut pair = Self::with(seed, Weather::CLEAR, config(), config());
        pair.connect();
        pair
    }

    /// A pair that has connected over a clear network.
    pub(super) fn connected(seed: u64) -> Self {
        let mut pair = Self::with(seed, Weather::CLEAR, Config::default(), Config::default());
        pair.connect();
        pair
    }

    pub(super) fn connect(&mut self) {
        self.a.connect(self.now);
        self.b.connect(self.now);
        let both = |p: &mut Self| p.a.state() == State::Established && p.b.state() == State::Established;
        assert!(self.run(Duration::from_secs(60), both), "they do not connect");
    }

    pub(super) fn side(&mut self, side: Side) -> &mut Association {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// Lets time pass until `done`, at most so long; whether it came to that.
    pub(super) fn run(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.flush();
            if done(self) {
                return true;
            }
            self.flush();
            let next_packet = self.wire.keys().next().map(|(at, _)| *at);
            let timers = [self.a.poll_timeout(), self.b.poll_timeout(), next_packet];
            let Some(next) = timers.into_iter().flatten().min().filter(|at| *at <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self.wire.first_entry().filter(|e| e.key().0 <= self.now) {
                let (to, packet) = entry.remove();
                let now = self.now;
                self.side(to).handle_packet(now, &packet);
            }
            for side in [Side::A, Side::B] {
                let now = self.now;
                if self.side(side).poll_timeout().is_some_and(|at| at <= now) {
                    self.side(side).handle_timeout(now);
                }
            }
        }
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        self.run(time, |_| false);
    }

    /// Takes every packet and every event.
    pub(super) fn flush(&mut self) {
        for side in [Side::A, Side::B] {
            loop {
                let now = self.now;
                let mut packet = Vec::new();
                let Some(len) = self.side(side).poll_transmit(now, &mut packet) else { break };
                assert_eq!(len, packet.len());
                assert!(len <= self.side(side).max_packet());
                self.post(side, packet);
            }
            let mut probe = Vec::new();
            if self.side(side).poll_probe(&mut probe).is_some() {
                assert!(probe.len() > self.side(side).max_packet());
                self.post(side, probe);
            }
            while let Some(event) = self.side(side).poll_event() {
                self.events.push((side, event));
            }
        }
    }

    fn post(&mut self, from: Side, packet: Vec<u8>) {
        let to = if from == Side::A { Side::B } else { Side::A };
        if self.record {
            self.sent.push((from, packet.clone()));
        }
        let copies = 1 + u32::from(self.chance(self.weather.duplication));
        for _ in 0..copies {
            if packet.len() > self.mtu || self.chance(self.weather.loss) {
                continue;
            }
            let jitter = self.weather.jitter.as_nanos() as u64;
            let late = if jitter == 0 { 0 } else { self.rng.next_u64() % jitter };
            let at = self.now + self.weather.delay + Duration::from_nanos(late);
            self.count += 1;
            self.wire.insert((at, self.count), (to, packet.clone()));
        }
    }

    /// Loses everything that is under way.
    pub(super) fn lose_all(&mut self) {
        self.wire.clear();
    }

    fn chance(&mut self, of_thousand: u64) -> bool {
        of_thousand > 0 && self.rng.next_u64() % 1000 < of_thousand
    }

    pub(super) fn random(&mut self, below: u64) -> u64 {
        self.rng.next_u64() % below
    }

    pub(super) fn send(&mut self, side: Side, stream: u16, payload: impl Into<Bytes>, options: SendOptions) {
        let now = self.now;
        self.side(side)
            .send(now, StreamId(stream), Ppid(53), payload.into(), options)
            .expect("it is accepted");
    }

    pub(super) fn recv(&mut self, side: Side, stream: u16) -> Option<Bytes> {
        self.side(side).recv(StreamId(stream)).map(|message| message.payload)
    }

    pub(super) fn has_event(&self, side: Side, event: &Event) -> bool {
        self.events.iter().any(|(who, what)| *who == side && what == event)
    }

    pub(super) fn count_events(&self, side: Side, event: &Event) -> usize {
        self.events.iter().filter(|(who, what)| *who == side && what == event).count()
    }
}

/// A message that tells its number and its length, so that a wrong byte anywhere shows.
pub(super) fn numbered(number: u32, len: usize) -> Bytes {
    let mut bytes: Vec<u8> = number.to_be_bytes().to_vec();
    bytes.extend((4..len.max(4)).map(|i| (i as u32 ^ number) as u8));
    bytes.into()
}

/// The number of such a message.
pub(super) fn number_of(message: &Bytes) -> u32 {
    let number = u32::from_be_bytes(*message.first_chunk().expect("a number"));
    assert_eq!(*message, numbered(number, message.len()), "a byte is wrong");
    number
}

/// Whether the numbers are all of these, each once.
pub(super) fn is_complete(numbers: &[u32], count: u32) -> bool {
    let set: BTreeSet<u32> = numbers.iter().copied().collect();
    numbers.len() == count as usize && set == (0..count).collect()
}

pub(super) const UNORDERED: SendOptions =
    SendOptions { ordered: false, reliability: crate::send::Reliability::Reliable, counted: true };
