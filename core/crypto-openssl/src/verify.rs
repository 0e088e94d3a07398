//! Verification of ECDSA and RSA signatures.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};
use pavane_crypto::{SignatureError, SignatureScheme, check_key_kind};

pub(crate) fn verify(
    scheme: SignatureScheme,
    subject_public_key_info: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let (digest, padding) = algorithm(scheme).ok_or(SignatureError::WrongScheme)?;
    check_key_kind(scheme, subject_public_key_info)?;
    let key = PKey::public_key_from_der(subject_public_key_info);
    let key = key.map_err(|_| SignatureError::MalformedKey)?;
    match holds(&key, digest, padding, message, signature) {
        Ok(true) => Ok(()),
        // Signatures that are malformed make an error of the library's.
        Ok(false) | Err(_) => Err(SignatureError::Invalid),
    }
}

fn holds(
    key: &PKey<Public>,
    digest: MessageDigest,
    padding: Option<Padding>,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, ErrorStack> {
    let mut verifier = Verifier::new(digest, key)?;
    if let Some(padding) = padding {
        verifier.set_rsa_padding(padding)?;
        if padding == Padding::PKCS1_PSS {
            // RFC 8446 §4.2.3: the salt is as long as the hash, which the mask generation uses too.
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
            verifier.set_rsa_mgf1_md(digest)?;
        }
    }
    verifier.verify_oneshot(signature, message)
}

fn algorithm(scheme: SignatureScheme) -> Option<(MessageDigest, Option<Padding>)> {
    Some(match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => (MessageDigest::sha256(), None),
        SignatureScheme::EcdsaSecp384r1Sha384 => (MessageDigest::sha384(), None),
        SignatureScheme::RsaPkcs1Sha256 => (MessageDigest::sha256(), Some(Padding::PKCS1)),
        SignatureScheme::RsaPkcs1Sha384 => (MessageDigest::sha384(), Some(Padding::PKCS1)),
        SignatureScheme::RsaPkcs1Sha512 => (MessageDigest::sha512(), Some(Padding::PKCS1)),
        SignatureScheme::RsaPssRsaeSha256 => (MessageDigest::sha256(), Some(Padding::PKCS1_PSS)),
        SignatureScheme::RsaPssRsaeSha384 => (MessageDigest::sha384(), Some(Padding::PKCS1_PSS)),
        SignatureScheme::RsaPssRsaeSha512 => (MessageDigest::sha512(), Some(Padding::PKCS1_PSS)),
        _ => return None,
    })
}
