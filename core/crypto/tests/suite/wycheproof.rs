//! A provider and the software one against Wycheproof's vectors, whose hard cases the standards' own lack.
//!
//! Each provider's tests include this file and give it `PROVIDER`.

use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::vectors::Script;
use pavane_crypto::{
    AeadAlgorithm, MacAlgorithm, NONCE_LEN, NamedGroup, Provider, SignatureError, SignatureScheme, TAG_LEN,
};
use wycheproof::{TestResult, aead, ecdh, ecdsa, mac, rsa_pkcs1_verify, rsa_pss_verify, xdh};

use super::PROVIDER;

const PROVIDERS: [&dyn Provider; 2] = [&PROVIDER, &SoftwareProvider];

/// What can be judged: `acceptable` leaves the choice to the implementation.
fn verdict(result: TestResult) -> Option<bool> {
    match result {
        TestResult::Valid => Some(true),
        TestResult::Invalid => Some(false),
        TestResult::Acceptable => None,
    }
}

#[test]
fn aeads() {
    let mut run = 0;
    for name in [aead::TestName::AesGcm, aead::TestName::ChaCha20Poly1305] {
        for group in aead::TestSet::load(name).unwrap().test_groups {
            let algorithm = match (name, group.key_size) {
                (aead::TestName::AesGcm, 128) => AeadAlgorithm::Aes128Gcm,
                (aead::TestName::AesGcm, 256) => AeadAlgorithm::Aes256Gcm,
                (aead::TestName::ChaCha20Poly1305, 256) => AeadAlgorithm::ChaCha20Poly1305,
                _ => continue,
            };
            if (group.nonce_size, group.tag_size) != (8 * NONCE_LEN, 8 * TAG_LEN) {
                continue;
            }
            for test in group.tests {
                PROVIDERS.into_iter().for_each(|provider| aead_holds(provider, algorithm, &test));
                run += 1;
            }
        }
    }
    assert!(run > 400, "{run} vectors");
}

fn aead_holds(provider: &dyn Provider, algorithm: AeadAlgorithm, test: &aead::Test) {
    let context = format!("{provider:?} {algorithm:?} {}: {}", test.tc_id, test.comment);
    let aead = provider.aead(algorithm, &test.key).unwrap();
    let nonce = test.nonce.to_vec().try_into().unwrap();
    let mut sealed = [&test.ct[..], &test.tag].concat();
    let opened = aead.open(&nonce, &test.aad, &mut sealed).map(|plaintext| plaintext.to_vec());
    assert_eq!(opened.is_ok(), verdict(test.result).unwrap(), "{context}");
    if let Ok(opened) = opened {
        assert_eq!(opened, test.pt.to_vec(), "{context}");
        let mut buf = opened;
        let tag = aead.seal(&nonce, &test.aad, &mut buf);
        assert_eq!((&buf[..], &tag[..]), (&test.ct[..], &test.tag[..]), "{context}");
    }
}

#[test]
fn macs() {
    const SHORTEST: usize = 80;
    for (name, algorithm) in [
        (mac::TestName::HmacSha1, MacAlgorithm::HmacSha1),
        (mac::TestName::HmacSha256, MacAlgorithm::HmacSha256),
        (mac::TestName::HmacSha384, MacAlgorithm::HmacSha384),
    ] {
        for group in mac::TestSet::load(name).unwrap().test_groups {
            assert!(group.tag_size >= SHORTEST);
            for (test, provider) in group.tests.iter().flat_map(|test| PROVIDERS.map(|each| (test, each))) {
                let verified = provider.mac(algorithm, &test.key).verify(&[&test.msg], &test.tag);
                assert_eq!(Some(verified), verdict(test.result), "{provider:?} {algorithm:?} {}", test.tc_id);
            }
        }
    }
}

#[test]
fn x25519() {
    /// What the vectors with points of small order come to, and TLS refuses (RFC 8422 §5.11).
    const ZERO: [u8; 32] = [0; 32];
    for group in xdh::TestSet::load(xdh::TestName::X25519).unwrap().test_groups {
        for (test, provider) in group.tests.iter().flat_map(|test| PROVIDERS.map(|each| (test, each))) {
            let mut script = Script::new(test.private_key.to_vec());
            let ours = provider.key_exchange(NamedGroup::X25519, &mut script).unwrap();
            let secret = ours.complete(&test.public_key);
            let expected = (test.shared_secret[..] != ZERO).then(|| test.shared_secret.to_vec());
            assert_eq!(secret.ok(), expected, "{provider:?} {}: {}", test.tc_id, test.comment);
        }
    }
}

#[test]
fn ecdh_on_p256() {
    const UNCOMPRESSED: u8 = 4;
    let mut run = 0;
    for group in ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1Ecpoint).unwrap().test_groups {
        for test in group.tests {
            let private = &test.private_key[..];
            let private = &private[private.len().saturating_sub(32)..];
            let private = [&vec![0; 32 - private.len()][..], private].concat();
            for provider in PROVIDERS {
                let mut script = Script::new(private.clone());
                let ours = provider.key_exchange(NamedGroup::Secp256r1, &mut script).unwrap();
                let secret = ours.complete(&test.public_key);
                let uncompressed = test.public_key.first() == Some(&UNCOMPRESSED);
                let expected = (uncompressed && verdict(test.result) != Some(false))
                    .then(|| test.shared_secret.to_vec());
                assert_eq!(secret.ok(), expected, "{provider:?} {}: {}", test.tc_id, test.comment);
            }
            run += 1;
        }
    }
    assert!(run > 200, "{run} vectors");
}

/// Runs sets of one family; the families have the same fields in types of their own.
macro_rules! signatures_hold {
    ($family:ident, $sets:expr) => {
        for (name, scheme) in $sets {
            for group in $family::TestSet::load(name).unwrap().test_groups {
                for test in &group.tests {
                    let outcomes =
                        PROVIDERS.map(|each| each.verify_signature(scheme, &group.der, &test.msg, &test.sig));
                    let context = format!("{name:?} {}: {}", test.tc_id, test.comment);
                    judge(test.result, outcomes, &context);
                }
            }
        }
    };
}

fn judge(result: TestResult, outcomes: [Result<(), SignatureError>; 2], context: &str) {
    assert_eq!(outcomes[0], outcomes[1], "{context}: the providers disagree");
    if let Some(valid) = verdict(result) {
        assert_eq!(outcomes[0].is_ok(), valid, "{context}: {:?}", outcomes[0]);
    }
}

#[test]
fn ecdsa() {
    use ecdsa::TestName as Name;
    signatures_hold!(
        ecdsa,
        [
            (Name::EcdsaSecp256r1Sha256, SignatureScheme::EcdsaSecp256r1Sha256),
            (Name::EcdsaSecp384r1Sha384, SignatureScheme::EcdsaSecp384r1Sha384),
        ]
    );
}

#[test]
fn rsa_with_pkcs1() {
    use rsa_pkcs1_verify::TestName as Name;
    signatures_hold!(
        rsa_pkcs1_verify,
        [
            (Name::Rsa2048Sha256, SignatureScheme::RsaPkcs1Sha256),
            (Name::Rsa2048Sha384, SignatureScheme::RsaPkcs1Sha384),
            (Name::Rsa2048Sha512, SignatureScheme::RsaPkcs1Sha512),
            (Name::Rsa3072Sha256, SignatureScheme::RsaPkcs1Sha256),
            (Name::Rsa4096Sha384, SignatureScheme::RsaPkcs1Sha384),
            (Name::Rsa8192Sha512, SignatureScheme::RsaPkcs1Sha512),
        ]
    );
}

#[test]
fn rsa_with_pss() {
    use rsa_pss_verify::TestName as Name;
    signatures_hold!(
        rsa_pss_verify,
        [
            (Name::RsaPss2048Sha256Mgf1SaltLen32, SignatureScheme::RsaPssRsaeSha256),
            (Name::RsaPss2048Sha384Mgf1SaltLen48, SignatureScheme::RsaPssRsaeSha384),
            (Name::RsaPss3072Sha256Mgf1SaltLen32, SignatureScheme::RsaPssRsaeSha256),
            (Name::RsaPss4096Sha512Mgf1SaltLen64, SignatureScheme::RsaPssRsaeSha512),
        ]
    );
}
