//! When RTCP is sent (RFC 3550 §6.2, §6.3; RFC 4585 §3.5).
//!
//! Regular reports come every so often, with some chance in it. Feedback goes at once, unless the last one was sent so
//! recently that RTCP would take more than its share.

use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, random_array};

/// How often and how much is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportTiming {
    /// The mean time between regular reports.
    ///
    /// Deviation: RFC 3550 §6.2 wants 5 s, or 360 s divided by the session's kbit/s; one second for video is what WebRTC
    /// endpoints do, and what their estimators expect.
    pub interval: Duration,
    /// RTCP's share: 5 % of the session (RFC 3550 §6.2), and never less than [`MIN_SHARE`](Self::MIN_SHARE).
    pub bits_per_second: u64,
}

impl ReportTiming {
    /// What RTCP may take however little media is sent: a report of a hundred bytes twice a second.
    pub const MIN_SHARE: u64 = 2_000;

    /// For a session that sends at this rate at most, with video or without.
    pub fn new(session_bits_per_second: u64, video: bool) -> Self {
        let interval = Duration::from_secs(if video { 1 } else { 5 });
        Self { interval, bits_per_second: (session_bits_per_second / 20).max(Self::MIN_SHARE) }
    }
}

impl Default for ReportTiming {
    /// For two megabits of video.
    fn default() -> Self {
        Self::new(2_000_000, true)
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// A report at its time.
    Regular,
    /// Feedback before its time.
    Early,
}

/// Says when RTCP may be sent, and when it has to be.
#[derive(Clone, Debug)]
pub struct Reporter {
    timing: ReportTiming,
    regular: Regular,
    /// Feedback may be sent from this moment on.
    early_from: Instant,
    /// The mean size of a compound, in sixteenths of a byte.
    mean_size: u64,
}

/// The next regular report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Regular {
    At(Instant),
    Due,
}

/// Two ends share RTCP's bandwidth.
const MEMBERS: u64 = 2;
/// UDP, IPv4 and SRTCP with GCM's tag, which count as RTCP's (RFC 3711 §3.4).
const OVERHEAD: u64 = 8 + 20 + 20;
/// A report's size before one was sent.
const FIRST_SIZE: u64 = 100;

impl Reporter {
    /// Begins at `now`; the first report comes after half the time (RFC 3550 §6.2).
    pub fn new(timing: ReportTiming, now: Instant, rng: &mut dyn CryptoRng) -> Self {
        let mean_size = (FIRST_SIZE + OVERHEAD) * 16;
        let mut reporter = Self { timing, regular: Regular::Due, early_from: now, mean_size };
        reporter.schedule(now, timing.interval / 2, rng);
        reporter
    }

    /// Changes how often and how much is reported, from the next report on.
    pub fn set_timing(&mut self, timing: ReportTiming) {
        self.timing = timing;
    }

    /// When the next regular report comes; `None` while it is due.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.regular {
            Regular::At(at) => Some(at),
            Regular::Due => None,
        }
    }

    /// Does what time brings.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.regular = Regular::Due;
        }
    }

    /// Whether a regular report is due.
    pub const fn is_due(&self) -> bool {
        matches!(self.regular, Regular::Due)
    }

    /// Has a report sent at once: a goodbye, or a stream that begins.
    pub fn hurry(&mut self) {
        self.regular = Regular::Due;
    }

    /// From when on feedback may be sent.
    pub const fn early_from(&self) -> Instant {
        self.early_from
    }

    /// Tells that `len` bytes of RTCP were sent.
    pub fn sent(&mut self, now: Instant, len: usize, kind: ReportKind, rng: &mut dyn CryptoRng) {
        self.mean_size += len as u64 + OVERHEAD;
        self.mean_size -= self.mean_size / 16;
        // Between two ends nobody else's feedback is waited for, but the share is kept (RFC 4585 §3.5.2).
        self.early_from = now + self.share_interval();
        if kind == ReportKind::Regular {
            self.schedule(now, self.timing.interval, rng);
        }
    }

    /// How long a packet of the mean size takes of RTCP's share, all members having one (RFC 3550 §6.3.1).
    fn share_interval(&self) -> Duration {
        let bits = MEMBERS * self.mean_size / 16 * 8;
        Duration::from_micros(bits * 1_000_000 / self.timing.bits_per_second.max(1))
    }

    fn schedule(&mut self, now: Instant, interval: Duration, rng: &mut dyn CryptoRng) {
        let mean = interval.max(self.share_interval());
        // Between half and one and a half, so that ends that began together do not report together (RFC 3550 §6.3.1). The
        // compensation for timer reconsideration is left out with the reconsideration, which is for groups.
        let chance = u64::from(u32::from_be_bytes(random_array(rng)));
        let micros = mean.as_micros() as u64;
        self.regular = Regular::At(now + Duration::from_micros(micros / 2 + ((micros * chance) >> 32)));
    }
}

#[cfg(test)]
mod tests {
    use pavane_base::rand_core::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn regular_reports_come_about_once_in_their_interval() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut reporter = Reporter::new(ReportTiming::default(), Instant::ZERO, &mut rng);
        assert!(reporter.poll_timeout().unwrap() <= Instant::from_millis(750));
        let (mut now, mut least, mut most) = (Instant::ZERO, Duration::MAX, Duration::ZERO);
        for _ in 0..1000 {
            let next = reporter.poll_timeout().unwrap();
            reporter.handle_timeout(next - Duration::from_millis(1));
            assert!(!reporter.is_due());
            reporter.handle_timeout(next);
            assert!(reporter.is_due() && reporter.poll_timeout().is_none());
            reporter.sent(next, 100, ReportKind::Regular, &mut rng);
            (least, most) = match now {
                Instant::ZERO => (least, most),
                _ => (least.min(next - now), most.max(next - now)),
            };
            now = next;
        }
        assert!(least >= Duration::from_millis(500) && least < Duration::from_millis(510), "{least:?}");
        assert!(most <= Duration::from_millis(1500) && most > Duration::from_millis(1490), "{most:?}");
        assert!((now - Instant::ZERO).abs_diff(Duration::from_secs(1000)) < Duration::from_secs(30));
    }

    /// RFC 3550 §6.2: no more than the share.
    #[test]
    fn feedback_keeps_to_the_share() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let timing = ReportTiming::new(0, true);
        let mut reporter = Reporter::new(timing, Instant::ZERO, &mut rng);
        let (mut now, mut bits) = (Instant::ZERO, 0);
        while now < Instant::from_millis(60_000) {
            assert!(reporter.early_from() > now || bits == 0);
            now = now.max(reporter.early_from());
            reporter.sent(now, 60, ReportKind::Early, &mut rng);
            bits += (60 + OVERHEAD) * 8;
        }
        assert!(bits <= 61 * timing.bits_per_second / MEMBERS, "{bits}");
    }
}
