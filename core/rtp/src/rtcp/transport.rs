//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions §3.1).
//!
//! ```text
//! 32 SSRC of whoever sends it, 32 SSRC of a stream
//! 16 first number, 16 how many, 24 reference time in 64 ms, 8 count of such packets
//! chunks of 16 bits:  0, 2 symbol, 13 how often
//!                     1 0, 14 symbols of one bit: received with a small delta or not at all
//!                     1 1, 7 symbols of two bits
//! for each received packet its time since the one before in 250 us: 8 bits, or 16 with a sign
//! ```

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use pavane_base::{Instant, Reader, Truncated, WriteExt};

use super::{begin_packet, end_packet, kind, put_feedback_ssrcs, read_feedback_ssrcs, rtpfb};
use crate::packet::PADDING_BIT;
use crate::{Ssrc, TransportSequence};

mod chunk;

use chunk::{ChunkReader, ChunkWriter, Symbol};

/// The most packets whose fate one feedback may tell: a hundred bytes could claim 65535, each to be walked over.
pub const MAX_STATUSES: u16 = 8192;

/// The unit of deltas.
const TICK: Duration = Duration::from_micros(250);
/// How many ticks the unit of reference times has: 64 ms.
const TICKS_PER_REFERENCE: i64 = 256;

/// When packets of the transport arrived.
#[derive(Clone, Copy)]
pub struct TransportFeedback<'a> {
    sender: Ssrc,
    media: Ssrc,
    header: FeedbackHeader,
    statuses: u16,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// What distinguishes one feedback from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackHeader {
    /// The first packet whose fate it tells.
    pub base: TransportSequence,
    /// The time that its arrivals count from: 24 bits with a sign, in 64 ms of its sender's clock.
    pub reference: i32,
    /// Counts the feedback packets.
    pub count: u8,
}

/// The fate of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The packet.
    pub sequence: TransportSequence,
    /// When it arrived, since the feedback's reference time and in units of 250 µs; `None` if it did not.
    pub arrival: Option<i64>,
}

impl Status {
    /// When it arrived, since the origin of its receiver's reference times.
    ///
    /// Reference times wrap after 12 days, and what is before the origin is cut to it.
    pub fn arrival_time(&self, header: &FeedbackHeader) -> Option<Duration> {
        let ticks = i64::from(header.reference & 0xff_ffff) * TICKS_PER_REFERENCE + self.arrival?;
        Some(TICK * u32::try_from(ticks.max(0)).unwrap_or(u32::MAX))
    }
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn read(body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let (sender, media) = read_feedback_ssrcs(body)?;
        let base = TransportSequence(body.u16()?);
        let statuses = body.u16()?;
        // The shifts extend the sign of 24 bits.
        let reference = ((body.u24()? << 8) as i32) >> 8;
        let header = FeedbackHeader { base, reference, count: body.u8()? };
        if statuses > MAX_STATUSES {
            return Err(Truncated);
        }
        let mut symbols = ChunkReader::new(body.rest());
        let mut delta_len = 0;
        for _ in 0..statuses {
            delta_len += symbols.next().ok_or(Truncated)?.delta_len();
        }
        let chunks = body.take(body.remaining() - symbols.remaining())?;
        let deltas = body.take(delta_len)?;
        Ok(Self { sender, media, header, statuses, chunks, deltas })
    }

    /// Who received the packets.
    pub const fn sender(&self) -> Ssrc {
        self.sender
    }

    /// One of the streams.
    pub const fn media(&self) -> Ssrc {
        self.media
    }

    /// What distinguishes this feedback from others.
    pub const fn header(&self) -> FeedbackHeader {
        self.header
    }

    /// The fate of each packet, in the order of their numbers.
    pub fn statuses(&self) -> Statuses<'a> {
        Statuses {
            left: self.statuses,
            next: self.header.base,
            symbols: ChunkReader::new(self.chunks),
            deltas: Reader::new(self.deltas),
            at: 0,
        }
    }
}

impl fmt::Debug for TransportFeedback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportFeedback {:?} statuses {}", self.header, self.statuses)
    }
}

/// The fates of packets, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct Statuses<'a> {
    left: u16,
    next: TransportSequence,
    symbols: ChunkReader<'a>,
    deltas: Reader<'a>,
    at: i64,
}

impl Iterator for Statuses<'_> {
    type Item = Status;

    fn next(&mut self) -> Option<Status> {
        self.left = self.left.checked_sub(1)?;
        let sequence = self.next;
        self.next = sequence.next();
        let delta = match self.symbols.next()? {
            Symbol::NotReceived => return Some(Status { sequence, arrival: None }),
            Symbol::Small => i64::from(self.deltas.u8().ok()?),
            Symbol::Large => i64::from(self.deltas.u16().ok()? as i16),
        };
        self.at += delta;
        Some(Status { sequence, arrival: Some(self.at) })
    }
}

/// A packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The packet.
    pub sequence: TransportSequence,
    /// When it arrived.
    pub at: Instant,
}

/// Writes feedback about packets that arrived, given in the order of their numbers, the first not before `base`.
///
/// It ends before a packet that needs a time too far from the one before, that makes it longer than `max_len`, or that is
/// more than [`MAX_STATUSES`] on; how many it tells of is returned. If the first cannot be told, nothing is written.
pub fn write_transport_feedback(
    out: &mut Vec<u8>,
    sender: Ssrc,
    media: Ssrc,
    base: TransportSequence,
    count: u8,
    arrivals: &[Arrival],
    max_len: usize,
) -> usize {
    let Some(first) = arrivals.first() else { return 0 };
    let reference = ticks(first.at) / TICKS_PER_REFERENCE;
    let (told, statuses) = what_fits(base, reference, arrivals, max_len);
    if told == 0 {
        return 0;
    }
    let start = begin_packet(out, kind::RTPFB, rtpfb::TRANSPORT_WIDE);
    put_feedback_ssrcs(out, sender, media);
    out.put_u16(base.0);
    out.put_u16(statuses);
    out.put_u24(reference as u32 & 0xff_ffff);
    out.put_u8(count);
    let told_of = || deltas(base, reference, arrivals).take(told);
    let mut chunks = ChunkWriter::default();
    for (gap, delta) in told_of() {
        (0..gap).for_each(|_| chunks.push(Symbol::NotReceived, out));
        chunks.push(Symbol::for_delta(delta), out);
    }
    chunks.finish(out);
    for (_, delta) in told_of() {
        match u8::try_from(delta) {
            Ok(small) => out.put_u8(small),
            Err(_) => out.put_u16(delta as u16),
        }
    }
    pad_to_words(out, start);
    end_packet(out, start);
    told
}

/// How many arrivals can be told, and of how many packets that tells the fate.
fn what_fits(base: TransportSequence, reference: i64, arrivals: &[Arrival], max_len: usize) -> (usize, u16) {
    // Header, SSRCs, fixed fields, and padding at its worst.
    const OVERHEAD: usize = 4 + 8 + 8 + 3;
    let (mut told, mut statuses, mut delta_len) = (0, 0, 0);
    for (gap, delta) in deltas(base, reference, arrivals) {
        let more = u32::from(gap) + 1;
        delta_len += Symbol::for_delta(delta).delta_len();
        // At its worst a chunk holds seven symbols, and an arrival with the gap before it ends four.
        let symbols = u32::from(statuses) + more;
        let chunk_len = (symbols as usize).div_ceil(7).min(told * 4 + 4) * 2;
        let fits = OVERHEAD + chunk_len + delta_len <= max_len;
        if symbols > u32::from(MAX_STATUSES) || i16::try_from(delta).is_err() || !fits {
            break;
        }
        statuses = symbols as u16;
        told += 1;
    }
    (told, statuses)
}

/// For each arrival how many numbers before it have none, and the ticks since the one before.
fn deltas(
    base: TransportSequence,
    reference: i64,
    arrivals: &[Arrival],
) -> impl Iterator<Item = (u16, i64)> + '_ {
    let mut expected = base;
    let mut before = reference * TICKS_PER_REFERENCE;
    arrivals.iter().map(move |arrival| {
        let gap = arrival.sequence.since(expected);
        expected = arrival.sequence.next();
        let delta = ticks(arrival.at) - before;
        before += delta;
        (gap, delta)
    })
}

fn ticks(at: Instant) -> i64 {
    (at.as_nanos() / TICK.as_nanos() as u64) as i64
}

/// Fills the packet up to whole words with padding that counts itself, as browsers do.
fn pad_to_words(out: &mut Vec<u8>, start: usize) {
    let padding = (out.len() - start).wrapping_neg() % 4;
    if padding != 0 {
        out[start] |= PADDING_BIT;
        out.resize(out.len() + padding - 1, 0);
        out.put_u8(padding as u8);
    }
}
