//! How much later than the fastest some frames come, and by how much all have to be held back to come evenly.

use core::time::Duration;

use pavane_base::Instant;

use crate::receive::Place;

/// How wide a step of the histogram is.
const STEP: Duration = Duration::from_millis(8);
/// How many steps there are; what is later counts as the last one: half a second.
const STEPS: usize = 64;
/// After as many frames half of what was measured is forgotten, about.
const MEMORY: u32 = 256;
/// The share of frames that come in time, of 32.
const IN_TIME: u64 = 31;
/// For how long the fastest frame is the measure: clocks drift apart by a millisecond in this time, or less.
const FASTEST_FOR: Duration = Duration::from_secs(10);
/// A frame this late is one of another clock.
const ANOTHER_CLOCK: i128 = 3_000_000_000;

/// Arrivals beside the media clock.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    fastest: Option<Fastest>,
    /// How many frames came how late, in parts of [`UNIT`](Self::UNIT).
    histogram: [u32; STEPS],
}

/// The least difference between arrival and media time, in two spans of time.
#[derive(Clone, Copy, Debug)]
struct Fastest {
    since: Instant,
    before: i128,
    latest: i128,
}

impl Fastest {
    fn offset(&self) -> i128 {
        self.before.min(self.latest)
    }
}

impl Delay {
    const UNIT: u32 = 1 << 20;

    /// Takes note of a frame that was whole at `now`.
    pub(super) fn measure(&mut self, now: Instant, place: Place) {
        let offset = i128::from(now.as_nanos()) - media_time(place);
        let begin = Fastest { since: now, before: offset, latest: offset };
        let fastest = self.fastest.get_or_insert(begin);
        if offset - fastest.offset() > ANOTHER_CLOCK {
            *fastest = begin;
        }
        if now - fastest.since > FASTEST_FOR / 2 {
            *fastest = Fastest { since: now, before: fastest.latest, latest: offset };
        }
        fastest.latest = fastest.latest.min(offset);
        let late = (offset - fastest.offset()) as u128 / STEP.as_nanos();
        for count in &mut self.histogram {
            *count -= *count / MEMORY;
        }
        self.histogram[(late as usize).min(STEPS - 1)] += Self::UNIT;
    }

    /// How late frames may come and be in time, but for a few.
    pub(super) fn target(&self) -> Duration {
        let total: u64 = self.histogram.iter().copied().map(u64::from).sum();
        let mut in_time = 0;
        let steps = self.histogram.iter().position(|count| {
            in_time += u64::from(*count);
            in_time * 32 >= total * IN_TIME
        });
        STEP * steps.map_or(0, |steps| steps as u32)
    }

    /// When a frame is due that is held back by `target`.
    pub(super) fn due(&self, place: Place, target: Duration) -> Option<Instant> {
        let at = media_time(place) + self.fastest?.offset() + target.as_nanos() as i128;
        Some(Instant::from_nanos(u64::try_from(at.max(0)).unwrap_or(u64::MAX)))
    }

    /// Forgets whose clock it was; the network's jitter stays.
    pub(super) const fn restart(&mut self) {
        self.fastest = None;
    }
}

impl Default for Delay {
    fn default() -> Self {
        Self { fastest: None, histogram: [0; STEPS] }
    }
}

/// A place's moment of the media clock, in nanoseconds.
fn media_time(place: Place) -> i128 {
    i128::from(place.timestamp) * 1_000_000_000 / i128::from(place.clock_rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64) -> Place {
        Place { sequence: number, timestamp: number * 1800, clock_rate: 90_000 }
    }

    fn at(number: u64, late: u64) -> Instant {
        Instant::from_millis(5000 + number * 20 + late)
    }

    #[test]
    fn even_arrivals_need_no_delay() {
        let mut delay = Delay::default();
        (0..1000).for_each(|number| delay.measure(at(number, 0), place(number)));
        assert_eq!(delay.target(), Duration::ZERO);
        assert_eq!(delay.due(place(1000), Duration::from_millis(30)), Some(at(1000, 30)));
    }

    #[test]
    fn the_delay_follows_the_jitter_and_forgets_it() {
        let mut delay = Delay::default();
        for number in 0..500 {
            delay.measure(at(number, if number % 10 == 0 { 50 } else { number % 5 }), place(number));
        }
        assert_eq!(delay.target(), Duration::from_millis(48));
        (500..2500).for_each(|number| delay.measure(at(number, 0), place(number)));
        assert_eq!(delay.target(), Duration::ZERO);
    }

    #[test]
    fn clocks_may_drift_and_leap() {
        let mut delay = Delay::default();
        // Half a thousandth slower, for ten minutes.
        (0..30_000).for_each(|number| delay.measure(at(number, number / 100), place(number)));
        assert!(delay.target() <= Duration::from_millis(8), "{:?}", delay.target());
        let due = delay.due(place(30_000), Duration::ZERO).unwrap();
        assert!(at(30_000, 300) - due <= Duration::from_millis(8) && due <= at(30_000, 300));
        // A minute back.
        delay.measure(at(33_000, 0), place(30_000));
        assert_eq!(delay.due(place(30_001), Duration::ZERO), Some(at(33_001, 0)));
        assert!(delay.target() <= Duration::from_millis(8));
        // And on again.
        delay.measure(at(33_002, 0), place(50_000));
        assert_eq!(delay.due(place(50_001), Duration::ZERO), Some(at(33_003, 0)));
    }
}
