//! A run of fragments of one message, in order, and not all of them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::chunk::Data;
use crate::types::{Mid, Ppid, StreamId};

/// Consecutive fragments of one message.
///
/// What arrives in order is appended to one buffer. A run that turns out to touch another is linked to it, and copied
/// once only, when the message is complete.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) stream: StreamId,
    pub(super) mid: Mid,
    pub(super) ppid: Ppid,
    pub(super) unordered: bool,
    /// One beyond the position of the last fragment.
    pub(super) end: u64,
    /// Whether the first fragment is there.
    pub(super) begins: bool,
    /// Whether the last fragment is there.
    pub(super) ends: bool,
    pub(super) len: usize,
    head: Vec<u8>,
    rest: VecDeque<Vec<u8>>,
}

impl Partial {
    /// Begins with one fragment; `reserve` is how large the message may become, if it is known.
    pub(super) fn new(position: u64, data: &Data<'_>, reserve: usize) -> Self {
        let mut head = Vec::with_capacity(reserve.max(data.payload.len()));
        head.extend_from_slice(data.payload);
        Self {
            stream: data.stream,
            mid: data.mid,
            ppid: data.ppid,
            unordered: data.unordered,
            end: position + 1,
            begins: data.begins,
            ends: data.ends,
            len: data.payload.len(),
            head,
            rest: VecDeque::new(),
        }
    }

    /// Whether the fragment can belong to the same message.
    pub(super) fn matches(&self, data: &Data<'_>) -> bool {
        let same = self.stream == data.stream && self.unordered == data.unordered;
        same && (data.unordered || self.mid == data.mid)
    }

    /// Whether the other run can belong to the same message.
    pub(super) fn is_akin_to(&self, other: &Self) -> bool {
        let same = self.stream == other.stream && self.unordered == other.unordered;
        same && (self.unordered || self.mid == other.mid)
    }

    /// Appends the next fragment.
    pub(super) fn append(&mut self, data: &Data<'_>) {
        self.end += 1;
        self.ends = data.ends;
        self.len += data.payload.len();
        self.rest.back_mut().unwrap_or(&mut self.head).extend_from_slice(data.payload);
    }

    /// Links the run that follows this one. The shorter list moves, so that a message in reverse order costs no more than
    /// any other.
    pub(super) fn link(mut self, mut next: Self) -> Self {
        let (end, ends, len) = (next.end, next.ends, self.len + next.len);
        if self.rest.len() > next.rest.len() {
            self.rest.push_back(next.head);
            self.rest.append(&mut next.rest);
            Self { end, ends, len, ..self }
        } else {
            next.rest.push_front(next.head);
            while let Some(piece) = self.rest.pop_back() {
                next.rest.push_front(piece);
            }
            Self { end, ends, len, rest: next.rest, ..self }
        }
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.begins && self.ends
    }

    /// The message in one piece.
    pub(super) fn into_payload(self) -> Bytes {
        if self.rest.is_empty() {
            return trimmed(self.head);
        }
        let mut whole = Vec::with_capacity(self.len);
        whole.extend_from_slice(&self.head);
        self.rest.iter().for_each(|piece| whole.extend_from_slice(piece));
        whole.into()
    }
}

/// Gives back what was reserved too much, so that a message in the application's hands holds no more than its own memory.
fn trimmed(mut payload: Vec<u8>) -> Bytes {
    payload.shrink_to_fit();
    payload.into()
}
