//! What an agent is made with.

use alloc::sync::Arc;
use core::time::Duration;

use pavane_crypto::Provider;

/// The configuration of an agent.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cryptography for integrity checks.
    pub provider: Arc<dyn Provider>,
    /// Intervals and patience.
    pub timing: Timing,
    /// How many candidate pairs are kept, 1 at least (RFC 8445 §6.1.2.5).
    pub max_pairs: usize,
}

impl Config {
    /// The defaults.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, timing: Timing::default(), max_pairs: 100 }
    }
}

/// Intervals and patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The time between two ordinary checks (RFC 8445 §14.2: Ta).
    pub pacing: Duration,
    /// How long a check waits for its response while no round trip has been measured.
    ///
    /// Deviation: RFC 8445 §14.3 asks for at least 500 ms. A check is one small datagram to an address that was signalled,
    /// and repeated ones are paced; waiting longer only makes users behind lossy links wait.
    pub initial_timeout: Duration,
    /// The mean time between two checks of consent to use the selected pair (RFC 7675 §5.1); each is drawn from 0.8 to 1.2 times it.
    pub consent_interval: Duration,
    /// How long checks go unanswered before the state is disconnected.
    pub disconnected_after: Duration,
    /// How long consent lasts after the last response (RFC 7675 §5.1).
    pub failed_after: Duration,
    /// How long pairs are tried before the first works: the PAC timer (RFC 8863 §4).
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            pacing: Duration::from_millis(50),
            initial_timeout: Duration::from_millis(150),
            consent_interval: Duration::from_secs(5),
            disconnected_after: Duration::from_secs(5),
            failed_after: Duration::from_secs(30),
            patience: Duration::from_millis(39_500),
        }
    }
}

/// Who decides which pair is used (RFC 8445 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// This agent nominates.
    Controlling,
    /// The peer nominates.
    Controlled,
}

impl Role {
    /// The peer's role.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}
