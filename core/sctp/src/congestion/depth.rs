//! How deep the queue is, as round trips tell: those without it and those when it overflows.

use core::time::Duration;

/// The depth of the bottleneck's queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Depth {
    /// The shortest round trip of all.
    least: Option<Duration>,
    /// The last one.
    last: Duration,
    /// What round trips are when the queue is full; forgotten slowly.
    full: Option<Duration>,
}

impl Depth {
    pub(super) fn note_rtt(&mut self, rtt: Duration) {
        self.least = Some(self.least.map_or(rtt, |least| least.min(rtt)));
        self.last = rtt;
    }

    /// The last round trip.
    pub(super) const fn last(&self) -> Duration {
        self.last
    }

    /// The queue has overflown.
    pub(super) fn note_overflow(&mut self) {
        let faded = self.full.map(|full| full * 7 / 8 + self.last / 8);
        self.full = Some(faded.unwrap_or_default().max(self.last));
    }

    /// As much of `bytes` as the queue has room for beside what others put into it: all where it holds a round trip, else
    /// less. It is the same part for all flows.
    pub(super) fn part(&self, bytes: u64) -> u64 {
        let percent = self.percent().map_or(100, |percent| percent.saturating_sub(100).clamp(1, 100));
        bytes * percent / 100
    }

    /// What is in flight of a flow when the queue is full, if `product` is without it; where nothing is known, a queue of
    /// two round trips.
    pub(super) fn filled(&self, product: u64) -> u64 {
        product * self.percent().map_or(300, |percent| percent.min(300)) / 100
    }

    /// Round trips with a full queue, in percent of those without.
    fn percent(&self) -> Option<u64> {
        let least = self.least?.as_micros().max(1) as u64;
        Some(self.full?.as_micros() as u64 * 100 / least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shallow_queue_takes_a_part() {
        const fn ms(ms: u64) -> Duration {
            Duration::from_millis(ms)
        }
        let mut depth = Depth::default();
        depth.note_rtt(ms(50));
        assert_eq!((depth.part(1000), depth.filled(1000)), (1000, 3000), "nothing is known");
        depth.note_rtt(ms(75));
        depth.note_overflow();
        assert_eq!((depth.part(1000), depth.filled(1000)), (500, 1500));
        depth.note_rtt(ms(60));
        depth.note_overflow();
        assert_eq!(depth.part(1000), 460, "it fades");
        depth.note_rtt(ms(200));
        depth.note_overflow();
        assert_eq!((depth.part(1000), depth.filled(1000)), (1000, 3000));
    }
}
