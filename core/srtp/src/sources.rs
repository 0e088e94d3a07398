//! What is known of each source, by SSRC.

use alloc::vec::Vec;

/// How many sources one direction of a session has at most.
pub const MAX_SOURCES: usize = 1024;

/// A table that is searched by halves, and not at all for the source that came last.
#[derive(Debug)]
pub(crate) struct Sources<T> {
    entries: Vec<(u32, T)>,
    last: usize,
}

impl<T> Default for Sources<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), last: 0 }
    }
}

impl<T> Sources<T> {
    /// What is known of a source.
    pub(crate) fn get_mut(&mut self, ssrc: u32) -> Option<&mut T> {
        if self.entries.get(self.last).is_none_or(|(known, _)| *known != ssrc) {
            self.last = self.entries.binary_search_by_key(&ssrc, |(known, _)| *known).ok()?;
        }
        self.entries.get_mut(self.last).map(|(_, value)| value)
    }

    /// Adds a source that is not known; says whether there was room.
    pub(crate) fn insert(&mut self, ssrc: u32, value: T) -> bool {
        let at = self.entries.partition_point(|(known, _)| *known < ssrc);
        let room = self.entries.len() < MAX_SOURCES;
        if room {
            self.entries.insert(at, (ssrc, value));
            self.last = at;
        }
        room
    }
}
