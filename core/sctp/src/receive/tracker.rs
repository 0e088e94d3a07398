//! Which TSNs have arrived.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::types::Tsn;

/// The cumulative TSN and the runs of TSNs beyond it.
///
/// Positions are TSNs that do not wrap, as on the sending side.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// One beyond the last position up to which everything has arrived.
    next: u64,
    initial: u64,
    /// What has arrived beyond, ascending, not touching: first and one beyond last.
    runs: VecDeque<(u64, u64)>,
    duplicates: Vec<Tsn>,
    /// Whether a gap was opened or filled, wholly or in part, since somebody asked.
    changed: bool,
}

/// Where a TSN stands among those that have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It has arrived before.
    Duplicate,
    /// It is the one that everything waits for.
    Next,
    /// It fills a hole.
    Hole,
    /// It lies beyond everything that has arrived.
    Highest,
    /// It lies so far beyond that it cannot be tracked.
    TooFar,
}

impl Tracker {
    pub(crate) fn new(initial: Tsn) -> Self {
        let initial = FIRST_CIRCLE | u64::from(initial.0);
        Self { next: initial, initial, runs: VecDeque::new(), duplicates: Vec::new(), changed: false }
    }

    /// The position nearest to the cumulative TSN whose TSN is `tsn`.
    pub(crate) const fn position_of(&self, tsn: Tsn) -> u64 {
        let distance = tsn.0.wrapping_sub(self.next as u32) as i32;
        self.next.saturating_add_signed(distance as i64)
    }

    pub(crate) fn arrival(&self, position: u64) -> Arrival {
        if position < self.next {
            return Arrival::Duplicate;
        }
        if position == self.next {
            return Arrival::Next;
        }
        let end = self.end();
        if position >= end {
            let full = position - self.next > MAX_DISTANCE || (position > end && self.runs.len() >= MAX_RUNS);
            return if full { Arrival::TooFar } else { Arrival::Highest };
        }
        let at = self.runs.partition_point(|(_, end)| *end <= position);
        match self.runs.get(at) {
            Some((first, _)) if *first <= position => Arrival::Duplicate,
            _ if self.runs.len() >= MAX_RUNS && !self.touches(at, position) => Arrival::TooFar,
            _ => Arrival::Hole,
        }
    }

    /// The chunk at `position`, which is no duplicate, has arrived.
    pub(crate) fn note(&mut self, position: u64) {
        if position == self.next {
            self.changed |= !self.runs.is_empty();
            self.next += 1;
            self.absorb_first_run();
            return;
        }
        self.changed |= position != self.end();
        let at = self.runs.partition_point(|(_, end)| *end < position);
        match self.runs.get_mut(at) {
            Some((_, end)) if *end == position => {
                *end += 1;
                self.join(at);
            }
            Some((first, _)) if *first == position + 1 => *first -= 1,
            _ => self.runs.insert(at, (position, position + 1)),
        }
    }

    /// Whether a gap was opened or filled since the last time.
    pub(crate) fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// Whether the peer may say that nothing up to `position` will come.
    pub(crate) const fn may_skip_to(&self, position: u64) -> bool {
        position >= self.next && position - self.next <= MAX_DISTANCE
    }

    /// Nothing up to `position` will come.
    pub(crate) fn skip_to(&mut self, position: u64) {
        self.next = self.next.max(position + 1);
        while self.runs.front().is_some_and(|(_, end)| *end <= self.next) {
            self.runs.pop_front();
        }
        self.absorb_first_run();
    }

    pub(crate) fn note_duplicate(&mut self, tsn: Tsn) {
        if self.duplicates.len() < MAX_DUPLICATES {
            self.duplicates.push(tsn);
        }
    }

    pub(crate) fn duplicates(&self) -> impl Iterator<Item = Tsn> + use<'_> {
        self.duplicates.iter().copied()
    }

    pub(crate) fn clear_duplicates(&mut self) {
        self.duplicates.clear();
    }

    /// The TSN up to which everything has arrived.
    pub(crate) const fn cumulative(&self) -> Tsn {
        Tsn((self.next as u32).wrapping_sub(1))
    }

    /// The gap blocks of a SACK, as far as 16 bits reach (RFC 9260 §3.3.4).
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u16, u16)> + Clone + use<'_> {
        let origin = self.next - 1;
        self.runs.iter().map_while(move |(first, end)| {
            let first = u16::try_from(first - origin).ok()?;
            let last = u16::try_from(end - 1 - origin).unwrap_or(u16::MAX);
            Some((first, last))
        })
    }

    pub(crate) fn has_gaps(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Whether anything has arrived at all.
    pub(crate) fn has_received(&self) -> bool {
        self.next != self.initial || self.has_gaps()
    }

    pub(crate) const fn is_next(&self, position: u64) -> bool {
        position == self.next
    }

    pub(crate) fn is_hole(&self, position: u64) -> bool {
        position < self.end()
    }

    /// One beyond the highest position that has arrived.
    fn end(&self) -> u64 {
        self.runs.back().map_or(self.next, |(_, end)| *end)
    }

    fn touches(&self, at: usize, position: u64) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.runs.get(at));
        before.is_some_and(|(_, end)| *end == position)
            || self.runs.get(at).is_some_and(|(first, _)| *first == position + 1)
    }

    fn absorb_first_run(&mut self) {
        if let Some((first, end)) = self.runs.front().copied()
            && first <= self.next
        {
            self.next = self.next.max(end);
            self.runs.pop_front();
        }
    }

    /// Joins run `at` with the one behind it, if they touch.
    fn join(&mut self, at: usize) {
        let (Some((_, end)), Some((first, last))) =
            (self.runs.get(at).copied(), self.runs.get(at + 1).copied())
        else {
            return;
        };
        if end == first {
            self.runs[at].1 = last;
            self.runs.remove(at + 1);
        }
    }
}

/// Positions begin here, so that those before the first one exist as well.
const FIRST_CIRCLE: u64 = 1 << 32;

/// How far beyond the cumulative TSN one may be: what a SACK's gap blocks can say.
const MAX_DISTANCE: u64 = 65_000;

/// How many runs are tracked.
const MAX_RUNS: usize = 8192;

/// How many duplicates are reported at most.
const MAX_DUPLICATES: usize = 32;

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    /// Every order of arrival gives what a plain set of numbers gives.
    #[test]
    fn the_runs_are_those_of_a_set() {
        let mut state = 1_u64;
        for round in 0..200_u32 {
            let initial = Tsn(u32::MAX - round % 8);
            let mut tracker = Tracker::new(initial);
            let mut set = BTreeSet::new();
            for _ in 0..100 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let offset = state >> 59;
                let tsn = initial.add(offset as u32);
                let position = tracker.position_of(tsn);
                let known = set.contains(&offset);
                assert_eq!(tracker.arrival(position) == Arrival::Duplicate, known);
                if !known {
                    tracker.note(position);
                    set.insert(offset);
                }
                let next = (0..).find(|i| !set.contains(i)).unwrap();
                assert_eq!(tracker.cumulative(), initial.add(next as u32).sub(1));
                let listed: BTreeSet<u64> = tracker
                    .blocks()
                    .flat_map(|(first, last)| (first..=last).map(|gap| next + u64::from(gap) - 1))
                    .collect();
                assert_eq!(listed, set.iter().copied().filter(|i| *i > next).collect());
            }
        }
    }

    #[test]
    fn skipping_takes_the_runs_along() {
        let mut tracker = Tracker::new(Tsn(0));
        let at = |offset: u64| FIRST_CIRCLE + offset;
        for offset in [2, 3, 5, 6, 9] {
            tracker.note(at(offset));
        }
        assert!(tracker.may_skip_to(at(4)) && !tracker.may_skip_to(at(0) - 1));
        tracker.skip_to(at(4));
        assert_eq!(tracker.cumulative(), Tsn(6));
        assert_eq!(tracker.blocks().collect::<Vec<_>>(), [(3, 3)]);
        tracker.skip_to(at(20));
        assert_eq!((tracker.cumulative(), tracker.has_gaps()), (Tsn(20), false));
    }

    #[test]
    fn the_number_of_runs_and_the_distance_are_bounded() {
        let mut tracker = Tracker::new(Tsn(0));
        let mut position = FIRST_CIRCLE + 1;
        while tracker.arrival(position) == Arrival::Highest {
            tracker.note(position);
            position += 2;
        }
        assert_eq!(tracker.runs.len(), MAX_RUNS);
        assert_eq!(tracker.arrival(position - 1), Arrival::Highest, "it touches the last run");
        assert_eq!(tracker.arrival(FIRST_CIRCLE + 2), Arrival::Hole);
        assert_eq!(tracker.arrival(FIRST_CIRCLE + MAX_DISTANCE + 1), Arrival::TooFar);
    }
}
