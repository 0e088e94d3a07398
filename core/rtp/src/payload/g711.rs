//! G.711, of both laws (RFC 3551 §4.5.14): a byte is a sample.

use super::descriptor::{Descriptor, Malformed};

pub(super) const fn describe(payload: &[u8]) -> Result<Descriptor, Malformed> {
    if payload.is_empty() { Err(Malformed) } else { Ok(Descriptor::whole(payload.len())) }
}
