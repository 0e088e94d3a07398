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
    /// The SRTP profiles that may be negotiated (RFC 5764 §4.1.2), the most preferred first: the AEADs with AES-GCM and
    /// then AES-CM with HMAC-SHA1-80, which every WebRTC peer has, by default. With none there is no SRTP.
    pub srtp_profiles: Vec<u16>,
}

impl Config {
    /// The shortest `max_datagram` that has an effect: a fragment under encryption has to fit, with a useful rest.
    pub const MIN_DATAGRAM: usize = 128;

    /// A configuration with the defaults.
    pub fn new(provider: Arc<dyn Provider>, certificate: Certificate) -> Self {
        let groups = provider.groups().to_vec();
        Self {
            provider,
            certificate,
            max_datagram: 1200,
            cipher_suites: CipherSuite::ALL.to_vec(),
            groups,
            srtp_profiles: SRTP_PROFILES.to_vec(),
        }
    }

    pub(crate) fn datagram_limit(&self) -> usize {
        self.max_datagram.max(Self::MIN_DATAGRAM)
    }
}

/// AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714 §14.2), and SRTP_AES128_CM_HMAC_SHA1_80 (RFC 5764 §4.1.2).
const SRTP_PROFILES: [u16; 3] = [0x0007, 0x0008, 0x0001];

/// Which side of the handshake we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// We send the ClientHello (`a=setup:active`).
    Client,
    /// We wait for it (`a=setup:passive`).
    Server,
}
