//! When packets go out: at the controller's pace, in bursts that fill a batch and no queue.

use core::time::Duration;

use pavane_base::Instant;

/// Spreads packets over time.
///
/// Each packet moves the moment of the next by the time that it takes at the pace. Packets go out up to a quantum ahead of
/// that moment; once the quantum is used up there is a pause of the same length, so that batches form.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// When the pace has caught up with what was sent.
    caught_up: Instant,
    /// Nanoseconds that 1024 bytes take; zero for no pace.
    nanos_per_kib: u64,
    quantum: Duration,
    /// Bytes that may still go out without regard to the pace.
    credit: u64,
}

impl Pacer {
    /// Sets the pace; `packet` is the size of one.
    pub(super) fn set_rate(&mut self, bytes_per_second: u64, packet: u64) {
        self.nanos_per_kib = 1024 * 1_000_000_000 / bytes_per_second.max(MIN_RATE);
        let least = self.time(packet * 2);
        self.quantum = self.time(MAX_BURST).min(MAX_QUANTUM).max(least);
    }

    /// A flight begins after a silence: what an initial window holds goes out at once, as it would have at the beginning.
    pub(super) fn begin_flight(&mut self, packet: u64) {
        self.credit = packet * INITIAL_BURST;
    }

    /// No pace: nothing is known of the path.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether a packet may go out.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.credit > 0 || self.caught_up <= now + self.quantum
    }

    /// When the next batch may go out.
    pub(super) const fn next(&self) -> Instant {
        self.caught_up
    }

    /// A packet goes out.
    pub(super) fn note_sent(&mut self, now: Instant, bytes: u64) {
        if self.credit > 0 {
            self.credit = self.credit.saturating_sub(bytes);
        } else if self.nanos_per_kib != 0 {
            self.caught_up = self.caught_up.max(now) + self.time(bytes);
        }
    }

    const fn time(&self, bytes: u64) -> Duration {
        Duration::from_nanos(self.nanos_per_kib * bytes / 1024)
    }
}

/// The slowest pace, in bytes a second: slower ones are the window's business.
const MIN_RATE: u64 = 8 << 10;

/// How many packets go out at once after a silence (RFC 6928).
const INITIAL_BURST: u64 = 10;

/// No batch is larger than this, in bytes; one that a system call takes at once.
const MAX_BURST: u64 = 64 << 10;

/// No batch takes longer than this at the pace.
const MAX_QUANTUM: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_go_out_at_the_pace() {
        let mut pacer = Pacer::default();
        assert!(pacer.is_open(Instant::ZERO));
        pacer.set_rate(12_500_000, 1250);
        let mut now = Instant::from_millis(5);
        let (mut sent, mut batches) = (0, 0);
        while now < Instant::from_millis(105) {
            while pacer.is_open(now) {
                pacer.note_sent(now, 1250);
                sent += 1;
            }
            batches += 1;
            now = pacer.next();
        }
        assert!((1000..1040).contains(&sent), "{sent}");
        assert!((50..105).contains(&batches), "{batches}");
    }
}
