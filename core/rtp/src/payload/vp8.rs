//! VP8 (RFC 7741).
//!
//! ```text
//!  X R N S R PID     extended, non-reference, start of partition, partition
//!  I L T K RSV       if X: what follows
//!  M PictureID       if I: 7 bits, or 15 if M
//!  TL0PICIDX         if L
//!  TID Y KEYIDX      if T or K
//! ```

use bytes::Bytes;
use pavane_base::Reader;

use super::bytes::{Payload, Prefix};
use super::descriptor::{Begins, Descriptor, Layer, Malformed};
use super::fragment::Fragments;
use super::packetizer::{Part, TemporalLayer};

/// What stands before a piece of a frame (RFC 7741 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp8Descriptor {
    /// Whether the frame may be dropped without harm to others.
    pub non_reference: bool,
    /// Whether a partition of the frame begins here.
    pub starts_partition: bool,
    /// The partition, 0 to 7.
    pub partition: u8,
    /// The frame's number, of 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// The number of the newest frame of the lowest temporal layer.
    pub tl0_picture_index: Option<u8>,
    /// The temporal layer, and whether the frame depends on the lowest layer alone.
    pub layer: Option<(u8, bool)>,
    /// Which key frame the frame belongs to, of 5 bits.
    pub key_index: Option<u8>,
}

impl Vp8Descriptor {
    /// Reads the descriptor; what follows it is the frame's.
    ///
    /// # Errors
    /// If it ends too early, or nothing follows.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut reader = Reader::new(payload);
        let first = reader.u8()?;
        let extension = if first & 0x80 != 0 { reader.u8()? } else { 0 };
        let picture_id = match extension & 0x80 != 0 {
            true => Some(read_picture_id(&mut reader)?),
            false => None,
        };
        let tl0_picture_index = if extension & 0x40 != 0 { Some(reader.u8()?) } else { None };
        let layers = if extension & 0x30 != 0 { reader.u8()? } else { 0 };
        let descriptor = Self {
            non_reference: first & 0x20 != 0,
            starts_partition: first & 0x10 != 0,
            partition: first & 0x07,
            picture_id,
            tl0_picture_index,
            layer: (extension & 0x20 != 0).then_some((layers >> 6, layers & 0x20 != 0)),
            key_index: (extension & 0x10 != 0).then_some(layers & 0x1f),
        };
        match reader.rest() {
            [] => Err(Malformed),
            media => Ok((descriptor, media)),
        }
    }

    /// Whether a frame begins here.
    pub const fn begins_frame(&self) -> bool {
        self.starts_partition && self.partition == 0
    }
}

/// Reads a number of 7 bits, or of 15 if the first bit says so; VP9 has the same.
pub(super) fn read_picture_id(reader: &mut Reader<'_>) -> Result<u16, Malformed> {
    let first = reader.u8()?;
    match first & 0x80 {
        0 => Ok(first.into()),
        _ => Ok(u16::from_be_bytes([first & 0x7f, reader.u8()?])),
    }
}

pub(super) fn describe(payload: &[u8]) -> Result<Descriptor, Malformed> {
    let (descriptor, media) = Vp8Descriptor::parse(payload)?;
    let begins = descriptor.begins_frame();
    // RFC 6386 §9.1: the first bit of a frame is 0 in key frames.
    let keyframe = begins && media.first().is_some_and(|first| first & 1 == 0);
    let layer = descriptor.layer.zip(descriptor.tl0_picture_index);
    Ok(Descriptor {
        begins: if begins { Begins::Yes } else { Begins::No },
        keyframe,
        media_len: media.len(),
        layer: layer.map(|((temporal, sync), base)| Layer { temporal, sync, base }),
    })
}

/// The numbers of a stream's frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub(super) picture: u16,
    pub(super) base: u8,
}

impl Numbers {
    /// Counts a frame of a layer.
    pub(super) fn advance(&mut self, layer: Option<TemporalLayer>) {
        self.picture = (self.picture + 1) & 0x7fff;
        if layer.is_some_and(|layer| layer.id == 0) {
            self.base = self.base.wrapping_add(1);
        }
    }
}

/// A frame on its way into packets.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// The descriptor behind its first byte.
    tail: Prefix,
    first: bool,
    fragments: Fragments,
}

impl Parts {
    pub(super) fn new(frame: Bytes, max_len: usize, numbers: Numbers, layer: Option<TemporalLayer>) -> Self {
        let picture = (0x8000 | numbers.picture).to_be_bytes();
        let tail = match layer {
            None => Prefix::default().with(&[0x80]).with(&picture),
            Some(TemporalLayer { id, sync }) => {
                let layer = (id & 3) << 6 | u8::from(sync) << 5;
                Prefix::default().with(&[0xe0]).with(&picture).with(&[numbers.base, layer])
            }
        };
        let max_len = max_len - 1 - tail.as_slice().len();
        Self { tail, first: true, fragments: Fragments::new(frame, max_len) }
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let piece = self.fragments.next()?;
        let begins = core::mem::replace(&mut self.first, false);
        // Deviation: RFC 7741 §4.4 recommends a partition a packet; one boundary a frame is all that receivers look for.
        let first = 0x80 | u8::from(begins) << 4;
        let prefix = Prefix::default().with(&[first]).with(self.tail.as_slice());
        Some(Part { payload: Payload::new(prefix, piece), marker: self.fragments.is_empty() })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn every_field_is_read() {
        // RFC 7741 §4.2
        let payload = [0xb3, 0xf0, 0x92, 0x34, 7, 0b1011_0101, 9, 9];
        let (descriptor, media) = Vp8Descriptor::parse(&payload).unwrap();
        assert_eq!(media, [9, 9]);
        let expected = Vp8Descriptor {
            non_reference: true,
            starts_partition: true,
            partition: 3,
            picture_id: Some(0x1234),
            tl0_picture_index: Some(7),
            layer: Some((2, true)),
            key_index: Some(0x15),
        };
        assert_eq!(descriptor, expected);
        for len in 0..=6 {
            assert_eq!(Vp8Descriptor::parse(&payload[..len]), Err(Malformed));
        }
        let (short, _) = Vp8Descriptor::parse(&[0x90, 0x80, 0x11, 0]).unwrap();
        assert_eq!((short.picture_id, short.layer, short.begins_frame()), (Some(0x11), None, true));
    }

    #[test]
    fn a_frame_goes_in_equal_packets_that_say_where_it_begins() {
        let layer = Some(TemporalLayer { id: 1, sync: true });
        let numbers = Numbers { picture: 0x7fff, base: 5 };
        let frame = Bytes::from(vec![1; 250]);
        let parts: vec::Vec<_> = Parts::new(frame, 106, numbers, layer).collect();
        assert_eq!(parts.iter().map(|part| part.payload.len()).collect::<vec::Vec<_>>(), [89, 89, 90]);
        assert_eq!(parts.iter().map(|part| part.marker).collect::<vec::Vec<_>>(), [false, false, true]);
        for (index, part) in parts.iter().enumerate() {
            let payload = part.payload.to_bytes();
            let (descriptor, _) = Vp8Descriptor::parse(&payload).unwrap();
            assert_eq!(descriptor.begins_frame(), index == 0);
            assert_eq!((descriptor.picture_id, descriptor.tl0_picture_index), (Some(0x7fff), Some(5)));
            assert_eq!(descriptor.layer, Some((1, true)));
        }
    }
}
