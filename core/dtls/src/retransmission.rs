//! When a flight is sent again (RFC 6347 §4.2.4).

use core::time::Duration;

use pavane_base::Instant;

/// The first interval when nobody has measured a round trip (RFC 9147 §5.8.2 for DTLS-SRTP).
const INITIAL: Duration = Duration::from_millis(400);

/// The shortest interval: what browsers use, and more than it takes a slow device to sign and verify.
const FLOOR: Duration = Duration::from_millis(50);

/// How often a flight is sent before its interval doubles, for the first time and for good.
const EAGER: u32 = 2;

/// How often a flight is sent before its interval becomes [`SLOW`].
const PERSISTENT: u32 = 12;

/// The interval at which a peer is asked that has been silent for long, unless twice the first interval is longer.
///
/// Deviation: RFC 6347 §4.2.4.1 doubles the interval each time, up to at least 60 s. A flight is one datagram of a few hundred
/// octets, on a path where connectivity checks have just shown a round trip and go on all the time: a dozen of them, three
/// round trips apart, congest nothing. Under 30 % of loss they bring one handshake in a hundred from four seconds to two.
const SLOW: Duration = Duration::from_secs(1);

/// How long a handshake keeps trying, from its first flight on.
const PATIENCE: Duration = Duration::from_secs(60);

/// The timer of the flight that waits for an answer.
///
/// It runs from the moment when the flight's last datagram was taken: while there is no path there is nothing to time.
#[derive(Debug, Default)]
pub(crate) struct Retransmission {
    round_trip: Option<Duration>,
    /// How often the present flight has been sent.
    sent: u32,
    sent_at: Option<Instant>,
    deadline: Option<Instant>,
    give_up_at: Option<Instant>,
}

/// What the timer says when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Send the flight again.
    Resend,
    /// The peer has had its time.
    GiveUp,
}

impl Retransmission {
    /// Takes a round trip that somebody measured; the present flight is timed by it.
    pub(crate) fn set_round_trip_time(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip);
        if let (Some(_), Some(at)) = (self.deadline, self.sent_at) {
            self.deadline = Some(self.deadline_after(at));
        }
    }

    /// The answer is here, and a new flight begins or the handshake is done.
    pub(crate) fn answered(&mut self, now: Instant) {
        // A flight that was sent again tells nothing: the answer may be to either (RFC 6298 §3).
        if let (1, None, Some(at)) = (self.sent, self.round_trip, self.sent_at) {
            self.round_trip = Some(now - at);
        }
        self.sent = 0;
        self.sent_at = None;
        self.deadline = None;
    }

    /// The flight's last datagram was taken; `awaited` if it waits for an answer.
    pub(crate) fn sent(&mut self, now: Instant, awaited: bool) {
        self.sent = self.sent.saturating_add(1);
        self.sent_at = Some(now);
        self.give_up_at.get_or_insert(now + PATIENCE);
        self.deadline = awaited.then(|| self.deadline_after(now));
    }

    /// Whether the peer's repetition of its flight calls for a repetition of ours.
    ///
    /// A flight comes in several datagrams, and the network doubles some: one repetition within half an interval answers
    /// them all, so that neither storms nor amplification come of it.
    pub(crate) fn may_repeat(&self, now: Instant) -> bool {
        self.sent_at.is_some_and(|at| now >= at + self.first_interval() / 2)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<Expiry> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return None;
        }
        self.deadline = None;
        let gives_up = self.give_up_at.is_some_and(|at| now >= at);
        Some(if gives_up { Expiry::GiveUp } else { Expiry::Resend })
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(crate) fn stop(&mut self) {
        self.deadline = None;
    }

    /// When a flight that was sent at this moment is due again, or given up.
    fn deadline_after(&self, sent_at: Instant) -> Instant {
        let first = self.first_interval();
        let interval = match self.sent {
            sent if sent <= EAGER => first,
            sent if sent <= PERSISTENT => first * 2,
            _ => (first * 2).max(SLOW),
        };
        let due = sent_at + interval;
        self.give_up_at.map_or(due, |at| at.min(due))
    }

    fn first_interval(&self) -> Duration {
        // RFC 9147 §5.8.2: one and a half round trips.
        self.round_trip.map_or(INITIAL, |rtt| (rtt.saturating_mul(3) / 2).clamp(FLOOR, PATIENCE))
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn intervals(timer: &mut Retransmission, mut now: Instant) -> Vec<u64> {
        let mut intervals = Vec::new();
        loop {
            timer.sent(now, true);
            let deadline = timer.deadline().unwrap();
            intervals.push((deadline - now).as_millis() as u64);
            now = deadline;
            if timer.handle_timeout(now) == Some(Expiry::GiveUp) {
                return intervals;
            }
        }
    }

    #[test]
    fn intervals_grow_until_patience_ends() {
        let mut timer = Retransmission::default();
        timer.set_round_trip_time(Duration::from_millis(100));
        let intervals = intervals(&mut timer, at(0));
        assert_eq!(intervals[..3], [150, 150, 300]);
        assert_eq!(intervals[10..14], [300, 300, 1000, 1000]);
        assert_eq!(intervals.iter().sum::<u64>(), 60_000);
    }

    #[test]
    fn the_first_interval_follows_the_round_trip() {
        for (rtt, first) in [(0, 50), (20, 50), (40, 60), (2000, 3000)] {
            let mut timer = Retransmission::default();
            timer.set_round_trip_time(Duration::from_millis(rtt));
            assert_eq!(intervals(&mut timer, at(0))[0], first);
        }
        let mut timer = Retransmission::default();
        timer.sent(at(0), true);
        assert_eq!(timer.deadline(), Some(at(400)));
        timer.set_round_trip_time(Duration::from_millis(80));
        assert_eq!(timer.deadline(), Some(at(120)));
    }

    #[test]
    fn a_clean_exchange_is_a_measurement() {
        let mut timer = Retransmission::default();
        timer.sent(at(0), true);
        timer.answered(at(60));
        timer.sent(at(60), true);
        assert_eq!(timer.deadline(), Some(at(150)));
        assert!(!timer.may_repeat(at(100)));
        assert!(timer.may_repeat(at(105)));
    }

    #[test]
    fn a_flight_that_nothing_answers_has_no_deadline() {
        let mut timer = Retransmission::default();
        timer.sent(at(0), false);
        assert_eq!(timer.deadline(), None);
        assert_eq!(timer.handle_timeout(at(100_000)), None);
    }
}
