//! Putting fragments together (RFC 9260 §6.9).

use alloc::collections::BTreeMap;

use bytes::Bytes;

use super::partial::Partial;
use crate::chunk::Data;
use crate::event::Misbehaved;
use crate::types::{Ppid, Ssn, StreamId};

/// The messages of which some fragments have arrived and some have not.
#[derive(Debug)]
pub(super) struct Reassembly {
    /// The run that the last fragment went to: in the steady state the only one.
    current: Option<(u64, Partial)>,
    /// The others, by the position of their first fragment.
    others: BTreeMap<u64, Partial>,
    /// The bytes held, with what each fragment costs beside.
    held: usize,
    max_message: usize,
}

/// A complete message, not in its place in the stream yet.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) stream: StreamId,
    /// Its number, unless it is unordered.
    pub(super) ssn: Option<Ssn>,
    pub(super) ppid: Ppid,
    pub(super) payload: Bytes,
    /// Whether it came in more than one piece.
    pub(super) fragmented: bool,
}

impl Reassembly {
    pub(super) fn new(max_message: usize) -> Self {
        Self { current: None, others: BTreeMap::new(), held: 0, max_message }
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
        if let Some((_, partial)) = &mut self.current
            && partial.end == position
        {
            if continues(partial, data)? {
                partial.append(data);
                return self.settle(data.payload.len());
            }
        } else {
            self.seek(position, data)?;
            if let Some((_, partial)) = self.current.as_mut().filter(|(_, p)| p.end == position && !p.ends)
                && !data.begins
            {
                partial.append(data);
                return self.settle(data.payload.len());
            }
        }
        self.set_aside();
        let reserve = if data.begins { hint.min(self.max_message) } else { 0 };
        self.current = Some((position, Partial::new(position, data, reserve)));
        self.settle(data.payload.len())
    }

    /// Nothing up to `position` will come: what is incomplete there stays so.
    pub(super) fn forget_up_to(&mut self, position: u64) {
        self.set_aside();
        let kept = self.others.split_off(&(position + 1));
        for (first, partial) in core::mem::replace(&mut self.others, kept) {
            self.held -= cost(partial.len, partial.end - first);
        }
    }

    fn whole(&self, data: &Data<'_>) -> Result<Assembled, Misbehaved> {
        if data.payload.len() > self.max_message {
            return Err(Misbehaved::MessageTooLarge);
        }
        Ok(Assembled {
            stream: data.stream,
            ssn: (!data.unordered).then_some(data.ssn),
            ppid: data.ppid,
            payload: Bytes::copy_from_slice(data.payload),
            fragmented: false,
        })
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

    /// A fragment of `len` bytes was added to the current run: links what follows, hands out what is complete.
    fn settle(&mut self, len: usize) -> Result<Option<Assembled>, Misbehaved> {
        self.held += cost(len, 1);
        let Some((first, mut partial)) = self.current.take() else { return Ok(None) };
        if !self.others.is_empty() && !partial.ends {
            partial = self.link_next(partial)?;
        }
        if partial.len > self.max_message {
            return Err(Misbehaved::MessageTooLarge);
        }
        if !partial.is_complete() {
            self.current = Some((first, partial));
            return Ok(None);
        }
        self.held -= cost(partial.len, partial.end - first);
        Ok(Some(Assembled {
            stream: partial.stream,
            ssn: (!partial.unordered).then_some(partial.ssn),
            ppid: partial.ppid,
            payload: partial.into_payload(),
            fragmented: true,
        }))
    }

    fn link_next(&mut self, partial: Partial) -> Result<Partial, Misbehaved> {
        let Some(next) = self.others.get(&partial.end) else { return Ok(partial) };
        if next.begins {
            return Err(Misbehaved::Fragments);
        }
        let same = next.stream == partial.stream && next.unordered == partial.unordered;
        if !same || (!partial.unordered && next.ssn != partial.ssn) {
            return Err(Misbehaved::Fragments);
        }
        let next = self.others.remove(&partial.end);
        Ok(match next {
            Some(next) => partial.link(next),
            None => partial,
        })
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

/// What `fragments` with `len` bytes together take of the window. Small fragments cost memory beyond their bytes, and
/// the peer pays for it, or it could make us hold many times the window.
const fn cost(len: usize, fragments: u64) -> usize {
    len + fragments as usize * FRAGMENT_OVERHEAD
}

const FRAGMENT_OVERHEAD: usize = 32;
