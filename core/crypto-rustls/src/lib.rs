//! Pavane's default cryptographic provider, on aws-lc-rs, which rustls stands on by default.
//!
//! It keeps the promise of determinism: ephemeral keys are made of bytes from the caller's generator, and signatures are
//! made with nonces derived from key and message, by `p256`, because aws-lc's own signing draws its nonce from a generator
//! that nobody can seed. One signature is made for a connection, so its speed does not count.

#![forbid(unsafe_code)]

mod aead;
mod hash;
mod key_exchange;
mod stream;
mod verify;

use std::sync::Arc;

use pavane_crypto::{
    Aead, AeadAlgorithm, Digest, EcdsaP256Key, Hash, HashAlgorithm, KeyError, KeyExchange, KeyExchangeError,
    Mac, MacAlgorithm, NamedGroup, Provider, SignatureError, SignatureScheme, SigningKey, StreamCipher,
    StreamCipherAlgorithm,
};
use rand_core::CryptoRng;

/// The provider; it has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustlsProvider;

/// The provider, ready to be handed to a configuration.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(RustlsProvider)
}

impl Provider for RustlsProvider {
    fn is_deterministic(&self) -> bool {
        true
    }

    fn hash(&self, algorithm: HashAlgorithm) -> Box<dyn Hash> {
        hash::start(algorithm)
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Box<dyn Mac> {
        hash::keyed(algorithm, key)
    }

    fn sign_once(&self, algorithm: MacAlgorithm, key: &[u8], parts: &[&[u8]]) -> Digest {
        hash::sign_once(algorithm, key, parts)
    }

    fn aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn Aead>, KeyError> {
        aead::keyed(algorithm, key)
    }

    fn stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, KeyError> {
        stream::keyed(algorithm, key)
    }

    fn groups(&self) -> &'static [NamedGroup] {
        &[NamedGroup::X25519, NamedGroup::Secp256r1]
    }

    fn key_exchange(
        &self,
        group: NamedGroup,
        rng: &mut dyn CryptoRng,
    ) -> Result<Box<dyn KeyExchange>, KeyExchangeError> {
        key_exchange::draw(group, rng)
    }

    fn generate_signing_key(&self, rng: &mut dyn CryptoRng) -> Box<dyn SigningKey> {
        EcdsaP256Key::generate(rng)
    }

    fn import_signing_key(&self, pkcs8: &[u8]) -> Result<Box<dyn SigningKey>, KeyError> {
        EcdsaP256Key::from_pkcs8(pkcs8)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        subject_public_key_info: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        verify::verify(scheme, subject_public_key_info, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_hold() {
        pavane_crypto::vectors::run_all(&RustlsProvider);
    }
}
