use alloc::vec;
use alloc::vec::Vec;

use pavane_crypto::software::SoftwareProvider;

use super::*;
use crate::{Class, ErrorCode, Method, TransactionId};

fn user() -> LongTermCredentials {
    LongTermCredentials { username: "user".into(), password: "pass".into() }
}

fn challenge(attributes: &[(AttributeType, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut message = Builder::new(&mut bytes, Class::Error, Method::ALLOCATE, TransactionId([7; 12]))
        .error_code(ErrorCode::UNAUTHENTICATED);
    for (kind, value) in attributes {
        message = message.attribute(*kind, value);
    }
    message.finish();
    bytes
}

fn answer(attributes: &[(AttributeType, &[u8])]) -> Result<LongTerm, ChallengeError> {
    let bytes = challenge(attributes);
    LongTerm::answer(&SoftwareProvider, &user(), &Message::parse(&bytes).unwrap(), None)
}

fn request(session: &LongTerm) -> Vec<u8> {
    let mut bytes = Vec::new();
    let message = Builder::new(&mut bytes, Class::Request, Method::ALLOCATE, TransactionId([8; 12]));
    session.seal(message.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]));
    bytes
}

const REALM: (AttributeType, &[u8]) = (AttributeType::REALM, b"realm");
const NONCE: (AttributeType, &[u8]) = (AttributeType::NONCE, b"a nonce");
/// Both features: bits 110000.
const FEATURED: (AttributeType, &[u8]) = (AttributeType::NONCE, b"obMatJos2wAAAnonce");
const BOTH: (AttributeType, &[u8]) = (AttributeType::PASSWORD_ALGORITHMS, &[0, 2, 0, 0, 0, 1, 0, 0]);

/// RFC 8489 §9.2.2 gives this key as its example.
#[test]
fn the_key_is_that_of_the_standard() {
    let key = PasswordAlgorithm::Md5.key(&SoftwareProvider, &user(), "realm");
    assert_eq!(*key, 0x8493_fbc5_3ba5_82fb_4c04_4c45_6bdc_40eb_u128.to_be_bytes());
}

#[test]
fn an_old_servers_challenge_is_answered_with_sha1() {
    let session = answer(&[REALM, NONCE]).unwrap();
    let bytes = request(&session);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.username(), Some("user"));
    assert_eq!(message.attribute(AttributeType::REALM), Some(&b"realm"[..]));
    assert_eq!(message.attribute(AttributeType::NONCE), Some(NONCE.1));
    assert!(session.verify(&message));
    assert_eq!(message.attribute(AttributeType::MESSAGE_INTEGRITY_SHA256), None);
}

#[test]
fn a_new_servers_challenge_is_answered_with_sha256_and_without_a_name() {
    let session = answer(&[REALM, FEATURED, BOTH]).unwrap();
    let bytes = request(&session);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.username(), None);
    assert_eq!(
        message.attribute(AttributeType::USERHASH),
        Some(&*userhash(&SoftwareProvider, "user", "realm"))
    );
    assert_eq!(message.attribute(AttributeType::PASSWORD_ALGORITHMS), Some(BOTH.1));
    assert_eq!(message.attribute(AttributeType::PASSWORD_ALGORITHM), Some(&[0, 2, 0, 0][..]));
    assert!(session.verify(&message));
    assert_eq!(message.attribute(AttributeType::MESSAGE_INTEGRITY), None);
}

#[test]
fn the_first_known_algorithm_is_taken() {
    for (list, expected) in [
        (vec![0, 1, 0, 0, 0, 2, 0, 0], Ok(1)),
        (vec![0, 9, 0, 3, 1, 2, 3, 0, 0, 2, 0, 0], Ok(2)),
        (vec![0, 9, 0, 3, 1, 2, 3], Err(ChallengeError::NoAlgorithm)),
        (vec![0, 9, 0, 0], Err(ChallengeError::NoAlgorithm)),
        (vec![], Err(ChallengeError::NoAlgorithm)),
    ] {
        let found = answer(&[REALM, FEATURED, (AttributeType::PASSWORD_ALGORITHMS, &list)]);
        let number = found.map(|session| match session.protection {
            Protection::Sha256 { algorithm, .. } => algorithm.number(),
            Protection::Sha1(_) => 0,
        });
        assert_eq!(number, expected, "{list:?}");
    }
}

/// RFC 8489 §9.2.5: whoever takes the algorithms out makes no weaker session.
#[test]
fn bidding_down_is_noticed() {
    assert_eq!(answer(&[REALM, FEATURED]).unwrap_err(), ChallengeError::Tampered);
    let without: (AttributeType, &[u8]) = (AttributeType::NONCE, b"obMatJos2AAAAnonce");
    assert!(answer(&[REALM, without]).is_ok());
}

#[test]
fn what_is_incomplete_or_too_long_is_not_answered() {
    let long = [b'x'; MAX_TEXT + 1];
    for attributes in [
        &[][..],
        &[REALM],
        &[NONCE],
        &[(AttributeType::REALM, &long[..]), NONCE],
        &[REALM, (AttributeType::NONCE, &long[..])],
    ] {
        assert_eq!(answer(attributes).unwrap_err(), ChallengeError::Incomplete);
    }
    let session = answer(&[REALM, NONCE]).unwrap();
    let stale = challenge(&[(AttributeType::NONCE, b"another")]);
    let stale = Message::parse(&stale).unwrap();
    let renewed = LongTerm::answer(&SoftwareProvider, &user(), &stale, Some(&session)).unwrap();
    assert_eq!((renewed.realm(), renewed.nonce()), ("realm", &b"another"[..]));
}

#[test]
fn no_other_key_and_no_changed_message_verifies() {
    for attributes in [&[REALM, NONCE][..], &[REALM, FEATURED, BOTH]] {
        let session = answer(attributes).unwrap();
        let bytes = request(&session);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!Message::parse(&changed).is_ok_and(|message| session.verify(&message)), "byte {at}");
        }
        let other = LongTermCredentials { password: "other".into(), ..user() };
        let bytes = challenge(attributes);
        let other =
            LongTerm::answer(&SoftwareProvider, &other, &Message::parse(&bytes).unwrap(), None).unwrap();
        let bytes = request(&other);
        assert!(!session.verify(&Message::parse(&bytes).unwrap()));
    }
}
