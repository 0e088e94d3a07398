//! When a request over UDP is sent again, and when it has failed (RFC 8489 §6.2.1).
//!
//! ```text
//! send ── RTO ── send ── 2 RTO ── send ── 4 RTO ── … ── 7th send ── 16 RTO ── failed
//! ```
//!
//! With 500 ms that is at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, and failure at 39.5 s.

use core::time::Duration;

use pavane_base::Instant;

/// How often a request is sent: Rc.
const MAX_SENDS: u32 = 7;

/// How many times the first timeout the last response is waited for: Rm.
const LAST_WAIT: u32 = 16;

/// The schedule of one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Retransmission {
    timeout: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// It is to be sent at this moment, having been sent so often.
    Sending { sent: u32, next: Instant, first: Instant },
    /// It is to be sent at this moment over what loses nothing, and then waited for.
    Once { at: Instant },
    /// It is not sent again; its response is waited for.
    Waiting { until: Instant },
    /// It has failed.
    Failed,
}

/// What a transaction wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The request is to be sent, with the same transaction id.
    Send,
    /// No response came; the transaction is over.
    Failed,
}

impl Retransmission {
    /// Begins a transaction; its first request is due at once.
    pub const fn new(now: Instant, timeout: Duration) -> Self {
        Self { timeout, state: State::Sending { sent: 0, next: now, first: now } }
    }

    /// Begins a transaction over a stream, which loses nothing: its only request is due at once, and `patience` is all the
    /// time there is for the response (RFC 8489 §6.2.2).
    pub const fn over_stream(now: Instant, patience: Duration) -> Self {
        Self { timeout: patience, state: State::Once { at: now } }
    }

    /// What is due by `now`. To be called until it says nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Due> {
        match self.state {
            State::Sending { sent, next, first } if next <= now => {
                let (sent, first) = (sent + 1, if sent == 0 { now } else { first });
                self.state = match sent < MAX_SENDS {
                    // Counted from this moment: a late caller does not make requests bunch.
                    true => State::Sending { sent, first, next: now + self.timeout * (1 << (sent - 1)) },
                    false => State::Waiting { until: now + self.timeout * LAST_WAIT },
                };
                Some(Due::Send)
            }
            State::Once { at } if at <= now => {
                self.state = State::Waiting { until: now + self.timeout };
                Some(Due::Send)
            }
            State::Waiting { until } if until <= now => {
                self.state = State::Failed;
                Some(Due::Failed)
            }
            _ => None,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to say.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Sending { next, .. } => Some(next),
            State::Once { at } => Some(at),
            State::Waiting { until } => Some(until),
            State::Failed => None,
        }
    }

    /// The round trip that a response at `now` shows: none if the request was sent more than once, since nobody can tell
    /// which one was answered (Karn's rule).
    pub fn round_trip_time(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Sending { sent: 1, first, .. } => Some(now - first),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn the_schedule_is_the_standards() {
        let start = Instant::from_millis(1000);
        let mut transaction = Retransmission::new(start, Duration::from_millis(500));
        let mut log = Vec::new();
        while let Some(at) = transaction.poll_timeout() {
            assert_eq!(transaction.handle_timeout(at - Duration::from_millis(1)), None);
            log.push((at, transaction.handle_timeout(at).unwrap()));
            assert_eq!(transaction.handle_timeout(at), None);
        }
        let sends = [0, 500, 1500, 3500, 7500, 15_500, 31_500]
            .map(|at| (start + Duration::from_millis(at), Due::Send));
        let failure = (start + Duration::from_millis(39_500), Due::Failed);
        assert_eq!(log, sends.into_iter().chain([failure]).collect::<Vec<_>>());
    }

    #[test]
    fn a_late_caller_sends_once() {
        let mut transaction = Retransmission::new(Instant::ZERO, Duration::from_millis(500));
        let late = Instant::from_millis(60_000);
        assert_eq!(transaction.handle_timeout(late), Some(Due::Send));
        assert_eq!(transaction.handle_timeout(late), None);
        assert_eq!(transaction.poll_timeout(), Some(late + Duration::from_millis(500)));
    }

    #[test]
    fn a_stream_is_sent_to_once() {
        let mut transaction = Retransmission::over_stream(Instant::ZERO, Duration::from_secs(39));
        assert_eq!(transaction.handle_timeout(Instant::ZERO), Some(Due::Send));
        assert_eq!(transaction.handle_timeout(Instant::from_millis(38_999)), None);
        assert_eq!(transaction.poll_timeout(), Some(Instant::from_millis(39_000)));
        assert_eq!(transaction.handle_timeout(Instant::from_millis(39_000)), Some(Due::Failed));
        assert_eq!(transaction.poll_timeout(), None);
    }

    #[test]
    fn only_a_request_sent_once_measures() {
        let mut transaction = Retransmission::new(Instant::ZERO, Duration::from_millis(500));
        assert_eq!(transaction.round_trip_time(Instant::ZERO), None);
        let sent_at = Instant::from_millis(30);
        transaction.handle_timeout(sent_at);
        let rtt = transaction.round_trip_time(Instant::from_millis(100));
        assert_eq!(rtt, Some(Duration::from_millis(70)));
        transaction.handle_timeout(Instant::from_millis(530));
        assert_eq!(transaction.round_trip_time(Instant::from_millis(600)), None);
    }
}
