//! Messages that are to be written when they are asked for: answers first, then checks.

use alloc::collections::VecDeque;

use pavane_base::{Path, RoomForOne};
use pavane_stun::{AttributeType, ErrorCode, TransactionId};

/// Which credentials a message is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Those in force.
    Current,
    /// Those before the last restart.
    Former,
}

/// A check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) path: Path,
    pub(crate) era: Era,
    pub(crate) transaction: TransactionId,
    pub(crate) nominates: bool,
}

/// A response to a check of the peer's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) path: Path,
    pub(crate) era: Era,
    pub(crate) transaction: TransactionId,
    pub(crate) verdict: Verdict,
}

/// What is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// Where the check came from.
    Success,
    /// What was wrong with it.
    Error(ErrorCode),
    /// What was not understood of it.
    Unknown(UnknownList),
}

/// The attributes that a refusal lists.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UnknownList {
    kinds: [u16; Self::MAX],
    len: usize,
}

impl UnknownList {
    /// How many are listed.
    const MAX: usize = 8;

    pub(crate) fn collect(kinds: impl Iterator<Item = AttributeType>) -> Option<Self> {
        let mut list = Self::default();
        for (slot, kind) in list.kinds.iter_mut().zip(kinds) {
            *slot = kind.0;
            list.len += 1;
        }
        (list.len > 0).then_some(list)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = AttributeType> {
        self.kinds.iter().take(self.len).copied().map(AttributeType)
    }
}

/// What waits.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    answers: VecDeque<Answer>,
    /// At most one for each pair.
    asks: VecDeque<Ask>,
}

/// How many answers wait; checks beyond that go unanswered.
const MAX_ANSWERS: usize = 64;

impl Outbox {
    /// Keeps an answer, if there is room.
    pub(crate) fn answer(&mut self, answer: Answer) -> bool {
        let room = self.answers.len() < MAX_ANSWERS;
        if room {
            self.answers.room_for_one();
            self.answers.push_back(answer);
        }
        room
    }

    /// Keeps a check, in place of an earlier one of the same pair that has not left.
    pub(crate) fn ask(&mut self, ask: Ask) {
        self.asks.retain(|other| (other.path, other.era) != (ask.path, ask.era));
        self.asks.room_for_one();
        self.asks.push_back(ask);
    }

    pub(crate) fn next_answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    pub(crate) fn next_ask(&mut self) -> Option<Ask> {
        self.asks.pop_front()
    }

    pub(crate) fn clear(&mut self) {
        self.answers.clear();
        self.asks.clear();
    }
}
