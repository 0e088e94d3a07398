//! Time as the caller tells it.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A moment, counted in nanoseconds from an origin that the caller chose.
///
/// There is no `now()`: a moment enters the core as an argument and nowhere else. The range is 584 years; arithmetic
/// saturates at its ends, so that no input, however odd, makes a deadline wrap into the past.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// The moment `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    #[inline]
    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl AddAssign<Duration> for Instant {
    #[inline]
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    #[inline]
    fn sub(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanos))
    }
}

impl Sub for Instant {
    type Output = Duration;

    #[inline]
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_nanos(self.0))
    }
}

/// The earlier of two deadlines, where `None` is no deadline.
#[inline]
pub fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The wall clock, sampled once: what it showed at one [`Instant`].
///
/// Certificates' dates and RTCP's NTP times are derived from it; nothing in the core asks again, so a step of the
/// system's clock in mid-session changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The moment of the sample.
    pub at: Instant,
    /// What the wall clock showed then, since 1970-01-01T00:00:00Z.
    pub unix: Duration,
}

impl Epoch {
    /// What the wall clock shows at `now`, since 1970-01-01T00:00:00Z.
    pub fn unix_at(&self, now: Instant) -> Duration {
        match now >= self.at {
            true => self.unix.saturating_add(now - self.at),
            false => self.unix.saturating_sub(self.at - now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Instant::from_nanos(u64::MAX) + Duration::MAX, Instant::from_nanos(u64::MAX));
        assert_eq!(Instant::from_millis(1) - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(Instant::ZERO - Instant::from_millis(1), Duration::ZERO);
    }

    #[test]
    fn the_earliest_deadline_is_the_one_that_exists() {
        let soon = Some(Instant::from_millis(1));
        let late = Some(Instant::from_millis(2));
        assert_eq!(earliest(late, soon), soon);
        assert_eq!(earliest(None, late), late);
        assert_eq!(earliest(late, None), late);
        assert_eq!(earliest(None, None), None);
    }

    #[test]
    fn the_wall_clock_moves_with_the_instants() {
        let epoch = Epoch { at: Instant::from_millis(500), unix: Duration::from_secs(100) };
        assert_eq!(epoch.unix_at(Instant::from_millis(1500)), Duration::from_secs(101));
        assert_eq!(epoch.unix_at(Instant::ZERO), Duration::from_millis(99_500));
    }
}
