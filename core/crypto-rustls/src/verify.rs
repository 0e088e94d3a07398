//! Verification of ECDSA and RSA signatures.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use pavane_crypto::{SignatureError, SignatureScheme, check_key_kind};

pub(crate) fn verify(
    scheme: SignatureScheme,
    subject_public_key_info: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let algorithm = algorithm(scheme).ok_or(SignatureError::WrongScheme)?;
    check_key_kind(scheme, subject_public_key_info)?;
    let key = ParsedPublicKey::new(algorithm, subject_public_key_info);
    let key = key.map_err(|_| SignatureError::MalformedKey)?;
    key.verify_sig(message, signature).map_err(|_| SignatureError::Invalid)
}

fn algorithm(scheme: SignatureScheme) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
        SignatureScheme::EcdsaSecp384r1Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
        SignatureScheme::RsaPkcs1Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        SignatureScheme::RsaPkcs1Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        SignatureScheme::RsaPkcs1Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        SignatureScheme::RsaPssRsaeSha256 => &signature::RSA_PSS_2048_8192_SHA256,
        SignatureScheme::RsaPssRsaeSha384 => &signature::RSA_PSS_2048_8192_SHA384,
        SignatureScheme::RsaPssRsaeSha512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}
