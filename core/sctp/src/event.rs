//! What an association tells its owner.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::types::{Ppid, StreamId};

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The stream that it came on.
    pub stream: StreamId,
    /// What the sender says that it is.
    pub ppid: Ppid,
    /// Its bytes, at least one.
    pub payload: Bytes,
}

/// Something that happened to an [`Association`](crate::Association).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Both sides know each other; messages flow, the first with the packet that ends the acquaintance.
    Connected,
    /// A stream that had nothing to read has something.
    StreamReadable(StreamId),
    /// The peer will number its messages on these streams from the beginning; what it sent before can still be read.
    StreamsResetByPeer(Vec<StreamId>),
    /// The peer knows that we number our messages on these streams from the beginning.
    StreamsReset(Vec<StreamId>),
    /// The peer refused to have these streams reset; they go on as before.
    ResetFailed(Vec<StreamId>),
    /// The bytes that wait on this stream fell to its threshold or below.
    BufferedAmountLow(StreamId),
    /// There is room again after [`SendError::Full`](crate::SendError::Full).
    Writable,
    /// The peer lost its state and began anew: every stream starts from the beginning, what was on its way is lost.
    Restarted,
    /// The association is over.
    Closed(CloseReason),
}

/// Why an association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// One side asked for a graceful end, after everything had been delivered.
    Shutdown,
    /// We aborted it.
    Aborted,
    /// The peer aborted it, for the reason given, if it gave one.
    PeerAborted(Option<CauseCode>),
    /// The peer did not answer.
    Unreachable,
    /// The peer broke the rules.
    Misbehaved(Misbehaved),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("shut down"),
            Self::Aborted => f.write_str("aborted"),
            Self::PeerAborted(None) => f.write_str("aborted by the peer"),
            Self::PeerAborted(Some(cause)) => write!(f, "aborted by the peer: {cause}"),
            Self::Unreachable => f.write_str("the peer does not answer"),
            Self::Misbehaved(how) => write!(f, "the peer misbehaved: {how}"),
        }
    }
}

/// How a peer broke the rules, beyond repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaved {
    /// It acknowledged what was never sent.
    AckBeyondSent,
    /// It sent a DATA chunk without data.
    NoUserData,
    /// It sent a message above our limit.
    MessageTooLarge,
    /// The fragments of a message contradict each other.
    Fragments,
    /// It used a form of chunk that was not agreed on.
    NotAgreed,
    /// Its INIT or INIT ACK cannot be answered.
    Init,
}

impl fmt::Display for Misbehaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AckBeyondSent => "it acknowledged what was not sent",
            Self::NoUserData => "it sent an empty DATA chunk",
            Self::MessageTooLarge => "it sent too large a message",
            Self::Fragments => "its fragments contradict each other",
            Self::NotAgreed => "it used a form that was not agreed on",
            Self::Init => "its INIT is invalid",
        })
    }
}

/// The code of an error cause (RFC 9260 §3.3.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CauseCode(pub u16);

impl fmt::Display for CauseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => "invalid stream",
            2 => "missing parameter",
            3 => "stale cookie",
            4 => "out of resource",
            5 => "unresolvable address",
            6 => "unrecognized chunk",
            7 => "invalid parameter",
            8 => "unrecognized parameters",
            9 => "no user data",
            10 => "cookie while shutting down",
            11 => "restart with new addresses",
            12 => "the user aborted",
            13 => "protocol violation",
            other => return write!(f, "cause {other}"),
        };
        f.write_str(name)
    }
}
