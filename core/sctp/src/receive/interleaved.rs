//! Messages whose fragments come among those of others (RFC 8260 §2.2.3).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::partial::Partial;
use super::reassembly::MAX_RESERVED;
use super::runs::Runs;
use crate::chunk::{Data, Skipped};
use crate::event::Misbehaved;
use crate::types::{Mid, StreamId};

/// The messages of which some fragments have come and some have not.
#[derive(Debug, Default)]
pub(super) struct Interleaved {
    /// The one that the last fragment went to: where nothing is interleaved, the only one.
    current: Option<(MessageId, Unfinished)>,
    others: BTreeMap<MessageId, Unfinished>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MessageId {
    stream: StreamId,
    unordered: bool,
    mid: u32,
}

#[derive(Debug, Default)]
struct Unfinished {
    runs: Runs,
    len: usize,
    fragments: u64,
}

/// What came of a fragment.
pub(super) enum Added {
    /// It belongs to a message that is not complete; whether it is the first of it to come.
    Kept { first: bool },
    /// The message is complete, in so many fragments; whether this was the first of it to come.
    Complete { message: Partial, fragments: u64, first: bool },
}

impl Interleaved {
    /// Takes a fragment.
    pub(super) fn add(
        &mut self,
        data: &Data<'_>,
        reserve: usize,
        max_message: usize,
    ) -> Result<Added, Misbehaved> {
        // RFC 8260 §2.1: the first fragment has the number 0, and no other.
        if !data.begins && data.fsn == 0 {
            return Err(Misbehaved::Fragments);
        }
        let id = MessageId { stream: data.stream, unordered: data.unordered, mid: data.mid.0 };
        let first = self.make_current(id);
        let reserve = if self.others.len() < MAX_RESERVED { reserve } else { 0 };
        let Some((_, message)) = &mut self.current else { return Err(Misbehaved::Fragments) };
        let position = u64::from(data.fsn);
        // TSNs come once; a peer that gives two fragments one number is at odds with itself.
        if message.runs.covers(position) {
            return Err(Misbehaved::Fragments);
        }
        message.len += data.payload.len();
        message.fragments += 1;
        if message.len > max_message {
            return Err(Misbehaved::MessageTooLarge);
        }
        let Some((_, complete)) = message.runs.add(position, data, reserve)? else {
            return Ok(Added::Kept { first });
        };
        let fragments = message.fragments;
        if !message.runs.is_empty() {
            return Err(Misbehaved::Fragments);
        }
        self.current = None;
        Ok(Added::Complete { message: complete, fragments, first })
    }

    /// The message and those before it in its stream will not be completed; what is freed, as lengths and fragments.
    pub(super) fn forget(&mut self, skipped: Skipped) -> Vec<(usize, u64)> {
        let Skipped { stream, unordered, mid } = skipped;
        self.remove_if((stream, unordered), (stream, unordered), move |id| !Mid(id.mid).is_after(mid))
    }

    /// The stream begins anew; what is freed, as lengths and fragments.
    pub(super) fn reset(&mut self, stream: StreamId) -> Vec<(usize, u64)> {
        self.remove_if((stream, false), (stream, true), |_| true)
    }

    fn remove_if(
        &mut self,
        from: (StreamId, bool),
        to: (StreamId, bool),
        gone: impl Fn(&MessageId) -> bool,
    ) -> Vec<(usize, u64)> {
        self.set_aside();
        let first = MessageId { stream: from.0, unordered: from.1, mid: 0 };
        let last = MessageId { stream: to.0, unordered: to.1, mid: u32::MAX };
        let ids: Vec<_> = self.others.range(first..=last).map(|(id, _)| *id).filter(|id| gone(id)).collect();
        let removed = ids.into_iter().filter_map(|id| self.others.remove(&id));
        removed.map(|message| (message.len, message.fragments)).collect()
    }

    /// The lengths of all messages, and how many fragments of each have come.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn sizes(&self) -> impl Iterator<Item = (usize, u64)> {
        let current = self.current.as_ref().map(|(_, message)| message);
        current.into_iter().chain(self.others.values()).map(|message| (message.len, message.fragments))
    }

    /// Makes the message current; whether nothing was known of it.
    fn make_current(&mut self, id: MessageId) -> bool {
        if self.current.as_ref().is_some_and(|(known, _)| *known == id) {
            return false;
        }
        self.set_aside();
        let known = if self.others.is_empty() { None } else { self.others.remove(&id) };
        let first = known.is_none();
        self.current = Some((id, known.unwrap_or_default()));
        first
    }

    fn set_aside(&mut self) {
        if let Some((id, message)) = self.current.take() {
            self.others.insert(id, message);
        }
    }
}
