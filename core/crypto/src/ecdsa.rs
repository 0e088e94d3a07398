//! ECDSA on P-256 with nonces derived from key and message (RFC 6979).
//!
//! Providers whose own signing draws a nonce from a generator of theirs use this key instead, for the sake of replay.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey as Inner};
use p256::pkcs8::{AssociatedOid, EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use pavane_base::random_array;
use rand_core::CryptoRng;

use crate::{KeyError, SignatureError, SignatureScheme, SigningKey};

/// An ECDSA P-256 private key with deterministic signatures.
#[derive(Clone)]
pub struct EcdsaP256Key(Inner);

impl EcdsaP256Key {
    /// Draws a key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Box<dyn SigningKey> {
        Box::new(Self(Inner::from(draw_p256(rng))))
    }

    /// Reads a key in PKCS #8 DER.
    ///
    /// # Errors
    /// If the bytes are no private key, or one of another kind.
    pub fn from_pkcs8(der: &[u8]) -> Result<Box<dyn SigningKey>, KeyError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?;
        if info.algorithm.assert_oids(p256::elliptic_curve::ALGORITHM_OID, p256::NistP256::OID).is_err() {
            return Err(KeyError::Unsupported);
        }
        let key = p256::SecretKey::try_from(info).map_err(|_| KeyError::Malformed)?;
        Ok(Box::new(Self(Inner::from(key))))
    }
}

/// Draws a P-256 private key: 32 bytes at a time, until they are a number below the group's order and not zero.
pub fn draw_p256(rng: &mut dyn CryptoRng) -> p256::SecretKey {
    loop {
        if let Ok(key) = p256::SecretKey::from_slice(&random_array::<32>(rng)) {
            return key;
        }
    }
}

impl SigningKey for EcdsaP256Key {
    fn schemes(&self) -> &'static [SignatureScheme] {
        &[SignatureScheme::EcdsaSecp256r1Sha256]
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        if !self.schemes().contains(&scheme) {
            return Err(SignatureError::WrongScheme);
        }
        let signature: DerSignature = self.0.sign(message);
        Ok(signature.as_bytes().to_vec())
    }

    fn subject_public_key_info(&self) -> Vec<u8> {
        let document = self.0.verifying_key().to_public_key_der();
        document.expect("a point on the curve has an encoding").into_vec()
    }

    fn to_pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        let document = self.0.to_pkcs8_der().map_err(|_| KeyError::NotExportable)?;
        Ok(document.as_bytes().to_vec())
    }
}

impl fmt::Debug for EcdsaP256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcdsaP256Key")
    }
}
