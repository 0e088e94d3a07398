//! Record framing (RFC 6347 §4.1).
//!
//! ```text
//! | type 1 | version 2 | epoch 2 | sequence 6 | length 2 | body … |
//! ```

use pavane_base::{Reader, Truncated};

/// The header's length.
pub(crate) const HEADER_LEN: usize = 13;

/// The longest plaintext of a record (RFC 5246 §6.2.1).
pub(crate) const MAX_PLAINTEXT: usize = 1 << 14;

/// The longest body of a protected record (RFC 5246 §6.2.3).
pub(crate) const MAX_CIPHERTEXT: usize = MAX_PLAINTEXT + 2048;

/// The highest sequence number of an epoch: 48 bits, and no wrapping (RFC 6347 §4.1).
pub(crate) const MAX_SEQUENCE: u64 = (1 << 48) - 1;

/// A version of the protocol, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// DTLS 1.2 (RFC 6347).
    Dtls12,
}

impl Version {
    /// The number on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Self::Dtls12 => wire_version::DTLS_1_2,
        }
    }
}

/// Versions as they stand on the wire: the ones' complement of TLS's way, so that a newer version is a lower number.
pub(crate) mod wire_version {
    /// In the record that carries a ClientHello, before a version is known.
    pub(crate) const DTLS_1_0: u16 = 0xfeff;
    pub(crate) const DTLS_1_2: u16 = 0xfefd;
}

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

impl ContentType {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            20 => Some(Self::ChangeCipherSpec),
            21 => Some(Self::Alert),
            22 => Some(Self::Handshake),
            23 => Some(Self::ApplicationData),
            _ => None,
        }
    }
}

/// A record's number: no two records of one direction have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordNumber {
    pub(crate) epoch: u16,
    pub(crate) sequence: u64,
}

impl RecordNumber {
    /// Epoch and sequence number, side by side as on the wire.
    pub(crate) const fn to_bytes(self) -> [u8; 8] {
        ((self.epoch as u64) << 48 | (self.sequence & MAX_SEQUENCE)).to_be_bytes()
    }
}

/// What stands before a record's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// The content type's number, known or not.
    pub(crate) content: u8,
    pub(crate) version: u16,
    pub(crate) number: RecordNumber,
}

impl RecordHeader {
    /// The header's bytes, for a body of `length` octets.
    pub(crate) fn to_bytes(self, length: u16) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = self.content;
        bytes[1..3].copy_from_slice(&self.version.to_be_bytes());
        bytes[3..11].copy_from_slice(&self.number.to_bytes());
        bytes[11..].copy_from_slice(&length.to_be_bytes());
        bytes
    }

    fn parse(r: &mut Reader<'_>) -> Result<(Self, usize), Truncated> {
        let header = Self {
            content: r.u8()?,
            version: r.u16()?,
            number: RecordNumber { epoch: r.u16()?, sequence: r.u48()? },
        };
        Ok((header, usize::from(r.u16()?)))
    }
}

/// Takes one record off the front of `rest`.
///
/// With `None`, no record could be made out and `rest` is empty: without a credible length there is no telling where a
/// next record would begin.
pub(crate) fn split<'d>(rest: &mut &'d mut [u8]) -> Option<(RecordHeader, &'d mut [u8])> {
    const MAJOR: u16 = 0xfe;
    let datagram = core::mem::take(rest);
    let (header, length) = RecordHeader::parse(&mut Reader::new(datagram)).ok()?;
    // The minor version is of no interest before one is negotiated (RFC 6347 §4.2.1); the major one tells rubbish.
    if header.version >> 8 != MAJOR || length > MAX_CIPHERTEXT {
        return None;
    }
    let (_, after_header) = datagram.split_at_mut_checked(HEADER_LEN)?;
    let (body, tail) = after_header.split_at_mut_checked(length)?;
    *rest = tail;
    Some((header, body))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn header(content: u8) -> RecordHeader {
        RecordHeader {
            content,
            version: wire_version::DTLS_1_2,
            number: RecordNumber { epoch: 1, sequence: 0x0102_0304_0506 },
        }
    }

    #[test]
    fn records_are_taken_off_one_by_one() {
        let mut datagram = vec![];
        datagram.extend_from_slice(&header(22).to_bytes(3));
        datagram.extend_from_slice(b"abc");
        datagram.extend_from_slice(&header(99).to_bytes(0));
        let mut rest = &mut datagram[..];
        let (first, body) = split(&mut rest).unwrap();
        assert_eq!((first, &*body), (header(22), &b"abc"[..]));
        let (second, body) = split(&mut rest).unwrap();
        assert_eq!((second, &*body), (header(99), &b""[..]));
        assert!(split(&mut rest).is_none());
    }

    #[test]
    fn an_incredible_length_ends_the_datagram() {
        for len in 0..HEADER_LEN + 3 {
            let mut datagram = vec![];
            datagram.extend_from_slice(&header(22).to_bytes(3));
            datagram.extend_from_slice(b"abc");
            let mut rest = &mut datagram[..len];
            assert!(split(&mut rest).is_none());
            assert!(rest.is_empty());
        }
    }
}
