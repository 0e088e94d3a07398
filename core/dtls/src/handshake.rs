//! Handshake messages and the fragments in which they travel (RFC 6347 §4.2.2).
//!
//! ```text
//! | type 1 | length 3 | message_seq 2 | fragment_offset 3 | fragment_length 3 | fragment … |
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, WriteExt};

/// The header's length.
pub(crate) const HEADER_LEN: usize = 12;

/// The longest message that is accepted: a chain of certificates is the longest of all, and 16 kB hold a dozen.
pub(crate) const MAX_MESSAGE_LEN: usize = 1 << 14;

/// The type of a handshake message, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandshakeType(pub(crate) u8);

impl HandshakeType {
    pub(crate) const HELLO_REQUEST: Self = Self(0);
    pub(crate) const CLIENT_HELLO: Self = Self(1);
    pub(crate) const SERVER_HELLO: Self = Self(2);
    pub(crate) const HELLO_VERIFY_REQUEST: Self = Self(3);
    pub(crate) const CERTIFICATE: Self = Self(11);
    pub(crate) const SERVER_KEY_EXCHANGE: Self = Self(12);
    pub(crate) const CERTIFICATE_REQUEST: Self = Self(13);
    pub(crate) const SERVER_HELLO_DONE: Self = Self(14);
    pub(crate) const CERTIFICATE_VERIFY: Self = Self(15);
    pub(crate) const CLIENT_KEY_EXCHANGE: Self = Self(16);
    pub(crate) const FINISHED: Self = Self(20);
}

/// A whole handshake message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The epoch of the records that carried it.
    pub(crate) epoch: u16,
    pub(crate) kind: HandshakeType,
    pub(crate) seq: u16,
    pub(crate) body: Vec<u8>,
}

/// What stands before a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FragmentHeader {
    pub(crate) kind: HandshakeType,
    /// The whole message's length.
    pub(crate) length: usize,
    pub(crate) seq: u16,
    pub(crate) offset: usize,
    pub(crate) fragment_length: usize,
}

impl FragmentHeader {
    /// The header of a message in one piece: what the transcript holds, however it was sent (RFC 6347 §4.2.6).
    pub(crate) const fn whole(kind: HandshakeType, seq: u16, length: usize) -> Self {
        Self { kind, length, seq, offset: 0, fragment_length: length }
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.put_u8(self.kind.0);
        out.put_u24(self.length as u32);
        out.put_u16(self.seq);
        out.put_u24(self.offset as u32);
        out.put_u24(self.fragment_length as u32);
    }
}

/// A piece of a handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment<'a> {
    pub(crate) header: FragmentHeader,
    pub(crate) bytes: &'a [u8],
}

/// A fragment whose header makes no sense, or that is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadFragment;

impl<'a> Fragment<'a> {
    /// Takes one fragment off the front of a record's payload.
    pub(crate) fn parse(r: &mut Reader<'a>) -> Result<Self, BadFragment> {
        let header = Self::parse_header(r).map_err(|_| BadFragment)?;
        let bytes = r.take(header.fragment_length).map_err(|_| BadFragment)?;
        match header.offset + header.fragment_length <= header.length {
            true => Ok(Self { header, bytes }),
            false => Err(BadFragment),
        }
    }

    fn parse_header(r: &mut Reader<'a>) -> Result<FragmentHeader, pavane_base::Truncated> {
        Ok(FragmentHeader {
            kind: HandshakeType(r.u8()?),
            length: r.u24()? as usize,
            seq: r.u16()?,
            offset: r.u24()? as usize,
            fragment_length: r.u24()? as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn fragments_round_trip() {
        let header = FragmentHeader {
            kind: HandshakeType::CERTIFICATE,
            length: 0x01_0203,
            seq: 7,
            offset: 0x01_0000,
            fragment_length: 2,
        };
        let mut out = vec![];
        header.write(&mut out);
        out.put(b"xyz");
        let mut r = Reader::new(&out);
        assert_eq!(Fragment::parse(&mut r), Ok(Fragment { header, bytes: b"xy" }));
        assert_eq!(r.rest(), b"z");
        for len in 0..HEADER_LEN + 2 {
            assert_eq!(Fragment::parse(&mut Reader::new(&out[..len])), Err(BadFragment));
        }
    }

    #[test]
    fn a_fragment_stays_within_its_message() {
        let mut out = vec![];
        FragmentHeader { kind: HandshakeType::FINISHED, length: 4, seq: 0, offset: 3, fragment_length: 2 }
            .write(&mut out);
        out.put(b"ab");
        assert_eq!(Fragment::parse(&mut Reader::new(&out)), Err(BadFragment));
    }
}
