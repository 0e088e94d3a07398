//! What fuzzers call.

use pavane_crypto::{Digest, Mac};

use crate::Message;

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
    let _ = (message.software(), message.verify_integrity(&NoKey));
    let _ = (message.controlling(), message.controlled(), message.error_code(), message.has_fingerprint());
}
