//! What a SACK changes (RFC 9260 §6.2.1).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use pavane_base::Instant;

use super::Sender;
use super::loss::{Recovery, TransmissionNumber};
use super::rate::Stamp;
use super::ring::{ChunkState, Entry};
use crate::chunk::Sack;
use crate::congestion::Acked;
use crate::event::Event;
use crate::packet::padded;
use crate::types::Tsn;

/// The runs of positions that have arrived beyond the cumulative acknowledgement, ascending: first and one beyond last.
///
/// Every SACK repeats them all; with the runs known before, only what is new is visited.
#[derive(Debug, Default)]
pub(super) struct Scoreboard {
    runs: Vec<(u64, u64)>,
    /// The next state of `runs` while it is being made; kept for its memory.
    merged: Vec<(u64, u64)>,
}

/// What a SACK cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadSack {
    /// It acknowledges what was never sent.
    BeyondSent,
    /// It is older than what is known.
    Old,
}

/// What a SACK changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SackOutcome {
    /// Whether anything was acknowledged for the first time.
    pub(crate) progress: bool,
    /// Whether the peer can take another chunk.
    pub(crate) window_open: bool,
}

/// What is gathered while a SACK is processed.
#[derive(Default)]
struct Tally {
    bytes: u64,
    highest: u64,
    highest_reported: u64,
    /// When the newest chunk was sent that certainly arrived in its first transmission.
    sample: Option<Instant>,
    /// The newest transmission among what arrived, when it was made, and whether it was the only one.
    last_arrived: Option<LastArrived>,
    /// The lowest and the highest of the positions that were sent once and held to be under way.
    once: Option<(u64, u64)>,
    /// Bytes of what was held to be lost and had not been sent again.
    late: u64,
}

/// The newest transmission among what arrived.
#[derive(Clone, Copy)]
struct LastArrived {
    number: TransmissionNumber,
    sent_at: Instant,
    /// Whether it was the only one of its chunk.
    once: bool,
    stamp: Stamp,
}

impl Sender {
    pub(crate) fn on_sack(
        &mut self,
        now: Instant,
        sack: &Sack<'_>,
        events: &mut VecDeque<Event>,
    ) -> Result<SackOutcome, BadSack> {
        let end = self.ring.position_of(sack.cumulative) + 1;
        if end > self.ring.next() {
            return Err(BadSack::BeyondSent);
        }
        if end < self.ring.base() {
            self.counters.old_sacks += 1;
            return Err(BadSack::Old);
        }
        let advanced = end > self.ring.base();
        let mut tally = Tally::default();
        self.acknowledge_up_to(end, &mut tally);
        self.acknowledge_blocks(sack, &mut tally);
        self.peer_window = u64::from(sack.window);
        self.take_back_reneged(&mut tally);
        self.measure(now, &tally, advanced);
        self.note_arrivals(now, &tally, advanced);
        self.note_duplicates(sack.duplicates(), tally.late);
        // RFC 9260 §7.2.4: growth comes before reduction.
        self.grow_window(now, &tally);
        self.finish_recovery();
        self.detect_losses(now, events);
        self.advance_point(now);
        Ok(self.outcome(tally.bytes > 0 || advanced))
    }

    /// A SHUTDOWN acknowledges like a SACK without anything else (RFC 9260 §9.2).
    pub(crate) fn on_cumulative(&mut self, now: Instant, cumulative: Tsn) -> Result<SackOutcome, BadSack> {
        let end = self.ring.position_of(cumulative) + 1;
        if end > self.ring.next() {
            return Err(BadSack::BeyondSent);
        }
        let advanced = end > self.ring.base();
        let mut tally = Tally::default();
        self.acknowledge_up_to(end, &mut tally);
        self.grow_window(now, &tally);
        self.finish_recovery();
        self.advance_point(now);
        Ok(self.outcome(tally.bytes > 0 || advanced))
    }

    fn outcome(&self, progress: bool) -> SackOutcome {
        SackOutcome { progress, window_open: self.available_window() >= self.max_payload as u64 }
    }

    fn acknowledge_up_to(&mut self, end: u64, tally: &mut Tally) {
        while self.ring.base() < end {
            let position = self.ring.base();
            let Some(entry) = self.ring.pop() else { break };
            self.outbox.acknowledge(entry.message);
            if matches!(entry.state, ChunkState::InFlight | ChunkState::Lost) {
                tally.note(position, &entry, self.ring.wire_size(usize::from(entry.len)));
            }
        }
        let base = self.ring.base();
        self.scoreboard.runs.retain_mut(|(first, end)| {
            *first = (*first).max(base);
            *first < *end
        });
    }

    /// Visits what the gap blocks report and earlier ones did not.
    fn acknowledge_blocks(&mut self, sack: &Sack<'_>, tally: &mut Tally) {
        let mut merged = core::mem::take(&mut self.scoreboard.merged);
        let known = core::mem::take(&mut self.scoreboard.runs);
        merged.clear();
        let mut next_known = known.iter().copied().peekable();
        let mut reached = self.ring.base() + 1;
        let origin = self.ring.base() - 1;
        for (first, last) in sack.blocks() {
            let (first, end) =
                (origin + u64::from(first), (origin + u64::from(last) + 1).min(self.ring.next()));
            // Out of order, empty, or of what was never sent: such a block says nothing (RFC 9260 §3.3.4).
            if first < reached || first >= end {
                continue;
            }
            while let Some(run) = next_known.next_if(|run| run.1 < first) {
                append(&mut merged, run);
            }
            let mut fresh = first;
            while let Some(run) = next_known.next_if(|run| run.0 <= end) {
                self.acknowledge_run(fresh, run.0, tally);
                fresh = fresh.max(run.1);
                append(&mut merged, run);
            }
            self.acknowledge_run(fresh, end, tally);
            append(&mut merged, (first, end));
            tally.highest_reported = end - 1;
            reached = end;
        }
        next_known.for_each(|run| append(&mut merged, run));
        self.scoreboard = Scoreboard { runs: merged, merged: known };
    }

    fn acknowledge_run(&mut self, first: u64, end: u64, tally: &mut Tally) {
        let header = self.ring.header();
        for position in first..end {
            self.ring.update(position, |entry| {
                if matches!(entry.state, ChunkState::InFlight | ChunkState::Lost) {
                    tally.note(position, entry, header + padded(usize::from(entry.len)));
                    entry.state = ChunkState::Acked;
                }
            });
        }
    }

    /// The first missing chunk is known to have arrived: the peer has thrown it away, and those right behind it
    /// (RFC 9260 §6.2.1 iii).
    ///
    /// Deviation: a chunk further up that is no longer reported is not taken back at once. A SACK that overtook another
    /// looks the same, and once the cumulative acknowledgement stops before such a chunk there is no doubt left.
    fn take_back_reneged(&mut self, tally: &mut Tally) {
        let base = self.ring.base();
        while self.scoreboard.runs.first().is_some_and(|(first, _)| *first == base) {
            let (first, end) = self.scoreboard.runs.remove(0);
            for position in first..end {
                let taken_back = self.ring.update(position, |entry| {
                    let acked = entry.state == ChunkState::Acked;
                    if acked {
                        entry.state = ChunkState::Lost;
                    }
                    acked
                });
                if taken_back == Some(true) {
                    self.lost.push_back(position);
                }
            }
            tally.highest = 0;
        }
    }

    fn measure(&mut self, now: Instant, tally: &Tally, advanced: bool) {
        if let Some(sent_at) = tally.sample {
            self.rtt.sample(now, now - sent_at);
        } else if advanced {
            self.rtt.answered();
        }
    }

    fn note_arrivals(&mut self, now: Instant, tally: &Tally, advanced: bool) {
        // RFC 8985 §6.2 step 2: what was sent more than once and came back sooner than anything ever did was not the last
        // transmission.
        if let Some((lowest, highest)) = tally.once {
            self.loss.note_order(lowest, highest);
        }
        if let Some(LastArrived { number, sent_at, once, .. }) = tally.last_arrived
            && (once || self.rtt.shortest().is_some_and(|shortest| now - sent_at >= shortest))
        {
            self.loss.note_arrived(number, now - sent_at);
        }
        // RFC 9260 §7.2.4: in fast recovery a SACK that advances counts against everything it reports as missing.
        let in_recovery = matches!(self.recovery, Recovery::Fast { .. }) && advanced;
        let highest = if in_recovery { tally.highest.max(tally.highest_reported) } else { tally.highest };
        if highest > 0 {
            self.loss.note_highest(highest);
        }
    }

    fn grow_window(&mut self, now: Instant, tally: &Tally) {
        let Some(last) = tally.last_arrived.filter(|_| tally.bytes > 0) else { return };
        let window_used = !self.rate.is_limited();
        let shortest = self.rtt.shortest().unwrap_or_default();
        let rate = self.rate.sample(now, tally.bytes, &last.stamp, last.sent_at, shortest);
        if last.sent_at < self.path_since {
            return;
        }
        self.congestion.on_acked(&Acked {
            now,
            bytes: tally.bytes,
            in_flight: self.ring.in_flight(),
            recovering: self.recovery != Recovery::None,
            nothing_outstanding: self.ring.is_empty(),
            window_used,
            more_waits: !self.outbox.is_empty(),
            rtt: tally.sample.map(|sent_at| now - sent_at),
            delivered: self.rate.delivered(),
            rate,
        });
        self.set_pace();
    }
}

impl Tally {
    /// A chunk has arrived that was not known to.
    fn note(&mut self, position: u64, entry: &Entry, size: usize) {
        self.bytes += size as u64;
        self.highest = self.highest.max(position);
        // Karn's rule (RFC 9260 §6.3.1 C5): of what was sent twice nobody knows which one arrived; and what was held to be
        // lost tells how long its acknowledgement was lost rather than how long it took.
        let once = entry.transmissions == 1 && entry.state == ChunkState::InFlight;
        if once {
            self.sample = self.sample.max(Some(entry.sent_at));
            let (lowest, highest) = self.once.unwrap_or((position, position));
            self.once = Some((lowest.min(position), highest.max(position)));
        }
        if entry.state == ChunkState::Lost {
            self.late += 1;
        }
        if self.last_arrived.is_none_or(|last| entry.number.is_after(last.number)) {
            let Entry { number, sent_at, stamp, .. } = *entry;
            self.last_arrived = Some(LastArrived { number, sent_at, once, stamp });
        }
    }
}

/// Appends a run that begins no earlier than the last one, joining the two if they touch.
fn append(runs: &mut Vec<(u64, u64)>, run: (u64, u64)) {
    match runs.last_mut() {
        Some(last) if run.0 <= last.1 => {
            last.0 = last.0.min(run.0);
            last.1 = last.1.max(run.1);
        }
        _ => runs.push(run),
    }
}
