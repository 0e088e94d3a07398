//! HelloVerifyRequest (RFC 6347 §4.2.1).

use pavane_base::{Reader, Truncated};

/// A server's wish to see its cookie in a second ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HelloVerifyRequest<'a> {
    pub(crate) cookie: &'a [u8],
}

impl<'a> HelloVerifyRequest<'a> {
    /// Reads the message; its version means nothing (RFC 6347 §4.2.1: no negotiation by it).
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Truncated> {
        let mut r = Reader::new(body);
        r.u16()?;
        let cookie = r.prefixed_u8()?;
        if r.is_empty() { Ok(Self { cookie }) } else { Err(Truncated) }
    }
}
