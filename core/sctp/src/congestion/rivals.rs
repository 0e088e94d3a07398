//! Whether others fill the queue. Who yields to such gets nothing, and who does not while there are none keeps everybody
//! waiting.
//!
//! ```text
//!  alone     --- the queue overflows --------------------> test
//!            --- it is longer than we make it -----------> suspicion
//!  suspicion --- it has not overflown for a time --------> alone
//!  test      --- the queue stays as long as it was ------> proof
//!            --- it grows while we stand still ----------> proof
//!            --- it does not ----------------------------> alone
//!  proof     --- the queue overflows --------------------> test
//! ```
//!
//! All flows of our kind see an overflow at about the same time, and make room after it; then they stand still, and none of
//! them sees another grow. CUBIC grows fastest right then: a quarter of the time that it takes to fill the queue again shows
//! more than half of its growth, and costs who stands still little, since CUBIC's window follows from the time and can be
//! caught up with. Where others were spared by the overflow, what we alone make room for shortens a long queue by little.

use core::time::Duration;

use pavane_base::Instant;

/// Watches for flows that fill queues until they overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rivals {
    sign: Option<Sign>,
    /// For how many rounds the queue has been longer than we make it.
    crowded: u32,
}

/// What the last sign of rivals was, and how long it counts.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// The queue is longer than we make it; it does not overflow.
    Suspicion { until: Instant },
    /// It has overflown, when a round trip took `full`; no more than `hold` is in flight, and `least` is the shortest round
    /// trip of all `rounds` since but the first few.
    Test { until: Instant, hold: u64, full: Duration, rounds: u32, least: Option<Duration> },
    /// A test has shown that others fill it.
    Proof { until: Instant },
}

/// Whether there are rivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    None,
    /// The queue is longer than we make it.
    Suspected,
    /// It has overflown, and nothing says that it was us alone.
    Proven,
}

impl Rivals {
    /// The queue has overflown, when a round trip took `full`, and `window` is what is left; CUBIC would take `regrowth` to
    /// fill it again.
    pub(super) fn note_overflow(&mut self, now: Instant, window: u64, regrowth: Duration, full: Duration) {
        self.crowded = 0;
        self.sign =
            Some(Sign::Test { until: now + regrowth / 4, hold: window, full, rounds: 0, least: None });
    }

    /// A round is over, with this shortest round trip; whether that was longer than what we put into the queue explains.
    pub(super) fn end_round(
        &mut self,
        now: Instant,
        rtt: Option<Duration>,
        unexplained: bool,
        regrowth: Duration,
    ) {
        self.crowded = if unexplained && self.sign.is_none() { self.crowded + 1 } else { 0 };
        match &mut self.sign {
            None if self.crowded >= CROWDED_ROUNDS => {
                self.crowded = 0;
                self.sign = Some(Sign::Suspicion { until: now + regrowth * 3 / 4 });
            }
            Some(Sign::Test { until, full, rounds, least, .. }) => {
                let Some(rtt) = rtt else { return };
                *rounds += 1;
                if *rounds <= REPAIR_ROUNDS {
                    return;
                }
                let shortest = least.map_or(rtt, |least| least.min(rtt));
                *least = Some(shortest);
                if now > *until {
                    let grows = rtt > shortest + LEAST_GROWTH.max(shortest / 32);
                    let stays = shortest > *full / 20 * 17;
                    self.sign = (grows || stays).then_some(Sign::Proof { until: now + regrowth * PATIENCE });
                }
            }
            Some(Sign::Suspicion { until } | Sign::Proof { until }) if now > *until => self.sign = None,
            _ => {}
        }
    }

    /// Whether there are any.
    pub(super) const fn presence(&self) -> Presence {
        match self.sign {
            None => Presence::None,
            Some(Sign::Suspicion { .. }) => Presence::Suspected,
            Some(Sign::Test { .. } | Sign::Proof { .. }) => Presence::Proven,
        }
    }

    /// How much may be in flight so that only others make the queue longer.
    pub(super) const fn hold(&self) -> u64 {
        match self.sign {
            Some(Sign::Test { hold, .. }) => hold,
            _ => u64::MAX,
        }
    }
}

/// How many times the regrowth a proof counts: a rival whose window is larger takes longer to fill the queue.
const PATIENCE: u32 = 4;

/// For how many rounds after an overflow less may be in flight than is held, while what was lost is repaired.
const REPAIR_ROUNDS: u32 = 4;

/// How many rounds with too long a queue are a sign.
const CROWDED_ROUNDS: u32 = 4;

/// Round trips that have grown by less have not: timers and processors take their time.
const LEAST_GROWTH: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    const REGROWTH: Duration = Duration::from_secs(4);

    const fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    const FULL: Duration = Duration::from_millis(80);

    /// Rounds of 50 ms between two moments, with round trips that grow from 60 ms by `growth` microseconds in each.
    fn rounds(rivals: &mut Rivals, from: u64, to: u64, growth: u64, unexplained: bool) {
        for ms in (from..=to).step_by(50) {
            let rtt = Duration::from_micros(60_000 + (ms - from) / 50 * growth);
            rivals.end_round(at(ms), Some(rtt), unexplained, REGROWTH);
        }
    }

    #[test]
    fn rivals_are_suspected_by_their_queue() {
        let mut rivals = Rivals::default();
        for round in 0..8 {
            rivals.end_round(at(round * 50), None, round % 4 != 3, REGROWTH);
            assert_eq!(rivals.presence(), Presence::None, "a queue that goes away is nobody's");
        }
        rounds(&mut rivals, 500, 650, 0, true);
        assert_eq!(rivals.presence(), Presence::Suspected);
        // What we do about it makes the queue longer still, and says nothing.
        rounds(&mut rivals, 700, 3650, 100, true);
        assert_eq!(rivals.presence(), Presence::Suspected);
        rounds(&mut rivals, 3700, 3700, 0, true);
        assert_eq!(rivals.presence(), Presence::None);
    }

    #[test]
    fn rivals_are_proven_if_the_queue_grows_while_we_stand_still() {
        let mut rivals = Rivals::default();
        rivals.note_overflow(at(0), 7000, REGROWTH, FULL);
        assert_eq!((rivals.presence(), rivals.hold()), (Presence::Proven, 7000));
        rounds(&mut rivals, 50, 1000, 200, false);
        assert_eq!((rivals.presence(), rivals.hold()), (Presence::Proven, 7000));
        rounds(&mut rivals, 1050, 1050, 0, false);
        assert_eq!((rivals.presence(), rivals.hold()), (Presence::None, u64::MAX), "they have gone");
        rivals.note_overflow(at(2000), 7000, REGROWTH, FULL);
        rounds(&mut rivals, 2050, 3050, 200, false);
        assert_eq!((rivals.presence(), rivals.hold()), (Presence::Proven, u64::MAX));
        rounds(&mut rivals, 3100, 19_050, 0, false);
        assert_eq!(rivals.presence(), Presence::Proven);
        rounds(&mut rivals, 19_100, 19_100, 0, false);
        assert_eq!(rivals.presence(), Presence::None, "nothing overflows any more");
    }

    #[test]
    fn rivals_are_proven_if_the_queue_stays_as_long_as_it_was() {
        for (full, presence) in [(71, Presence::None), (70, Presence::Proven)] {
            let mut rivals = Rivals::default();
            rivals.note_overflow(at(0), 7000, REGROWTH, Duration::from_millis(full));
            rounds(&mut rivals, 50, 1050, 0, false);
            assert_eq!(rivals.presence(), presence, "60 ms of {full}");
        }
    }

    #[test]
    fn what_is_in_flight_again_after_a_repair_is_no_rivals() {
        let mut rivals = Rivals::default();
        rivals.note_overflow(at(0), 7000, REGROWTH, FULL);
        rounds(&mut rivals, 50, 200, 3000, false);
        let rtt = Duration::from_millis(66);
        (250..=1050).step_by(50).for_each(|ms| rivals.end_round(at(ms), Some(rtt), false, REGROWTH));
        assert_eq!(rivals.presence(), Presence::None, "it grew to what is held, and no further");
    }
}
