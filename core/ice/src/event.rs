//! States and news of an agent.

use core::net::SocketAddr;

use pavane_base::Path;
use pavane_stun::ErrorCode;
use pavane_turn::EndReason;

use crate::Candidate;

/// Something happened to an [`Agent`](crate::Agent).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The state is another.
    StateChanged(State),
    /// Gathering is at another stage.
    GatheringStateChanged(GatheringState),
    /// A candidate to be signalled.
    LocalCandidate(Candidate),
    /// Data goes this way from here on.
    SelectedPath(Path),
    /// All pairs that worked are gone with our address or stream. What is left is tried; a restart (RFC 8445 §9) has the peer
    /// gather anew as well.
    RestartAdvised,
    /// A server is of no help; others may be.
    ServerFailed {
        /// Its index in [`Config::servers`](crate::Config::servers).
        server: usize,
        /// Its address, if it was known.
        address: Option<SocketAddr>,
        /// Why.
        failure: ServerFailure,
    },
}

/// Why a server is of no help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerFailure {
    /// Its name has no address.
    Unresolved,
    /// It does not answer, or no stream to it can be opened.
    Unreachable,
    /// It answered in a way that cannot be understood.
    Misunderstood,
    /// It does not know the user, or another password.
    Unauthorized,
    /// It refused, with this code.
    Refused(ErrorCode),
    /// It sent us from one server to another too often.
    Redirected,
}

impl ServerFailure {
    /// What the end of an allocation says of its server, unless we have ended it.
    pub(crate) const fn from_end(reason: EndReason) -> Option<Self> {
        Some(match reason {
            EndReason::Closed => return None,
            EndReason::Redirected(_) => Self::Redirected,
            EndReason::Unauthorized => Self::Unauthorized,
            EndReason::Mismatch => Self::Refused(ErrorCode::ALLOCATION_MISMATCH),
            EndReason::Refused(code) => Self::Refused(code),
            EndReason::Unreachable => Self::Unreachable,
            _ => Self::Misunderstood,
        })
    }
}

/// What the agent has achieved, in W3C's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is nothing to check, or nothing is known of the peer.
    New,
    /// Pairs are being checked, none works yet.
    Checking,
    /// A pair works.
    Connected,
    /// A pair works, was nominated, and neither side has further candidates.
    Completed,
    /// The peer answers no more; it may be back.
    Disconnected,
    /// No pair works, or consent has ended. Only a restart helps, or something new: an address, a candidate, a check by a way
    /// that consent was not lost on.
    Failed,
    /// The agent was closed.
    Closed,
}

/// How far the gathering of local candidates has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatheringState {
    /// It has not begun.
    New,
    /// It goes on.
    Gathering,
    /// All candidates have been told.
    Complete,
}
