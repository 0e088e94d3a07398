//! The algorithms that the protocols negotiate, by the numbers that they have on the wire.

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512, met in certificates' fingerprints.
    Sha512,
    /// MD5, which makes keys of STUN's passwords (RFC 8489 §18.5.1.1). Nothing rests on it: a fingerprint by it is not
    /// known.
    Md5,
}

impl HashAlgorithm {
    /// The hash's length in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
            Self::Md5 => 16,
        }
    }

    /// Its name in SDP (RFC 8122 §5).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
            Self::Md5 => "md5",
        }
    }

    /// The function with this name in SDP, whatever the case of its letters, if it is one of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|hash| name.eq_ignore_ascii_case(hash.name()))
    }
}

/// A hash function under HMAC (RFC 2104).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacAlgorithm {
    /// HMAC-SHA1, which STUN's and SRTP's integrity use.
    HmacSha1,
    /// HMAC-SHA256.
    HmacSha256,
    /// HMAC-SHA384.
    HmacSha384,
}

/// Authenticated encryption with 12-byte nonces and 16-byte tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AeadAlgorithm {
    /// AES-128 in Galois/counter mode.
    Aes128Gcm,
    /// AES-256 in Galois/counter mode.
    Aes256Gcm,
    /// ChaCha20-Poly1305 (RFC 8439).
    ChaCha20Poly1305,
}

impl AeadAlgorithm {
    /// The key's length in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }
}

/// Encryption without authentication: a block cipher's key stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamCipherAlgorithm {
    /// AES-128 in counter mode.
    Aes128Ctr,
    /// AES-256 in counter mode.
    Aes256Ctr,
}

impl StreamCipherAlgorithm {
    /// The key's length in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Ctr => 16,
            Self::Aes256Ctr => 32,
        }
    }
}

/// A key-exchange group, by its number in TLS (RFC 8422 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NamedGroup {
    /// NIST P-256; public keys are uncompressed points of 65 bytes.
    Secp256r1,
    /// Curve25519; public keys are 32 bytes.
    X25519,
}

impl NamedGroup {
    /// The number on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Self::Secp256r1 => 0x0017,
            Self::X25519 => 0x001d,
        }
    }

    /// The group with this number, if it is one of ours.
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            0x0017 => Some(Self::Secp256r1),
            0x001d => Some(Self::X25519),
            _ => None,
        }
    }
}

/// A signature algorithm with its hash, by its number in TLS (RFC 8446 §4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// ECDSA on P-256 with SHA-256.
    EcdsaSecp256r1Sha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaSecp384r1Sha384,
    /// RSA with PKCS #1 v1.5 padding and SHA-256.
    RsaPkcs1Sha256,
    /// RSA with PKCS #1 v1.5 padding and SHA-384.
    RsaPkcs1Sha384,
    /// RSA with PKCS #1 v1.5 padding and SHA-512.
    RsaPkcs1Sha512,
    /// RSA with PSS padding, SHA-256, and a key that is not bound to PSS.
    RsaPssRsaeSha256,
    /// RSA with PSS padding, SHA-384, and a key that is not bound to PSS.
    RsaPssRsaeSha384,
    /// RSA with PSS padding, SHA-512, and a key that is not bound to PSS.
    RsaPssRsaeSha512,
}

impl SignatureScheme {
    /// Every scheme that providers verify, the most preferred first.
    pub const ALL: [Self; 8] = [
        Self::EcdsaSecp256r1Sha256,
        Self::EcdsaSecp384r1Sha384,
        Self::RsaPssRsaeSha256,
        Self::RsaPssRsaeSha384,
        Self::RsaPssRsaeSha512,
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Self::EcdsaSecp256r1Sha256 => 0x0403,
            Self::EcdsaSecp384r1Sha384 => 0x0503,
            Self::RsaPkcs1Sha256 => 0x0401,
            Self::RsaPkcs1Sha384 => 0x0501,
            Self::RsaPkcs1Sha512 => 0x0601,
            Self::RsaPssRsaeSha256 => 0x0804,
            Self::RsaPssRsaeSha384 => 0x0805,
            Self::RsaPssRsaeSha512 => 0x0806,
        }
    }

    /// The scheme with this number, if it is one of ours.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_both_ways() {
        for scheme in SignatureScheme::ALL {
            assert_eq!(SignatureScheme::from_code(scheme.code()), Some(scheme));
        }
        for group in [NamedGroup::Secp256r1, NamedGroup::X25519] {
            assert_eq!(NamedGroup::from_code(group.code()), Some(group));
        }
        assert_eq!((0..=u16::MAX).filter_map(SignatureScheme::from_code).count(), SignatureScheme::ALL.len());
        assert_eq!((0..=u16::MAX).filter_map(NamedGroup::from_code).count(), 2);
    }

    /// RFC 8122 §5: names of hash functions have no case.
    #[test]
    fn names_go_both_ways() {
        for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            assert_eq!(HashAlgorithm::from_name(hash.name()), Some(hash));
            assert_eq!(HashAlgorithm::from_name(&hash.name().to_uppercase()), Some(hash));
        }
        for other in ["", "sha-1", "md5", "sha256", "sha-2566", "sha-25"] {
            assert_eq!(HashAlgorithm::from_name(other), None, "{other}");
        }
    }
}
