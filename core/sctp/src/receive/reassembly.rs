//! Putting fragments together (RFC 9260 §6.9, RFC 8260 §2.2.3).

use alloc::vec::Vec;

use bytes::Bytes;

use super::interleaved::{Added, Interleaved};
use super::partial::Partial;
use super::runs::Runs;
use crate::chunk::{Data, Skipped};
use crate::event::Misbehaved;
use crate::types::{Mid, Ppid, StreamId};

/// The messages of which some fragments have arrived and some have not.
#[derive(Debug)]
pub(super) struct Reassembly {
    fragments: Fragments,
    /// The bytes held, with what fragments and messages cost beside.
    held: usize,
    max_message: usize,
}

/// How fragments find each other.
#[derive(Debug)]
enum Fragments {
    /// DATA: by consecutive TSNs.
    Consecutive(Runs),
    /// I-DATA: by message and number.
    Interleaved(Interleaved),
}

/// A complete message, not in its place in the stream yet.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) stream: StreamId,
    /// Its number, unless it is unordered.
    pub(super) mid: Option<Mid>,
    pub(super) ppid: Ppid,
    pub(super) payload: Bytes,
    /// Whether it came in more than one piece.
    pub(super) fragmented: bool,
}

impl Reassembly {
    pub(super) fn new(max_message: usize, interleaving: bool) -> Self {
        let fragments = match interleaving {
            true => Fragments::Interleaved(Interleaved::default()),
            false => Fragments::Consecutive(Runs::default()),
        };
        Self { fragments, held: 0, max_message }
    }

    /// How much of the window is taken by what is not complete.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Takes a fragment that has not arrived before; the message, if it is complete with it. `hint` is how large a message
    /// on this stream was before.
    pub(super) fn add(
        &mut self,
        position: u64,
        data: &Data<'_>,
        hint: usize,
    ) -> Result<Option<Assembled>, Misbehaved> {
        if data.begins && data.ends {
            return self.whole(data).map(Some);
        }
        let reserve = hint.min(self.max_message).min(MAX_RESERVE);
        let len = data.payload.len();
        match &mut self.fragments {
            Fragments::Consecutive(runs) => {
                self.held += cost(len, 1);
                let complete = runs.add(position, data, reserve)?;
                let longest = complete.as_ref().map_or_else(|| runs.current_len(), |(_, whole)| whole.len);
                if longest > self.max_message {
                    return Err(Misbehaved::MessageTooLarge);
                }
                let Some((first, whole)) = complete else { return Ok(None) };
                self.held -= cost(whole.len, whole.end - first);
                Ok(Some(whole.into()))
            }
            Fragments::Interleaved(messages) => match messages.add(data, reserve, self.max_message)? {
                Added::Kept { first } => {
                    self.held += cost(len, 1) + if first { UNFINISHED_OVERHEAD } else { 0 };
                    Ok(None)
                }
                Added::Complete { message, fragments, first } => {
                    self.held += cost(len, 1) + if first { UNFINISHED_OVERHEAD } else { 0 };
                    self.held -= cost(message.len, fragments) + UNFINISHED_OVERHEAD;
                    Ok(Some(message.into()))
                }
            },
        }
    }

    /// Nothing up to `position` will come: what is incomplete there stays so.
    pub(super) fn forget_up_to(&mut self, position: u64) {
        if let Fragments::Consecutive(runs) = &mut self.fragments {
            for (first, partial) in runs.take_up_to(position) {
                self.held -= cost(partial.len, partial.end - first);
            }
        }
    }

    /// The message and those before it in its stream will not come.
    pub(super) fn forget(&mut self, skipped: Skipped) {
        if let Fragments::Interleaved(messages) = &mut self.fragments {
            let freed = messages.forget(skipped);
            self.held -= unfinished(freed);
        }
    }

    /// The stream begins anew: what is incomplete of it stays so.
    pub(super) fn reset(&mut self, stream: StreamId) {
        if let Fragments::Interleaved(messages) = &mut self.fragments {
            let freed = messages.reset(stream);
            self.held -= unfinished(freed);
        }
    }

    /// What is held, counted anew.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn counted(&self) -> usize {
        match &self.fragments {
            Fragments::Consecutive(runs) => runs.sizes().map(|(len, fragments)| cost(len, fragments)).sum(),
            Fragments::Interleaved(messages) => unfinished(messages.sizes().collect()),
        }
    }

    fn whole(&self, data: &Data<'_>) -> Result<Assembled, Misbehaved> {
        if data.payload.len() > self.max_message {
            return Err(Misbehaved::MessageTooLarge);
        }
        Ok(Assembled {
            stream: data.stream,
            mid: (!data.unordered).then_some(data.mid),
            ppid: data.ppid,
            payload: Bytes::copy_from_slice(data.payload),
            fragmented: false,
        })
    }
}

impl From<Partial> for Assembled {
    fn from(partial: Partial) -> Self {
        Self {
            stream: partial.stream,
            mid: (!partial.unordered).then_some(partial.mid),
            ppid: partial.ppid,
            payload: partial.into_payload(),
            fragmented: true,
        }
    }
}

/// What `fragments` with `len` bytes together take of the window. Small fragments cost memory beyond their bytes, and
/// the peer pays for it, or it could make us hold many times the window.
const fn cost(len: usize, fragments: u64) -> usize {
    len + fragments as usize * FRAGMENT_OVERHEAD
}

/// What messages of so many bytes in so many fragments take.
fn unfinished(messages: Vec<(usize, u64)>) -> usize {
    messages.into_iter().map(|(len, fragments)| cost(len, fragments) + UNFINISHED_OVERHEAD).sum()
}

/// How much is reserved for a message at most. What is reserved and not used the peer does not pay for.
const MAX_RESERVE: usize = 1 << 20;

/// For how many messages at a time something is reserved.
pub(super) const MAX_RESERVED: usize = 8;

const FRAGMENT_OVERHEAD: usize = 32;

/// What an interleaved message costs until it is complete, beyond its fragments.
const UNFINISHED_OVERHEAD: usize = 256;
