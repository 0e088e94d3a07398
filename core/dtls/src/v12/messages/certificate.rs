//! Certificate (RFC 5246 §7.4.2).

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

/// A chain of certificates, the sender's own one first.
///
/// Only that one matters: the fingerprint is of the end entity's certificate, and no authority vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    /// The sender's certificate in DER; `None` if it has none.
    pub(crate) end_entity: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Truncated> {
        let mut r = Reader::new(body);
        let mut chain = Reader::new(r.prefixed_u24()?);
        let mut end_entity = None;
        while !chain.is_empty() {
            let certificate = chain.prefixed_u24()?;
            end_entity.get_or_insert(certificate);
        }
        if r.is_empty() { Ok(Self { end_entity }) } else { Err(Truncated) }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_prefixed(LengthPrefix::U24, |out| {
            if let Some(certificate) = self.end_entity {
                out.put_prefixed(LengthPrefix::U24, |out| out.put(certificate));
            }
        });
        out
    }
}
