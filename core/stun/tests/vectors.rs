//! RFC 5769's messages, read and written; and mangled ones.

use base64::Engine as _;
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Mac, MacAlgorithm, Provider};
use pavane_stun::{AttributeType, Builder, Class, ErrorCode, Message, Method, ParseError};
use serde_json::Value;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn vectors() -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("../testdata/rfc5769.json")).unwrap();
    vectors.as_array().unwrap().clone()
}

fn key(vector: &Value) -> Box<dyn Mac> {
    let key = hex(vector["integrity_key_hex"].as_str().unwrap());
    SoftwareProvider.mac(MacAlgorithm::HmacSha1, &key)
}

#[test]
fn the_published_messages_are_read_and_verified() {
    for vector in vectors() {
        let bytes = hex(vector["hex"].as_str().unwrap());
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.method(), Method::BINDING);
        assert!(message.verify_integrity(&*key(&vector)), "{}", vector["name"]);
        assert!(!message.verify_integrity(&*SoftwareProvider.mac(MacAlgorithm::HmacSha1, b"another key")));
        assert_eq!(message.unknown_required().count(), 0);
        if let Some(mapped) = vector["mapped"].as_str() {
            assert_eq!(message.class(), Class::Success);
            assert_eq!(message.mapped_address(), Some(mapped.parse().unwrap()));
        }
        if let Some(username) = vector["username"].as_str().filter(|_| message.class() == Class::Request) {
            assert_eq!(message.username(), Some(username));
        }
        if vector["priority"].is_string() {
            assert_eq!(message.priority(), Some(0x6e00_01ff));
            assert_eq!(message.controlled(), Some(0x932f_f9b1_5126_3b36));
        }
    }
}

#[test]
fn what_is_built_is_what_is_published() {
    let vectors = vectors();
    let vector = vectors.iter().find(|vector| vector["name"] == "response-ipv4").unwrap();
    let expected = hex(vector["hex"].as_str().unwrap());
    let transaction = Message::parse(&expected).unwrap().transaction();
    let mut built = Vec::new();
    let len = Builder::new(&mut built, Class::Success, Method::BINDING, transaction)
        .attribute(AttributeType::SOFTWARE, b"test vector")
        .xor_mapped_address("192.0.2.1:32853".parse().unwrap())
        .integrity(&*key(vector))
        .fingerprint();
    assert_eq!(len, expected.len());
    // The vector pads with a space where zero is to be sent, and integrity and fingerprint count the padding.
    let message = Message::parse(&built).unwrap();
    assert!(message.verify_integrity(&*key(vector)));
    assert_eq!(message.mapped_address(), Message::parse(&expected).unwrap().mapped_address());
}

#[test]
fn no_mangled_message_is_authentic_and_none_panics() {
    for vector in vectors() {
        let bytes = hex(vector["hex"].as_str().unwrap());
        for len in 0..bytes.len() {
            assert!(Message::parse(&bytes[..len]).is_err());
        }
        for at in 0..bytes.len() {
            for flip in 1..=255 {
                let mut mangled = bytes.clone();
                mangled[at] ^= flip;
                pavane_stun::fuzzing::message(&mangled);
                if let Ok(message) = Message::parse(&mangled) {
                    assert!(!message.has_fingerprint() || !message.verify_integrity(&*key(&vector)));
                }
            }
        }
    }
}

#[test]
fn attributes_behind_integrity_do_not_count() {
    let key = SoftwareProvider.mac(MacAlgorithm::HmacSha1, b"key");
    let mut bytes = Vec::new();
    let transaction = pavane_stun::TransactionId([1; 12]);
    Builder::new(&mut bytes, Class::Request, Method::BINDING, transaction)
        .priority(1)
        .integrity(&*key)
        .attribute(AttributeType::USE_CANDIDATE, &[])
        .attribute(AttributeType(0x7001), &[])
        .fingerprint();
    let message = Message::parse(&bytes).unwrap();
    assert!(message.verify_integrity(&*key));
    assert_eq!(message.priority(), Some(1));
    assert!(!message.use_candidate());
    assert_eq!(message.unknown_required().count(), 0);
}

#[test]
fn unknown_attributes_that_must_be_understood_are_listed() {
    let mut bytes = Vec::new();
    Builder::new(&mut bytes, Class::Request, Method::BINDING, pavane_stun::TransactionId([1; 12]))
        .attribute(AttributeType(0x7001), b"abc")
        .attribute(AttributeType(0xc057), &[0; 4])
        .finish();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.unknown_required().collect::<Vec<_>>(), [AttributeType(0x7001)]);
}

#[test]
fn behind_the_stronger_integrity_only_the_fingerprint_counts() {
    let key = SoftwareProvider.mac(MacAlgorithm::HmacSha1, b"key");
    let mut bytes = Vec::new();
    let transaction = pavane_stun::TransactionId([1; 12]);
    Builder::new(&mut bytes, Class::Request, Method::BINDING, transaction)
        .attribute(AttributeType::MESSAGE_INTEGRITY_SHA256, &[0; 32])
        .integrity(&*key)
        .fingerprint();
    let message = Message::parse(&bytes).unwrap();
    assert!(!message.verify_integrity(&*key));
    assert!(message.has_fingerprint());
    assert_eq!(message.attributes().count(), 2);
}

#[test]
fn the_first_of_two_counts() {
    let mut bytes = Vec::new();
    Builder::new(&mut bytes, Class::Request, Method::BINDING, pavane_stun::TransactionId([1; 12]))
        .priority(1)
        .priority(2)
        .fingerprint();
    assert_eq!(Message::parse(&bytes).unwrap().priority(), Some(1));
}

#[test]
fn error_responses_come_back() {
    let mut bytes = Vec::new();
    let kinds = [AttributeType(0x7001), AttributeType(0x7002), AttributeType(0x7003)];
    Builder::new(&mut bytes, Class::Error, Method::BINDING, pavane_stun::TransactionId([1; 12]))
        .error_code(ErrorCode::UNKNOWN_ATTRIBUTE)
        .unknown_attributes(kinds.into_iter())
        .finish();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.class(), Class::Error);
    assert_eq!(message.error_code(), Some(ErrorCode(420)));
    assert_eq!(message.unknown_attributes().collect::<Vec<_>>(), kinds);
}

#[test]
fn browsers_messages_are_read() {
    let engine = base64::engine::general_purpose::STANDARD;
    let captured = include_str!("../testdata/frombrowsers.csv");
    let rows = captured.lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut count = 0;
    for row in rows {
        let bytes = engine.decode(row.split(',').next().unwrap()).unwrap();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.method(), Method::BINDING, "{row}");
        count += 1;
    }
    assert!(count > 10);
}

/// With an attribute 0x802f of its own, which need not be understood.
#[test]
fn a_request_of_chrome_is_read() {
    let message = Message::parse(include_bytes!("../testdata/ex1_chrome.stun")).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
    assert_eq!(message.unknown_required().count(), 0);
}

#[test]
fn requests_to_a_relay_are_framed_alike() {
    let captured = include_str!("../testdata/chrome-allocate-request.hex");
    for line in captured.split_whitespace() {
        let bytes = hex(line);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.method(), Method(3));
        assert!(message.attributes().count() > 0);
    }
}

/// The standard prints a length of 156 for a message of 136 bytes.
#[test]
fn a_message_whose_length_is_wrong_is_none() {
    let vectors: Value = serde_json::from_str(include_str!("../testdata/rfc8489-appendix-b.json")).unwrap();
    let bytes = hex(vectors[0]["hex"].as_str().unwrap());
    assert_eq!(Message::parse(&bytes).unwrap_err(), ParseError::NotStun);
}

#[test]
fn no_seed_of_libwebrtcs_fuzzer_panics() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/libwebrtc");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let seed = std::fs::read(entry.unwrap().path()).unwrap();
        pavane_stun::fuzzing::message(&seed);
        for at in 0..seed.len().min(256) {
            pavane_stun::fuzzing::message(&seed[..at]);
            let mut mangled = seed.clone();
            mangled[at] ^= 0x81;
            pavane_stun::fuzzing::message(&mangled);
        }
        count += 1;
    }
    assert!(count > 10);
}
