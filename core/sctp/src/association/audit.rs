//! Whether the books balance: for tests and fuzzing.

use super::Association;
use super::state::Phase;

impl Association {
    /// Checks every sum that is kept beside what it is the sum of, and every bound.
    ///
    /// # Panics
    /// If one is wrong.
    pub(crate) fn audit(&self) {
        self.sender.audit();
        if let Phase::Linked(link) = &self.phase {
            link.receiver.audit();
        }
    }

    /// Whether nothing waits, nothing is under way, and nothing is held for anybody.
    pub(crate) fn is_at_rest(&self) -> bool {
        let received = self.phase.link().is_none_or(|link| link.receiver.is_at_rest());
        self.sender.is_at_rest() && received
    }
}
