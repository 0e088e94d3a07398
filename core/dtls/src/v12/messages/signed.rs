//! A signature and its scheme: all of CertificateVerify, and the end of ServerKeyExchange (RFC 5246 §4.7, §7.4.8).

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

/// A digitally signed element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed<'a> {
    pub(crate) scheme: u16,
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads the rest of a message.
    pub(crate) fn parse(r: &mut Reader<'a>) -> Result<Self, Truncated> {
        let signed = Self { scheme: r.u16()?, signature: r.prefixed_u16()? };
        if r.is_empty() { Ok(signed) } else { Err(Truncated) }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.scheme);
        out.put_prefixed(LengthPrefix::U16, |out| out.put(self.signature));
    }
}
