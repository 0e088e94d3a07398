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

    /// As much of `bytes` as the queue has room for beside what others put into it: less than all where it is shallower
    /// than three quarters of a round trip. It is the same part for all flows.
    pub(super) fn part(&self, bytes: u64) -> u64 {
        let (Some(least), Some(full)) = (self.least, self.full) else { return bytes };
        let (room, least) = (full.saturating_sub(least).as_micros(), least.as_micros().max(1));
        let percent = (room * ROOMY / least).clamp(1, 100) as u64;
        bytes * percent / 100
    }
}

/// Percent of what may wait in the queue, for a queue of one round trip.
const ROOMY: u128 = 140;

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
        assert_eq!(depth.part(1000), 1000, "nothing is known");
        depth.note_rtt(ms(75));
        depth.note_overflow();
        assert_eq!(depth.part(1000), 700);
        depth.note_rtt(ms(60));
        depth.note_overflow();
        assert_eq!(depth.part(1000), 640, "it fades");
        depth.note_rtt(ms(150));
        depth.note_overflow();
        assert_eq!(depth.part(1000), 1000);
    }
}
