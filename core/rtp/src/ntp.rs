//! Wall-clock time as RTCP writes it (RFC 3550 §4).

use core::fmt;
use core::time::Duration;

use pavane_base::{Epoch, Instant};

/// From 1900, where NTP begins to count, to 1970, where Unix does: 70 years with 17 leap days.
const UNIX_TO_NTP_SECONDS: u64 = (70 * 365 + 17) * 86_400;

/// Seconds since 1900 in 32.32 fixed point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// What the wall clock shows at `now`.
    pub fn at(now: Instant, epoch: &Epoch) -> Self {
        Self::from_unix(epoch.unix_at(now))
    }

    /// The time that is `since_1970` after 1970 began.
    pub fn from_unix(since_1970: Duration) -> Self {
        // 32 bits of seconds wrap in 2036, and the receivers' do too.
        let seconds = since_1970.as_secs().wrapping_add(UNIX_TO_NTP_SECONDS) & 0xffff_ffff;
        Self(seconds << 32 | fraction(since_1970.subsec_nanos()))
    }

    /// The time since 1970 began, which is none before it.
    pub fn to_unix(self) -> Duration {
        let seconds = (self.0 >> 32).saturating_sub(UNIX_TO_NTP_SECONDS);
        let nanos = ((self.0 & 0xffff_ffff) * 1_000_000_000) >> 32;
        Duration::from_secs(seconds) + Duration::from_nanos(nanos)
    }

    /// The middle 32 bits, by which reports refer to each other.
    pub const fn middle(self) -> NtpShort {
        NtpShort((self.0 >> 16) as u32)
    }
}

impl fmt::Debug for NtpTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NtpTime({}.{:08x})", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

fn fraction(nanos: u32) -> u64 {
    (u64::from(nanos) << 32) / 1_000_000_000
}

/// A moment or a length of time in 16.16 fixed point seconds, which wraps after 18 hours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NtpShort(pub u32);

impl NtpShort {
    /// A length of time, at most 18 hours.
    pub fn from_duration(duration: Duration) -> Self {
        let units = (duration.as_nanos() << 16) / 1_000_000_000;
        Self(u32::try_from(units).unwrap_or(u32::MAX))
    }

    /// The length of time.
    pub const fn to_duration(self) -> Duration {
        Duration::from_nanos((self.0 as u64 * 1_000_000_000) >> 16)
    }

    /// The time from `earlier` to `self`, modulo 18 hours; none where that is more than half of them, because then
    /// `earlier` is later.
    pub fn since(self, earlier: Self) -> Option<Self> {
        let ahead = self.0.wrapping_sub(earlier.0);
        (ahead <= u32::MAX / 2).then_some(Self(ahead))
    }
}

impl fmt::Debug for NtpShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NtpShort({:?})", self.to_duration())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_time_comes_back_to_within_a_nanosecond() {
        for nanos in [0, 1, 999_999_999, 500_000_000] {
            let unix = Duration::new(1_700_000_000, nanos);
            let back = NtpTime::from_unix(unix).to_unix();
            assert!(unix - back <= Duration::from_nanos(1), "{unix:?} {back:?}");
        }
        assert_eq!(NtpTime::from_unix(Duration::ZERO).0 >> 32, 2_208_988_800);
    }

    #[test]
    fn short_times_wrap_and_know_their_order() {
        let second = NtpShort::from_duration(Duration::from_secs(1));
        assert_eq!(second, NtpShort(0x1_0000));
        assert_eq!(NtpShort(5).since(NtpShort(u32::MAX)), Some(NtpShort(6)));
        assert_eq!(NtpShort(5).since(NtpShort(6)), None);
        assert_eq!(NtpShort(0x8000).to_duration(), Duration::from_millis(500));
        assert_eq!(NtpShort::from_duration(Duration::MAX), NtpShort(u32::MAX));
    }
}
