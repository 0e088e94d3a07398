//! Which pair is used: nomination, switching, liveness, and the state that follows (RFC 8445 §8, RFC 7675 §5.1).
//!
//! Data may flow on any pair that works (RFC 8445 §12.1), so the best of them is used at once. A controlling agent
//! nominates it when no better one is in sight or has had its time; a controlled one follows.
//!
//! Deviation: RFC 8445 §8.1.1 nominates one pair, once. Like browsers, a controlling agent here puts USE-CANDIDATE on every
//! check of the pair that it uses and moves to a better one when that begins to work; a controlled agent follows the
//! nominations as they move.

use core::time::Duration;

use pavane_base::{Instant, Path};

use crate::agent::Agent;
use crate::pair::Pair;
use crate::{Event, PairState, Role, State};

/// Whether the search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does.
    Open,
    /// No pair has worked for as long as we had patience.
    OutOfPatience,
    /// Pairs worked, and none does any more.
    ConsentLost,
    /// The agent was closed.
    Closed,
}

/// How long better pairs may take to work before the best working one is nominated.
const SETTLING: Duration = Duration::from_millis(100);

/// After how much silence another working pair is preferred.
const SILENCE: Duration = Duration::from_millis(2500);

/// How much older than the latest nomination another one may be and still count: an aggressive nominator (RFC 5245 §8.1.1.2)
/// nominates all that works in a row.
const SIMULTANEOUS: Duration = Duration::from_secs(3);

impl Agent {
    /// Ends what has had its time: consent, the way from before a restart, and patience.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self.former.as_ref().is_some_and(|former| former.until <= now) {
            self.former = None;
        }
        let lifetime = self.config.timing.failed_after;
        for pair in &mut self.pairs {
            let ends = pair.last_response.map(|at| at + lifetime);
            if pair.is_valid() && ends.is_some_and(|at| at <= now) {
                pair.state = PairState::Failed;
                pair.nominated_at = None;
                pair.next_check = None;
            }
        }
        if self.patience_ends().is_some_and(|at| at <= now) {
            self.verdict = Verdict::OutOfPatience;
        }
    }

    /// When the search is given up, unless a pair works by then.
    pub(crate) fn patience_ends(&self) -> Option<Instant> {
        let searching = self.verdict == Verdict::Open && !self.pairs.iter().any(Pair::is_valid);
        Some(self.searching_since.filter(|_| searching)? + self.config.timing.patience)
    }

    /// When consent to use a pair ends.
    pub(crate) fn consent_ends(&self, pair: &Pair) -> Option<Instant> {
        Some(pair.last_response? + self.config.timing.failed_after)
    }

    /// When a pair's silence next makes a difference.
    pub(crate) fn silence_counts(&self, pair: &Pair, now: Instant) -> Option<Instant> {
        let since = pair.silent_since()?;
        [since + SILENCE, since + self.config.timing.disconnected_after]
            .into_iter()
            .filter(|at| *at > now)
            .min()
    }

    /// Chooses the pair to be used.
    pub(crate) fn select(&mut self, now: Instant) {
        let best = self.best(now);
        if best.is_none() && self.selected.is_some() && !self.pairs.iter().any(Pair::is_valid) {
            self.selected = None;
            if self.verdict == Verdict::Open {
                self.verdict = Verdict::ConsentLost;
            }
            return;
        }
        let Some(path) = best else { return };
        if self.selected != Some(path) {
            self.selected = Some(path);
            self.former = None;
            self.settling_since.get_or_insert(now);
            self.events.push_back(Event::SelectedPath(path));
        }
        self.nominate(now, path);
    }

    /// The best pair that works: one that answers, one that is nominated, one of high priority, in this order.
    fn best(&self, now: Instant) -> Option<Path> {
        let latest =
            self.pairs.iter().filter(|pair| pair.is_valid()).filter_map(|pair| pair.nominated_at).max();
        let rank = |pair: &&Pair| {
            let answers = pair.silent_since().is_none_or(|since| now - since < SILENCE);
            let nominated = match (self.role, pair.nominated_at, latest) {
                (Role::Controlled, Some(at), Some(latest)) => latest - at <= SIMULTANEOUS,
                _ => false,
            };
            (answers, nominated, pair.priority(self.role))
        };
        self.pairs.iter().filter(|pair| pair.is_valid()).max_by_key(rank).map(Pair::path)
    }

    /// Has the pair in use nominated as soon as the search has settled.
    fn nominate(&mut self, now: Instant, path: Path) {
        if self.role == Role::Controlling
            && self.nominates(now, path)
            && self.pair(path).is_some_and(|pair| pair.nominated_at.is_none() && !pair.is_being_nominated())
        {
            self.trigger(path);
        }
    }

    /// Whether a check of this pair says USE-CANDIDATE.
    pub(crate) fn nominates(&self, now: Instant, path: Path) -> bool {
        self.role == Role::Controlling
            && match self.selected {
                Some(selected) => selected == path && self.has_settled(now),
                None => false,
            }
    }

    /// Whether nothing better than the pair in use may be expected soon.
    fn has_settled(&self, now: Instant) -> bool {
        self.settling_since.is_some_and(|since| now >= since + SETTLING) || !self.better_is_in_sight()
    }

    fn better_is_in_sight(&self) -> bool {
        let Some(selected) = self.selected.and_then(|path| self.pair(path)) else { return false };
        let tried = |pair: &Pair| matches!(pair.state, PairState::Waiting | PairState::InProgress);
        let best = selected.priority(self.role);
        self.pairs.iter().any(|pair| tried(pair) && pair.priority(self.role) > best)
    }

    /// When the search will have settled.
    pub(crate) fn settles_at(&self, now: Instant) -> Option<Instant> {
        let waits = self.role == Role::Controlling
            && self.selected.and_then(|path| self.pair(path)).is_some_and(|pair| pair.nominated_at.is_none());
        self.settling_since.filter(|_| waits).map(|since| since + SETTLING).filter(|at| *at > now)
    }

    pub(crate) fn state_at(&self, now: Instant) -> State {
        match self.verdict {
            Verdict::Closed => return State::Closed,
            Verdict::OutOfPatience | Verdict::ConsentLost => return State::Failed,
            Verdict::Open => {}
        }
        let Some(pair) = self.selected.and_then(|path| self.pair(path)) else {
            // Names that lead nowhere do not undo the beginning.
            let begun = self.told != State::New || !(self.remotes.is_empty() && self.names.is_empty());
            let begun = begun && self.remote.is_some();
            return if begun { State::Checking } else { State::New };
        };
        let silent =
            pair.silent_since().is_some_and(|since| now - since >= self.config.timing.disconnected_after);
        match (silent, pair.nominated_at.is_some() && self.candidates_are_complete()) {
            (true, _) => State::Disconnected,
            (false, true) => State::Completed,
            (false, false) => State::Connected,
        }
    }
}
