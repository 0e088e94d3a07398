//! Whether others fill the queue. Who yields to such gets nothing, and who does not while there are none keeps everybody
//! waiting.

use core::time::Duration;

use pavane_base::Instant;

/// Watches for flows that fill queues until they overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rivals {
    /// Until when the last sign of them counts.
    until: Option<Instant>,
    /// For how many rounds the queue has been longer than we make it.
    crowded: u32,
}

impl Rivals {
    /// The queue has overflown; CUBIC would take `regrowth` to fill it again.
    ///
    /// The sign is forgotten a little before. All flows see an overflow, and so forget it at about the same time: those of
    /// our kind then yield together, and none to another that does not.
    pub(super) fn note_overflow(&mut self, now: Instant, regrowth: Duration) {
        self.until = Some(now + regrowth * 3 / 4);
        self.crowded = 0;
    }

    /// A round is over; whether its shortest round trip was longer than what we put into the queue explains.
    pub(super) fn end_round(&mut self, now: Instant, unexplained: bool, regrowth: Duration) {
        self.until = self.until.filter(|until| now <= *until);
        self.crowded = if unexplained { self.crowded + 1 } else { 0 };
        if self.crowded >= CROWDED_ROUNDS {
            self.note_overflow(now, regrowth);
        }
    }

    /// Whether there are any.
    pub(super) const fn are_there(&self) -> bool {
        self.until.is_some()
    }
}

/// How many rounds with too long a queue are a sign.
const CROWDED_ROUNDS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rivals_are_seen_by_their_queue_and_forgotten() {
        let at = Instant::from_millis;
        let regrowth = Duration::from_secs(4);
        let mut rivals = Rivals::default();
        for round in 0..10 {
            rivals.end_round(at(round * 50), round % 4 != 3, regrowth);
            assert!(!rivals.are_there(), "a queue that goes away is nobody's");
        }
        (10..14).for_each(|round| rivals.end_round(at(round * 50), true, regrowth));
        assert!(rivals.are_there());
        rivals.end_round(at(3500), false, regrowth);
        assert!(rivals.are_there());
        rivals.end_round(at(3700), false, regrowth);
        assert!(!rivals.are_there());
        rivals.note_overflow(at(5000), regrowth);
        assert!(rivals.are_there());
    }
}
