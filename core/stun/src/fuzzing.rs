//! What fuzzers call.

use crate::Message;

/// Reads any bytes, and everything that can be asked of a message.
pub fn message(data: &[u8]) {
    let Ok(message) = Message::parse(data) else { return };
    message.attributes().for_each(drop);
    message.unknown_required().for_each(drop);
    let _ = (message.mapped_address(), message.username(), message.priority(), message.use_candidate());
    let _ = (message.controlling(), message.controlled(), message.error_code(), message.has_fingerprint());
}
