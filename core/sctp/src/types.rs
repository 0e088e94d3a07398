//! The numbers of SCTP, each with a type of its own.

use core::fmt;

use pavane_base::serial_number;

/// The number of a stream; each direction has its own 65,536.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u16);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The payload protocol identifier: what the application says that a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppid(pub u32);

/// The number by which a packet finds its association (RFC 9260 §8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VerificationTag(pub(crate) u32);

impl VerificationTag {
    /// What a packet with INIT carries, and what a field says that knows no tag.
    pub(crate) const ZERO: Self = Self(0);
}

serial_number! {
    /// The number of a DATA chunk on the wire.
    pub(crate) struct Tsn(u32);
}

serial_number! {
    /// The number of a message among the ordered or among the unordered ones of its stream (RFC 8260 §2.1). The stream
    /// sequence number of a DATA chunk is the lower half of it.
    pub(crate) struct Mid(u32);
}

serial_number! {
    /// The number of a request for reconfiguration (RFC 6525 §4.1).
    pub(crate) struct RequestSeq(u32);
}
