//! One generation of credentials, with the keys made of them once.

use alloc::boxed::Box;

use pavane_crypto::{Mac, MacAlgorithm, Provider};

use crate::Credentials;

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

/// Our side before a restart: the peer goes on using it until it has heard of the restart.
pub(crate) struct Former {
    pub(crate) local: Keyed,
    pub(crate) path: Option<pavane_base::Path>,
    /// When consent to send there ends.
    pub(crate) until: pavane_base::Instant,
}
