//! How far the search for a pair has come, and the state that follows from it (RFC 8445 §6.1.3, W3C WebRTC §5.6.4).

use core::time::Duration;

use pavane_base::{Instant, Path, earliest};

use crate::agent::Agent;
use crate::generation::Duty;
use crate::pair::{Failure, Pair};
use crate::{Event, GatheringState, Mode, State};

/// The search for a pair that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The peer's credentials are not known.
    Idle,
    /// No pair works yet, or, after a loss, no longer.
    Searching { since: Instant, lost: bool },
    /// Pairs work, the first of them since then; data goes by the selected one.
    Found { since: Instant, selected: Path },
    /// Patience is at an end, or consent has ended on every pair.
    Over,
    /// The agent was closed.
    Closed,
}

impl Agent {
    /// Ends what has had its time: consent, hopeless pairs, and patience.
    pub(crate) fn expire(&mut self, now: Instant) {
        let timing = self.config.timing;
        let has_ended = |pair: &Pair| pair.consent().is_some_and(|consent| consent.ends(&timing) <= now);
        if self.former.as_ref().is_some_and(|former| has_ended(&former.pair)) {
            self.former = None;
        }
        for pair in self.checklist.iter_mut().filter(|pair| has_ended(pair)) {
            let used = pair.consent().is_some_and(|consent| consent.is_used());
            pair.fail(if used { Failure::Final } else { Failure::Unanswered });
        }
        match self.phase {
            Phase::Found { since, .. } if !self.is_urgent(now) => {
                self.checklist.iter_mut().for_each(|pair| pair.give_up_if_hopeless(now, since));
            }
            // RFC 8863 §4: nothing has failed before this moment, with or without pairs.
            Phase::Searching { since, .. } if since + timing.patience <= now => self.give_up(),
            _ => {}
        }
    }

    /// Ends the search. Answers that come late still count.
    pub(crate) fn give_up(&mut self) {
        self.phase = Phase::Over;
        self.checklist.clear_triggered();
        let open = self.checklist.iter_mut().filter(|pair| pair.is_open());
        open.for_each(|pair| pair.fail(Failure::Unanswered));
    }

    /// Begins the search anew where it was given up: something has changed for the better.
    pub(crate) fn hope(&mut self, now: Instant) {
        if self.phase == Phase::Over {
            self.phase = Phase::Searching { since: now, lost: false };
            self.checklist.iter_mut().for_each(Pair::revive);
        }
    }

    /// Begins the search anew because the pairs that worked are gone.
    pub(crate) fn search_again(&mut self, now: Instant) {
        self.phase = Phase::Searching { since: now, lost: true };
        self.tell(Event::RestartAdvised);
        self.checklist.iter_mut().for_each(Pair::revive);
    }

    /// The pair of this generation that data goes by.
    pub(crate) const fn selected(&self) -> Option<Path> {
        match self.phase {
            Phase::Found { selected, .. } => Some(selected),
            _ => None,
        }
    }

    /// Whether checks are made.
    pub(crate) const fn is_checking(&self) -> bool {
        matches!(self.phase, Phase::Searching { .. } | Phase::Found { .. })
    }

    /// Whether there is no pair that works and answers.
    pub(crate) fn is_urgent(&self, now: Instant) -> bool {
        let selected = self.selected().and_then(|selected| self.checklist.get(selected)?.consent());
        selected.is_none_or(|consent| consent.is_silent(now))
    }

    pub(crate) fn state_at(&self, now: Instant) -> State {
        let is_silent = |silence: Duration| silence >= self.config.timing.disconnected_after;
        if let Phase::Closed = self.phase {
            return State::Closed;
        }
        if let Phase::Found { selected, .. } = self.phase {
            let pair = self.checklist.get(selected);
            let silence = pair.and_then(|pair| pair.consent()).map(|consent| consent.silence(now));
            let is_nominated = pair.is_some_and(|pair| pair.nomination.is_made());
            return match silence.is_some_and(is_silent) {
                true => State::Disconnected,
                false if is_nominated && self.candidates_are_complete() => State::Completed,
                false => State::Connected,
            };
        }
        // A restart of what works is not seen from outside, except that it is complete no longer.
        let former = self.former.as_ref().filter(|former| former.duty == Duty::Carries);
        let silence = former.and_then(|former| former.pair.consent()).map(|consent| consent.silence(now));
        match (self.phase, silence) {
            (_, Some(silence)) if !is_silent(silence) => State::Connected,
            (Phase::Searching { lost: true, .. }, _) => State::Disconnected,
            (Phase::Searching { .. }, _) if self.has_something_to_check() => State::Checking,
            (Phase::Over, None) => State::Failed,
            (_, Some(_)) => State::Disconnected,
            (_, None) => State::New,
        }
    }

    /// Names that lead nowhere, and candidates that are gone, do not undo the beginning.
    fn has_something_to_check(&self) -> bool {
        self.told != State::New
            || !(self.checklist.is_empty()
                && self.remotes.is_empty()
                && self.actions.named().next().is_none())
    }

    /// Whether neither side will have further candidates.
    fn candidates_are_complete(&self) -> bool {
        self.locals.state == GatheringState::Complete
            && self.remotes.ended
            && self.actions.named().next().is_none()
    }

    /// The earliest moment at which anything is due.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let timing = &self.config.timing;
        let gathering_ends =
            self.gathering_ends_at().filter(|_| self.locals.state == GatheringState::Gathering);
        let mut deadline = earliest(self.servers.deadline(), gathering_ends.filter(|at| *at > now));
        if let Some(former) = &self.former
            && let Some(consent) = former.pair.consent()
        {
            let next_check = consent.next_check().filter(|_| former.duty == Duty::Carries);
            deadline = earliest(deadline, earliest(next_check, Some(consent.deadline(timing, now))));
        }
        if !self.is_checking() {
            return deadline;
        }
        let mut due = None;
        let len = self.check_len();
        for pair in self.checklist.iter() {
            due = earliest(due, pair.due().filter(|_| pair.budget.affords(len)));
            if let Some(consent) = pair.consent() {
                deadline = earliest(deadline, Some(consent.deadline(timing, now)));
            }
        }
        if let Phase::Searching { since, .. } = self.phase {
            deadline = earliest(deadline, Some(since + timing.patience));
        }
        let due = due.filter(|_| self.config.mode == Mode::Full);
        deadline = earliest(deadline, due.map(|at| at.max(self.paced_until)));
        earliest(deadline, self.settles_at(now))
    }
}
