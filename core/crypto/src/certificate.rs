//! Certificates: a self-signed one of our own, and what is read from the peer's.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use pavane_base::Epoch;
use rand_core::CryptoRng;

use crate::{HashAlgorithm, KeyError, Provider, SigningKey};

/// A certificate with its private key: what identifies us to a peer, who checks its fingerprint and nothing else
/// (RFC 8122 §5).
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Arc<[u8]>,
    key: Arc<dyn SigningKey>,
}

impl Certificate {
    /// Makes a key pair and a self-signed certificate for it, valid from one day before `epoch` to 30 days after it.
    pub fn generate(provider: &dyn Provider, rng: &mut dyn CryptoRng, epoch: &Epoch) -> Self {
        let _ = (provider, rng, epoch);
        todo!()
    }

    /// Takes over a certificate and its private key.
    ///
    /// # Errors
    /// If `der` is no certificate, or its public key is not that of `key`.
    pub fn from_parts(der: Vec<u8>, key: Box<dyn SigningKey>) -> Result<Self, CertificateError> {
        let _ = (der, key);
        todo!()
    }

    /// The certificate, in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The private key.
    pub fn key(&self) -> &dyn SigningKey {
        &*self.key
    }

    /// The certificate's fingerprint.
    pub fn fingerprint(&self, provider: &dyn Provider, algorithm: HashAlgorithm) -> Fingerprint {
        Fingerprint::of(provider, algorithm, &self.der)
    }
}

/// The hash of a certificate's DER, as SDP's `a=fingerprint` carries it (RFC 8122 §5).
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// The hash; its length is the function's.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(provider: &dyn Provider, algorithm: HashAlgorithm, der: &[u8]) -> Self {
        let mut hash = provider.hash(algorithm);
        hash.update(der);
        Self { algorithm, value: hash.digest().to_vec() }
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.algorithm)?;
        self.value.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// The DER of the SubjectPublicKeyInfo in a certificate.
///
/// Only the way to that field is parsed: WebRTC checks nothing in a certificate but its fingerprint, and peers put odd
/// things into the rest.
///
/// # Errors
/// If the bytes are no X.509 certificate as far as that field.
pub fn subject_public_key_info(certificate: &[u8]) -> Result<&[u8], CertificateError> {
    let _ = certificate;
    todo!()
}

/// A certificate that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// The bytes are not an X.509 certificate.
    Malformed,
    /// The private key is not the certificate's.
    WrongKey,
    /// The private key is unusable.
    Key(KeyError),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the bytes are not an X.509 certificate"),
            Self::WrongKey => f.write_str("the private key is not the certificate's"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CertificateError {}
