//! Nomination (RFC 8445 §8.1).
//!
//! Deviation: RFC 8445 §8.1.1 nominates one pair, once. Like browsers, a controlling agent here puts USE-CANDIDATE on every
//! check of the pair that it uses and moves to a better one when that begins to work; a controlled agent follows the
//! nominations as they move.

use core::time::Duration;

use pavane_base::{Instant, Path};

use crate::Role;
use crate::agent::Agent;
use crate::search::Phase;

/// How far the nomination of a pair has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nomination {
    /// Nobody wants it.
    None,
    /// The controlling side has asked for it. On its own side no response has come yet, on the other the pair does not
    /// work yet.
    Wanted,
    /// Both sides know, since then; a controlled agent counts from the latest request.
    Made(Instant),
}

impl Nomination {
    pub(crate) const fn is_made(self) -> bool {
        matches!(self, Self::Made(_))
    }
}

/// How long better pairs may take to work before the best working one is nominated.
const SETTLING: Duration = Duration::from_millis(100);

impl Agent {
    /// Has the pair in use nominated, as soon as nothing better may be expected.
    pub(crate) fn nominate(&mut self, now: Instant, selected: Path) {
        let settled = self.has_settled(now);
        if self.role != Role::Controlling || !settled {
            return;
        }
        let Some(pair) = self.checklist.get_mut(selected) else { return };
        if pair.nomination == Nomination::None {
            pair.nomination = Nomination::Wanted;
            // The check that made it work may be on its way with the same wish.
            if !pair.outstanding.nominates() {
                self.checklist.trigger(selected);
            }
        }
    }

    /// Whether a check of this pair says USE-CANDIDATE: if it is the pair in use, or if none is and no other is better,
    /// so that one round trip both proves and nominates it.
    pub(crate) fn nominates(&self, now: Instant, path: Path) -> bool {
        self.role == Role::Controlling
            && match self.phase {
                Phase::Found { selected, .. } => selected == path && self.has_settled(now),
                _ => !self.is_better_in_sight(path),
            }
    }

    fn has_settled(&self, now: Instant) -> bool {
        match self.phase {
            Phase::Found { since, selected } => now >= since + SETTLING || !self.is_better_in_sight(selected),
            _ => false,
        }
    }

    /// Whether a pair of higher priority may still come to work.
    fn is_better_in_sight(&self, path: Path) -> bool {
        let Some(pair) = self.checklist.get(path) else { return false };
        let priority = pair.priority(self.role);
        self.checklist.iter().any(|pair| pair.is_open() && pair.priority(self.role) > priority)
    }

    /// When the pair in use will be nominated, better ones or not.
    pub(crate) fn settles_at(&self, now: Instant) -> Option<Instant> {
        let Phase::Found { since, selected } = self.phase else { return None };
        let pair = self.checklist.get(selected)?;
        let waits = self.role == Role::Controlling && pair.nomination == Nomination::None;
        Some(since + SETTLING).filter(|at| waits && *at > now)
    }
}
