//! Whether others fill the queue. Who yields to such gets nothing, and who does not while there are none keeps everybody
//! waiting.

use core::time::Duration;

use pavane_base::Instant;

/// Watches for flows that fill queues until they overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rivals {
    /// When there was last a sign of them.
    seen: Option<Instant>,
    /// For how many rounds the queue has been longer than we make it.
    crowded: u32,
}

impl Rivals {
    /// The queue has overflown.
    pub(super) const fn note_overflow(&mut self, now: Instant) {
        self.seen = Some(now);
        self.crowded = 0;
    }

    /// A round is over; whether its shortest round trip was longer than what we put into the queue explains.
    pub(super) fn end_round(&mut self, now: Instant, unexplained: bool) {
        // The sign that all flows see at once is an overflow; they forget it at once as well, and none of them has to yield
        // to others that have not.
        self.seen = self.seen.filter(|seen| now - *seen <= MEMORY);
        self.crowded = if unexplained { self.crowded + 1 } else { 0 };
        if self.crowded >= CROWDED_ROUNDS {
            self.note_overflow(now);
        }
    }

    /// Whether there are any.
    pub(super) const fn are_there(&self) -> bool {
        self.seen.is_some()
    }
}

/// How long a sign counts: less than it takes CUBIC to fill the queue again, so that others of our kind can be told apart.
const MEMORY: Duration = Duration::from_secs(3);

/// How many rounds with too long a queue are a sign.
const CROWDED_ROUNDS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rivals_are_seen_by_their_queue_and_forgotten() {
        let at = Instant::from_millis;
        let mut rivals = Rivals::default();
        for round in 0..10 {
            rivals.end_round(at(round * 50), round % 4 != 3);
            assert!(!rivals.are_there(), "a queue that goes away is nobody's");
        }
        (10..14).for_each(|round| rivals.end_round(at(round * 50), true));
        assert!(rivals.are_there());
        rivals.end_round(at(3000), false);
        assert!(rivals.are_there());
        rivals.end_round(at(4000), false);
        assert!(!rivals.are_there());
        rivals.note_overflow(at(5000));
        assert!(rivals.are_there());
    }
}
