//! What arrived of one source: numbers that do not wrap, losses, jitter (RFC 3550 §A.1, §A.3, §A.8).

use core::ops::Range;
use core::time::Duration;

use pavane_base::{Instant, extend_u16};

use super::window::Window;
use super::{Rejected, Via};
use crate::rtcp::ReportBlock;
use crate::{NtpShort, RtpTimestamp, SequenceNumber, Ssrc};

/// A packet this far ahead of the others is another stream's, or this one's that begins anew (RFC 3550 §A.1).
const MAX_DROPOUT: u64 = 3000;

/// Where the first packet's number is put: a circle on, so that what comes late from before it has a number.
const FIRST_CIRCLE: u64 = 1 << 16;

/// A packet's place among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is the newest; `gap` did not come before it.
    Newest { sequence: u64, gap: Range<u64> },
    /// The sender has begun anew with the packet before it.
    Restart { sequence: u64 },
    /// Newer ones came before.
    Late { sequence: u64 },
}

impl Placed {
    pub(super) const fn sequence(&self) -> u64 {
        match self {
            Self::Newest { sequence, .. } | Self::Restart { sequence } | Self::Late { sequence } => *sequence,
        }
    }
}

/// What arrived of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Reception {
    /// The place of the first packet, moved on where the sender began anew.
    base: u64,
    highest: Option<u64>,
    seen: Window,
    /// What would follow a packet that was far from the others.
    after_jump: Option<SequenceNumber>,
    received: u64,
    at_last_report: Counts,
    jitter: Jitter,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    expected: u64,
    received: u64,
}

impl Reception {
    /// Finds the packet's place and takes note of it.
    ///
    /// Deviation: RFC 3550 §A.1 keeps a source on probation until two packets came in order. Packets that pass SRTP's
    /// authentication are no strangers', so the first one counts.
    pub(super) fn place(&mut self, number: SequenceNumber, via: Via) -> Result<Placed, Rejected> {
        let Some(highest) = self.highest else { return Ok(self.first(number)) };
        let sequence = extend_u16(number.0, highest);
        if sequence > highest {
            if sequence - highest > MAX_DROPOUT {
                return self.jumped(number, highest, via);
            }
            self.seen.advance(highest, sequence);
            self.highest = Some(sequence);
            self.count(via);
            return Ok(Placed::Newest { sequence, gap: highest + 1..sequence });
        }
        if highest - sequence >= Window::LEN {
            return self.jumped(number, highest, via);
        }
        if !self.seen.insert(sequence) {
            return Err(Rejected::Duplicate);
        }
        // What comes from before the first packet was not lost.
        self.base = self.base.min(sequence);
        self.count(via);
        Ok(Placed::Late { sequence })
    }

    fn first(&mut self, number: SequenceNumber) -> Placed {
        let sequence = FIRST_CIRCLE + u64::from(number.0);
        self.base = sequence;
        self.highest = Some(sequence);
        self.seen.restart(sequence);
        self.received = 1;
        Placed::Newest { sequence, gap: sequence..sequence }
    }

    /// One packet far from the others is dropped; two in order are a sender that begins anew (RFC 3550 §A.1).
    fn jumped(&mut self, number: SequenceNumber, highest: u64, via: Via) -> Result<Placed, Rejected> {
        if via == Via::Retransmission {
            return Err(Rejected::TooOld);
        }
        if self.after_jump.replace(number.next()) != Some(number) {
            return Err(Rejected::Jump);
        }
        self.after_jump = None;
        let ahead = u64::from(number.since(SequenceNumber(highest as u16)));
        let sequence = highest + ahead;
        // The leap is no loss.
        self.base += ahead - 1;
        self.highest = Some(sequence);
        self.seen.restart(sequence);
        self.jitter.restart();
        self.count(via);
        Ok(Placed::Restart { sequence })
    }

    /// What retransmission made good was lost all the same: reports speak of the stream itself (RFC 4588 §6.3).
    fn count(&mut self, via: Via) {
        if via == Via::Original {
            self.received += 1;
        }
    }

    /// The oldest packet of which it is known whether it came.
    pub(super) fn oldest_remembered(&self) -> u64 {
        self.highest.unwrap_or_default().saturating_sub(Window::LEN - 1)
    }

    pub(super) fn measure_jitter(&mut self, now: Instant, timestamp: RtpTimestamp, clock_rate: u32) {
        self.jitter.measure(now, timestamp, clock_rate);
    }

    pub(super) fn jitter(&self) -> Duration {
        self.jitter.to_duration()
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.highest.is_some()
    }

    fn expected(&self) -> u64 {
        self.highest.map_or(0, |highest| highest + 1 - self.base)
    }

    pub(super) fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// The block of a report; LSR and DLSR are left out (RFC 3550 §A.3).
    pub(super) fn report(&mut self, ssrc: Ssrc) -> Option<ReportBlock> {
        let highest = self.highest? - FIRST_CIRCLE;
        let counts = Counts { expected: self.expected(), received: self.received };
        let before = core::mem::replace(&mut self.at_last_report, counts);
        let expected = counts.expected.saturating_sub(before.expected);
        let lost = expected.saturating_sub(counts.received.saturating_sub(before.received));
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0).min(255);
        Some(ReportBlock {
            ssrc,
            fraction_lost: fraction as u8,
            cumulative_lost: self.lost().clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32,
            highest: highest as u32,
            jitter: self.jitter.in_units(),
            last_sr: NtpShort(0),
            delay_since_last_sr: NtpShort(0),
        })
    }
}

/// The mean deviation of the packets' transit times (RFC 3550 §A.8).
#[derive(Clone, Copy, Debug, Default)]
struct Jitter {
    /// In sixteenths of timestamp units.
    scaled: u32,
    last: Option<Transit>,
}

#[derive(Clone, Copy, Debug)]
struct Transit {
    units: u32,
    clock_rate: u32,
}

impl Jitter {
    fn measure(&mut self, now: Instant, timestamp: RtpTimestamp, clock_rate: u32) {
        let units = units_at(now, clock_rate).wrapping_sub(timestamp.0);
        let last = self.last.replace(Transit { units, clock_rate });
        // Transit times by different clocks have nothing to do with each other (RFC 7160 §3).
        let Some(last) = last.filter(|last| last.clock_rate == clock_rate) else { return };
        let distance = (units.wrapping_sub(last.units) as i32).unsigned_abs();
        let rounded = (self.scaled + 8) >> 4;
        self.scaled = self.scaled.saturating_add(distance).saturating_sub(rounded);
    }

    const fn restart(&mut self) {
        self.last = None;
    }

    const fn in_units(&self) -> u32 {
        self.scaled >> 4
    }

    fn to_duration(self) -> Duration {
        let rate = self.last.map_or(1, |last| last.clock_rate.max(1));
        Duration::from_nanos(u64::from(self.scaled) * 1_000_000_000 / 16 / u64::from(rate))
    }
}

/// What a clock of this rate shows at a moment; it wraps as timestamps do.
const fn units_at(now: Instant, clock_rate: u32) -> u32 {
    const NANOS: u64 = 1_000_000_000;
    let (seconds, rest) = (now.as_nanos() / NANOS, now.as_nanos() % NANOS);
    // Both products fit: the rate has 32 bits, the rest of a second 30, and what overflows 32 bits of the sum wraps anyway.
    (seconds.wrapping_mul(clock_rate as u64) as u32).wrapping_add((rest * clock_rate as u64 / NANOS) as u32)
}
