//! News of an allocation, and what was counted.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::ops::Range;

use pavane_stun::{ChallengeError, ErrorCode};

/// Something happened to an [`Allocation`](crate::Allocation).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It is there.
    Allocated {
        /// The address on the relay.
        relayed: SocketAddr,
        /// The IPv6 address beside it, where both were asked for.
        additional: Option<SocketAddr>,
        /// Our own address as the server sees it.
        mapped: Option<SocketAddr>,
    },
    /// This peer may reach us through it.
    Permitted(IpAddr),
    /// The server does not let this peer reach us, or no longer does.
    Refused(IpAddr),
    /// It is over.
    Ended(EndReason),
}

/// Why an allocation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// It was closed.
    Closed,
    /// The server sends us to another one, which is to be asked with an allocation of its own.
    Redirected(SocketAddr),
    /// The server does not know the user, or another password, or the credentials have expired.
    Unauthorized,
    /// The server's challenge cannot be answered.
    Challenge(ChallengeError),
    /// The server does not know the allocation (any more), or holds another one for this 5-tuple.
    Mismatch,
    /// The server refused, with this code.
    Refused(ErrorCode),
    /// The server answered in a way that cannot be understood.
    Misunderstood,
    /// The server does not answer.
    Unreachable,
}

/// What a datagram of the server's was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message that concerns the allocation alone, or nothing of use.
    Nothing,
    /// A datagram of a peer's.
    Data {
        /// Whose.
        peer: SocketAddr,
        /// Where it lies in what was handed in.
        range: Range<usize>,
    },
}

/// A datagram cannot be sent, since the peer may not be reached (yet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPermitted;

impl fmt::Display for NotPermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the relay has no permission for the peer")
    }
}

impl core::error::Error for NotPermitted {}

/// What an allocation has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests that were sent, repeated ones among them.
    pub requests_sent: u64,
    /// Dropped: neither a STUN message nor one of a channel.
    pub malformed: u64,
    /// Dropped: a response to nothing that was asked.
    pub stray_responses: u64,
    /// Dropped: the integrity does not hold.
    pub unauthentic: u64,
    /// Dropped: data of a channel that is not bound, or of a peer without a permission.
    pub not_permitted: u64,
}
