//! One generation of credentials, with the keys made of them once.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use pavane_base::Path;
use pavane_crypto::{Mac, MacAlgorithm, Provider};

use crate::Credentials;
use crate::pair::Pair;

/// Credentials, and the key of MESSAGE-INTEGRITY that they make.
pub(crate) struct Keyed {
    pub(crate) credentials: Credentials,
    pub(crate) key: Box<dyn Mac>,
}

impl Keyed {
    pub(crate) fn new(provider: &dyn Provider, credentials: Credentials) -> Self {
        let key = provider.mac(MacAlgorithm::HmacSha1, credentials.pwd.as_bytes());
        Self { credentials, key }
    }

    /// Whether a request's USERNAME, `ours:theirs`, names us (RFC 8445 §7.3).
    pub(crate) fn is_addressed_by(&self, username: &str) -> bool {
        let rest = username.strip_prefix(self.credentials.ufrag.as_str());
        rest.is_some_and(|rest| rest.starts_with(':'))
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.credentials.fmt(f)
    }
}

/// The generation before a restart: its pair carries the data until the generation after it has one that works
/// (RFC 8445 §9).
#[derive(Debug)]
pub(crate) struct Former {
    pub(crate) local: Keyed,
    pub(crate) remote: Keyed,
    pub(crate) pair: Pair,
    /// The other ways that worked. The peer, which chooses for itself, may send by one of them until it hears from us by a
    /// new one.
    pub(crate) others: Vec<Path>,
    pub(crate) duty: Duty,
}

/// What is left to do for a former generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Data goes its way, and consent is asked for.
    Carries,
    /// Its successor has taken over. What the peer still sends is taken until consent ends.
    Retired,
}
