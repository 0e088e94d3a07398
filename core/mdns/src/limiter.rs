//! How many messages leave at most, whatever there is to say (draft-ietf-mmusic-mdns-ice-candidates §6.1).

use core::time::Duration;

use pavane_base::Instant;

/// Lets a burst pass, and then one message an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limiter {
    /// When all of the burst is there again.
    full_at: Instant,
}

/// Messages that pass at once: a full set of candidates of a few peers, each asked for twice.
const BURST: u32 = 64;

/// Time between messages beyond.
const INTERVAL: Duration = Duration::from_millis(50);

impl Limiter {
    pub(crate) const fn new() -> Self {
        Self { full_at: Instant::ZERO }
    }

    /// Whether a message may leave, which is counted then.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        let may = self.opens_at() <= now;
        if may {
            self.full_at = self.full_at.max(now) + INTERVAL;
        }
        may
    }

    /// When the next message may leave.
    pub(crate) fn opens_at(&self) -> Instant {
        let used = INTERVAL * (BURST - 1);
        Instant::ZERO + self.full_at.saturating_duration_since(Instant::ZERO + used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_an_interval() {
        let mut limiter = Limiter::new();
        let start = Instant::from_millis(10_000);
        let passed = (0..1000).filter(|_| limiter.admit(start)).count();
        assert_eq!(passed, BURST as usize);
        assert_eq!(limiter.opens_at(), start + INTERVAL);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..1000).filter(|_| limiter.admit(later)).count(), 20);
    }
}
