//! Which losses are accidents: radio links lose packets whatever is in flight, full queues lose those that are too many.

use core::time::Duration;

use pavane_base::Instant;

/// Learns what is lost by accident, and tells when more is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accidents {
    /// Bytes lost in this round.
    lost: u64,
    /// The share that is lost by accident, of a million.
    share: u64,
    overflow: Option<Overflow>,
}

/// What was in flight when the queue overflowed, and how long that says something.
#[derive(Clone, Copy, Debug)]
struct Overflow {
    flight: u64,
    until: Instant,
}

impl Accidents {
    pub(super) fn note_lost(&mut self, bytes: u64) {
        self.lost += bytes;
    }

    /// Whether what this round has lost is more than accidents take: whatever it is, where nothing is lost by accident.
    ///
    /// Where accidents are frequent, one packet more is excused: else the smaller of two flows takes them for a rival's doing
    /// more often than the other, and ends with nothing. Flows of few packets lose no more than one or two when they overflow
    /// a queue; nothing is excused for them.
    pub(super) const fn are_exceeded(&self, in_flight: u64, packet: u64) -> bool {
        let excuses = self.share > FREQUENT && in_flight >= FEW * packet;
        let excused = if excuses { packet } else { 0 };
        self.lost > in_flight * self.share / MILLION * MANY + excused
    }

    /// Whether this round has lost so much that only a queue that overflows can: for paths of which nothing is known.
    pub(super) const fn are_out_of_the_question(&self, in_flight: u64, packet: u64) -> bool {
        self.lost > in_flight / 50 + 2 * packet
    }

    /// The queue has overflown with so much in flight; CUBIC would take `regrowth` to have as much again.
    pub(super) fn note_overflow(&mut self, now: Instant, flight: u64, regrowth: Duration) {
        if self.overflow.is_none_or(|known| now >= known.until || flight > known.flight) {
            self.overflow = Some(Overflow { flight, until: now + regrowth });
        }
    }

    /// Whether less than half is in flight of what has overflown the queue: what is lost all the same is lost by accident.
    ///
    /// Where round trips vary all the time there seems to be a queue always, and this alone tells.
    pub(super) fn go_on_below(&self, now: Instant, flight: u64) -> bool {
        self.overflow.is_some_and(|known| now < known.until && flight * 2 < known.flight)
    }

    /// A round is over in which so much has arrived; `learns`, if no queue was to blame for what it has lost.
    pub(super) fn end_round(&mut self, arrived: u64, learns: bool) {
        if learns {
            let share = self.lost * MILLION / (arrived + self.lost).max(1);
            self.share = (self.share * 3 + share) / 4;
        }
        self.lost = 0;
    }
}

const MILLION: u64 = 1_000_000;

/// Accidents are frequent where more than one packet in a thousand is lost by one.
const FREQUENT: u64 = MILLION / 1000;

/// With fewer packets in flight an overflow may lose no more than one.
const FEW: u64 = 32;

/// How many times what is to be expected a round may lose: chance does more only seldom.
const MANY: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: u64 = 1000;

    #[test]
    fn a_share_is_learnt_and_more_is_noticed() {
        let mut accidents = Accidents::default();
        accidents.note_lost(PACKET);
        assert!(accidents.are_exceeded(1_000_000, PACKET), "nothing is lost by accident here");
        accidents.end_round(1_000_000, false);
        for _ in 0..20 {
            accidents.note_lost(10 * PACKET);
            accidents.end_round(990_000, true);
        }
        accidents.note_lost(30 * PACKET);
        assert!(!accidents.are_exceeded(1_000_000, PACKET));
        assert!(!accidents.are_exceeded(980_000, PACKET), "one more is excused");
        assert!(accidents.are_exceeded(980_000, 31 * PACKET), "not for few packets");
        accidents.note_lost(2 * PACKET);
        assert!(accidents.are_exceeded(1_000_000, PACKET));
    }

    #[test]
    fn what_is_lost_far_below_an_overflow_is_an_accident() {
        let at = Instant::from_millis;
        let mut accidents = Accidents::default();
        assert!(!accidents.go_on_below(at(0), 100));
        accidents.note_overflow(at(0), 1000, Duration::from_secs(4));
        accidents.note_overflow(at(100), 700, Duration::from_secs(3));
        assert!(!accidents.go_on_below(at(200), 500) && accidents.go_on_below(at(200), 499));
        assert!(!accidents.go_on_below(at(4000), 499), "it was long ago");
        accidents.note_overflow(at(4000), 700, Duration::from_secs(3));
        assert!(accidents.go_on_below(at(4100), 349));
    }
}
