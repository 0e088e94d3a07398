//! The peer's consent to be sent to on a pair that works (RFC 7675), and whether it still answers there.

use core::time::Duration;

use pavane_base::{Instant, earliest};

use crate::Timing;

/// What is known of the peer on a pair that works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consent {
    /// When the last authentic response came.
    confirmed_at: Instant,
    /// When it is asked for again; never if the pair may lapse.
    next_check: Option<Instant>,
    liveness: Liveness,
    /// Whether data was sent on the strength of it.
    used: bool,
}

#[derive(Clone, Copy, Debug)]
enum Liveness {
    /// Nothing is owed.
    Answers,
    /// This many checks since then have had no sign of life in return.
    Owes { since: Instant, asked: u32 },
}

/// After how much silence another working pair is preferred.
pub(crate) const SILENCE: Duration = Duration::from_millis(2500);

/// The shortest and the longest time between checks of a pair that owes an answer.
///
/// Deviation: RFC 7675 §5.1 never checks consent more often than every 4 s and repeats no check. While the peer is silent
/// these are checks of liveness as well, so that another path is found soon.
const RECHECK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

impl Consent {
    /// Given by a response at `now`.
    pub(crate) const fn given(now: Instant, next_check: Instant) -> Self {
        Self { confirmed_at: now, next_check: Some(next_check), liveness: Liveness::Answers, used: false }
    }

    /// Confirmed by another.
    pub(crate) const fn confirmed(&mut self, now: Instant, next_check: Instant) {
        *self = Self { used: self.used, ..Self::given(now, next_check) };
    }

    /// Notes that a check goes out, for whose response `timeout` is long enough.
    pub(crate) fn asked(&mut self, now: Instant, timeout: Duration) {
        let (since, asked) = match self.liveness {
            Liveness::Answers => (now, 1),
            Liveness::Owes { since, asked } => (since, asked.saturating_add(1)),
        };
        self.liveness = Liveness::Owes { since, asked };
        let (shortest, longest) = RECHECK;
        let wait = shortest.max(timeout).saturating_mul(1 << (asked - 1).min(4));
        self.next_check = Some(now + wait.min(longest.max(timeout)));
    }

    /// Something came from the peer: it lives, though that is no consent.
    pub(crate) const fn heard(&mut self) {
        self.liveness = Liveness::Answers;
    }

    /// Data is sent on the strength of it from here on.
    pub(crate) fn take_up(&mut self, now: Instant, timing: &Timing) {
        self.used = true;
        let latest = now + timing.consent_interval;
        self.next_check = Some(self.next_check.map_or(now, |at| at.min(latest)));
    }

    /// Asks no more: the pair lasts as long as the consent that it has.
    pub(crate) const fn let_lapse(&mut self) {
        self.next_check = None;
    }

    pub(crate) const fn is_used(&self) -> bool {
        self.used
    }

    pub(crate) const fn next_check(&self) -> Option<Instant> {
        self.next_check
    }

    pub(crate) fn ends(&self, timing: &Timing) -> Instant {
        self.confirmed_at + timing.failed_after
    }

    /// For how long an answer has been owed.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        match self.liveness {
            Liveness::Answers => Duration::ZERO,
            Liveness::Owes { since, .. } => now - since,
        }
    }

    /// When consent ends, or its silence next makes a difference.
    pub(crate) fn deadline(&self, timing: &Timing, now: Instant) -> Instant {
        let silence = match self.liveness {
            Liveness::Answers => None,
            Liveness::Owes { since, .. } => {
                let counts = [SILENCE, timing.disconnected_after].map(|silence| since + silence);
                counts.into_iter().filter(|at| *at > now).min()
            }
        };
        let ends = self.ends(timing);
        earliest(silence, Some(ends)).unwrap_or(ends)
    }
}
