//! Certificates: a self-signed one of our own, and what is read from the peer's.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use der::pem::LineEnding;
use der::{Header, Reader, SliceReader, Tag};
use pavane_base::Epoch;
use rand_core::CryptoRng;

use crate::{HashAlgorithm, KeyError, Provider, SigningKey, constant_time_eq, self_signed};

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
        let key = provider.generate_signing_key(rng);
        let der = self_signed::certificate(&*key, rng, epoch);
        Self { der: der.into(), key: key.into() }
    }

    /// Takes over a certificate and its private key.
    ///
    /// # Errors
    /// If `der` is no certificate, or its public key is not that of `key`.
    pub fn from_parts(der: Vec<u8>, key: Box<dyn SigningKey>) -> Result<Self, CertificateError> {
        if subject_public_key_info(&der)? != key.subject_public_key_info() {
            return Err(CertificateError::WrongKey);
        }
        Ok(Self { der: der.into(), key: key.into() })
    }

    /// Reads a certificate and its private key (PKCS #8) from PEM, in either order.
    ///
    /// # Errors
    /// If one of the two is missing or malformed, or they do not belong together.
    pub fn from_pem(provider: &dyn Provider, pem: &str) -> Result<Self, CertificateError> {
        let der = pem_section(pem, CERTIFICATE_LABEL).ok_or(CertificateError::Malformed)?;
        let key = pem_section(pem, KEY_LABEL).ok_or(CertificateError::Key(KeyError::Malformed))?;
        Self::from_parts(der, provider.import_signing_key(&key).map_err(CertificateError::Key)?)
    }

    /// Writes the certificate and its private key (PKCS #8) as PEM.
    ///
    /// # Errors
    /// If the key cannot leave its store.
    pub fn to_pem(&self) -> Result<String, CertificateError> {
        let key = self.key.to_pkcs8().map_err(CertificateError::Key)?;
        let encode = |label, der: &[u8]| {
            der::pem::encode_string(label, LineEnding::LF, der).map_err(|_| CertificateError::Malformed)
        };
        Ok(encode(CERTIFICATE_LABEL, &self.der)? + &encode(KEY_LABEL, &key)?)
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

const CERTIFICATE_LABEL: &str = "CERTIFICATE";
const KEY_LABEL: &str = "PRIVATE KEY";

/// The bytes of the first section with this label.
fn pem_section(pem: &str, label: &str) -> Option<Vec<u8>> {
    let begin = alloc::format!("-----BEGIN {label}-----");
    let end = alloc::format!("-----END {label}-----");
    let from = pem.find(&begin)?;
    let to = from + pem[from..].find(&end)? + end.len();
    let (_, der) = der::pem::decode_vec(&pem.as_bytes()[from..to]).ok()?;
    Some(der)
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

    /// Whether it is the fingerprint of this certificate.
    pub fn verify(&self, provider: &dyn Provider, der: &[u8]) -> bool {
        constant_time_eq(&self.value, &Self::of(provider, self.algorithm, der).value)
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
    walk_to_key(certificate).map_err(|_| CertificateError::Malformed)
}

/// RFC 5280 §4.1: certificate, to-be-signed part, version (absent in version 1), serial number, signature algorithm,
/// issuer, validity, subject, key.
fn walk_to_key(certificate: &[u8]) -> der::Result<&[u8]> {
    const FIELDS_BEFORE_KEY: usize = 5;
    let mut reader = SliceReader::new(certificate)?;
    for _ in 0..2 {
        reader.decode::<Header>()?.tag().assert_eq(Tag::Sequence)?;
    }
    if Tag::peek(&reader)?.is_context_specific() {
        reader.tlv_bytes()?;
    }
    for _ in 0..FIELDS_BEFORE_KEY {
        reader.tlv_bytes()?;
    }
    Tag::peek(&reader)?.assert_eq(Tag::Sequence)?;
    reader.tlv_bytes()
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

#[cfg(test)]
mod tests;
