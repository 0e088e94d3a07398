//! States and news of an agent.

use pavane_base::Path;

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

/// The number of a name that is to be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolveId(pub(crate) u64);
