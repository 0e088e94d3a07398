//! All pairs, and the order in which they are checked (RFC 8445 §6.1).

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cmp::Reverse;

use pavane_base::{Instant, Path, RoomForOne};

use crate::Role;
use crate::pair::{Failure, Pair, Preparation, Progress};

/// The pairs. The one in use is the first, so that what comes by it is told from the rest by one comparison.
#[derive(Debug)]
pub(crate) struct Checklist {
    pairs: Vec<Pair>,
    /// Pairs to be checked before all others (RFC 8445 §6.1.4.1), each once.
    triggered: VecDeque<Path>,
    max: usize,
}

/// Why a pair is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Its candidates are known.
    Known,
    /// The peer has sent an authentic check by it.
    Heard,
}

impl Checklist {
    pub(crate) fn new(max: usize) -> Self {
        Self { pairs: Vec::new(), triggered: VecDeque::new(), max: max.max(1) }
    }

    pub(crate) fn get(&self, path: Path) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.path() == path)
    }

    pub(crate) fn get_mut(&mut self, path: Path) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.path() == path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pair> {
        self.pairs.iter_mut()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(crate) fn has_valid(&self) -> bool {
        self.pairs.iter().any(Pair::is_valid)
    }

    pub(crate) fn clear(&mut self) {
        self.pairs.clear();
        self.triggered.clear();
    }

    /// Adds a pair that is not there yet. Where there is no room the worst gives way: one that failed, or is of lower
    /// priority; for one that the peer was heard on, any that does not work (RFC 8838 §10). Says whether it was added.
    pub(crate) fn insert(&mut self, pair: Pair, role: Role, occasion: Occasion) -> bool {
        if self.pairs.len() >= self.max {
            let rank = |pair: &Pair| match pair.progress {
                Progress::Failed(Failure::Unanswered) => Some((false, pair.priority(role))),
                Progress::Preparing(_) | Progress::Waiting | Progress::Trying(_) => {
                    Some((true, pair.priority(role)))
                }
                // What is closed has to be remembered as such.
                Progress::Failed(Failure::Final) | Progress::Succeeded(_) => None,
            };
            let ranked = self.pairs.iter().enumerate().filter_map(|(n, pair)| Some((rank(pair)?, n)));
            let Some((worst, n)) = ranked.min() else { return false };
            if occasion == Occasion::Known && worst >= (true, pair.priority(role)) {
                return false;
            }
            self.pairs.remove(n);
        }
        self.pairs.room_for_one();
        self.pairs.push(pair);
        true
    }

    /// Moves the pair that comes into use to the front.
    pub(crate) fn bring_forward(&mut self, path: Path) {
        if let Some(n) = self.pairs.iter().position(|pair| pair.path() == path) {
            self.pairs.swap(0, n);
        }
    }

    pub(crate) fn remove(&mut self, path: Path) -> Option<Pair> {
        let n = self.pairs.iter().position(|pair| pair.path() == path)?;
        Some(self.pairs.remove(n))
    }

    /// Removes the pairs of all other paths.
    pub(crate) fn retain(&mut self, keep: impl Fn(Path) -> bool) {
        self.pairs.retain(|pair| keep(pair.path()));
    }

    /// The next pair whose way is to be made ready.
    pub(crate) fn next_unprepared(&self) -> Option<Path> {
        let is_it = |pair: &&Pair| matches!(pair.progress, Progress::Preparing(Preparation::Needed));
        self.pairs.iter().find(is_it).map(Pair::path)
    }

    /// Has a pair checked before all others.
    pub(crate) fn trigger(&mut self, path: Path) {
        self.triggered.retain(|other| *other != path);
        if self.triggered.len() < self.max {
            self.triggered.room_for_one();
            self.triggered.push_back(path);
        }
    }

    pub(crate) fn next_triggered(&mut self) -> Option<Path> {
        self.triggered.pop_front()
    }

    pub(crate) fn clear_triggered(&mut self) {
        self.triggered.clear();
    }

    /// The pair whose check, of this length, is due for longest; those never tried come first, the best before the others.
    pub(crate) fn next_due(&self, now: Instant, role: Role, len: usize) -> Option<Path> {
        let affordable = self.pairs.iter().filter(|pair| pair.budget.affords(len));
        let due = affordable.filter_map(|pair| Some((pair.due().filter(|at| *at <= now)?, pair)));
        let next = due.min_by_key(|(at, pair)| (*at, Reverse(pair.priority(role))))?;
        Some(next.1.path())
    }

    /// How many working pairs are better than this one.
    pub(crate) fn rank_among_valid(&self, path: Path, role: Role) -> usize {
        let Some(priority) = self.get(path).map(|pair| pair.priority(role)) else { return 0 };
        self.pairs.iter().filter(|pair| pair.is_valid() && pair.priority(role) > priority).count()
    }
}
