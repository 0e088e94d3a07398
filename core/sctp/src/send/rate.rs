//! How fast data arrives, sampled at each chunk: what arrived between its sending and its acknowledgement, and in what
//! time.

use core::time::Duration;

use pavane_base::Instant;

use crate::congestion::{RateSample, per_second};

/// Counts what arrives.
#[derive(Debug, Default)]
pub(super) struct DeliveryRate {
    /// How many bytes have arrived.
    delivered: u64,
    /// When the last of them was acknowledged.
    delivered_at: Instant,
    /// When the first chunk of the flight was sent.
    flight_began: Instant,
    /// Until so much has arrived, samples say more about the application than about the path.
    limited_until: u64,
}

/// How things stood when a chunk was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) delivered: u64,
    delivered_at: Instant,
    flight_began: Instant,
    limited: bool,
}

impl DeliveryRate {
    /// A chunk is being sent, with nothing in flight before it or something.
    pub(super) fn stamp(&mut self, now: Instant, first: bool) -> Stamp {
        if first {
            self.delivered_at = now;
            self.flight_began = now;
        }
        Stamp {
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            flight_began: self.flight_began,
            limited: self.is_limited(),
        }
    }

    /// There was less to send than the window would have allowed.
    pub(super) fn note_limited(&mut self, in_flight: u64) {
        self.limited_until = (self.delivered + in_flight).max(1);
    }

    /// Whether there was, lately.
    pub(super) const fn is_limited(&self) -> bool {
        self.limited_until > self.delivered
    }

    pub(super) const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// So many bytes have arrived, the last of them with this stamp, sent at this moment.
    pub(super) fn sample(
        &mut self,
        now: Instant,
        bytes: u64,
        stamp: &Stamp,
        sent_at: Instant,
        shortest: Duration,
    ) -> Option<RateSample> {
        self.delivered += bytes;
        self.delivered_at = now;
        self.flight_began = self.flight_began.max(sent_at);
        let sending = sent_at - stamp.flight_began;
        let arriving = now - stamp.delivered_at;
        let interval = sending.max(arriving);
        // What seems to have come sooner than anything can was sent twice, and came the first time.
        (interval >= shortest && !interval.is_zero()).then(|| RateSample {
            bytes_per_second: per_second(self.delivered - stamp.delivered, interval),
            delivered_before: stamp.delivered,
            limited: stamp.limited,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_slower_side() {
        let at = Instant::from_millis;
        let mut rate = DeliveryRate::default();
        let first = rate.stamp(at(0), true);
        let second = rate.stamp(at(10), false);
        let sample = rate.sample(at(100), 1000, &first, at(0), Duration::from_millis(1)).unwrap();
        assert_eq!((sample.bytes_per_second, sample.delivered_before), (10_000, 0));
        // Both arrive in 110 ms since the flight began.
        let sample = rate.sample(at(110), 1000, &second, at(10), Duration::from_millis(1)).unwrap();
        assert_eq!(sample.bytes_per_second, 18_181);
        rate.note_limited(3000);
        let third = rate.stamp(at(110), true);
        assert!(rate.sample(at(120), 3000, &third, at(110), Duration::from_millis(50)).is_none());
        assert!(!rate.is_limited());
    }
}
