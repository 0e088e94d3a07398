//! What an allocation is made with.

use alloc::sync::Arc;
use core::time::Duration;

use pavane_crypto::Provider;
use pavane_stun::LongTermCredentials;

/// The configuration of an allocation.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cryptography for integrity checks.
    pub provider: Arc<dyn Provider>,
    /// Who asks.
    pub user: LongTermCredentials,
    /// The family of the address on the relay, or of both.
    pub family: Family,
    /// How long a request over UDP waits for its response at first (RFC 8489 §6.2.1: RTO).
    pub initial_timeout: Duration,
}

impl Config {
    /// The defaults, for an IPv4 address.
    pub const fn new(provider: Arc<dyn Provider>, user: LongTermCredentials) -> Self {
        Self { provider, user, family: Family::V4, initial_timeout: Duration::from_millis(500) }
    }
}

/// The family of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// IPv4, and IPv6 beside it if the server has that (RFC 8656 §18.11).
    Both,
}

impl Family {
    /// As attributes have it (RFC 8656 §18.6).
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::V4 | Self::Both => 1,
            Self::V6 => 2,
        }
    }
}
