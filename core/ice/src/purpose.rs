//! What the outcome of an action is for.

use alloc::string::String;
use core::net::IpAddr;

use pavane_base::Path;

use crate::NamedCandidate;
use crate::relays::Errand;

/// What the outcome of an action is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// The address of a candidate of the peer's.
    Candidate(NamedCandidate),
    /// The addresses of servers.
    ServerName(String),
    /// The way to a relay.
    RelayStream {
        /// The address that it is opened from.
        from: IpAddr,
        /// What the relay is to do.
        errand: Errand,
    },
    /// The way of a pair.
    PairStream(Path),
}
