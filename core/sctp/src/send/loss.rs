//! Who is lost: by counting (RFC 9260 §7.2.4), by time, by timer.
//!
//! By counting, a chunk is lost when three SACKs have newly acknowledged something sent after it. Counting per chunk would
//! touch every hole with every SACK; the same follows from the three highest of these newly acknowledged positions alone:
//! everything below the third is lost, and a pointer that only moves forward visits each chunk once.
//!
//! By time, a chunk is lost when something sent after it has arrived and a round trip and some more have passed since it
//! was sent (RFC 8985 §6.2). Transmissions stand in a queue in the order in which they were made, so that only the oldest
//! has to be looked at.

use alloc::collections::VecDeque;
use core::time::Duration;

use pavane_base::{Instant, serial_number};

use super::abandon::Abandonment;
use super::ring::{ChunkState, Entry};
use super::{Credit, Sender};
use crate::congestion::Lost;
use crate::event::Event;
use crate::types::Tsn;

serial_number! {
    /// The number of one sending of one chunk.
    pub(super) struct TransmissionNumber(u32);
}

/// Whether the congestion window was reduced for a loss that is being repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    None,
    /// Until everything below this position is acknowledged (RFC 9260 §7.2.4 rule 6).
    Fast {
        until: u64,
    },
}

/// What would show that a reduction of the window was for nothing: everything that was sent again had arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Undo {
    /// The positions that the loss was among: from the first to one beyond the last.
    pub(super) range: (u64, u64),
    /// Whether the retransmission timer was the reason.
    pub(super) timeout: bool,
    /// How many chunks were sent again.
    pub(super) repeated: u32,
    /// How many of these the peer got twice.
    pub(super) duplicates: u32,
}

/// What SACKs have said about the order of arrivals.
#[derive(Debug, Default)]
pub(super) struct LossDetector {
    /// When time tells that something is lost.
    loss_at: Option<Instant>,
    /// The three highest positions newly acknowledged by three different SACKs, the highest first.
    highest: [u64; INDICATIONS],
    /// Everything below has been looked at.
    scanned: u64,
    /// Every transmission that may be under way, in the order in which they were made: the chunk and which one it was.
    order: VecDeque<(u64, TransmissionNumber)>,
    /// The number of the next transmission.
    next: TransmissionNumber,
    /// The last transmission that is known to have arrived, and how long it took.
    arrived: Option<(TransmissionNumber, Duration)>,
    /// How many quarters of a round trip a packet may be overtaken by; grows when one that was taken for lost was not.
    patience: u32,
    /// After how many repaired losses the patience is gone.
    persistence: u32,
    /// Whether the network is known to change the order of packets.
    reorders: bool,
    /// The highest position that has arrived.
    reached: u64,
    /// When the newest was sent of what is lost.
    newest_lost: Instant,
    /// The probe for the loss of the last packets that has not been answered: the chunk and when it was sent.
    probe: Option<(u64, Instant)>,
}

impl LossDetector {
    /// A SACK newly acknowledged `position` and nothing above it.
    pub(super) fn note_highest(&mut self, position: u64) {
        let slot = self.highest.iter().position(|known| position > *known);
        if let Some(slot) = slot {
            self.highest[slot..].rotate_right(1);
            self.highest[slot] = position;
        }
    }

    /// A chunk is being sent; the number of this transmission.
    pub(super) fn note_sent(&mut self, position: u64) -> TransmissionNumber {
        let number = self.next;
        self.next = number.next();
        self.order.push_back((position, number));
        number
    }

    /// A transmission has arrived after `rtt`.
    pub(super) fn note_arrived(&mut self, number: TransmissionNumber, rtt: Duration) {
        if self.arrived.is_none_or(|(newest, _)| number.is_after(newest)) {
            self.arrived = Some((number, rtt));
        }
    }

    /// The peer got something twice: what was taken for lost was late (RFC 8985 §6.2 step 4).
    pub(super) fn note_spurious(&mut self) {
        self.patience = (self.patience + 1).min(MAX_PATIENCE);
        self.persistence = PERSISTENCE;
        self.reorders = true;
    }

    /// The positions from `lowest` to `highest` have arrived, or some of them, and for the first time, without having been
    /// sent again: if something beyond had arrived before, the network changes the order (RFC 8985 §6.2 step 3).
    pub(super) fn note_order(&mut self, lowest: u64, highest: u64) {
        self.reorders |= lowest < self.reached;
        self.reached = self.reached.max(highest);
    }

    /// A loss has been repaired: after many without a mistake the order may have come back (RFC 8985 §6.2 step 4).
    fn note_repaired(&mut self) {
        self.persistence = self.persistence.saturating_sub(1);
        if self.persistence == 0 {
            self.patience = 0;
            self.reorders = false;
        }
    }

    pub(super) fn note_probe(&mut self, position: u64, now: Instant) {
        self.probe = Some((position, now));
    }

    pub(super) const fn has_probed(&self) -> bool {
        self.probe.is_some()
    }

    /// Forgets what SACKs said: everything is going to be sent again.
    fn reset(&mut self, base: u64) {
        self.highest = [0; INDICATIONS];
        self.scanned = base;
        self.order.clear();
        self.arrived = None;
        self.loss_at = None;
        self.probe = None;
    }
}

impl Sender {
    /// Looks for losses, after a SACK or when it is time to.
    pub(crate) fn detect_losses(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        let before = self.ring.in_flight();
        self.detect_by_probe();
        self.detect_by_count(now, events);
        self.detect_by_time(now, events);
        let bytes = before - self.ring.in_flight();
        let sent_at = self.loss.newest_lost;
        if bytes > 0 && sent_at >= self.path_since {
            let first = self.recovery == Recovery::None;
            if first {
                let range = (self.ring.base(), self.ring.next());
                self.recovery = Recovery::Fast { until: range.1 };
                self.undo = Some(Undo { range, timeout: false, repeated: 0, duplicates: 0 });
                self.counters.fast_recoveries += 1;
                self.credit = Credit::Retransmission;
            }
            self.congestion.on_lost(&Lost { now, bytes, in_flight: before, sent_at, first });
            self.set_pace();
        }
    }

    /// Takes the reduction of the window back if everything that was sent again turns out to have arrived before
    /// (RFC 3708 §2).
    pub(super) fn note_duplicates(&mut self, duplicates: impl Iterator<Item = Tsn>, late: u64) {
        let mut any = false;
        for tsn in duplicates {
            any = true;
            let position = self.ring.position_of(tsn);
            if let Some(undo) = &mut self.undo
                && (undo.range.0..undo.range.1).contains(&position)
            {
                undo.duplicates += 1;
            }
        }
        if any {
            self.loss.note_spurious();
        }
        let Some(undo) = self.undo else { return };
        let all_wrong = undo.repeated > 0 && undo.duplicates >= undo.repeated;
        // RFC 5682 §2: what was held to be lost and not sent again arrives after a timeout.
        if all_wrong || (undo.timeout && late > 0) {
            self.undo = None;
            self.recovery = Recovery::None;
            self.congestion.on_spurious_loss();
            self.counters.spurious += 1;
        }
    }

    /// Leaves fast recovery when everything that was in flight at its beginning has arrived.
    pub(super) fn finish_recovery(&mut self) {
        if let Recovery::Fast { until } = self.recovery
            && self.ring.base() >= until
        {
            self.recovery = Recovery::None;
            self.loss.note_repaired();
        }
    }

    /// An answered probe was sent long after what it probed for: what is missing below it is lost.
    fn detect_by_probe(&mut self) {
        let Some((position, _)) = self.loss.probe else { return };
        let answered = self.ring.get(position).is_none_or(|e| e.state != ChunkState::InFlight);
        if answered || self.loss.highest[0] > position {
            self.loss.probe = None;
            if self.loss.highest[0] >= position {
                self.loss.highest = [self.loss.highest[0]; INDICATIONS];
            }
        }
    }

    fn detect_by_count(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        // RFC 8985 §6.2: where the order changes, numbers say little, and time decides; as it does about what was sent again,
        // which later numbers overtook before.
        if self.loss.reorders {
            return;
        }
        let end = self.loss.highest[INDICATIONS - 1];
        let mut position = self.loss.scanned.max(self.ring.base());
        while position < end {
            let missing = self
                .ring
                .get(position)
                .is_some_and(|e| e.state == ChunkState::InFlight && e.transmissions == 1);
            if missing {
                self.lose(now, position, events);
            }
            position += 1;
        }
        self.loss.scanned = position;
    }

    /// What was sent before something that has arrived is lost when it has had its time.
    ///
    /// Deviation: RFC 9260 §7.2.4 rule 5 leaves what was sent again to the retransmission timer. At high loss rates every
    /// third repetition is lost as well, and waiting for the timer each time would stop the association; RFC 8985 does the
    /// same for TCP.
    fn detect_by_time(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        while let Some((position, at)) = self.oldest_overtaken() {
            self.loss.loss_at = Some(at);
            if at > now {
                return;
            }
            self.loss.order.pop_front();
            self.lose(now, position, events);
        }
        self.loss.loss_at = None;
    }

    /// The oldest transmission under way that a later one has overtaken, and when it counts as lost.
    fn oldest_overtaken(&mut self) -> Option<(u64, Instant)> {
        let (newest, rtt) = self.loss.arrived?;
        while let Some((position, number)) = self.loss.order.front().copied() {
            let under_way = |e: &&Entry| e.state == ChunkState::InFlight && e.number == number;
            let Some(entry) = self.ring.get(position).filter(under_way) else {
                self.loss.order.pop_front();
                continue;
            };
            if !number.is_before(newest) {
                return None;
            }
            return Some((position, entry.sent_at + rtt + self.rtt.reordering_window(self.loss.patience)));
        }
        None
    }

    /// When the oldest transmission that was overtaken counts as lost.
    pub(crate) const fn loss_at(&self) -> Option<Instant> {
        self.loss.loss_at
    }

    /// Marks a chunk in flight as lost, or gives its message up.
    fn lose(&mut self, now: Instant, position: u64, events: &mut VecDeque<Event>) {
        if let Some(entry) = self.ring.get(position) {
            self.black_hole |= entry.transmissions >= SUSPICIOUS;
            self.loss.newest_lost = self.loss.newest_lost.max(entry.sent_at);
        }
        match self.abandonment(now, position) {
            Abandonment::Keep => {
                self.ring.update(position, |e| e.state = ChunkState::Lost);
                self.lost.push_back(position);
            }
            Abandonment::GiveUp(message) => self.give_up(message, events),
        }
    }

    /// The retransmission timer expired (RFC 9260 §6.3.3).
    pub(crate) fn on_timeout(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        let in_flight = self.ring.in_flight() > 0;
        self.rtt.back_off();
        self.repeat_all(now, events);
        // A peer that keeps its window closed answers probes with SACKs; the path is not to blame (RFC 9260 §6.1 A).
        self.black_hole |= in_flight;
        if in_flight && self.peer_window >= self.max_payload as u64 {
            self.congestion.on_timeout(now);
            self.set_pace();
            let range = (self.ring.base(), self.ring.next());
            self.undo = Some(Undo { range, timeout: true, repeated: 0, duplicates: 0 });
            self.counters.timeouts += 1;
        }
        self.credit = if in_flight { Credit::Retransmission } else { Credit::None };
    }

    /// Everything that is in flight counts as lost, or is given up.
    pub(crate) fn repeat_all(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        self.recovery = Recovery::None;
        self.lost.clear();
        self.loss.reset(self.ring.base());
        for position in self.ring.base()..self.ring.next() {
            let Some(state) = self.ring.get(position).map(|e| e.state) else { break };
            match state {
                ChunkState::InFlight => self.lose(now, position, events),
                ChunkState::Lost => self.lost.push_back(position),
                ChunkState::Acked | ChunkState::Abandoned => {}
            }
        }
        self.forward.send_again();
        self.advance_point(now);
    }

    /// Nothing has been heard of the last chunks for a while: sends one more, or the last one again, so that SACKs tell
    /// what is missing before the retransmission timer does (RFC 8985 §7.3).
    ///
    /// Deviation: RFC 8985 does not probe while a loss is being repaired, and RFC 9260 §7.2.3 has one packet in flight after
    /// a timeout. One more packet after two round trips of silence is no burden, and where a third of all packets is lost
    /// the next timeout would often be waited for in vain.
    pub(crate) fn on_tail_probe(&mut self, now: Instant) {
        if !self.wants_tail_probe() {
            return;
        }
        let new_data = !self.outbox.is_empty() && self.available_window() >= self.max_payload as u64;
        if !new_data && self.lost.is_empty() {
            let Some(position) = self.ring.last_in_flight() else { return };
            if !matches!(self.abandonment(now, position), Abandonment::Keep) {
                // It may not be sent again: the timer decides.
                self.loss.note_probe(position, now);
                return;
            }
            self.ring.update(position, |e| e.state = ChunkState::Lost);
            self.lost.push_back(position);
        }
        self.credit = Credit::Probe;
        self.counters.tail_probes += 1;
    }
}

/// How many SACKs have to tell of something later before a chunk counts as lost.
const INDICATIONS: usize = 3;

/// A chunk that is lost so often may be in packets that are too large for the path.
const SUSPICIOUS: u16 = 4;

/// RFC 8985 §6.2 step 4.
const PERSISTENCE: u32 = 16;

/// A whole round trip, in quarters beyond the first.
const MAX_PATIENCE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_highest_is_what_three_sacks_agree_on() {
        let mut loss = LossDetector::default();
        let mut thirds = std::vec::Vec::new();
        for position in [5, 7, 6, 20, 7, 30, 1] {
            loss.note_highest(position);
            thirds.push(loss.highest[INDICATIONS - 1]);
        }
        // A SACK that names 7 again counts as often as it comes.
        assert_eq!(thirds, [0, 0, 5, 6, 7, 7, 7]);
        assert_eq!(loss.highest, [30, 20, 7]);
    }
}
