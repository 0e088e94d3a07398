//! Whether others fill the queue. Who yields to such gets nothing, and who does not while there are none keeps everybody
//! waiting.
//!
//! ```text
//!  alone       nothing has overflown
//!  competing   the queue has: the window grows by CUBIC's rules, until it is nearly what it was before
//!  waiting     it grows no further: if the queue overflows all the same, others fill it
//! ```
//!
//! All flows see an overflow, and so wait and yield at about the same time: those of our kind then yield together, and none
//! to another that does not.

use core::time::Duration;

use pavane_base::Instant;

/// Watches for flows that fill queues until they overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rivals {
    sign: Option<Sign>,
    /// For how many rounds the queue has been longer than we make it.
    crowded: u32,
}

/// What the last sign of rivals was.
#[derive(Clone, Copy, Debug)]
struct Sign {
    presence: Presence,
    competing_until: Instant,
    until: Instant,
}

/// Whether there are rivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    None,
    /// The queue is longer than we make it; it does not overflow.
    Suspected,
    /// It has overflown.
    Proven,
}

impl Rivals {
    /// The queue has overflown; CUBIC would take `regrowth` to fill it again.
    pub(super) fn note_overflow(&mut self, now: Instant, regrowth: Duration) {
        self.see(Presence::Proven, now + regrowth / 2, now + regrowth * PATIENCE);
    }

    /// A round is over; whether its shortest round trip was longer than what we put into the queue explains.
    pub(super) fn end_round(&mut self, now: Instant, unexplained: bool, regrowth: Duration) {
        self.sign = self.sign.filter(|sign| now <= sign.until);
        // Who competes fills the queue.
        self.crowded = if unexplained && self.sign.is_none() { self.crowded + 1 } else { 0 };
        if self.crowded >= CROWDED_ROUNDS {
            let until = now + regrowth * 3 / 4;
            self.see(Presence::Suspected, until, until);
        }
    }

    fn see(&mut self, presence: Presence, competing_until: Instant, until: Instant) {
        self.sign = Some(Sign { presence, competing_until, until });
        self.crowded = 0;
    }

    /// Whether there are any.
    pub(super) fn presence(&self) -> Presence {
        self.sign.map_or(Presence::None, |sign| sign.presence)
    }

    /// Whether it is time to see if they show themselves.
    pub(super) fn are_awaited(&self, now: Instant) -> bool {
        self.sign.is_some_and(|sign| now > sign.competing_until)
    }
}

/// How many times the regrowth an overflow counts: a rival whose window is larger takes longer to fill the queue.
const PATIENCE: u32 = 2;

/// How many rounds with too long a queue are a sign.
const CROWDED_ROUNDS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const REGROWTH: Duration = Duration::from_secs(4);

    #[test]
    fn rivals_are_suspected_by_their_queue() {
        let at = Instant::from_millis;
        let mut rivals = Rivals::default();
        for round in 0..10 {
            rivals.end_round(at(round * 50), round % 4 != 3, REGROWTH);
            assert_eq!(rivals.presence(), Presence::None, "a queue that goes away is nobody's");
        }
        (10..14).for_each(|round| rivals.end_round(at(round * 50), true, REGROWTH));
        assert_eq!(rivals.presence(), Presence::Suspected);
        // What we do about it makes the queue longer still, and says nothing.
        (14..72).for_each(|round| rivals.end_round(at(round * 50), true, REGROWTH));
        assert_eq!(rivals.presence(), Presence::Suspected);
        rivals.end_round(at(3700), true, REGROWTH);
        assert_eq!(rivals.presence(), Presence::None);
    }

    #[test]
    fn rivals_are_proven_by_an_overflow_and_forgotten_if_none_follows() {
        let at = Instant::from_millis;
        let mut rivals = Rivals::default();
        rivals.note_overflow(at(0), REGROWTH);
        for (ms, presence, awaited) in [
            (2000, Presence::Proven, false),
            (2100, Presence::Proven, true),
            (8000, Presence::Proven, true),
            (8100, Presence::None, false),
        ] {
            rivals.end_round(at(ms), false, REGROWTH);
            assert_eq!((rivals.presence(), rivals.are_awaited(at(ms))), (presence, awaited), "{ms}");
        }
    }
}
