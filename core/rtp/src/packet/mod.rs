//! An RTP packet that was received (RFC 3550 §5.1).
//!
//! ```text
//!  2 bits  version 2     1 padding    1 extension    4 CSRC count
//!  1 bit   marker        7 payload type              16 sequence number
//!  32      timestamp
//!  32      SSRC
//!  32 × n  CSRCs
//!  [16 profile, 16 length in words, that many words of extension]
//!  payload, then padding whose last byte counts it
//! ```

use core::fmt;

use pavane_base::{Reader, Truncated};

use crate::{ExtensionId, PayloadType, RtpTimestamp, SequenceNumber, Ssrc};

mod extensions;
mod header;
mod rewrite;
#[cfg(test)]
mod tests;

pub use extensions::Extensions;
pub(crate) use header::pad;
pub use header::{Header, HeaderBuilder};
pub use rewrite::PacketMut;
pub(crate) use rewrite::unwrap_retransmission;

/// The bits of the first byte.
pub(crate) const VERSION: u8 = 2 << 6;
pub(crate) const PADDING_BIT: u8 = 0x20;
pub(crate) const EXTENSION_BIT: u8 = 0x10;
/// The marker's bit in the second byte.
pub(crate) const MARKER_BIT: u8 = 0x80;

/// A view of a packet whose lengths have been checked.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    header: Header,
    csrcs: &'a [u8],
    extension: Option<Block<'a>>,
    payload: &'a [u8],
    padding: u8,
}

/// The header extension as it lies in the packet.
#[derive(Clone, Copy)]
struct Block<'a> {
    profile: u16,
    data: &'a [u8],
}

/// Bytes that are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// They end too early.
    Truncated,
    /// Their version is not 2.
    Version,
    /// The padding says that it has no bytes, or more than there are.
    Padding,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the packet is truncated",
            Self::Version => "the version is not 2",
            Self::Padding => "the padding does not fit the packet",
        })
    }
}

impl core::error::Error for ParseError {}

impl From<Truncated> for ParseError {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

impl<'a> Packet<'a> {
    /// Checks the bytes and makes a view of them.
    ///
    /// # Errors
    /// If they are no packet. What is wrong inside a header extension is no error: the elements before it count.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let first = reader.u8()?;
        if first & 0xc0 != VERSION {
            return Err(ParseError::Version);
        }
        let second = reader.u8()?;
        let header = Header {
            marker: second & MARKER_BIT != 0,
            payload_type: PayloadType::from_low_bits(second),
            sequence_number: SequenceNumber(reader.u16()?),
            timestamp: RtpTimestamp(reader.u32()?),
            ssrc: Ssrc(reader.u32()?),
        };
        let csrcs = reader.take(usize::from(first & 0x0f) * 4)?;
        let extension = match first & EXTENSION_BIT {
            0 => None,
            _ => {
                let profile = reader.u16()?;
                let words = usize::from(reader.u16()?);
                Some(Block { profile, data: reader.take(words * 4)? })
            }
        };
        let (payload, padding) = split_padding(reader.rest(), first & PADDING_BIT != 0)?;
        Ok(Self { bytes, header, csrcs, extension, payload, padding })
    }

    /// The fixed fields.
    pub const fn header(&self) -> Header {
        self.header
    }

    /// The marker, whose meaning is the payload format's.
    pub const fn marker(&self) -> bool {
        self.header.marker
    }

    /// The payload's format.
    pub const fn payload_type(&self) -> PayloadType {
        self.header.payload_type
    }

    /// The packet's number in its stream.
    pub const fn sequence_number(&self) -> SequenceNumber {
        self.header.sequence_number
    }

    /// The media's moment.
    pub const fn timestamp(&self) -> RtpTimestamp {
        self.header.timestamp
    }

    /// The stream's source.
    pub const fn ssrc(&self) -> Ssrc {
        self.header.ssrc
    }

    /// The sources that a mixer combined, at most 15.
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = Ssrc> + use<'a> {
        self.csrcs.as_chunks().0.iter().map(|word| Ssrc(u32::from_be_bytes(*word)))
    }

    /// The elements of the header extension (RFC 8285); none if it is of another kind.
    pub fn extensions(&self) -> Extensions<'a> {
        self.extension.map_or_else(Extensions::default, |block| Extensions::new(block.profile, block.data))
    }

    /// The header extension as it is: its profile number and its words.
    pub fn raw_extension(&self) -> Option<(u16, &'a [u8])> {
        self.extension.map(|block| (block.profile, block.data))
    }

    /// The first element of this id.
    pub fn extension(&self, id: ExtensionId) -> Option<&'a [u8]> {
        self.extensions().find(|(found, _)| *found == id).map(|(_, value)| value)
    }

    /// The payload without padding; empty in a packet that is padding alone.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many bytes of padding follow the payload.
    pub const fn padding_len(&self) -> u8 {
        self.padding
    }

    /// How many bytes come before the payload.
    pub const fn header_len(&self) -> usize {
        self.bytes.len() - self.payload.len() - self.padding as usize
    }

    /// The whole packet.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} payload {} padding {}", self.header, self.payload.len(), self.padding)
    }
}

/// Takes the padding off the end (RFC 3550 §5.1).
fn split_padding(bytes: &[u8], padded: bool) -> Result<(&[u8], u8), ParseError> {
    if !padded {
        return Ok((bytes, 0));
    }
    let padding = *bytes.last().ok_or(ParseError::Padding)?;
    match bytes.len().checked_sub(usize::from(padding)).and_then(|len| bytes.get(..len)) {
        Some(payload) if padding != 0 => Ok((payload, padding)),
        _ => Err(ParseError::Padding),
    }
}
