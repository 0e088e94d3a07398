//! Where an association is in its life.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use pavane_base::Instant;

use super::heartbeat::HeartbeatState;
use super::reconfig::Reconfiguration;
use crate::chunk::{Cause, Extensions};
use crate::receive::{Receiver, UnreadMessages};
use crate::types::VerificationTag;

/// Where an association is in its life (RFC 9260 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It has not begun, or it is over.
    Closed,
    /// INIT is on its way.
    CookieWait,
    /// The cookie is on its way back to the peer.
    CookieEchoed,
    /// Messages flow.
    Established,
    /// We want to end it; what waits is sent first.
    ShutdownPending,
    /// We have told the peer that we have sent everything.
    ShutdownSent,
    /// The peer has told us that it has sent everything; what waits is sent first.
    ShutdownReceived,
    /// Both have sent everything.
    ShutdownAckSent,
}

/// The state with what belongs to it.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing has happened; a peer that begins is answered.
    Closed,
    CookieWait {
        init_due: bool,
        sent_at: Instant,
        attempts: u32,
    },
    Linked(Box<Link>),
    /// It was, and will not be again; what had arrived can still be read.
    Over {
        unread: Box<UnreadMessages>,
    },
}

/// What there is once the peer has introduced itself.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stage: Stage,
    pub(super) peer_tag: VerificationTag,
    pub(super) extensions: Extensions,
    pub(super) outgoing: u16,
    pub(super) incoming: u16,
    pub(super) receiver: Receiver,
    pub(super) control: Control,
    pub(super) reconfig: Reconfiguration,
    pub(super) heartbeat: HeartbeatState,
    /// How many timers in a row expired without a sign of the peer.
    pub(super) unanswered: u32,
    /// How many probes in a row found the peer's window closed.
    pub(super) window_probes: u32,
}

/// How far the acquaintance has come.
#[derive(Debug)]
pub(super) enum Stage {
    CookieEchoed { cookie: Vec<u8>, due: bool, sent_at: Instant, attempts: u32 },
    Established,
    ShutdownPending,
    ShutdownSent { due: bool },
    ShutdownReceived,
    ShutdownAckSent { due: bool },
}

/// Small chunks that wait for the next packet.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub(super) cookie_ack: bool,
    pub(super) heartbeat_acks: VecDeque<Vec<u8>>,
    pub(super) errors: VecDeque<Cause>,
}

impl Control {
    /// Queues an error for the peer, unless it has many to read already.
    pub(super) fn complain(&mut self, cause: Cause) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push_back(cause);
        }
    }

    /// Queues the answer to a heartbeat, unless many wait already.
    pub(super) fn answer_heartbeat(&mut self, info: &[u8]) {
        if self.heartbeat_acks.len() < MAX_HEARTBEATS {
            self.heartbeat_acks.push_back(info.to_vec());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.cookie_ack && self.heartbeat_acks.is_empty() && self.errors.is_empty()
    }
}

impl Phase {
    pub(super) fn public(&self) -> State {
        match self {
            Self::Closed | Self::Over { .. } => State::Closed,
            Self::CookieWait { .. } => State::CookieWait,
            Self::Linked(link) => match link.stage {
                Stage::CookieEchoed { .. } => State::CookieEchoed,
                Stage::Established => State::Established,
                Stage::ShutdownPending => State::ShutdownPending,
                Stage::ShutdownSent { .. } => State::ShutdownSent,
                Stage::ShutdownReceived => State::ShutdownReceived,
                Stage::ShutdownAckSent { .. } => State::ShutdownAckSent,
            },
        }
    }

    pub(super) fn link(&self) -> Option<&Link> {
        match self {
            Self::Linked(link) => Some(link),
            _ => None,
        }
    }

    pub(super) fn link_mut(&mut self) -> Option<&mut Link> {
        match self {
            Self::Linked(link) => Some(link),
            _ => None,
        }
    }
}

/// How many errors wait at most.
const MAX_ERRORS: usize = 8;

/// How many answers to heartbeats wait at most.
const MAX_HEARTBEATS: usize = 4;
