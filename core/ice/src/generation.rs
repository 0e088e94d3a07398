//! One generation of credentials, and what is signed with them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use pavane_base::Path;
use pavane_crypto::{Digest, Mac, MacAlgorithm, Provider};

use crate::Credentials;
use crate::pair::Pair;

/// Credentials that sign: the code of MESSAGE-INTEGRITY by their password.
///
/// The key is made for each message: a connection at rest has one to sign in seconds.
pub(crate) struct Keyed {
    pub(crate) credentials: Credentials,
    provider: Arc<dyn Provider>,
}

impl Keyed {
    pub(crate) fn new(provider: &Arc<dyn Provider>, credentials: Credentials) -> Self {
        Self { credentials, provider: provider.clone() }
    }

    /// Whether a request's USERNAME, `ours:theirs`, names us (RFC 8445 §7.3).
    pub(crate) fn is_addressed_by(&self, username: &str) -> bool {
        let rest = username.strip_prefix(self.credentials.ufrag.as_str());
        rest.is_some_and(|rest| rest.starts_with(':'))
    }
}

impl Mac for Keyed {
    fn sign(&self, parts: &[&[u8]]) -> Digest {
        self.provider.sign_once(MacAlgorithm::HmacSha1, self.credentials.pwd.as_bytes(), parts)
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
