//! CUBIC (RFC 9438), with HyStart++ for its slow start (RFC 9406).

use core::time::Duration;

use pavane_base::Instant;

use super::hystart::HyStart;
use super::{Acked, CongestionController, INITIAL_PACKETS, Lost, MIN_PACKETS};

/// A window that grows towards the one that was too large, slowly near it, and quickly beyond.
#[derive(Clone, Debug)]
pub(crate) struct Cubic {
    packet: u64,
    window: u64,
    threshold: u64,
    /// The window before the last reduction.
    most: u64,
    /// What Reno would have (RFC 9438 §4.3).
    reno: u64,
    epoch: Option<Epoch>,
    hystart: HyStart,
    smoothed: Duration,
    /// What was before the last reduction, in case it was for nothing.
    before: Option<(u64, u64, u64)>,
}

/// A time without loss.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    began: Instant,
    /// Milliseconds until the window is `most` again.
    k: u64,
    /// The window that the curve passes at `k`.
    origin: u64,
}

impl Cubic {
    pub(crate) fn new(packet: u64) -> Self {
        Self {
            packet,
            window: INITIAL_PACKETS * packet,
            threshold: u64::MAX,
            most: 0,
            reno: 0,
            epoch: None,
            hystart: HyStart::default(),
            smoothed: Duration::ZERO,
            before: None,
        }
    }

    /// Takes a window over that another has found to be too large, in a queue that others fill as well.
    ///
    /// Deviation: four fifths are left, as of CUBIC before RFC 8312, where flows of RFC 9438 keep seven tenths: who takes over
    /// does so with less than they have, and stands still afterwards (see `rivals`); over all it comes to the same. For the
    /// same reason it yields to newcomers (§4.7) only where it had clearly more before: near its maximum the curve is flat,
    /// and what is missing there was not taken by anybody.
    pub(super) fn reduce_from(&mut self, window: u64) {
        self.window = window;
        let most = if window < self.most / 16 * 15 { yielding(window) } else { window };
        self.reduce(most, 80);
    }

    /// The same where others appear that were not there before: the maximum was ours alone, and half of it is what it may
    /// become.
    pub(super) fn share_from(&mut self, window: u64) {
        self.window = window;
        self.reduce((self.most / 2).clamp(window, window * 2), 80);
    }

    /// How long it takes after a reduction until the window is what it was (RFC 9438 §4.2).
    pub(super) fn regrowth(window: u64, packet: u64) -> Duration {
        Duration::from_millis(time_to(window * 3 / 10, packet))
    }

    /// What was reduced stays reduced.
    pub(super) fn confirm(&mut self) {
        self.before = None;
    }

    /// RFC 9438 §4.6 and §4.7.
    fn reduce_by_the_book(&mut self) {
        let most = if self.window < self.most { yielding(self.window) } else { self.window };
        self.reduce(most, 70);
    }

    /// Leaves so many percent of the window, which will be `most` again before it grows beyond.
    fn reduce(&mut self, most: u64, percent: u64) {
        self.before = Some((self.window, self.threshold, self.most));
        self.most = most;
        self.window = (self.window * percent / 100).max(MIN_PACKETS * self.packet);
        self.threshold = self.window;
        self.reno = self.window;
        self.epoch = None;
    }

    fn avoid_congestion(&mut self, acked: &Acked) {
        let epoch = *self.epoch.get_or_insert_with(|| {
            let gap = self.most.saturating_sub(self.window);
            let k = time_to(gap, self.packet);
            Epoch { began: acked.now, k, origin: self.most.max(self.window) }
        });
        // RFC 9438 §4.2: where the window should be a round trip from here.
        let t = (acked.now - epoch.began + self.smoothed).as_millis() as u64;
        let distance = t.abs_diff(epoch.k).min(MAX_DISTANCE);
        let step = distance.pow(3) / 1000 * self.packet / 10_000_000 * 4;
        let target = if t < epoch.k { epoch.origin.saturating_sub(step) } else { epoch.origin + step };
        let target = target.clamp(self.window, self.window * 3 / 2);
        self.window += (target - self.window) * acked.bytes / self.window.max(1);
        // RFC 9438 §4.3: alpha = 3 (1 - beta) / (1 + beta), 9/17, until Reno has caught up with the maximum.
        let (up, down) = if self.reno < self.most { (9, 17) } else { (1, 1) };
        self.reno += self.packet * acked.bytes * up / (down * self.reno.max(1));
        self.window = self.window.max(self.reno);
    }
}

impl CongestionController for Cubic {
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
        if let Some(rtt) = acked.rtt {
            self.smoothed = if self.smoothed.is_zero() { rtt } else { self.smoothed * 7 / 8 + rtt / 8 };
        }
        if acked.recovering || !acked.window_used {
            return;
        }
        if self.window < self.threshold {
            match self.hystart.on_acked(acked) {
                Some(divisor) => self.window += acked.bytes / divisor,
                None => {
                    self.threshold = self.window;
                    self.most = self.window;
                    self.reno = self.window;
                }
            }
        } else {
            self.avoid_congestion(acked);
        }
    }

    fn on_lost(&mut self, lost: &Lost) {
        if lost.first {
            self.reduce_by_the_book();
        }
    }

    fn on_spurious_loss(&mut self) {
        if let Some((window, threshold, most)) = self.before.take() {
            self.window = self.window.max(window);
            self.threshold = threshold;
            self.most = most;
            self.epoch = None;
        }
    }

    fn on_timeout(&mut self, _now: Instant) {
        self.reduce_by_the_book();
        self.window = self.packet;
    }

    fn on_idle(&mut self, _now: Instant) {
        if self.window > INITIAL_PACKETS * self.packet {
            self.threshold = self.threshold.min(self.window);
            self.window = (self.window / 2).max(INITIAL_PACKETS * self.packet);
        }
        self.epoch = None;
    }
}

/// RFC 9438 §4.7: who is below the last maximum makes room for others.
const fn yielding(window: u64) -> u64 {
    window * 17 / 20
}

/// RFC 9438 §4.2: K = cbrt((W_max - cwnd) / C), in milliseconds, with C = 0.4 packets a second cubed.
const fn time_to(gap: u64, packet: u64) -> u64 {
    cube_root(gap / 4 * 10_000_000_000 / packet)
}

/// The integer cube root, from below.
const fn cube_root(number: u64) -> u64 {
    let (mut root, mut bit) = (0_u64, 1 << 21);
    while bit > 0 {
        let guess = root | bit;
        if let Some(square) = guess.checked_mul(guess)
            && let Some(cube) = square.checked_mul(guess)
            && cube <= number
        {
            root = guess;
        }
        bit >>= 1;
    }
    root
}

/// A hundred seconds from the middle of the curve it is as steep as it gets.
const MAX_DISTANCE: u64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: u64 = 1000;

    fn acked(ms: u64, bytes: u64) -> Acked {
        Acked {
            now: Instant::from_millis(ms),
            bytes,
            in_flight: 0,
            recovering: false,
            nothing_outstanding: false,
            window_used: true,
            more_waits: true,
            rtt: Some(Duration::from_millis(100)),
            delivered: 0,
            rate: None,
        }
    }

    fn lost(first: bool) -> Lost {
        Lost { now: Instant::ZERO, bytes: 1000, in_flight: 0, sent_at: Instant::ZERO, first }
    }

    #[test]
    fn cube_roots_are_exact() {
        for root in [0, 1, 2, 3, 10, 999, 12_345, 2_000_000] {
            assert_eq!(cube_root(root * root * root), root);
            assert_eq!(cube_root(root * root * root + 1), root.max(1));
        }
    }

    /// RFC 9438 §4.2: after a reduction from 1000 packets the window is there again after cbrt(300 / 0.4) seconds.
    #[test]
    fn the_window_is_back_when_the_curve_says() {
        let mut cubic = Cubic { window: 1_000_000, ..Cubic::new(PACKET) };
        cubic.on_lost(&lost(true));
        assert_eq!((cubic.window(), cubic.threshold()), (700_000, 700_000));
        let mut ms = 0;
        while cubic.window() < 990_000 {
            cubic.on_acked(&acked(ms, cubic.window() / 10));
            ms += 10;
        }
        assert!((5_000..9_500).contains(&ms), "{ms}");
        let before = cubic.window();
        (0..1000).for_each(|i| cubic.on_acked(&acked(ms + i * 10, cubic.window() / 10)));
        assert!(cubic.window() > before * 11 / 10, "beyond it, it grows again");
    }

    #[test]
    fn a_window_that_was_taken_over_keeps_more() {
        let mut cubic = Cubic::new(PACKET);
        cubic.share_from(100_000);
        assert_eq!((cubic.window(), cubic.most), (80_000, 100_000));
        cubic.reduce_from(94_000);
        assert_eq!((cubic.window(), cubic.most), (75_200, 94_000), "near the maximum the curve is flat");
        cubic.reduce_from(80_000);
        assert_eq!((cubic.window(), cubic.most), (64_000, 68_000), "others have taken something");
        cubic.most = 1_000_000;
        cubic.share_from(300_000);
        assert_eq!((cubic.window(), cubic.most), (240_000, 500_000), "a half");
        cubic.most = 1_000_000;
        cubic.share_from(100_000);
        assert_eq!((cubic.window(), cubic.most), (80_000, 200_000), "no more than twice what it had");
    }

    #[test]
    fn small_windows_grow_as_renos() {
        let mut cubic = Cubic::new(PACKET);
        cubic.reduce_from(20_000);
        for round in 0..20 {
            cubic.on_acked(&acked(round * 10, cubic.window()));
        }
        assert!(cubic.window() >= 20_000, "{}", cubic.window());
    }

    #[test]
    fn a_reduction_for_nothing_is_taken_back() {
        let mut cubic = Cubic::new(PACKET);
        cubic.on_lost(&lost(false));
        assert_eq!(cubic.window(), 10_000);
        cubic.on_lost(&lost(true));
        assert_eq!(cubic.window(), 7000);
        cubic.on_spurious_loss();
        assert_eq!((cubic.window(), cubic.threshold()), (10_000, u64::MAX));
        cubic.on_timeout(Instant::ZERO);
        assert_eq!((cubic.window(), cubic.threshold()), (1000, 7000));
    }
}
