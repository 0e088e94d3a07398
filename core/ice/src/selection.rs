//! Which pair data goes by.
//!
//! Data may flow on any pair that works (RFC 8445 §12.1), so the best of them is used at once. A controlling agent
//! nominates it when no better one is in sight or has had its time; a controlled one follows.

use core::time::Duration;

use pavane_base::{Instant, Path};

use crate::agent::Agent;
use crate::generation::Duty;
use crate::nomination::Nomination;
use crate::pair::Pair;
use crate::search::Phase;
use crate::{Event, Role};

/// For how long after the first pair worked an aggressive nominator (RFC 5245 §8.1.1.2) may be nominating all that works in a
/// row, of which the best counts. After that, another nomination is a move.
const BEGINNING: Duration = Duration::from_secs(10);

/// How much older than the latest nomination another one of that row may be.
const SIMULTANEOUS: Duration = Duration::from_secs(3);

impl Agent {
    /// Chooses the pair to be used.
    pub(crate) fn select(&mut self, now: Instant) {
        match (self.best(now), self.phase) {
            (_, Phase::Idle | Phase::Closed) | (None, Phase::Searching { .. } | Phase::Over) => {}
            (None, Phase::Found { .. }) => self.give_up(),
            (Some(path), Phase::Found { selected, .. }) if selected == path => self.nominate(now, path),
            (Some(path), Phase::Found { since, selected }) => {
                // Should it come back, it is nominated again.
                if self.role == Role::Controlling
                    && let Some(pair) = self.checklist.get_mut(selected)
                {
                    pair.nomination = Nomination::None;
                }
                self.use_pair(now, path, since);
            }
            (Some(path), Phase::Searching { .. } | Phase::Over) => self.use_pair(now, path, now),
        }
    }

    fn use_pair(&mut self, now: Instant, path: Path, since: Instant) {
        self.phase = Phase::Found { since, selected: path };
        self.checklist.bring_forward(path);
        if let Some(consent) = self.checklist.get_mut(path).and_then(Pair::consent_mut) {
            consent.take_up(now, &self.config.timing);
        }
        if let Some(former) = &mut self.former {
            former.duty = Duty::Retired;
        }
        self.tell(Event::SelectedPath(path));
        self.nominate(now, path);
    }

    /// The best pair that works: one that answers, one that is nominated, one of high priority, in this order.
    fn best(&self, now: Instant) -> Option<Path> {
        let made = |nomination| match nomination {
            Nomination::Made(at) if self.role == Role::Controlled => Some(at),
            _ => None,
        };
        let valid = || self.checklist.iter().filter_map(|pair| Some((pair, pair.consent()?)));
        let latest = valid().filter_map(|(pair, _)| made(pair.nomination)).max();
        let row = match self.phase {
            Phase::Found { since, .. } if now - since > BEGINNING => Duration::ZERO,
            _ => SIMULTANEOUS,
        };
        let (best, _) = valid().max_by_key(|(pair, consent)| {
            let answers = !consent.is_silent(now);
            let nominated = made(pair.nomination).zip(latest).is_some_and(|(at, latest)| latest - at <= row);
            (answers, nominated, pair.priority(self.role))
        })?;
        Some(best.path())
    }
}
