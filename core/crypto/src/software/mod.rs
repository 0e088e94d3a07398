//! A provider made of pure Rust parts: for tests, for fuzzing, and for targets that have no C compiler.
//!
//! It is slower than the default one, and as deterministic.

mod aead;
mod hash;
mod key_exchange;
mod stream;
mod verify;

use alloc::boxed::Box;

use rand_core::CryptoRng;

use crate::{
    Aead, AeadAlgorithm, Digest, EcdsaP256Key, Hash, HashAlgorithm, KeyError, KeyExchange, KeyExchangeError,
    Mac, MacAlgorithm, NamedGroup, Provider, SignatureError, SignatureScheme, SigningKey, StreamCipher,
    StreamCipherAlgorithm,
};

/// The provider; it has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftwareProvider;

impl Provider for SoftwareProvider {
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
        Ok(match group {
            NamedGroup::X25519 => key_exchange::x25519(rng),
            NamedGroup::Secp256r1 => key_exchange::p256(rng),
        })
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
        crate::vectors::run_all(&SoftwareProvider);
    }
}
