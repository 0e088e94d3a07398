//! ServerHello (RFC 5246 §7.4.1.3).
//!
//! ```text
//! | version 2 | random 32 | session_id <0..32> | cipher_suite 2 | compression 1 | extensions |
//! ```

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use super::{Extensions, Random};
use crate::Misbehaved;

/// What a server chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello<'a> {
    pub(crate) version: u16,
    pub(crate) random: Random,
    pub(crate) session_id: &'a [u8],
    pub(crate) cipher_suite: u16,
    pub(crate) compression_method: u8,
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> ServerHello<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Misbehaved> {
        let mut r = Reader::new(body);
        let mut hello = Self::parse_fixed(&mut r).map_err(|_| Misbehaved::Malformed)?;
        hello.extensions = Extensions::parse(&mut r)?;
        Ok(hello)
    }

    fn parse_fixed(r: &mut Reader<'a>) -> Result<Self, Truncated> {
        Ok(Self {
            version: r.u16()?,
            random: r.array()?,
            session_id: r.prefixed_u8()?,
            cipher_suite: r.u16()?,
            compression_method: r.u8()?,
            extensions: Extensions::default(),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u16(self.version);
        out.put(&self.random);
        out.put_prefixed(LengthPrefix::U8, |out| out.put(self.session_id));
        out.put_u16(self.cipher_suite);
        out.put_u8(self.compression_method);
        self.extensions.encode(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::messages::ExtensionType;

    #[test]
    fn hellos_round_trip() {
        let mut extensions = Extensions::default();
        extensions.push(ExtensionType::RENEGOTIATION_INFO, vec![0]);
        let hello = ServerHello {
            version: 0xfefd,
            random: [7; 32],
            session_id: &[],
            cipher_suite: 0xc02b,
            compression_method: 0,
            extensions,
        };
        let bytes = hello.encode();
        assert_eq!(ServerHello::parse(&bytes), Ok(hello));
        assert_eq!(ServerHello::parse(&bytes[..bytes.len() - 1]), Err(Misbehaved::Malformed));
    }
}
