//! ClientKeyExchange of ECDHE (RFC 8422 §5.7).

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

/// The client's ephemeral public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientKeyExchange<'a> {
    pub(crate) public_key: &'a [u8],
}

impl<'a> ClientKeyExchange<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Truncated> {
        let mut r = Reader::new(body);
        let public_key = r.prefixed_u8()?;
        if r.is_empty() { Ok(Self { public_key }) } else { Err(Truncated) }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_prefixed(LengthPrefix::U8, |out| out.put(self.public_key));
        out
    }
}
