//! A message that is being written.

use alloc::vec::Vec;
use core::net::SocketAddr;

use pavane_base::{LengthPrefix, WriteExt};
use pavane_crypto::Mac;

use crate::address::{self, Mask};
use crate::header::{HEADER_LEN, MAGIC_COOKIE, message_type};
use crate::message::{ATTRIBUTE_HEADER_LEN, FINGERPRINT_MASK, INTEGRITY_LEN, INTEGRITY_SHA256_LEN};
use crate::{AttributeType, Class, ErrorCode, Method, TransactionId};

/// Writes one message behind what a buffer holds.
///
/// The attributes come in the order of the calls; [`integrity`](Self::integrity) and then
/// [`fingerprint`](Self::fingerprint) come last.
#[derive(Debug)]
pub struct Builder<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    transaction: TransactionId,
}

impl<'b> Builder<'b> {
    /// Begins a message.
    pub fn new(out: &'b mut Vec<u8>, class: Class, method: Method, transaction: TransactionId) -> Self {
        let start = out.len();
        out.put_u16(message_type(class, method));
        out.put_u16(0);
        out.put_u32(MAGIC_COOKIE);
        out.put(&transaction.0);
        Self { out, start, transaction }
    }

    /// Adds an attribute.
    ///
    /// # Panics
    /// If the value is longer than an attribute can be.
    #[must_use]
    pub fn attribute(self, kind: AttributeType, value: &[u8]) -> Self {
        self.write(kind, |out| out.put(value))
    }

    /// Adds XOR-MAPPED-ADDRESS.
    #[must_use]
    pub fn xor_mapped_address(self, address: SocketAddr) -> Self {
        self.xor_address(AttributeType::XOR_MAPPED_ADDRESS, address)
    }

    /// Adds an address that is written like XOR-MAPPED-ADDRESS: that of a peer or on a relay.
    #[must_use]
    pub fn xor_address(self, kind: AttributeType, address: SocketAddr) -> Self {
        let mask = Mask::of(self.transaction);
        self.write(kind, |out| address::write(out, address, mask))
    }

    /// Adds an address that is written like MAPPED-ADDRESS: ALTERNATE-SERVER.
    #[must_use]
    pub fn plain_address(self, kind: AttributeType, address: SocketAddr) -> Self {
        self.write(kind, |out| address::write(out, address, Mask::NONE))
    }

    /// Adds the USERNAME of a check: the peer's ufrag, a colon, ours (RFC 8445 §7.2.2).
    #[must_use]
    pub fn username(self, theirs: &str, ours: &str) -> Self {
        self.write(AttributeType::USERNAME, |out| {
            out.put(theirs.as_bytes());
            out.put(b":");
            out.put(ours.as_bytes());
        })
    }

    /// Adds PRIORITY.
    #[must_use]
    pub fn priority(self, priority: u32) -> Self {
        self.attribute(AttributeType::PRIORITY, &priority.to_be_bytes())
    }

    /// Adds ERROR-CODE, without a reason in words.
    #[must_use]
    pub fn error_code(self, code: ErrorCode) -> Self {
        let class = u8::try_from(code.0 / 100).unwrap_or_default();
        let number = u8::try_from(code.0 % 100).unwrap_or_default();
        self.attribute(AttributeType::ERROR_CODE, &[0, 0, class, number])
    }

    /// Adds UNKNOWN-ATTRIBUTES.
    #[must_use]
    pub fn unknown_attributes(self, kinds: impl Iterator<Item = AttributeType>) -> Self {
        self.write(AttributeType::UNKNOWN_ATTRIBUTES, |out| kinds.for_each(|kind| out.put_u16(kind.0)))
    }

    /// Adds MESSAGE-INTEGRITY.
    #[must_use]
    pub fn integrity(mut self, key: &dyn Mac) -> Self {
        self.set_len(ATTRIBUTE_HEADER_LEN + INTEGRITY_LEN);
        let code = key.sign(&[&self.out[self.start..]]);
        self.attribute(AttributeType::MESSAGE_INTEGRITY, &code)
    }

    /// Adds MESSAGE-INTEGRITY-SHA256, untruncated (RFC 8489 §14.6).
    #[must_use]
    pub fn integrity_sha256(mut self, key: &dyn Mac) -> Self {
        self.set_len(ATTRIBUTE_HEADER_LEN + INTEGRITY_SHA256_LEN);
        let code = key.sign(&[&self.out[self.start..]]);
        self.attribute(AttributeType::MESSAGE_INTEGRITY_SHA256, &code)
    }

    /// Adds FINGERPRINT and ends the message; returns its length.
    pub fn fingerprint(mut self) -> usize {
        self.set_len(ATTRIBUTE_HEADER_LEN + 4);
        let crc = crc32fast::hash(&self.out[self.start..]) ^ FINGERPRINT_MASK;
        self.attribute(AttributeType::FINGERPRINT, &crc.to_be_bytes()).finish()
    }

    /// Ends the message without a fingerprint; returns its length.
    pub fn finish(mut self) -> usize {
        self.set_len(0);
        self.out.len() - self.start
    }

    fn write(self, kind: AttributeType, value: impl FnOnce(&mut Vec<u8>)) -> Self {
        self.out.put_u16(kind.0);
        self.out.put_prefixed(LengthPrefix::U16, value);
        let padding = (self.out.len() - self.start).wrapping_neg() % 4;
        self.out.resize(self.out.len() + padding, 0);
        self
    }

    /// Has the header count what is there and `more`.
    fn set_len(&mut self, more: usize) {
        let len = self.out.len() - self.start - HEADER_LEN + more;
        let len = u16::try_from(len).expect("the messages that are written here are short");
        self.out[self.start + 2..self.start + 4].copy_from_slice(&len.to_be_bytes());
    }
}
