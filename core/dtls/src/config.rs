//! What a connection is made with.

use alloc::sync::Arc;
use alloc::vec::Vec;

use pavane_crypto::{Certificate, NamedGroup, Provider};

use crate::CipherSuite;

/// The configuration that connections share.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the cryptographic primitives come from.
    pub provider: Arc<dyn Provider>,
    /// Our certificate, with its key.
    pub certificate: Certificate,
    /// The longest datagram that the handshake sends; 1200 octets by default, which is what browsers send, and at least
    /// [`Config::MIN_DATAGRAM`] whatever is set.
    pub max_datagram: usize,
    /// The cipher suites that may be negotiated, the most preferred first: all by default.
    pub cipher_suites: Vec<CipherSuite>,
    /// The groups that may be negotiated, the most preferred first: those of the provider by default.
    pub groups: Vec<NamedGroup>,
}

impl Config {
    /// The shortest `max_datagram` that has an effect: a fragment under encryption has to fit, with a useful rest.
    pub const MIN_DATAGRAM: usize = 128;

    /// A configuration with the defaults.
    pub fn new(provider: Arc<dyn Provider>, certificate: Certificate) -> Self {
        let groups = provider.groups().to_vec();
        Self { provider, certificate, max_datagram: 1200, cipher_suites: CipherSuite::ALL.to_vec(), groups }
    }

    pub(crate) fn datagram_limit(&self) -> usize {
        self.max_datagram.max(Self::MIN_DATAGRAM)
    }
}

/// Which side of the handshake we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// We send the ClientHello (`a=setup:active`).
    Client,
    /// We wait for it (`a=setup:passive`).
    Server,
}
