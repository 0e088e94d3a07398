//! Signatures: ECDSA's deterministic ones (RFC 6979 §A.2.5), and the verification of what another library signed.

use alloc::vec::Vec;

use crate::vectors::{Script, hex};
use crate::{KeyError, Provider, SignatureError, SignatureScheme};

struct Vector {
    scheme: SignatureScheme,
    key: &'static [u8],
    signature: &'static [u8],
}

/// Runs the vectors of the signatures.
///
/// # Panics
/// At the first that does not hold.
pub fn run_signatures(provider: &dyn Provider) {
    for vector in VECTORS {
        signatures_hold(provider, vector);
        keys_of_another_kind_do_not_fit(provider, vector.scheme);
        garbled_keys_are_refused(provider, vector);
    }
    for Vector { scheme, key, signature } in REFUSED {
        assert!(provider.verify_signature(*scheme, key, MESSAGE, signature).is_err(), "{scheme:?}");
    }
    we_sign_as_rfc_6979_does(provider);
    a_drawn_key_signs(provider);
    keys_that_cannot_sign_are_not_imported(provider);
}

fn signatures_hold(provider: &dyn Provider, vector: &Vector) {
    let Vector { scheme, key, signature } = *vector;
    let verify =
        |message: &[u8], signature: &[u8]| provider.verify_signature(scheme, key, message, signature);
    assert_eq!(verify(MESSAGE, signature), Ok(()), "{scheme:?}");
    assert_eq!(verify(b"another message", signature), Err(SignatureError::Invalid), "{scheme:?}");
    for at in 0..signature.len() {
        let mut touched = signature.to_vec();
        touched[at] ^= 1;
        assert_eq!(verify(MESSAGE, &touched), Err(SignatureError::Invalid), "{scheme:?} touched at {at}");
        let cut = verify(MESSAGE, &signature[..at]);
        assert_eq!(cut, Err(SignatureError::Invalid), "{scheme:?} cut at {at}");
    }
    let longer: Vec<u8> = [signature, &[0]].concat();
    assert_eq!(verify(MESSAGE, &longer), Err(SignatureError::Invalid), "{scheme:?}");
}

fn keys_of_another_kind_do_not_fit(provider: &dyn Provider, scheme: SignatureScheme) {
    for Vector { scheme: of_key, key, signature } in VECTORS {
        let expected = match family(scheme) == family(*of_key) {
            true => continue,
            false => Err(SignatureError::WrongScheme),
        };
        assert_eq!(provider.verify_signature(scheme, key, MESSAGE, signature), expected, "{scheme:?}");
    }
    for key in [ED25519, RSA1024] {
        let verified = provider.verify_signature(scheme, key, MESSAGE, &[]);
        assert_eq!(verified, Err(SignatureError::WrongScheme), "{scheme:?}");
    }
}

fn garbled_keys_are_refused(provider: &dyn Provider, vector: &Vector) {
    let Vector { scheme, key, signature } = *vector;
    for at in 0..key.len() {
        let cut = provider.verify_signature(scheme, &key[..at], MESSAGE, signature);
        assert_eq!(cut, Err(SignatureError::MalformedKey), "{scheme:?} cut at {at}");
        let mut garbled = key.to_vec();
        garbled[at] ^= 1;
        assert!(
            provider.verify_signature(scheme, &garbled, MESSAGE, signature).is_err(),
            "{scheme:?} at {at}"
        );
    }
    let longer: Vec<u8> = [key, &[0]].concat();
    let verified = provider.verify_signature(scheme, &longer, MESSAGE, signature);
    assert_eq!(verified, Err(SignatureError::MalformedKey), "{scheme:?}");
}

/// The length of the key's curve, or none for RSA: schemes of one family share their keys.
fn family(scheme: SignatureScheme) -> Option<usize> {
    match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => Some(256),
        SignatureScheme::EcdsaSecp384r1Sha384 => Some(384),
        _ => None,
    }
}

fn we_sign_as_rfc_6979_does(provider: &dyn Provider) {
    const SCHEME: SignatureScheme = SignatureScheme::EcdsaSecp256r1Sha256;
    let key = provider.import_signing_key(&hex(RFC_6979_KEY)).expect("the key is one of P-256");
    let exported = key.to_pkcs8().expect("an imported key can be exported");
    let reimported = provider.import_signing_key(&exported).expect("an exported key can be imported");
    assert_eq!(reimported.subject_public_key_info(), key.subject_public_key_info());
    for (message, expected) in RFC_6979 {
        let signature = reimported.sign(SCHEME, message).expect("the scheme fits the key");
        let verified = provider.verify_signature(SCHEME, &key.subject_public_key_info(), message, &signature);
        assert_eq!(verified, Ok(()));
        if provider.is_deterministic() {
            assert_eq!(signature, hex(expected));
        }
    }
    let other = key.sign(SignatureScheme::EcdsaSecp384r1Sha384, b"");
    assert_eq!(other, Err(SignatureError::WrongScheme));
}

fn a_drawn_key_signs(provider: &dyn Provider) {
    let key = provider.generate_signing_key(&mut Script::new([0x11; 64]));
    let info = key.subject_public_key_info();
    for scheme in key.schemes() {
        let signature = key.sign(*scheme, MESSAGE).expect("the key names the scheme");
        assert_eq!(provider.verify_signature(*scheme, &info, MESSAGE, &signature), Ok(()), "{scheme:?}");
    }
    if provider.is_deterministic() {
        let again = provider.generate_signing_key(&mut Script::new([0x11; 64]));
        assert_eq!(again.to_pkcs8(), key.to_pkcs8());
    }
}

fn keys_that_cannot_sign_are_not_imported(provider: &dyn Provider) {
    let whole = hex(RFC_6979_KEY);
    for len in 0..whole.len() {
        assert_eq!(
            provider.import_signing_key(&whole[..len]).err(),
            Some(KeyError::Malformed),
            "cut at {len}"
        );
    }
    let unsupported = provider.import_signing_key(include_bytes!("../../testdata/signatures/ed25519.pk8"));
    assert_eq!(unsupported.err(), Some(KeyError::Unsupported));
}

const MESSAGE: &[u8] = include_bytes!("../../testdata/signatures/message");
const P256: &[u8] = include_bytes!("../../testdata/signatures/p256.spki");
const P384: &[u8] = include_bytes!("../../testdata/signatures/p384.spki");
const RSA1024: &[u8] = include_bytes!("../../testdata/signatures/rsa1024.spki");
const RSA2048: &[u8] = include_bytes!("../../testdata/signatures/rsa2048.spki");
const ED25519: &[u8] = include_bytes!("../../testdata/signatures/ed25519.spki");

const VECTORS: &[Vector] = &[
    Vector {
        scheme: SignatureScheme::EcdsaSecp256r1Sha256,
        key: P256,
        signature: include_bytes!("../../testdata/signatures/p256-sha256.sig"),
    },
    Vector {
        scheme: SignatureScheme::EcdsaSecp384r1Sha384,
        key: P384,
        signature: include_bytes!("../../testdata/signatures/p384-sha384.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPkcs1Sha256,
        key: RSA2048,
        signature: include_bytes!("../../testdata/signatures/rsa2048-pkcs1-sha256.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPkcs1Sha384,
        key: RSA2048,
        signature: include_bytes!("../../testdata/signatures/rsa2048-pkcs1-sha384.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPkcs1Sha512,
        key: RSA2048,
        signature: include_bytes!("../../testdata/signatures/rsa2048-pkcs1-sha512.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPssRsaeSha256,
        key: RSA2048,
        signature: include_bytes!("../../testdata/signatures/rsa2048-pss-sha256.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPssRsaeSha384,
        key: RSA2048,
        signature: include_bytes!("../../testdata/signatures/rsa2048-pss-sha384.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPssRsaeSha512,
        key: RSA2048,
        signature: include_bytes!("../../testdata/signatures/rsa2048-pss-sha512.sig"),
    },
];

/// A salt that is not as long as the hash (RFC 8446 §4.2.3), and keys that are too short.
const REFUSED: &[Vector] = &[
    Vector {
        scheme: SignatureScheme::RsaPssRsaeSha256,
        key: RSA2048,
        signature: include_bytes!("../../testdata/signatures/rsa2048-pss-sha256-salt0.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPssRsaeSha256,
        key: RSA1024,
        signature: include_bytes!("../../testdata/signatures/rsa1024-pss-sha256.sig"),
    },
    Vector {
        scheme: SignatureScheme::RsaPkcs1Sha256,
        key: RSA1024,
        signature: include_bytes!("../../testdata/signatures/rsa1024-pkcs1-sha256.sig"),
    },
];

/// The private key of RFC 6979 §A.2.5 in PKCS #8.
const RFC_6979_KEY: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420\
    c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a144034200\
    0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
    7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

const RFC_6979: &[(&[u8], &str)] = &[
    (
        b"sample",
        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
         022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        b"test",
        "3045022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367\
         0220019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    ),
];
