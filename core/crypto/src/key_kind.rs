//! Which kind of public key a signature scheme takes.

use der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::{SignatureError, SignatureScheme};

/// Checks that a DER-encoded SubjectPublicKeyInfo holds the kind of key that `scheme` takes.
///
/// Libraries disagree on what they make of a key that does not fit; a provider that asks here first answers as the others.
/// RSA keys are refused below 2048 bits, which nobody should trust, and beyond 8192, which cost too much to use.
///
/// # Errors
/// If the bytes are no such structure, or the key is of another kind.
pub fn check_key_kind(scheme: SignatureScheme, subject_public_key_info: &[u8]) -> Result<(), SignatureError> {
    let info = SubjectPublicKeyInfoRef::from_der(subject_public_key_info)
        .map_err(|_| SignatureError::MalformedKey)?;
    let key = info.subject_public_key.as_bytes().ok_or(SignatureError::MalformedKey)?;
    let algorithm = (info.algorithm.oid, info.algorithm.parameters.ok_or(SignatureError::WrongScheme)?);
    let fits = match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => is_on_curve(algorithm, SECP256R1),
        SignatureScheme::EcdsaSecp384r1Sha384 => is_on_curve(algorithm, SECP384R1),
        // RFC 8446 §4.2.3: the rsae schemes are for keys that are not bound to PSS.
        _ if algorithm != (RSA_ENCRYPTION, AnyRef::NULL) => false,
        _ => RSA_BITS.contains(&modulus_bits(key).map_err(|_| SignatureError::MalformedKey)?),
    };
    if fits { Ok(()) } else { Err(SignatureError::WrongScheme) }
}

fn is_on_curve((oid, parameters): (ObjectIdentifier, AnyRef<'_>), curve: ObjectIdentifier) -> bool {
    oid == EC_PUBLIC_KEY && parameters.decode_as() == Ok(curve)
}

/// RFC 8017 §A.1.1: modulus, public exponent.
fn modulus_bits(key: &[u8]) -> der::Result<usize> {
    let mut reader = SliceReader::new(key)?;
    let modulus = reader.sequence(|inner| {
        let modulus = inner.decode::<UintRef<'_>>()?;
        inner.decode::<UintRef<'_>>()?;
        Ok::<_, der::Error>(modulus)
    })?;
    let bytes = modulus.as_bytes();
    let unused = bytes.first().map_or(0, |first| first.leading_zeros() as usize);
    reader.finish()?;
    Ok(8 * bytes.len() - unused)
}

const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

/// RFC 8017 §A.1; its parameters are NULL (RFC 3279 §2.3.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// RFC 5480 §2.1.1 and its curves of §2.1.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
