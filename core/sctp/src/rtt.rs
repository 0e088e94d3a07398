//! The round trip as it is measured, and the timeouts derived from it (RFC 9260 §6.3.1).

use core::time::Duration;

use pavane_base::Instant;

use crate::config::Timing;

/// Estimates the round trip and the retransmission timeout.
#[derive(Clone, Debug)]
pub(crate) struct RoundTrip {
    estimate: Option<Estimate>,
    shortest: Option<Duration>,
    /// When a sample counts again: once in a round trip (RFC 9260 §6.3.1 C4).
    next_sample: Instant,
    /// How often the timeout has doubled.
    backoff: u32,
    /// What follows from all this; asked for with every packet.
    timeout: Duration,
    probe_timeout: Duration,
    initial: Duration,
    min: Duration,
    max: Duration,
    margin: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
    /// Whether it was measured here; a hint from below gives way to the first sample.
    measured: bool,
}

impl RoundTrip {
    pub(crate) fn new(timing: &Timing) -> Self {
        Self {
            estimate: None,
            shortest: None,
            next_sample: Instant::ZERO,
            backoff: 0,
            timeout: timing.rto_initial,
            probe_timeout: timing.rto_initial,
            initial: timing.rto_initial,
            min: timing.rto_min,
            max: timing.rto_max.max(timing.rto_min),
            margin: timing.rto_margin,
        }
    }

    /// Takes a measurement that another layer made on the same path, until there is one of our own.
    pub(crate) fn hint(&mut self, rtt: Duration) {
        if self.estimate.is_none_or(|e| !e.measured) {
            self.estimate = Some(Estimate { smoothed: rtt, variation: rtt / 2, measured: false });
            self.derive();
        }
    }

    /// Takes a measurement (RFC 9260 §6.3.1 C2, C3).
    pub(crate) fn sample(&mut self, now: Instant, rtt: Duration) {
        self.shortest = Some(self.shortest.map_or(rtt, |shortest| shortest.min(rtt)));
        if now < self.next_sample {
            return self.answered();
        }
        let estimate = match self.estimate {
            Some(Estimate { smoothed, variation, measured: true }) => Estimate {
                smoothed: smoothed * 7 / 8 + rtt / 8,
                variation: variation * 3 / 4 + smoothed.abs_diff(rtt) / 4,
                measured: true,
            },
            _ => Estimate { smoothed: rtt, variation: rtt / 2, measured: true },
        };
        self.next_sample = now + estimate.smoothed;
        self.estimate = Some(estimate);
        self.backoff = 0;
        self.derive();
    }

    /// The path is another one: the next measurement counts for all before, which are a hint until then.
    pub(crate) fn forget(&mut self) {
        self.shortest = None;
        self.next_sample = Instant::ZERO;
        if let Some(estimate) = &mut self.estimate {
            estimate.measured = false;
        }
    }

    /// Forgets how often the timeout has doubled: the peer answers.
    pub(crate) fn answered(&mut self) {
        if self.backoff != 0 {
            self.backoff = 0;
            self.derive();
        }
    }

    /// Doubles the timeout (RFC 9260 §6.3.3 E2).
    pub(crate) fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(MAX_BACKOFF);
        self.derive();
    }

    /// The retransmission timeout.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The smoothed round trip, if there is any idea of it.
    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.estimate.map(|e| e.smoothed)
    }

    /// How long a packet may be overtaken before it counts as lost: a quarter of the shortest round trip, and another one
    /// for each of `patience`, up to the smoothed one (RFC 8985 §6.2).
    pub(crate) fn reordering_window(&self, patience: u32) -> Duration {
        let quarter = self.shortest.unwrap_or(self.initial) / 4;
        (quarter * (1 + patience)).min(self.smoothed().unwrap_or(self.initial))
    }

    /// The shortest round trip of all.
    pub(crate) const fn shortest(&self) -> Option<Duration> {
        self.shortest
    }

    /// How long to wait for an acknowledgement of the last packets before probing: two round trips (RFC 8985 §7.2).
    pub(crate) const fn probe_timeout(&self) -> Duration {
        self.probe_timeout
    }

    fn derive(&mut self) {
        let base = self.base_timeout();
        self.timeout = base.saturating_mul(1 << self.backoff).min(self.max.max(base));
        self.probe_timeout = self.smoothed().map_or(self.initial, |smoothed| smoothed * 2).max(MIN_PROBE);
    }

    fn base_timeout(&self) -> Duration {
        match self.estimate {
            Some(e) => (e.smoothed + (e.variation * 4).max(self.margin)).clamp(self.min, MAX_TIMEOUT),
            None => self.initial,
        }
    }
}

/// RFC 9260 §16: RTO.Max.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// Enough to reach any maximum from any minimum, and no more than a shift can do.
const MAX_BACKOFF: u32 = 16;

/// Timers of the platforms below us are not finer than this.
const MIN_PROBE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_timeout_follows_the_samples() {
        let mut rtt = RoundTrip::new(&Timing::default());
        assert_eq!(rtt.timeout(), ms(400));
        rtt.hint(ms(100));
        assert_eq!(rtt.timeout(), ms(300));
        rtt.sample(Instant::from_millis(0), ms(200));
        assert_eq!((rtt.smoothed(), rtt.timeout()), (Some(ms(200)), ms(600)));
        rtt.hint(ms(1));
        assert_eq!(rtt.smoothed(), Some(ms(200)));
        // RFC 9260 §6.3.1 C4: one sample a round trip.
        rtt.sample(Instant::from_millis(100), ms(1000));
        assert_eq!(rtt.smoothed(), Some(ms(200)));
        rtt.sample(Instant::from_millis(200), ms(120));
        assert_eq!(rtt.smoothed(), Some(ms(190)));
    }

    #[test]
    fn the_timeout_doubles_up_to_its_maximum_and_falls_back() {
        let mut rtt = RoundTrip::new(&Timing::default());
        rtt.sample(Instant::ZERO, ms(1));
        let mut seen = std::vec::Vec::new();
        for _ in 0..6 {
            seen.push(rtt.timeout());
            rtt.back_off();
        }
        assert_eq!(seen, [ms(200), ms(400), ms(800), ms(1500), ms(1500), ms(1500)]);
        (0..100).for_each(|_| rtt.back_off());
        assert_eq!(rtt.timeout(), ms(1500));
        rtt.answered();
        assert_eq!(rtt.timeout(), ms(200));
        let mut slow = RoundTrip::new(&Timing::default());
        slow.sample(Instant::ZERO, ms(2000));
        slow.back_off();
        assert_eq!(slow.timeout(), ms(6000), "a long round trip is not cut short");
    }
}
