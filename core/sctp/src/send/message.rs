//! A message on its way out, and the pieces that it is cut into.

use bytes::Bytes;
use pavane_base::{Instant, Key};

use crate::types::{Mid, Ppid, StreamId};

/// A message that has been accepted for sending.
#[derive(Debug)]
pub(crate) struct OutMessage {
    pub(crate) payload: Bytes,
    pub(crate) stream: StreamId,
    pub(crate) ppid: Ppid,
    /// Its number in the stream, once it has begun.
    pub(crate) mid: Mid,
    pub(crate) ordered: bool,
    pub(super) counted: bool,
    pub(crate) max_retransmits: Option<u16>,
    pub(crate) expires: Option<Instant>,
    /// How many of its bytes have been sent at least once.
    pub(crate) sent: u32,
    /// The positions of its first and of its last fragment so far, once it has begun.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// How many TSNs it has taken.
    pub(crate) fragments: u32,
    /// How many of these have not been acknowledged cumulatively.
    pub(crate) held: u32,
    pub(crate) abandoned: bool,
}

impl OutMessage {
    /// Whether its lifetime is over.
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// Whether it may be given up.
    pub(super) const fn is_limited(&self) -> bool {
        self.max_retransmits.is_some() || self.expires.is_some()
    }

    pub(super) fn unsent(&self) -> usize {
        self.payload.len() - self.sent as usize
    }
}

/// How messages are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Up to which length what is left of a message is not cut.
    pub(crate) whole: usize,
    /// How long the pieces of longer ones are.
    pub(crate) fragment: usize,
}

/// The next piece to send: of which message, from where, how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(crate) message: Key,
    pub(crate) offset: u32,
    /// How many fragments of the message come before it.
    pub(crate) number: u32,
    pub(crate) len: u16,
}
