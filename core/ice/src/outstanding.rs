//! The checks of a pair that may still be answered.

use alloc::collections::VecDeque;

use pavane_base::Instant;
use pavane_stun::TransactionId;

use crate::Role;

/// A check that waits for its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    pub(crate) transaction: TransactionId,
    pub(crate) sent_at: Instant,
    /// Whether it says USE-CANDIDATE.
    pub(crate) nominates: bool,
    /// The role that it speaks of.
    pub(crate) role: Role,
}

/// The latest checks, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    checks: VecDeque<Check>,
}

/// How many are remembered; the response to an older one is stray.
const MAX_OUTSTANDING: usize = 8;

impl Outstanding {
    pub(crate) fn add(&mut self, check: Check) {
        if self.checks.len() == MAX_OUTSTANDING {
            self.checks.pop_front();
        }
        self.checks.push_back(check);
    }

    /// Notes when a check left in truth: it may have waited for a socket.
    pub(crate) fn left(&mut self, transaction: TransactionId, now: Instant) {
        if let Some(check) = self.checks.iter_mut().find(|check| check.transaction == transaction) {
            check.sent_at = now;
        }
    }

    pub(crate) fn contains(&self, transaction: TransactionId) -> bool {
        self.checks.iter().any(|check| check.transaction == transaction)
    }

    /// Whether a nomination is among them.
    pub(crate) fn nominates(&self) -> bool {
        self.checks.iter().any(|check| check.nominates)
    }

    /// Takes the check that was answered, and forgets those before it.
    pub(crate) fn take(&mut self, transaction: TransactionId) -> Option<Check> {
        let at = self.checks.iter().position(|check| check.transaction == transaction)?;
        self.checks.drain(..=at).next_back()
    }

    pub(crate) fn clear(&mut self) {
        self.checks.clear();
    }
}
