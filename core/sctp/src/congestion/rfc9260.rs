//! The congestion control of RFC 9260 §7.2.

use pavane_base::Instant;

use super::{Acked, CongestionController, INITIAL_PACKETS, Lost, MIN_PACKETS};

/// Slow start and congestion avoidance, half the window on loss.
#[derive(Clone, Debug)]
pub(crate) struct Rfc9260 {
    /// How many bytes of chunks fit into a packet (PMDCS).
    packet: u64,
    window: u64,
    threshold: u64,
    /// Bytes acknowledged towards the next step of congestion avoidance.
    partial: u64,
    /// Window and threshold before the last reduction, in case it was for nothing.
    before: Option<(u64, u64)>,
}

impl Rfc9260 {
    pub(crate) const fn new(packet: u64) -> Self {
        Self { packet, window: INITIAL_PACKETS * packet, threshold: u64::MAX, partial: 0, before: None }
    }

    fn reduced_threshold(&self) -> u64 {
        (self.window / 2).max(MIN_PACKETS * self.packet)
    }

    fn grow(&mut self, acked: &Acked) {
        if self.window <= self.threshold {
            if acked.window_used && !acked.recovering {
                // Before the first loss nothing tells that there is a limit.
                let never_lost = self.threshold == u64::MAX;
                let limit = if never_lost { u64::MAX } else { GROWTH_PACKETS * self.packet };
                self.window += acked.bytes.min(limit);
            }
            return;
        }
        self.partial += acked.bytes;
        if self.partial >= self.window {
            if acked.window_used {
                self.partial -= self.window;
                self.window += self.packet;
            } else {
                self.partial = self.window;
            }
        }
    }
}

impl CongestionController for Rfc9260 {
    fn set_packet(&mut self, packet: u64) {
        self.packet = packet;
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn threshold(&self) -> u64 {
        self.threshold
    }

    fn on_acked(&mut self, acked: &Acked) {
        self.grow(acked);
        if acked.nothing_outstanding {
            self.partial = 0;
        }
    }

    fn on_lost(&mut self, lost: &Lost) {
        if lost.first {
            self.before = Some((self.window, self.threshold));
            self.threshold = self.reduced_threshold();
            self.window = self.threshold;
            self.partial = 0;
        }
    }

    fn on_spurious_loss(&mut self) {
        if let Some((window, threshold)) = self.before.take() {
            self.window = self.window.max(window);
            self.threshold = threshold;
        }
    }

    fn on_timeout(&mut self, _now: Instant) {
        self.before = Some((self.window, self.threshold));
        self.threshold = self.reduced_threshold();
        self.window = self.packet;
        self.partial = 0;
    }

    fn on_idle(&mut self, _now: Instant) {
        // RFC 9260 §7.2.1: half the window for each timeout without data, the threshold remembers where it was.
        if self.window > INITIAL_PACKETS * self.packet {
            self.threshold = self.window;
            self.window = (self.window / 2).max(INITIAL_PACKETS * self.packet);
        }
    }
}

/// L of RFC 9260 §7.2.1 after a timeout.
///
/// Deviation: it is 1 by recommendation, and there is no limit before the first loss. A peer that takes packets in batches
/// answers a batch with one SACK, and counting packets would then grow the window by a hundredth of what has arrived;
/// counting bytes alone is what QUIC does (RFC 9002 §7.3.1).
const GROWTH_PACKETS: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: u64 = 1000;

    fn acked(bytes: u64, window_used: bool) -> Acked {
        Acked {
            now: Instant::ZERO,
            bytes,
            in_flight: 0,
            recovering: false,
            nothing_outstanding: false,
            window_used,
            more_waits: true,
            rtt: None,
            delivered: 0,
            rate: None,
        }
    }

    const LOST: Lost =
        Lost { now: Instant::ZERO, bytes: 1000, in_flight: 0, sent_at: Instant::ZERO, first: true };

    #[test]
    fn slow_start_grows_by_what_is_acknowledged_of_a_full_window() {
        let mut cc = Rfc9260::new(PACKET);
        assert_eq!(cc.window(), 10_000);
        cc.on_acked(&acked(2000, true));
        assert_eq!(cc.window(), 12_000);
        cc.on_acked(&acked(12_000, true));
        assert_eq!(cc.window(), 24_000, "one SACK for a batch");
        cc.on_acked(&acked(2000, false));
        assert_eq!(cc.window(), 24_000, "the window was not used");
        cc.on_acked(&Acked { recovering: true, ..acked(2000, true) });
        assert_eq!(cc.window(), 24_000, "not while a loss is repaired");
        cc.on_timeout(Instant::ZERO);
        cc.on_acked(&acked(20_000, true));
        assert_eq!(cc.window(), 9000, "after a timeout carefully");
    }

    #[test]
    fn congestion_avoidance_grows_by_a_packet_for_each_window() {
        let mut cc = Rfc9260::new(PACKET);
        cc.on_lost(&LOST);
        assert_eq!((cc.window(), cc.threshold()), (5000, 5000));
        cc.on_acked(&acked(1000, true));
        assert_eq!(cc.window(), 6000, "slow start up to the threshold, it included");
        for _ in 0..5 {
            cc.on_acked(&acked(1000, true));
            assert_eq!(cc.window(), 6000);
        }
        cc.on_acked(&acked(1000, true));
        assert_eq!(cc.window(), 7000);
    }

    #[test]
    fn losses_reduce_the_window() {
        let mut cc = Rfc9260::new(PACKET);
        cc.on_lost(&LOST);
        cc.on_lost(&LOST);
        assert_eq!(cc.window(), 4000);
        cc.on_timeout(Instant::ZERO);
        assert_eq!((cc.window(), cc.threshold()), (1000, 4000));
        cc.on_spurious_loss();
        assert_eq!((cc.window(), cc.threshold()), (4000, 4000));
        cc.on_lost(&Lost { first: false, ..LOST });
        assert_eq!(cc.window(), 4000, "one reduction for one flight");
    }

    #[test]
    fn idleness_halves_a_large_window_down_to_the_initial_one() {
        let mut cc = Rfc9260::new(PACKET);
        cc.window = 35_000;
        cc.on_idle(Instant::ZERO);
        assert_eq!((cc.window(), cc.threshold()), (17_500, 35_000));
        cc.on_idle(Instant::ZERO);
        assert_eq!(cc.window(), 10_000);
        cc.on_idle(Instant::ZERO);
        assert_eq!((cc.window(), cc.threshold()), (10_000, 17_500));
    }
}
