//! Certificates of our own, those of other libraries, and odd ones.

use core::time::Duration;
use std::vec;

use pavane_base::Instant;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;
use crate::software::SoftwareProvider;

const PROVIDER: &SoftwareProvider = &SoftwareProvider;

fn epoch(unix: u64) -> Epoch {
    Epoch { at: Instant::ZERO, unix: Duration::from_secs(unix) }
}

fn generate(seed: u64) -> Certificate {
    Certificate::generate(PROVIDER, &mut ChaCha8Rng::seed_from_u64(seed), &epoch(1_800_000_000))
}

fn openssl_pem() -> &'static str {
    core::str::from_utf8(include_bytes!("../../testdata/certificates/openssl.pem")).unwrap()
}

/// Whether `needle` is somewhere in `haystack`.
fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_seed_decides_every_byte() {
    assert_eq!(generate(1).der(), generate(1).der());
    assert_eq!(generate(1).to_pem(), generate(1).to_pem());
    assert_ne!(generate(1).der(), generate(2).der());
    assert_ne!(generate(1).key().subject_public_key_info(), generate(2).key().subject_public_key_info());
}

/// RFC 5280 §4.1.2.5: two digits of the year until 2049, four from 2050 to 9999.
#[test]
fn any_epoch_gives_a_date() {
    const HOUR_BEFORE_2050: u64 = 2_524_604_400;
    for (unix, not_before, not_after) in [
        (0, &b"700101000000Z"[..], &b"700131000000Z"[..]),
        (1_800_000_000, b"270114080000Z", b"270214080000Z"),
        (HOUR_BEFORE_2050, b"491230230000Z", b"20500130230000Z"),
        (253_402_300_799, b"99991230235959Z", b"99991231235959Z"),
        (u64::MAX, b"99991231235959Z", b"99991231235959Z"),
    ] {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let certificate = Certificate::generate(PROVIDER, rng, &epoch(unix));
        assert!(contains(certificate.der(), not_before), "{unix}");
        assert!(contains(certificate.der(), not_after), "{unix}");
        assert!(Certificate::from_pem(PROVIDER, &certificate.to_pem().unwrap()).is_ok());
    }
}

/// RFC 5280 §4.1.2.2: a serial number is positive and has at most 20 bytes.
#[test]
fn serial_numbers_are_positive_and_short() {
    for seed in 0..50 {
        let certificate = generate(seed);
        let serial: [u8; 3] = certificate.der()[12..15].try_into().unwrap();
        assert_eq!(serial[..2], [2, 16], "an integer of 16 bytes");
        assert!((0x40..0x80).contains(&serial[2]), "seed {seed}");
    }
}

#[test]
fn pem_goes_out_and_comes_back() {
    let certificate = generate(1);
    let pem = certificate.to_pem().unwrap();
    let (front, back) = pem.split_at(pem.find("-----BEGIN PRIVATE KEY").unwrap());
    for pem in [
        pem.clone(),
        alloc::format!("{back}{front}"),
        alloc::format!("Somebody's notes\n{pem}and more of them"),
        pem.replace('\n', "\r\n"),
    ] {
        let read = Certificate::from_pem(PROVIDER, &pem).unwrap();
        assert_eq!(read.der(), certificate.der());
        assert_eq!(read.to_pem(), certificate.to_pem());
    }
}

#[test]
fn openssls_pem_is_read() {
    let certificate = Certificate::from_pem(PROVIDER, openssl_pem()).unwrap();
    let fingerprint = certificate.fingerprint(PROVIDER, HashAlgorithm::Sha256);
    assert_eq!(alloc::format!("{fingerprint:?}"), OPENSSL_FINGERPRINT);
    assert!(certificate.key().sign(crate::SignatureScheme::EcdsaSecp256r1Sha256, b"").is_ok());
}

#[test]
fn pem_that_lacks_something_is_refused() {
    let own = generate(1).to_pem().unwrap();
    let other = generate(2).to_pem().unwrap();
    let key_at = own.find("-----BEGIN PRIVATE KEY").unwrap();
    let refused = |pem: &str| Certificate::from_pem(PROVIDER, pem).map(|_| ()).unwrap_err();
    assert_eq!(refused(""), CertificateError::Malformed);
    assert_eq!(refused(&own[..key_at]), CertificateError::Key(KeyError::Malformed));
    assert_eq!(refused(&own[key_at..]), CertificateError::Malformed);
    assert_eq!(
        refused(&alloc::format!("{}{}", &own[..key_at], &other[key_at..])),
        CertificateError::WrongKey
    );
    for at in 0..own.len() - 1 {
        assert!(Certificate::from_pem(PROVIDER, &own[..at]).is_err(), "cut at {at}");
    }
    let key = include_bytes!("../../testdata/signatures/ed25519.pk8");
    let key = der::pem::encode_string("PRIVATE KEY", LineEnding::LF, key).unwrap();
    let pem = alloc::format!("{}{key}", &own[..key_at]);
    assert_eq!(refused(&pem), CertificateError::Key(KeyError::Unsupported));
}

#[test]
fn parts_must_belong_together() {
    let certificate = generate(1);
    let key = |seed| PROVIDER.import_signing_key(&generate(seed).key().to_pkcs8().unwrap()).unwrap();
    let der = certificate.der().to_vec();
    assert_eq!(Certificate::from_parts(der.clone(), key(1)).unwrap().der(), certificate.der());
    assert_eq!(Certificate::from_parts(der, key(2)).unwrap_err(), CertificateError::WrongKey);
    assert_eq!(Certificate::from_parts(vec![0x30], key(1)).unwrap_err(), CertificateError::Malformed);
}

#[test]
fn a_fingerprint_is_of_one_certificate() {
    let (one, other) = (generate(1), generate(2));
    for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
        let fingerprint = one.fingerprint(PROVIDER, algorithm);
        assert_eq!(fingerprint.value.len(), algorithm.output_len());
        assert!(fingerprint.verify(PROVIDER, one.der()));
        assert!(!fingerprint.verify(PROVIDER, other.der()));
        let cut = Fingerprint { value: fingerprint.value[..20].to_vec(), ..fingerprint };
        assert!(!cut.verify(PROVIDER, one.der()));
        let empty = Fingerprint { value: vec![], ..cut };
        assert!(!empty.verify(PROVIDER, one.der()));
    }
}

/// Certificate and public key, as OpenSSL writes them.
const OTHERS: [(&[u8], &[u8]); 3] = [
    (
        include_bytes!("../../testdata/certificates/v1-p256.der"),
        include_bytes!("../../testdata/certificates/v1-p256.spki"),
    ),
    (
        include_bytes!("../../testdata/certificates/v3-rsa.der"),
        include_bytes!("../../testdata/certificates/v3-rsa.spki"),
    ),
    (
        include_bytes!("../../testdata/certificates/v3-ed25519.der"),
        include_bytes!("../../testdata/certificates/v3-ed25519.spki"),
    ),
];

#[test]
fn keys_are_found_in_other_libraries_certificates() {
    for (certificate, key) in OTHERS {
        assert_eq!(subject_public_key_info(certificate), Ok(key));
    }
}

#[test]
fn cut_and_garbled_certificates_do_not_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for (certificate, key) in OTHERS {
        let key_end = certificate.windows(key.len()).position(|window| window == key).unwrap() + key.len();
        for len in 0..certificate.len() {
            let found = subject_public_key_info(&certificate[..len]);
            assert_eq!(found.is_ok(), len >= key_end, "cut at {len}");
        }
        for at in 0..certificate.len() {
            let mut garbled = certificate.to_vec();
            garbled[at] ^= (rng.next_u32() as u8).max(1);
            let _ = subject_public_key_info(&garbled);
        }
    }
}

/// A type, a length of two bytes where one does not do, and what belongs inside.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let len = match body.len() {
        short @ 0..0x80 => vec![short as u8],
        middle @ 0x80..0x100 => vec![0x81, middle as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [&[tag][..], &len, &body].concat()
}

const INTEGER: u8 = 0x02;
const UTF8: u8 = 0x0c;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0x81;

/// What is around the key may break the rules of RFC 5280 as it likes, as long as it can be stepped over.
#[test]
fn odd_fields_are_stepped_over() {
    let key = OTHERS[0].1;
    let version = tlv(CONTEXT_0, &[&tlv(INTEGER, &[&[99]])]);
    let serial = tlv(INTEGER, &[&[0xff; 200]]);
    let algorithm = tlv(SEQUENCE, &[]);
    let name = tlv(SEQUENCE, &[&tlv(SET, &[&tlv(UTF8, &[&[0xfe; 300]])])]);
    let validity = tlv(SEQUENCE, &[&tlv(UTF8, &[b"yesterday"]), &tlv(UTF8, &[b"for ever"])]);
    let after = tlv(CONTEXT_1, &[&[0xff; 9]]);
    let fields = [&serial[..], &algorithm, &name, &validity, &name, key, &after];
    let odd = |before: &[&[u8]], fields: &[&[u8]]| {
        let to_be_signed = tlv(SEQUENCE, &[before, fields].concat());
        tlv(SEQUENCE, &[&to_be_signed])
    };
    assert_eq!(subject_public_key_info(&odd(&[&version], &fields)), Ok(key));
    assert_eq!(subject_public_key_info(&odd(&[], &fields)), Ok(key));
    for missing in 0..6 {
        let fewer = [&fields[..missing], &fields[missing + 1..]].concat();
        assert_ne!(subject_public_key_info(&odd(&[&version], &fewer)), Ok(key), "without field {missing}");
    }
    assert_eq!(
        subject_public_key_info(&odd(&[], &[&serial, &algorithm, &name, &validity, &name, &serial])),
        Err(CertificateError::Malformed),
        "the key is a sequence"
    );
}

/// As `openssl x509 -fingerprint -sha256` has it.
const OPENSSL_FINGERPRINT: &str = "Sha256 0CEE53859DF0C9F5E0CF2E788B40DC3C4E027DF7C2EE63BAE652243CA223F84E";
