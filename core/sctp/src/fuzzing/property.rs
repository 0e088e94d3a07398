//! What has to hold whatever the network and the application do: reliable messages arrive once, in order where they are
//! ordered; others at most once; resets begin new counts on both sides; nothing is left behind.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use pavane_base::{Instant, WriteExt};
use rand_core::{TryCryptoRng, TryRng};

use crate::{
    Association, CloseReason, Config, CongestionAlgorithm, Event, Ppid, Reliability, SendError, SendOptions,
    State, StreamId,
};

/// Runs two associations through a life that the seed decides: set-up, some minutes of sending, reading, resetting and
/// waiting over a bad network, a recovery of the network, and a graceful end.
///
/// # Panics
/// If anything does not hold.
pub fn life(seed: u64) {
    let mut life = Life::new(seed);
    life.connect();
    let steps = 20 + life.rng.below(120);
    for _ in 0..steps {
        life.operate();
        let pause = life.rng.below(40);
        life.run(Duration::from_millis(pause));
    }
    life.recover();
    life.end();
}

struct Life {
    seed: u64,
    now: Instant,
    ends: [End; 2],
    rng: SplitMix,
    weather: Weather,
    /// The largest packet that passes.
    mtu: usize,
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    count: u64,
}

#[derive(Clone, Copy)]
struct Weather {
    loss: u64,
    duplication: u64,
    delay: u64,
    jitter: u64,
}

/// One side, what it has sent and what it has read.
struct End {
    association: Association,
    reads: bool,
    next: u32,
    /// How often each stream was reset by us, and whether a reset is under way.
    epochs: BTreeMap<u16, u32>,
    resetting: BTreeSet<u16>,
    /// What the peer must get.
    reliable: BTreeSet<u32>,
    /// What we got of the peer.
    seen: BTreeSet<u32>,
    /// The last ordered message of each stream of the peer, and its epoch.
    last: BTreeMap<u16, (u32, u32)>,
    closed: Option<CloseReason>,
}

const STREAMS: u64 = 6;

impl Life {
    fn new(seed: u64) -> Self {
        let mut rng = SplitMix(seed);
        let weather = Weather {
            loss: [0, 10, 50, 150, 300][rng.below(5) as usize],
            duplication: rng.below(100),
            delay: 1 + rng.below(60),
            jitter: [0, 1, 20, 80][rng.below(4) as usize],
        };
        let congestion =
            [CongestionAlgorithm::Model, CongestionAlgorithm::Cubic, CongestionAlgorithm::Rfc9260]
                [rng.below(3) as usize];
        let window = [20_000, 100_000, 1 << 20][rng.below(3) as usize];
        let config = |rng: &mut SplitMix| Config {
            // Fragments alternate and checksums are left out where both ends want it.
            interleaving: rng.below(4) != 0,
            zero_checksum: rng.below(4) != 0,
            congestion,
            receive_window: window,
            max_receive_window: window * 2,
            max_message_size: 40_000,
            max_buffered_send: 300_000,
            ..Config::default()
        };
        let configs = [config(&mut rng), config(&mut rng)];
        let ends = configs.map(|config| End::new(Association::new(config, &mut rng)));
        let now = Instant::from_millis(1);
        let mtu = 1200 + rng.below(500) as usize;
        Self { seed, now, ends, rng, weather, mtu, wire: BTreeMap::new(), count: 0 }
    }

    fn connect(&mut self) {
        let now = self.now;
        self.ends[0].association.connect(now);
        let later = self.rng.below(200);
        self.run(Duration::from_millis(later));
        let now = self.now;
        self.ends[1].association.connect(now);
        for _ in 0..600 {
            if self.ends.iter().all(|end| end.association.state() == State::Established) {
                return;
            }
            self.run(Duration::from_millis(100));
        }
        panic!("seed {}: they do not connect", self.seed);
    }

    /// Something that an application may do.
    fn operate(&mut self) {
        let side = self.rng.below(2) as usize;
        let stream = StreamId(self.rng.below(STREAMS) as u16);
        let now = self.now;
        match self.rng.below(12) {
            0..=7 => {
                let ordered = self.rng.below(3) != 0;
                let reliability = match self.rng.below(5) {
                    0 => Reliability::MaxRetransmits(self.rng.below(3) as u16),
                    1 => Reliability::MaxLifetime(Duration::from_millis(self.rng.below(300))),
                    _ => Reliability::Reliable,
                };
                let size = [8, 200, 1150, 1200, 6000, 30_000][self.rng.below(6) as usize]
                    + self.rng.below(7) as usize;
                let options = SendOptions { ordered, reliability, counted: self.rng.below(5) != 0 };
                (0..1 + self.rng.below(4)).for_each(|_| self.ends[side].send(now, stream, size, options));
            }
            8 => self.ends[side].reset(now, stream),
            9 => self.ends[side].reads ^= true,
            10 if self.rng.below(3) == 0 => self.mtu = 1200 + self.rng.below(500) as usize,
            10 => self.ends[side].association.set_weight(stream, 1 + self.rng.below(2000) as u16),
            _ => {
                // A silence, or a path that is gone for a while.
                let loss =
                    core::mem::replace(&mut self.weather.loss, if self.rng.below(2) == 0 { 1000 } else { 0 });
                let pause = self.rng.below(3000);
                self.run(Duration::from_millis(pause));
                self.weather.loss = loss;
            }
        }
    }

    /// The network is well again, everybody reads: what has to arrive does, and nothing is left.
    fn recover(&mut self) {
        self.weather.loss = self.weather.loss.min(20);
        self.ends.iter_mut().for_each(|end| end.reads = true);
        for _ in 0..1200 {
            self.run(Duration::from_millis(100));
            let [a, b] = &self.ends;
            let arrived = a.reliable.is_subset(&b.seen) && b.reliable.is_subset(&a.seen);
            let settled = self.ends.iter().all(|end| end.resetting.is_empty());
            if arrived && settled && self.ends.iter().all(|end| end.association.is_at_rest()) {
                return;
            }
        }
        let missing: Vec<_> = (0..2)
            .map(|side| {
                self.ends[side].reliable.difference(&self.ends[1 - side].seen).copied().collect::<Vec<_>>()
            })
            .collect();
        let ends = self.ends.each_ref().map(|end| (end.association.stats(), end.association.counters()));
        panic!("seed {}: {missing:?} do not arrive, or something is left: {ends:?}", self.seed);
    }

    fn end(&mut self) {
        self.weather.loss = 0;
        let now = self.now;
        let side = self.rng.below(2) as usize;
        self.ends[side].association.shutdown(now);
        self.run(Duration::from_secs(10));
        for end in &self.ends {
            assert_eq!(end.closed, Some(CloseReason::Shutdown), "seed {}", self.seed);
            assert!(end.association.is_at_rest(), "seed {}: something is left", self.seed);
        }
    }

    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.flush();
            let timers = self.ends.iter().filter_map(|end| end.association.poll_timeout());
            let next = timers.chain(self.wire.keys().next().map(|(at, _)| *at)).min();
            let Some(next) = next.filter(|at| *at <= until) else { break };
            self.now = self.now.max(next);
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, packet) = entry.remove();
                self.ends[to].association.handle_packet(self.now, &packet);
            }
            for end in &mut self.ends {
                if end.association.poll_timeout().is_some_and(|at| at <= self.now) {
                    end.association.handle_timeout(self.now);
                }
            }
        }
        self.now = until;
        self.ends.iter().for_each(|end| end.association.audit());
    }

    fn flush(&mut self) {
        for side in 0..2 {
            self.ends[side].attend(self.seed);
            let mut packet = Vec::new();
            while self.ends[side].poll(self.now, &mut packet) {
                let copies = 1 + u64::from(self.rng.below(1000) < self.weather.duplication);
                for _ in 0..copies {
                    if packet.len() > self.mtu || self.rng.below(1000) < self.weather.loss {
                        continue;
                    }
                    let late = self.weather.delay * 1000 + self.rng.below(self.weather.jitter * 1000 + 1);
                    self.count += 1;
                    let at = self.now + Duration::from_micros(late);
                    self.wire.insert((at, self.count), (1 - side, packet.clone()));
                }
                packet.clear();
            }
        }
    }
}

impl End {
    fn new(association: Association) -> Self {
        Self {
            association,
            reads: true,
            next: 0,
            epochs: BTreeMap::new(),
            resetting: BTreeSet::new(),
            reliable: BTreeSet::new(),
            seen: BTreeSet::new(),
            last: BTreeMap::new(),
            closed: None,
        }
    }

    /// Sends a message that tells its number, its epoch, whether it is ordered, and a pattern.
    fn send(&mut self, now: Instant, stream: StreamId, size: usize, options: SendOptions) {
        let number = self.next;
        let epoch = self.epochs.get(&stream.0).copied().unwrap_or(0);
        let mut payload = Vec::with_capacity(size + 12);
        payload.put_u32(number);
        payload.put_u32(epoch << 1 | u32::from(options.ordered));
        payload.extend((payload.len()..size).map(|at| (at as u32 ^ number) as u8));
        match self.association.send(now, stream, Ppid(53), Bytes::from(payload), options) {
            Ok(()) => {
                self.next += 1;
                if options.reliability == Reliability::Reliable {
                    self.reliable.insert(number);
                }
            }
            Err(SendError::Resetting) => assert!(self.resetting.contains(&stream.0)),
            Err(error) => assert_eq!(error, SendError::Full),
        }
    }

    fn reset(&mut self, now: Instant, stream: StreamId) {
        if self.resetting.insert(stream.0) {
            self.association.reset_streams(now, &[stream]);
        }
    }

    /// The next packet, or a probe.
    fn poll(&mut self, now: Instant, packet: &mut Vec<u8>) -> bool {
        self.association.poll_transmit(now, packet).is_some() || self.association.poll_probe(packet).is_some()
    }

    fn attend(&mut self, seed: u64) {
        while let Some(event) = self.association.poll_event() {
            match event {
                Event::StreamsReset(streams) => {
                    for stream in streams {
                        assert!(self.resetting.remove(&stream.0), "seed {seed}: nobody asked");
                        *self.epochs.entry(stream.0).or_default() += 1;
                    }
                }
                Event::ResetFailed(_) => panic!("seed {seed}: a reset failed"),
                Event::Closed(reason) => self.closed = Some(reason),
                _ => {}
            }
        }
        if self.reads {
            (0..STREAMS as u16).for_each(|stream| {
                while let Some(message) = self.association.recv(StreamId(stream)) {
                    self.read(seed, stream, &message.payload);
                }
            });
        }
    }

    fn read(&mut self, seed: u64, stream: u16, payload: &Bytes) {
        let word =
            |at: usize| u32::from_be_bytes([payload[at], payload[at + 1], payload[at + 2], payload[at + 3]]);
        let (number, kind) = (word(0), word(4));
        assert!(
            (8..payload.len()).all(|at| payload[at] == (at as u32 ^ number) as u8),
            "seed {seed}: a byte is wrong"
        );
        assert!(self.seen.insert(number), "seed {seed}: {number} came twice");
        if kind & 1 != 0 {
            let last = self.last.insert(stream, (kind >> 1, number));
            assert!(
                last.is_none_or(|last| last < (kind >> 1, number)),
                "seed {seed}: {number} after {last:?}"
            );
        }
    }
}

/// Numbers that look random, the same from the same seed.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

impl TryRng for SplitMix {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.draw() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.draw())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(8) {
            let number = self.draw().to_be_bytes();
            chunk.iter_mut().zip(number).for_each(|(byte, new)| *byte = new);
        }
        Ok(())
    }
}

impl TryCryptoRng for SplitMix {}

#[cfg(test)]
mod tests {
    #[test]
    fn a_few_hundred_lives_hold() {
        (0..300).for_each(super::life);
    }
}
