//! What fuzzers call.

use alloc::vec::Vec;

use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Digest, Mac};

use crate::{AttributeType, Builder, Class, LongTerm, LongTermCredentials, Message, Method, TransactionId};

/// Makes every code all zeros, so that no fuzzer has to find one.
struct NoKey;

impl Mac for NoKey {
    fn sign(&self, _: &[&[u8]]) -> Digest {
        Digest::new(&[0; 20])
    }
}

/// Reads any bytes, and everything that can be asked of a message.
pub fn message(data: &[u8]) {
    let Ok(message) = Message::parse(data) else { return };
    message.attributes().for_each(drop);
    message.unknown_required().for_each(drop);
    let _ = (message.mapped_address(), message.username(), message.priority(), message.use_candidate());
    message.unknown_attributes().for_each(drop);
    let _ = (message.alternate_server(), message.lifetime(), message.channel_number());
    message.xor_addresses(AttributeType::XOR_PEER_ADDRESS).for_each(drop);
    let range = message.range_of(AttributeType::DATA);
    assert_eq!(range.and_then(|range| data.get(range)), message.attribute(AttributeType::DATA));
    let _ = message.verify_integrity_sha256(&NoKey);
    challenge(&message);
    let _ = (message.software(), message.verify_integrity(&NoKey));
    let _ = (message.controlling(), message.controlled(), message.error_code(), message.has_fingerprint());
}

/// Answers a challenge, if it is one.
fn challenge(message: &Message<'_>) {
    let user = LongTermCredentials { username: "user".into(), password: "pass".into() };
    let Ok(session) = LongTerm::answer(&SoftwareProvider, &user, message, None) else { return };
    let mut request = Vec::new();
    session.seal(Builder::new(&mut request, Class::Request, Method::ALLOCATE, TransactionId([1; 12])));
    let request = Message::parse(&request).expect("what is written is well-formed");
    assert!(session.verify(&request));
}
