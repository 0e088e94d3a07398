//! How much may be sent to an address that has proven nothing.
//!
//! Whoever knows our password can send requests that seem to come from elsewhere, and have us answer and check an address
//! that never heard of him. So an address that nobody signalled is sent no more bytes than have come from it, until it has
//! answered a check: the ratio of bytes out to bytes in is 1 at most. An address that was signalled is checked on credit, as
//! RFC 8445 wants it, and that has an end.
//!
//! A request pays for a check or for an answer, not for both, so they take turns, the check first, since its answer proves the
//! address:
//!
//! ```text
//!  peer ── request ──▶ us             peer ── request ──▶ us, lost: ── check ─ ─
//!       ◀── check ────                     ── request ──▶            ◀── answer ──
//!       ── answer ───▶ proven              ── request ──▶            ◀── check ───
//! ```
//!
//! Two peers who are both unknown to each other would check each other for ever if neither ever answered. But whoever asks
//! again may be one whom no answer of ours can prove anything: a translator of ours whose mapping depends on where a datagram
//! goes has our answers come from another address than was asked. Our checks bring the right one to light, so two of them come
//! before each further answer.

use core::net::SocketAddr;

use crate::Credentials;

/// What one pair may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// This many bytes, and as many as come.
    Limited { credit: usize, turn: Turn },
    /// The address has answered a check, or holds the other end of a stream: it is where it says.
    Proven,
}

/// What comes first if not all is afforded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// So many checks, one at least.
    Checks(u8),
    Answer,
}

/// How many checks come before the first answer.
const CHECKS_AT_FIRST: u8 = 1;

/// How many come before each further one.
const CHECKS_IN_DOUBT: u8 = 2;

/// What an address that was signalled is sent on credit, in bytes: 500 checks or so. Five searches of full length, with a
/// check every 400 ms, have less.
pub(crate) const SIGNALLED_CREDIT: usize = 50_000;

impl Budget {
    /// An address that nobody signalled.
    pub(crate) const UNKNOWN: Self = Self::Limited { credit: 0, turn: Turn::Checks(CHECKS_AT_FIRST) };

    /// One that was signalled.
    pub(crate) const SIGNALLED: Self =
        Self::Limited { credit: SIGNALLED_CREDIT, turn: Turn::Checks(CHECKS_AT_FIRST) };

    /// Something came from the address, or seems to have.
    pub(crate) const fn received(&mut self, len: usize) {
        if let Self::Limited { credit, .. } = self {
            *credit = credit.saturating_add(len);
        }
    }

    /// What was learnt turns out to have been signalled.
    pub(crate) const fn signalled(&mut self) {
        self.received(SIGNALLED_CREDIT);
    }

    pub(crate) const fn affords(self, len: usize) -> bool {
        match self {
            Self::Limited { credit, .. } => credit >= len,
            Self::Proven => true,
        }
    }

    /// A check goes out, which was afforded.
    pub(crate) const fn spend_on_check(&mut self, len: usize) {
        if let Self::Limited { credit, turn } = self {
            *credit = credit.saturating_sub(len);
            *turn = match *turn {
                Turn::Checks(left @ 2..) => Turn::Checks(left - 1),
                Turn::Checks(_) | Turn::Answer => Turn::Answer,
            };
        }
    }

    /// Whether an answer of this length is afforded, beside a check of that length if it is the check's turn; if so, it is
    /// paid for.
    pub(crate) fn afford_answer(&mut self, len: usize, check_len: usize) -> bool {
        let Self::Limited { credit, turn } = self else { return true };
        let kept = if *turn == Turn::Answer { 0 } else { check_len };
        let is_afforded = *credit >= len.saturating_add(kept);
        if is_afforded {
            *credit -= len;
            *turn = Turn::Checks(CHECKS_IN_DOUBT);
        }
        is_afforded
    }
}

/// A header, MESSAGE-INTEGRITY and FINGERPRINT: what every message of ICE has (RFC 8445 §7.1).
const FRAME_LEN: usize = 20 + 24 + 8;

/// How long a check is that does not nominate, between agents with these credentials: USERNAME, the role, PRIORITY.
pub(crate) const fn check_len(ours: &Credentials, theirs: &Credentials) -> usize {
    let username = ours.ufrag.len() + 1 + theirs.ufrag.len();
    FRAME_LEN + 4 + username.next_multiple_of(4) + 12 + 8
}

/// How much longer one is that does: USE-CANDIDATE.
pub(crate) const NOMINATION_LEN: usize = 4;

/// How long an answer is that tells a check where it came from: XOR-MAPPED-ADDRESS.
pub(crate) const fn answer_len(to: SocketAddr) -> usize {
    FRAME_LEN + if to.is_ipv4() { 12 } else { 24 }
}
