//! ClientHello (RFC 6347 §4.2.1).
//!
//! ```text
//! | version 2 | random 32 | session_id <0..32> | cookie <0..255> | cipher_suites <2..2^16-2> | compression <1..255> | extensions |
//! ```

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use super::{Extensions, Random, parse_code_list};
use crate::Misbehaved;

/// What a client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    pub(crate) version: u16,
    pub(crate) random: Random,
    pub(crate) session_id: &'a [u8],
    pub(crate) cookie: &'a [u8],
    pub(crate) cipher_suites: Vec<u16>,
    pub(crate) compression_methods: &'a [u8],
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> ClientHello<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Misbehaved> {
        let mut r = Reader::new(body);
        let (mut hello, cipher_suites) = Self::parse_fixed(&mut r).map_err(|_| Misbehaved::Malformed)?;
        hello.cipher_suites = parse_code_list(cipher_suites)?;
        hello.extensions = Extensions::parse(&mut r)?;
        Ok(hello)
    }

    fn parse_fixed(r: &mut Reader<'a>) -> Result<(Self, &'a [u8]), Truncated> {
        let version = r.u16()?;
        let random = r.array()?;
        let session_id = r.prefixed_u8()?;
        let cookie = r.prefixed_u8()?;
        let cipher_suites = r.prefixed_u16()?;
        let compression_methods = r.prefixed_u8()?;
        let hello = Self {
            version,
            random,
            session_id,
            cookie,
            cipher_suites: Vec::new(),
            compression_methods,
            extensions: Extensions::default(),
        };
        Ok((hello, cipher_suites))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u16(self.version);
        out.put(&self.random);
        out.put_prefixed(LengthPrefix::U8, |out| out.put(self.session_id));
        out.put_prefixed(LengthPrefix::U8, |out| out.put(self.cookie));
        out.put_prefixed(LengthPrefix::U16, |out| self.cipher_suites.iter().for_each(|s| out.put_u16(*s)));
        out.put_prefixed(LengthPrefix::U8, |out| out.put(self.compression_methods));
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
    fn hellos_round_trip_and_prefixes_are_refused() {
        let mut extensions = Extensions::default();
        extensions.push(ExtensionType(0x1234), vec![1, 2]);
        let hello = ClientHello {
            version: 0xfefd,
            random: [7; 32],
            session_id: &[1],
            cookie: &[2, 3],
            cipher_suites: vec![0xc02b, 0x0a0a],
            compression_methods: &[0],
            extensions,
        };
        let bytes = hello.encode();
        assert_eq!(ClientHello::parse(&bytes), Ok(hello.clone()));
        let without = ClientHello { extensions: Extensions::default(), ..hello };
        let fixed = without.encode().len();
        for len in (0..bytes.len()).filter(|len| *len != fixed) {
            assert_eq!(ClientHello::parse(&bytes[..len]), Err(Misbehaved::Malformed), "{len}");
        }
        assert_eq!(ClientHello::parse(&bytes[..fixed]), Ok(without));
    }
}
