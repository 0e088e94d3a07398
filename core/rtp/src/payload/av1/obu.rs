//! Open bitstream units: headers and sizes (AV1 bitstream specification §5.3, §4.10.5).
//!
//! ```text
//!  0 type4 X S 0     X: an extension follows; S: a size follows
//!  T3 S2 0 0 0       temporal and spatial layer
//!  size              leb128
//! ```

use core::ops::Range;

use pavane_base::Reader;

use crate::payload::descriptor::Malformed;

pub(super) const SEQUENCE_HEADER: u8 = 1;
pub(super) const FRAME_HEADER: u8 = 3;
pub(super) const FRAME: u8 = 6;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;

/// Whether units of a type are left out of packets, and passed over in them.
pub(super) const fn is_dropped(kind: u8) -> bool {
    matches!(kind, TEMPORAL_DELIMITER | TILE_LIST)
}

/// Whether a frame is a key frame, as the first bits behind its unit's header have it: shown at once, of type 0.
pub(super) fn is_key_frame(body: &[u8]) -> Option<bool> {
    body.first().map(|first| first & 0xe0 == 0)
}

/// A unit's header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    bytes: [u8; 2],
    len: u8,
}

impl Head {
    pub(super) fn read(unit: &[u8]) -> Result<Self, Malformed> {
        match unit {
            [first, ..] if first & 0x80 != 0 => Err(Malformed),
            [first, second, ..] if first & HAS_EXTENSION != 0 => {
                Ok(Self { bytes: [*first, *second], len: 2 })
            }
            [first, ..] if first & HAS_EXTENSION == 0 => Ok(Self { bytes: [*first, 0], len: 1 }),
            _ => Err(Malformed),
        }
    }

    pub(super) const fn kind(self) -> u8 {
        self.bytes[0] >> 3 & 0x0f
    }

    pub(super) const fn has_size(self) -> bool {
        self.bytes[0] & HAS_SIZE != 0
    }

    pub(super) fn len(self) -> usize {
        self.len.into()
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// The temporal and spatial layer.
    pub(super) const fn layer(self) -> Option<u8> {
        if self.len == 2 { Some(self.bytes[1]) } else { None }
    }

    pub(super) const fn with_size(mut self, has_size: bool) -> Self {
        self.bytes[0] = self.bytes[0] & !HAS_SIZE | if has_size { HAS_SIZE } else { 0 };
        self
    }
}

/// A unit in a frame.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// Its header, without a size.
    pub(super) head: Head,
    pub(super) body: Range<usize>,
}

impl Unit {
    /// The unit that begins at a place in a frame, and the place behind it. One without a size ends with the frame.
    pub(super) fn at(frame: &[u8], start: usize) -> Result<(Self, usize), Malformed> {
        let unit = frame.get(start..).unwrap_or_default();
        let head = Head::read(unit)?;
        let mut reader = Reader::new(unit);
        reader.take(head.len())?;
        let len = if head.has_size() { read_leb128(&mut reader)? } else { reader.remaining() };
        let body = frame.len() - reader.remaining();
        reader.take(len)?;
        Ok((Self { head: head.with_size(false), body: body..body + len }, body + len))
    }

    /// How many bytes it has without a size.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

/// Reads a number, 7 bits in each byte, the lowest first.
pub(super) fn read_leb128(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    const MAX_LEN: u32 = 8;
    let mut value = 0_u64;
    for index in 0..MAX_LEN {
        let byte = reader.u8()?;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            // AV1 bitstream specification §4.10.5: the value has 32 bits.
            return u32::try_from(value).ok().and_then(|value| usize::try_from(value).ok()).ok_or(Malformed);
        }
    }
    Err(Malformed)
}

/// How many bytes a number takes.
pub(super) const fn leb128_len(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// The bytes of a number.
pub(super) fn leb128(value: usize) -> impl Iterator<Item = u8> {
    let len = leb128_len(value);
    (0..len).map(move |index| (value >> (7 * index)) as u8 & 0x7f | if index + 1 < len { 0x80 } else { 0 })
}
