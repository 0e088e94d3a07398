//! From the machine's clocks to the core's time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pavane::{Epoch, Instant};

/// Maps the machine's monotonic clock to [`Instant`]s; the wall clock is sampled once, when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    read: fn() -> std::time::Instant,
    origin: std::time::Instant,
    epoch: Epoch,
}

impl Clock {
    /// A clock that reads the machine's own.
    pub fn system() -> Self {
        Self::new(std::time::Instant::now)
    }

    /// A clock that reads `read`: the hook for runtimes that can stop or skip time.
    pub fn new(read: fn() -> std::time::Instant) -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { read, origin: read(), epoch: Epoch { at: Instant::ZERO, unix } }
    }

    /// What the clock shows.
    pub fn now(&self) -> Instant {
        Instant::ZERO + (self.read)().saturating_duration_since(self.origin)
    }

    /// The sample of the wall clock.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The moment `at` by the clock that is read; `None` if it lies beyond that clock's range.
    pub fn to_std(&self, at: Instant) -> Option<std::time::Instant> {
        self.origin.checked_add(at - Instant::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_the_way_there_and_back() {
        let clock = Clock::system();
        let later = clock.now() + Duration::from_millis(1500);
        let there = clock.to_std(later).expect("a moment of this hour");
        assert_eq!(Instant::ZERO + there.duration_since(clock.origin), later);
    }
}
