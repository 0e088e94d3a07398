//! Bodies of fuzz targets: the bytes decide what happens, nothing may panic, and the books balance after each step.

pub mod property;

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use pavane_base::Instant;
use rand_core::{TryCryptoRng, TryRng};

use crate::packet::Packet;
use crate::{Association, Config, Ppid, Reliability, SendOptions, StreamId, crc32c};

/// Parses arbitrary bytes as a packet.
pub fn packet(data: &[u8]) {
    if let Ok(packet) = Packet::parse(data) {
        packet.chunks().for_each(drop);
    }
}

/// Hands an established association arbitrary chunks, under right tags and checksums; two bytes before each packet say how
/// long it is.
pub fn association(data: &[u8]) {
    let mut pair = Pair::new(interleaves(data));
    pair.connect();
    let tag = pair.tag_of_a();
    let mut rest = data;
    while let Some((len, tail)) = rest.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len)).min(tail.len());
        let (chunks, tail) = tail.split_at(len);
        rest = tail;
        let mut packet = alloc::vec![0x13, 0x88, 0x13, 0x88];
        packet.extend_from_slice(&tag);
        packet.extend_from_slice(&[0; 4]);
        packet.extend_from_slice(chunks);
        let checksum = crc32c::checksum(&packet);
        packet[8..12].copy_from_slice(&checksum);
        pair.a.handle_packet(pair.now, &packet);
        pair.step(20);
        pair.a.audit();
    }
}

/// Drives one association with nobody at the other end through arbitrary commands.
pub fn operations(data: &[u8]) {
    let mut pair = Pair::new(interleaves(data));
    for operation in data.as_chunks::<3>().0 {
        pair.command(*operation);
        let mut out = Vec::new();
        while pair.a.poll_transmit(pair.now, &mut out).is_some() {}
        while pair.a.poll_event().is_some() {}
        pair.a.audit();
    }
}

/// Drives two associations through arbitrary commands over a network that loses what the bytes say.
pub fn pair(data: &[u8]) {
    let mut pair = Pair::new(interleaves(data));
    for operation in data.as_chunks::<3>().0 {
        pair.command(*operation);
        if operation[0] & 0x80 != 0 {
            core::mem::swap(&mut pair.a, &mut pair.b);
        }
        pair.loss = operation[0] & 0x40 != 0;
        pair.step(50);
        pair.a.audit();
        pair.b.audit();
    }
}

/// Whether the two interleave: the length says it, so that the bytes keep their meaning.
fn interleaves(data: &[u8]) -> bool {
    data.len().is_multiple_of(2)
}

struct Pair {
    now: Instant,
    a: Association,
    b: Association,
    loss: bool,
    count: u32,
}

impl Pair {
    fn new(interleaving: bool) -> Self {
        let config = || Config {
            receive_window: 64 << 10,
            max_message_size: 16 << 10,
            interleaving,
            ..Config::default()
        };
        let mut rng = Counter(0);
        let (a, b) = (Association::new(config(), &mut rng), Association::new(config(), &mut rng));
        Self { now: Instant::from_millis(1), a, b, loss: false, count: 0 }
    }

    fn connect(&mut self) {
        self.a.connect(self.now);
        self.b.connect(self.now);
        self.step(100);
    }

    /// The tag that packets to A carry: what B puts into the next one.
    fn tag_of_a(&mut self) -> [u8; 4] {
        self.b.reset_streams(self.now, &[StreamId(9)]);
        let mut out = Vec::new();
        self.b.poll_transmit(self.now, &mut out);
        self.a.handle_packet(self.now, &out);
        out.get(4..8).and_then(|tag| tag.try_into().ok()).unwrap_or_default()
    }

    /// Carries packets, so many at most.
    fn step(&mut self, packets: u32) {
        for _ in 0..packets {
            let mut out = Vec::new();
            let from_a = self.a.poll_transmit(self.now, &mut out).is_some();
            if !from_a && self.b.poll_transmit(self.now, &mut out).is_none() {
                break;
            }
            self.count += 1;
            if self.loss && self.count.is_multiple_of(3) {
                continue;
            }
            let to = if from_a { &mut self.b } else { &mut self.a };
            to.handle_packet(self.now, &out);
        }
        while self.a.poll_event().is_some() {}
        while self.b.poll_event().is_some() {}
    }

    fn command(&mut self, [what, x, y]: [u8; 3]) {
        let (now, stream) = (self.now, StreamId(u16::from(x % 8)));
        match what & 0x0f {
            0 => self.a.connect(now),
            1..=4 => {
                let reliability = match y & 3 {
                    0 => Reliability::MaxRetransmits(u16::from(y >> 6)),
                    1 => Reliability::MaxLifetime(Duration::from_millis(u64::from(y))),
                    _ => Reliability::Reliable,
                };
                let options = SendOptions { ordered: y & 4 != 0, reliability, counted: y & 8 != 0 };
                let payload = Bytes::from(alloc::vec![x; usize::from(y) * 61]);
                _ = self.a.send(now, stream, Ppid(51), payload, options);
            }
            5 | 6 => while self.a.recv(stream).is_some() {},
            7 => self.a.reset_streams(now, &[stream, StreamId(u16::from(y))]),
            8 => self.a.set_buffered_amount_low_threshold(stream, usize::from(y)),
            9 if y == 9 => self.a.shutdown(now),
            10 if y == 10 => self.a.abort(now, &[x]),
            11 => self.a.set_weight(stream, u16::from(y)),
            _ => {
                self.now += Duration::from_millis(u64::from(x) * u64::from(y) / 16);
                self.a.handle_timeout(self.now);
                self.b.handle_timeout(self.now);
            }
        }
    }
}

/// Not random at all: fuzzing wants the same run every time.
struct Counter(u64);

impl TryRng for Counter {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(8) {
            let number = self.try_next_u64()?.to_be_bytes();
            chunk.iter_mut().zip(number).for_each(|(byte, new)| *byte = new);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bodies run on stable with a few thousand seeds of a simple generator.
    #[test]
    fn a_few_seeds_run() {
        let mut rng = Counter(1);
        for round in 0..3000 {
            let mut data = alloc::vec![0; 300 + (round & 1)];
            _ = rng.try_fill_bytes(&mut data);
            // The generator's numbers are too regular as they are.
            let mut state = u64::from(data[0]) << 8 | u64::from(data[1]);
            for byte in &mut data {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
            packet(&data);
            operations(&data);
            pair(&data);
            // Chunks of known types and small lengths get further than noise does.
            for at in (0..data.len() - 8).step_by(24) {
                data[at..at + 2].copy_from_slice(&[0, 22]);
                let kinds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 64, 130, 192, 194];
                data[at + 2] = kinds[usize::from(data[at + 2]) % kinds.len()];
                data[at + 4..at + 6].copy_from_slice(&[0, 20]);
            }
            association(&data);
        }
    }
}
