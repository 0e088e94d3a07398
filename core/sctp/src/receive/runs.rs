//! Fragments that lie side by side, put together as they come.

use alloc::collections::BTreeMap;

use super::partial::Partial;
use super::reassembly::MAX_RESERVED;
use crate::chunk::Data;
use crate::event::Misbehaved;

/// Runs of consecutive fragments, by position: that of their TSNs, or within an interleaved message their own.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The run that the last fragment went to: in the steady state the only one.
    current: Option<(u64, Partial)>,
    /// The others, by the position of their first fragment.
    others: BTreeMap<u64, Partial>,
}

impl Runs {
    /// Takes a fragment that has not come before; the message with the position of its first fragment, if it is complete
    /// with it. `reserve` is how large a message may become that begins with this one.
    pub(super) fn add(
        &mut self,
        position: u64,
        data: &Data<'_>,
        reserve: usize,
    ) -> Result<Option<(u64, Partial)>, Misbehaved> {
        if let Some((_, partial)) = &mut self.current
            && partial.end == position
        {
            if continues(partial, data)? {
                partial.append(data);
                return self.settle();
            }
        } else {
            self.seek(position, data)?;
            if let Some((_, partial)) = self.current.as_mut().filter(|(_, p)| p.end == position && !p.ends)
                && !data.begins
            {
                partial.append(data);
                return self.settle();
            }
        }
        self.set_aside();
        let reserve = if data.begins && self.others.len() < MAX_RESERVED { reserve } else { 0 };
        self.current = Some((position, Partial::new(position, data, reserve)));
        self.settle()
    }

    /// Whether the fragment at `position` has come before.
    pub(super) fn covers(&self, position: u64) -> bool {
        let within = |first: u64, partial: &Partial| (first..partial.end).contains(&position);
        self.current.as_ref().is_some_and(|(first, partial)| within(*first, partial))
            || self.others.range(..=position).next_back().is_some_and(|(first, p)| within(*first, p))
    }

    /// How many bytes the run has that the last fragment went to.
    pub(super) fn current_len(&self) -> usize {
        self.current.as_ref().map_or(0, |(_, partial)| partial.len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current.is_none() && self.others.is_empty()
    }

    /// Takes out the runs that begin at `position` or before.
    pub(super) fn take_up_to(&mut self, position: u64) -> BTreeMap<u64, Partial> {
        self.set_aside();
        let kept = self.others.split_off(&(position + 1));
        core::mem::replace(&mut self.others, kept)
    }

    /// The lengths of all runs, and how many fragments each has.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn sizes(&self) -> impl Iterator<Item = (usize, u64)> {
        let current = self.current.as_ref().map(|(first, partial)| (first, partial));
        current.into_iter().chain(&self.others).map(|(first, partial)| (partial.len, partial.end - first))
    }

    /// Makes the run current that ends where `position` begins, if there is one.
    fn seek(&mut self, position: u64, data: &Data<'_>) -> Result<(), Misbehaved> {
        let before = self.others.range(..position).next_back().filter(|(_, p)| p.end == position);
        let Some((first, partial)) = before else { return Ok(()) };
        if continues(partial, data)? {
            let first = *first;
            self.set_aside();
            self.current = self.others.remove_entry(&first);
        }
        Ok(())
    }

    fn set_aside(&mut self) {
        if let Some((first, partial)) = self.current.take() {
            self.others.insert(first, partial);
        }
    }

    /// A fragment was added to the current run: links what follows, hands out what is complete.
    fn settle(&mut self) -> Result<Option<(u64, Partial)>, Misbehaved> {
        if !self.others.is_empty() {
            self.link_next()?;
        }
        match &self.current {
            Some((_, partial)) if partial.is_complete() => Ok(self.current.take()),
            _ => Ok(None),
        }
    }

    fn link_next(&mut self) -> Result<(), Misbehaved> {
        let Some((_, partial)) = self.current.as_ref().filter(|(_, partial)| !partial.ends) else {
            return Ok(());
        };
        let Some(next) = self.others.get(&partial.end) else { return Ok(()) };
        if next.begins || !partial.is_akin_to(next) {
            return Err(Misbehaved::Fragments);
        }
        let next = self.others.remove(&partial.end);
        self.current = match (self.current.take(), next) {
            (Some((first, partial)), Some(next)) => Some((first, partial.link(next))),
            (current, _) => current,
        };
        Ok(())
    }
}

/// Whether the fragment goes on with the run right before it; if the run has its end and the fragment is a beginning, it
/// does not, and everything else is against the rules.
fn continues(partial: &Partial, data: &Data<'_>) -> Result<bool, Misbehaved> {
    match (partial.ends, data.begins) {
        (true, true) => Ok(false),
        (false, false) if partial.matches(data) => Ok(true),
        _ => Err(Misbehaved::Fragments),
    }
}
