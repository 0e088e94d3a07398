//! Chunks of transport-wide feedback: what became of packets, two bits or less for each.

use alloc::vec::Vec;

use pavane_base::{Reader, WriteExt};

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    NotReceived = 0,
    /// It arrived, and its delta has eight bits.
    Small = 1,
    /// It arrived, and its delta has sixteen.
    Large = 2,
}

impl Symbol {
    const fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            0 => Some(Self::NotReceived),
            1 => Some(Self::Small),
            2 => Some(Self::Large),
            _ => None,
        }
    }

    pub(super) fn for_delta(delta: i64) -> Self {
        if (0..=255).contains(&delta) { Self::Small } else { Self::Large }
    }

    pub(super) const fn delta_len(self) -> usize {
        self as usize
    }
}

/// Reads symbols out of chunks, one by one; ends at a reserved one.
#[derive(Clone, Debug)]
pub(super) struct ChunkReader<'a> {
    rest: Reader<'a>,
    chunk: Chunk,
}

#[derive(Clone, Copy, Debug)]
enum Chunk {
    Run {
        symbol: u16,
        left: u16,
    },
    /// The symbols lie in the high bits.
    Vector {
        bits: u16,
        width: u16,
        left: u16,
    },
}

impl<'a> ChunkReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: Reader::new(bytes), chunk: Chunk::Run { symbol: 0, left: 0 } }
    }

    /// How many bytes lie behind the chunk that is being read.
    pub(super) const fn remaining(&self) -> usize {
        self.rest.remaining()
    }
}

impl Iterator for ChunkReader<'_> {
    type Item = Symbol;

    fn next(&mut self) -> Option<Symbol> {
        loop {
            match &mut self.chunk {
                Chunk::Run { left: 0, .. } | Chunk::Vector { left: 0, .. } => {
                    let word = self.rest.u16().ok()?;
                    self.chunk = match word >> 14 {
                        0 | 1 => Chunk::Run { symbol: word >> 13 & 3, left: word & 0x1fff },
                        2 => Chunk::Vector { bits: word << 2, width: 1, left: 14 },
                        _ => Chunk::Vector { bits: word << 2, width: 2, left: 7 },
                    };
                }
                Chunk::Run { symbol, left } => {
                    *left -= 1;
                    return Symbol::from_bits(*symbol);
                }
                Chunk::Vector { bits, width, left } => {
                    *left -= 1;
                    let symbol = *bits >> (16 - *width);
                    *bits <<= *width;
                    return Symbol::from_bits(symbol);
                }
            }
        }
    }
}

/// How many symbols of one bit a chunk holds.
const NARROW: usize = 14;
/// How many symbols of two bits a chunk holds.
const WIDE: usize = 7;
/// How long a run can be.
const MAX_RUN: usize = 0x1fff;

/// Whether a chunk must be full: only what follows the last one does not count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filling {
    Whole,
    Last,
}

/// Packs symbols into chunks, holding back those that may yet share one.
#[derive(Debug)]
pub(super) struct ChunkWriter {
    /// Those held back; of a run longer than this only the first.
    symbols: [Symbol; NARROW],
    len: usize,
}

impl Default for ChunkWriter {
    fn default() -> Self {
        Self { symbols: [Symbol::NotReceived; NARROW], len: 0 }
    }
}

impl ChunkWriter {
    pub(super) fn push(&mut self, symbol: Symbol, out: &mut Vec<u8>) {
        while !self.takes(symbol) {
            self.emit(out, Filling::Whole);
        }
        if let Some(slot) = self.symbols.get_mut(self.len) {
            *slot = symbol;
        }
        self.len += 1;
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        while self.len > 0 {
            self.emit(out, Filling::Last);
        }
    }

    fn held(&self) -> &[Symbol] {
        &self.symbols[..self.len.min(NARROW)]
    }

    fn is_run(&self) -> bool {
        self.held().windows(2).all(|pair| pair[0] == pair[1])
    }

    fn is_narrow(&self) -> bool {
        !self.held().contains(&Symbol::Large)
    }

    /// Whether one chunk can hold this symbol as well.
    fn takes(&self, symbol: Symbol) -> bool {
        let run = self.is_run() && self.held().first().is_none_or(|first| *first == symbol);
        self.len < WIDE
            || self.len < NARROW && self.is_narrow() && symbol != Symbol::Large
            || self.len < MAX_RUN && run
    }

    /// Writes one chunk of the first symbols.
    fn emit(&mut self, out: &mut Vec<u8>, filling: Filling) {
        let run = self.is_run() && self.len > 0;
        let taken = if run {
            out.put_u16((self.symbols[0] as u16) << 13 | self.len as u16);
            self.len
        } else if self.is_narrow() && (self.len >= NARROW || filling == Filling::Last) {
            out.put_u16(0x8000 | self.vector(1, NARROW));
            self.len.min(NARROW)
        } else {
            out.put_u16(0xc000 | self.vector(2, WIDE));
            self.len.min(WIDE)
        };
        self.symbols.copy_within(taken.min(NARROW).., 0);
        self.len -= taken;
    }

    /// The symbols, `width` bits each, the first in the highest; zeros fill the room for `count`.
    fn vector(&self, width: u16, count: usize) -> u16 {
        let symbols = self.held().iter().map(|symbol| *symbol as u16).chain(core::iter::repeat(0));
        symbols.take(count).fold(0, |bits, symbol| bits << width | symbol)
    }
}
