//! Verification of ECDSA and RSA signatures.

use p256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;
use rsa::{pkcs1v15, pss};

use crate::{SignatureError, SignatureScheme, check_key_kind};

pub(super) fn verify(
    scheme: SignatureScheme,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    check_key_kind(scheme, key)?;
    match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => {
            let key = p256::ecdsa::VerifyingKey::from_public_key_der(key);
            let signature = p256::ecdsa::DerSignature::try_from(signature);
            check(&key.map_err(|_| SignatureError::MalformedKey)?, message, signature)
        }
        SignatureScheme::EcdsaSecp384r1Sha384 => {
            let key = p384::ecdsa::VerifyingKey::from_public_key_der(key);
            let signature = p384::ecdsa::DerSignature::try_from(signature);
            check(&key.map_err(|_| SignatureError::MalformedKey)?, message, signature)
        }
        _ => verify_rsa(scheme, key, message, signature),
    }
}

fn verify_rsa(
    scheme: SignatureScheme,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    use SignatureScheme as S;
    let key = rsa::PublicKey::from_public_key_der(key).map_err(|_| SignatureError::MalformedKey)?;
    match scheme {
        S::RsaPkcs1Sha256 => pkcs1::<sha2::Sha256>(key, message, signature),
        S::RsaPkcs1Sha384 => pkcs1::<sha2::Sha384>(key, message, signature),
        S::RsaPkcs1Sha512 => pkcs1::<sha2::Sha512>(key, message, signature),
        S::RsaPssRsaeSha256 => pss::<sha2::Sha256>(key, message, signature),
        S::RsaPssRsaeSha384 => pss::<sha2::Sha384>(key, message, signature),
        S::RsaPssRsaeSha512 => pss::<sha2::Sha512>(key, message, signature),
        S::EcdsaSecp256r1Sha256 | S::EcdsaSecp384r1Sha384 => Err(SignatureError::WrongScheme),
    }
}

fn pkcs1<H>(key: rsa::PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError>
where
    H: sha2::digest::Digest + sha2::digest::const_oid::AssociatedOid,
{
    check(&pkcs1v15::VerifyingKey::<H>::new(key), message, pkcs1v15::Signature::try_from(signature))
}

fn pss<H>(key: rsa::PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError>
where
    H: sha2::digest::Digest + sha2::digest::FixedOutputReset,
{
    check(&pss::VerifyingKey::<H>::new(key), message, pss::Signature::try_from(signature))
}

fn check<S, E>(
    key: &impl Verifier<S>,
    message: &[u8],
    signature: Result<S, E>,
) -> Result<(), SignatureError> {
    let signature = signature.map_err(|_| SignatureError::Invalid)?;
    key.verify(message, &signature).map_err(|_| SignatureError::Invalid)
}
