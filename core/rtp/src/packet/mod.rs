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
use core::num::NonZeroUsize;

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

/// The length of what every packet has.
const FIXED_LEN: usize = 12;
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
    layout: Layout,
}

/// Where a packet's parts lie, and its fixed fields.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    header: Header,
    /// Where the extension's words begin, if it has any: behind its profile and length, and up to the payload.
    extension: Option<NonZeroUsize>,
    payload: usize,
    payload_end: usize,
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

impl Layout {
    /// Checks the bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        // What is of another protocol is named as such, however short it is.
        if bytes.first().is_some_and(|first| first & 0xc0 != VERSION) {
            return Err(ParseError::Version);
        }
        let mut reader = Reader::new(bytes);
        let [first, second, s0, s1, t0, t1, t2, t3, ssrc @ ..] = reader.array::<FIXED_LEN>()?;
        let header = Header {
            marker: second & MARKER_BIT != 0,
            payload_type: PayloadType::from_low_bits(second),
            sequence_number: SequenceNumber(u16::from_be_bytes([s0, s1])),
            timestamp: RtpTimestamp(u32::from_be_bytes([t0, t1, t2, t3])),
            ssrc: Ssrc(u32::from_be_bytes(ssrc)),
        };
        reader.take(csrcs_len(first))?;
        let extension = match first & EXTENSION_BIT {
            0 => None,
            _ => {
                let [_, _, high, low] = reader.array::<4>()?;
                let at = bytes.len() - reader.remaining();
                reader.take(usize::from(u16::from_be_bytes([high, low])) * 4)?;
                NonZeroUsize::new(at)
            }
        };
        let payload = bytes.len() - reader.remaining();
        let padding = padding_len(reader.rest(), first & PADDING_BIT != 0)?;
        Ok(Self { header, extension, payload, payload_end: bytes.len() - padding })
    }
}

impl<'a> Packet<'a> {
    /// Checks the bytes and makes a view of them.
    ///
    /// # Errors
    /// If they are no packet. What is wrong inside a header extension is no error: the elements before it count.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Ok(Self { bytes, layout: Layout::parse(bytes)? })
    }

    /// A view of bytes that are as they were when their layout was read.
    pub(crate) const fn with_layout(bytes: &'a [u8], layout: Layout) -> Self {
        Self { bytes, layout }
    }

    /// The fixed fields.
    pub const fn header(&self) -> Header {
        self.layout.header
    }

    /// The marker, whose meaning is the payload format's.
    pub const fn marker(&self) -> bool {
        self.layout.header.marker
    }

    /// The payload's format.
    pub const fn payload_type(&self) -> PayloadType {
        self.layout.header.payload_type
    }

    /// The packet's number in its stream.
    pub const fn sequence_number(&self) -> SequenceNumber {
        self.layout.header.sequence_number
    }

    /// The media's moment.
    pub const fn timestamp(&self) -> RtpTimestamp {
        self.layout.header.timestamp
    }

    /// The stream's source.
    pub const fn ssrc(&self) -> Ssrc {
        self.layout.header.ssrc
    }

    /// The sources that a mixer combined, at most 15.
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = Ssrc> + use<'a> {
        let csrcs = &self.bytes[FIXED_LEN..FIXED_LEN + csrcs_len(self.bytes[0])];
        csrcs.as_chunks().0.iter().map(|word| Ssrc(u32::from_be_bytes(*word)))
    }

    /// The elements of the header extension (RFC 8285); none if it is of another kind.
    pub fn extensions(&self) -> Extensions<'a> {
        self.raw_extension()
            .map_or_else(Extensions::default, |(profile, data)| Extensions::new(profile, data))
    }

    /// The header extension as it is: its profile number and its words.
    pub fn raw_extension(&self) -> Option<(u16, &'a [u8])> {
        let at = self.layout.extension?.get();
        let profile = u16::from_be_bytes([self.bytes[at - 4], self.bytes[at - 3]]);
        Some((profile, &self.bytes[at..self.layout.payload]))
    }

    /// The first element of this id.
    pub fn extension(&self, id: ExtensionId) -> Option<&'a [u8]> {
        self.extensions().find(|(found, _)| *found == id).map(|(_, value)| value)
    }

    /// The payload without padding; empty in a packet that is padding alone.
    pub const fn payload(&self) -> &'a [u8] {
        self.bytes.split_at(self.layout.payload_end).0.split_at(self.layout.payload).1
    }

    /// How many bytes of padding follow the payload.
    pub const fn padding_len(&self) -> u8 {
        (self.bytes.len() - self.layout.payload_end) as u8
    }

    /// How many bytes come before the payload.
    pub const fn header_len(&self) -> usize {
        self.layout.payload
    }

    /// The whole packet.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, payload, padding) = (self.header(), self.payload().len(), self.padding_len());
        write!(f, "{header:?} payload {payload} padding {padding}")
    }
}

/// The length of the contributing sources, by the first byte.
const fn csrcs_len(first: u8) -> usize {
    (first & 0x0f) as usize * 4
}

/// How many bytes at the end are padding (RFC 3550 §5.1).
fn padding_len(bytes: &[u8], padded: bool) -> Result<usize, ParseError> {
    if !padded {
        return Ok(0);
    }
    let padding = usize::from(*bytes.last().ok_or(ParseError::Padding)?);
    if padding == 0 || padding > bytes.len() { Err(ParseError::Padding) } else { Ok(padding) }
}
