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
    /// Since when data has been sent and nothing has come back.
    unheard_since: Option<Instant>,
    /// Whether there is reason to believe that the way is dead.
    doubted: bool,
    /// Whether data was sent on the strength of it.
    used: bool,
}

#[derive(Clone, Copy, Debug)]
enum Liveness {
    /// Nothing is owed.
    Answers,
    /// This many checks since then have had no sign of life in return.
    Owes { since: Instant, asked: u32, timeout: Duration },
}

/// After how much silence another working pair is preferred.
const SILENCE: Duration = Duration::from_millis(2500);

/// The least of it, where the peer is heard by another way.
const DOUBTED_SILENCE: Duration = Duration::from_millis(300);

/// How long data is sent without anything coming back before the way is checked.
const UNHEARD: Duration = Duration::from_secs(1);

/// The same where the peer is heard by another way.
const DOUBTED_UNHEARD: Duration = Duration::from_millis(150);

/// The shortest and the longest time between checks of a pair that owes an answer.
///
/// Deviation: RFC 7675 §5.1 never checks consent more often than every 4 s and repeats no check. While the peer is silent
/// these are checks of liveness as well, so that another path is found soon.
const RECHECK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

impl Consent {
    /// Given by a response at `now`.
    pub(crate) const fn given(now: Instant, next_check: Instant) -> Self {
        Self {
            confirmed_at: now,
            next_check: Some(next_check),
            liveness: Liveness::Answers,
            unheard_since: None,
            doubted: false,
            used: false,
        }
    }

    /// Confirmed by another.
    pub(crate) const fn confirmed(&mut self, now: Instant, next_check: Instant) {
        *self = Self { used: self.used, ..Self::given(now, next_check) };
    }

    /// Notes that a check goes out, for whose response `timeout` is long enough.
    pub(crate) fn asked(&mut self, now: Instant, timeout: Duration) {
        let (since, asked) = match self.liveness {
            Liveness::Answers => (now, 1),
            Liveness::Owes { since, asked, .. } => (since, asked.saturating_add(1)),
        };
        self.liveness = Liveness::Owes { since, asked, timeout };
        self.doubted |= self.unheard_since.is_some_and(|since| now - since >= UNHEARD);
        let (shortest, longest) = RECHECK;
        let wait = shortest.max(timeout).saturating_mul(1 << (asked - 1).min(4));
        self.next_check = Some(now + wait.min(longest.max(timeout)));
    }

    /// Something came from the peer: it lives, though that is no consent.
    pub(crate) const fn heard(&mut self) {
        self.liveness = Liveness::Answers;
        self.unheard_since = None;
        self.doubted = false;
    }

    /// Data was sent. Where nothing comes back, a check is due sooner; says whether that is news.
    pub(crate) const fn sent(&mut self, now: Instant) -> bool {
        let is_first = self.unheard_since.is_none();
        if is_first {
            self.unheard_since = Some(now);
        }
        is_first
    }

    /// The peer sends by another way. If it has not been heard on this one for a while, it is asked at once; says whether it
    /// is.
    pub(crate) fn doubt(&mut self, now: Instant) -> bool {
        let is_news = !self.doubted && self.unheard_since.is_some_and(|since| now - since >= DOUBTED_UNHEARD);
        if is_news {
            self.doubted = true;
            self.next_check = Some(now);
        }
        is_news
    }

    /// Whether the peer has been silent for so long that another way is better.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        self.silence(now) >= self.patience()
    }

    fn patience(&self) -> Duration {
        match self.liveness {
            Liveness::Owes { timeout, .. } if self.doubted => (timeout * 2).clamp(DOUBTED_SILENCE, SILENCE),
            _ => SILENCE,
        }
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

    pub(crate) fn next_check(&self) -> Option<Instant> {
        let unheard = match (self.liveness, self.unheard_since) {
            (Liveness::Answers, Some(since)) => Some(since + UNHEARD),
            _ => None,
        };
        self.next_check.map(|at| unheard.map_or(at, |unheard| unheard.min(at)))
    }

    pub(crate) fn ends(&self, timing: &Timing) -> Instant {
        self.confirmed_at + timing.failed_after
    }

    /// How long ago it was last given.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now - self.confirmed_at
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
                let counts = [self.patience(), timing.disconnected_after].map(|silence| since + silence);
                counts.into_iter().filter(|at| *at > now).min()
            }
        };
        let ends = self.ends(timing);
        earliest(silence, Some(ends)).unwrap_or(ends)
    }
}
