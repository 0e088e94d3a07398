//! What a provider of cryptographic primitives promises.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use crate::{AeadAlgorithm, HashAlgorithm, MacAlgorithm, NamedGroup, SignatureScheme, StreamCipherAlgorithm};

/// The length of every AEAD's nonce.
pub const NONCE_LEN: usize = 12;

/// The length of every AEAD's tag.
pub const TAG_LEN: usize = 16;

/// The cryptographic primitives that Pavane's protocols are built on.
///
/// Implementations hold no state of their own: a provider is shared by every connection of a program.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Whether the same generator, keys and messages always give the same bytes.
    fn is_deterministic(&self) -> bool;

    /// Starts a hash.
    fn hash(&self, algorithm: HashAlgorithm) -> Box<dyn Hash>;

    /// Makes a message authentication code with a key of any length.
    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Box<dyn Mac>;

    /// The code of the concatenation of `parts`, by a key that is not worth keeping: one that is used once in seconds, while a
    /// library's form of it may weigh more than a kilobyte.
    fn sign_once(&self, algorithm: MacAlgorithm, key: &[u8], parts: &[&[u8]]) -> Digest {
        self.mac(algorithm, key).sign(parts)
    }

    /// Makes an AEAD.
    ///
    /// # Errors
    /// If the key's length is not [`AeadAlgorithm::key_len`].
    fn aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn Aead>, KeyError>;

    /// Makes a stream cipher.
    ///
    /// # Errors
    /// If the key's length is not [`StreamCipherAlgorithm::key_len`].
    fn stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, KeyError>;

    /// The groups that [`key_exchange`](Self::key_exchange) knows, the most preferred first.
    fn groups(&self) -> &'static [NamedGroup];

    /// Draws an ephemeral private key from `rng`.
    ///
    /// # Errors
    /// If the group is not one of [`groups`](Self::groups).
    fn key_exchange(
        &self,
        group: NamedGroup,
        rng: &mut dyn CryptoRng,
    ) -> Result<Box<dyn KeyExchange>, KeyExchangeError>;

    /// Draws an ECDSA P-256 signing key from `rng`.
    fn generate_signing_key(&self, rng: &mut dyn CryptoRng) -> Box<dyn SigningKey>;

    /// Reads a private key in PKCS #8 DER.
    ///
    /// # Errors
    /// If the bytes are no such key or the key is of a kind that the provider cannot sign with.
    fn import_signing_key(&self, pkcs8: &[u8]) -> Result<Box<dyn SigningKey>, KeyError>;

    /// Verifies `signature` over `message` with the key of a DER-encoded SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// If the key cannot be used with `scheme`, or the signature is wrong.
    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        subject_public_key_info: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError>;
}

/// A hash that is being computed.
pub trait Hash: Send {
    /// Adds bytes.
    fn update(&mut self, bytes: &[u8]);

    /// The hash of what has been added so far; more may be added after.
    fn digest(&self) -> Digest;

    /// A copy that goes its own way.
    fn fork(&self) -> Box<dyn Hash>;
}

/// A keyed message authentication code.
pub trait Mac: Send {
    /// The code of the concatenation of `parts`.
    fn sign(&self, parts: &[&[u8]]) -> Digest;

    /// Whether `expected` is the code of the concatenation of `parts`, or a prefix of it of at least 10 bytes;
    /// compared in constant time.
    fn verify(&self, parts: &[&[u8]], expected: &[u8]) -> bool {
        const SHORTEST: usize = 10;
        let code = self.sign(parts);
        expected.len() >= SHORTEST
            && code.get(..expected.len()).is_some_and(|prefix| constant_time_eq(prefix, expected))
    }
}

/// An AEAD with its key.
pub trait Aead: Send {
    /// Encrypts `in_out` in place; the caller appends the tag.
    fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], in_out: &mut [u8]) -> [u8; TAG_LEN];

    /// Decrypts `in_out`, ciphertext and tag, in place; the plaintext is its front, [`TAG_LEN`] bytes shorter.
    ///
    /// # Errors
    /// If the tag does not match; `in_out` then holds nothing of use.
    fn open<'b>(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        in_out: &'b mut [u8],
    ) -> Result<&'b mut [u8], OpenError>;
}

/// A stream cipher with its key.
pub trait StreamCipher: Send {
    /// Encrypts or decrypts `in_out` in place: it is combined with the key stream of the blocks from `counter` on, a number
    /// of 128 bits, the most significant byte first.
    fn apply(&self, counter: &[u8; 16], in_out: &mut [u8]);
}

/// An ephemeral private key of a Diffie-Hellman exchange.
pub trait KeyExchange: Send {
    /// The group.
    fn group(&self) -> NamedGroup;

    /// The public key, as TLS sends it.
    fn public_key(&self) -> &[u8];

    /// The secret shared with the owner of `peer`.
    ///
    /// # Errors
    /// If `peer` is no point of the group, or the secret is all zeros (RFC 8422 §5.11).
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Vec<u8>, KeyExchangeError>;
}

/// A private key that signs.
pub trait SigningKey: fmt::Debug + Send + Sync {
    /// The schemes that it can sign with, the most preferred first.
    fn schemes(&self) -> &'static [SignatureScheme];

    /// Signs `message`; the nonce, where there is one, is derived from key and message (RFC 6979).
    ///
    /// # Errors
    /// If `scheme` is not one of [`schemes`](Self::schemes).
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignatureError>;

    /// The public key as a DER-encoded SubjectPublicKeyInfo.
    fn subject_public_key_info(&self) -> Vec<u8>;

    /// The private key in PKCS #8 DER.
    ///
    /// # Errors
    /// If the key cannot leave its store.
    fn to_pkcs8(&self) -> Result<Vec<u8>, KeyError>;
}

/// A hash or a message authentication code: up to 64 bytes, kept in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    bytes: [u8; 64],
    len: u8,
}

impl Digest {
    /// Takes over the bytes.
    ///
    /// # Panics
    /// Beyond 64 bytes.
    pub fn new(digest: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Self { bytes, len: digest.len() as u8 }
    }
}

impl core::ops::Deref for Digest {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Compares two byte strings in a time that depends on their lengths alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && core::hint::black_box(a.iter().zip(b).fold(0, |acc, (a, b)| acc | (a ^ b))) == 0
}

/// A key that a provider refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The key has a length that its algorithm does not take.
    WrongLength,
    /// The bytes are not the encoding of a key.
    Malformed,
    /// The key is of a kind that the provider does not know.
    Unsupported,
    /// The key cannot be exported.
    NotExportable,
}

/// A key exchange that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyExchangeError {
    /// The provider does not know the group.
    UnsupportedGroup,
    /// The peer's public key is not a point of the group, or a weak one.
    InvalidPublicKey,
}

/// A signature that cannot be made or is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// The key cannot be used with the scheme.
    WrongScheme,
    /// The public key's encoding is malformed.
    MalformedKey,
    /// The signature does not match.
    Invalid,
}

/// A ciphertext whose tag does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongLength => "the key's length does not fit its algorithm",
            Self::Malformed => "the bytes are not the encoding of a key",
            Self::Unsupported => "the key is of an unsupported kind",
            Self::NotExportable => "the key cannot be exported",
        })
    }
}

impl fmt::Display for KeyExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnsupportedGroup => "the group is not supported",
            Self::InvalidPublicKey => "the peer's public key is invalid",
        })
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongScheme => "the key cannot be used with the signature scheme",
            Self::MalformedKey => "the public key is malformed",
            Self::Invalid => "the signature does not match",
        })
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ciphertext is not authentic")
    }
}

impl core::error::Error for KeyError {}
impl core::error::Error for KeyExchangeError {}
impl core::error::Error for SignatureError {}
impl core::error::Error for OpenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_are_equal_and_no_others() {
        assert!(constant_time_eq(b"", b""));
        assert!(constant_time_eq(b"steps", b"steps"));
        for other in [&b"step"[..], b"stepss", b"Steps", b"stepS", b""] {
            assert!(!constant_time_eq(b"steps", other));
        }
    }
}
