//! Session keys out of master keys (RFC 3711 §4.3, RFC 7714 §11). The key derivation rate is 0, as it is with DTLS.

use alloc::boxed::Box;

use pavane_crypto::{KeyError, Provider, StreamCipher};

use crate::profile::Profile;

/// What a key is for (RFC 3711 §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Derives the keys of one direction.
pub(crate) struct Derivation {
    cipher: Box<dyn StreamCipher>,
    /// The master salt, filled up with zeros behind.
    salt: [u8; 14],
}

impl Derivation {
    /// # Errors
    /// If the provider does not take the master key.
    pub(crate) fn new(
        provider: &dyn Provider,
        profile: Profile,
        key: &[u8],
        salt: &[u8],
    ) -> Result<Self, KeyError> {
        let mut filled = [0; 14];
        filled.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
        Ok(Self { cipher: provider.stream_cipher(profile.derivation(), key)?, salt: filled })
    }

    /// The key of this length for this purpose.
    pub(crate) fn derive<const LEN: usize>(&self, label: Label) -> Secret<LEN> {
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&self.salt);
        counter[7] ^= label as u8;
        let mut secret = Secret([0; LEN]);
        self.cipher.apply(&counter, &mut secret.0);
        secret
    }
}

/// Bytes that are wiped when they are dropped.
pub(crate) struct Secret<const LEN: usize>(pub(crate) [u8; LEN]);

impl<const LEN: usize> Drop for Secret<LEN> {
    fn drop(&mut self) {
        self.0 = core::hint::black_box([0; LEN]);
    }
}
