//! VP9 (RFC 9628).
//!
//! ```text
//!  I P L F B E V Z        what follows; inter-predicted; begin and end of a layer's frame; not a reference for layers above
//!  M PictureID            if I: 7 bits, or 15 if M
//!  TID U SID D            if L: layers
//!  TL0PICIDX              if L and not F
//!  P_DIFF N               if P and F: the pictures that it refers to, up to 3
//!  scalability structure  if V
//! ```

use bytes::Bytes;
use pavane_base::Reader;

use super::bytes::{Payload, Prefix};
use super::descriptor::{Begins, Descriptor, Layer, Malformed};
use super::fragment::Fragments;
use super::packetizer::Part;
use super::vp8::{Numbers, read_picture_id};

mod header;
mod structure;

use header::FrameHeader;
pub use structure::{ScalabilityStructure, SpatialLayers, StructurePicture};

/// The most pictures that one refers to.
const MAX_REFERENCES: usize = 3;

/// What stands before a piece of a frame (RFC 9628 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp9Descriptor<'a> {
    /// The picture's number, of 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// Whether the frame is predicted from other pictures.
    pub inter_predicted: bool,
    /// Whether references are listed, rather than following from the scalability structure.
    pub flexible: bool,
    /// Whether a layer's frame begins here.
    pub begins: bool,
    /// Whether a layer's frame ends here.
    pub ends: bool,
    /// Whether no frame of a layer above is predicted from this one.
    pub not_for_inter_layer_prediction: bool,
    /// The frame's layers.
    pub layers: Option<Vp9Layers>,
    /// The number of the newest picture of the lowest temporal layer, in the mode that is not flexible.
    pub tl0_picture_index: Option<u8>,
    /// How many pictures ago those were that the frame refers to, in flexible mode; 0 for none.
    pub references: [u8; MAX_REFERENCES],
    /// How the stream's layers depend on each other.
    pub structure: Option<ScalabilityStructure<'a>>,
}

/// The layers of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp9Layers {
    /// The temporal layer.
    pub temporal: u8,
    /// Whether a receiver may change to a higher temporal layer here.
    pub switching_up_point: bool,
    /// The spatial layer.
    pub spatial: u8,
    /// Whether the frame is predicted from the layer below.
    pub inter_layer_predicted: bool,
}

impl<'a> Vp9Descriptor<'a> {
    /// Reads the descriptor; what follows it is the frame's.
    ///
    /// # Errors
    /// If it ends too early, or nothing follows.
    pub fn parse(payload: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let mut reader = Reader::new(payload);
        let first = reader.u8()?;
        let is_set = |bit: u8| first & bit != 0;
        let [inter_predicted, flexible] = [0x40, 0x10].map(is_set);
        let picture_id = if is_set(0x80) { Some(read_picture_id(&mut reader)?) } else { None };
        let layers = if is_set(0x20) { Some(Vp9Layers::read(reader.u8()?)) } else { None };
        let tl0_picture_index = if layers.is_some() && !flexible { Some(reader.u8()?) } else { None };
        let references = match inter_predicted && flexible {
            true => read_references(&mut reader)?,
            false => [0; MAX_REFERENCES],
        };
        let structure = if is_set(0x02) { Some(ScalabilityStructure::read(&mut reader)?) } else { None };
        let descriptor = Self {
            picture_id,
            inter_predicted,
            flexible,
            begins: is_set(0x08),
            ends: is_set(0x04),
            not_for_inter_layer_prediction: is_set(0x01),
            layers,
            tl0_picture_index,
            references,
            structure,
        };
        match reader.rest() {
            [] => Err(Malformed),
            media => Ok((descriptor, media)),
        }
    }

    /// Whether the frame is of the lowest spatial layer.
    const fn is_lowest(&self) -> bool {
        match &self.layers {
            Some(layers) => layers.spatial == 0,
            None => true,
        }
    }
}

impl Vp9Layers {
    const fn read(byte: u8) -> Self {
        Self {
            temporal: byte >> 5,
            switching_up_point: byte & 0x10 != 0,
            spatial: byte >> 1 & 7,
            inter_layer_predicted: byte & 1 != 0,
        }
    }
}

fn read_references(reader: &mut Reader<'_>) -> Result<[u8; MAX_REFERENCES], Malformed> {
    let mut references = [0; MAX_REFERENCES];
    let mut more = true;
    for reference in &mut references {
        if more {
            let byte = reader.u8()?;
            (*reference, more) = (byte >> 1, byte & 1 != 0);
        }
    }
    if more { Err(Malformed) } else { Ok(references) }
}

pub(super) fn describe(payload: &[u8]) -> Result<Descriptor, Malformed> {
    let (descriptor, media) = Vp9Descriptor::parse(payload)?;
    let begins = match (descriptor.begins, descriptor.is_lowest()) {
        (true, true) => Begins::Yes,
        // A forwarding server may have left the layers below out.
        (true, false) => Begins::Perhaps,
        (false, _) => Begins::No,
    };
    let may_be_key = begins == Begins::Yes && !descriptor.inter_predicted;
    let keyframe = may_be_key && FrameHeader::read(media).is_some_and(|header| header.keyframe);
    let layer = descriptor.layers.zip(descriptor.tl0_picture_index);
    Ok(Descriptor {
        begins,
        keyframe,
        media_len: media.len(),
        layer: layer.map(|(layers, base)| Layer { temporal: layers.temporal, sync: false, base }),
    })
}

/// A frame on its way into packets: of one layer, in the mode that is not flexible.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// The first byte, but for where the frame begins and ends.
    flags: u8,
    /// The descriptor behind its first byte.
    tail: Prefix,
    /// The scalability structure, in the first packet.
    structure: Option<Prefix>,
    /// What goes into the first packet.
    first: Option<Bytes>,
    rest: Fragments,
}

impl Parts {
    pub(super) fn new(frame: Bytes, max_len: usize, numbers: Numbers) -> Self {
        let header = FrameHeader::read(&frame);
        let keyframe = header.is_some_and(|header| header.keyframe);
        // RFC 9628 §4.2: key frames bring the structure; without it browsers cannot tell what a frame refers to.
        let structure = header.and_then(|header| header.size).map(structure::single_layer);
        let [high, low] = (0x8000 | numbers.picture).to_be_bytes();
        let tail = Prefix::default().with(&[high, low, 0, numbers.base]);
        let room = max_len - 1 - tail.as_slice().len();
        let extra = structure.map_or(0, |structure| structure.as_slice().len());
        // Balanced as if the structure were a part of the frame.
        let pieces = (frame.len() + extra).div_ceil(room).max(1);
        let first = ((frame.len() + extra) / pieces).saturating_sub(extra);
        let mut rest = frame;
        let first = if pieces == 1 { core::mem::take(&mut rest) } else { rest.split_to(first) };
        let flags = 0xa0 | u8::from(!keyframe) << 6;
        Self { flags, tail, structure, first: Some(first), rest: Fragments::new(rest, room) }
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let first = self.first.take();
        let begins = first.is_some();
        let piece = first.or_else(|| self.rest.next())?;
        let structure = self.structure.take();
        let ends = self.rest.is_empty();
        let flags =
            self.flags | u8::from(begins) << 3 | u8::from(ends) << 2 | u8::from(structure.is_some()) << 1;
        let structure = structure.unwrap_or_default();
        let prefix = Prefix::default().with(&[flags]).with(self.tail.as_slice()).with(structure.as_slice());
        Some(Part { payload: Payload::new(prefix, piece), marker: ends })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_flexible_mode_is_read() {
        // RFC 9628 §4.2
        let payload = [0b1111_1101, 0x81, 0x02, 0b0101_0101, 0x03, 0x05, 0x08, 0xaa];
        let (descriptor, media) = Vp9Descriptor::parse(&payload).unwrap();
        assert_eq!(media, [0xaa]);
        let layers =
            Vp9Layers { temporal: 2, switching_up_point: true, spatial: 2, inter_layer_predicted: true };
        assert_eq!((descriptor.picture_id, descriptor.layers), (Some(0x102), Some(layers)));
        assert_eq!((descriptor.references, descriptor.tl0_picture_index), ([1, 2, 4], None));
        assert!(descriptor.begins && descriptor.ends && descriptor.not_for_inter_layer_prediction);
        for len in 0..7 {
            assert_eq!(Vp9Descriptor::parse(&payload[..len]), Err(Malformed));
        }
        let mut endless = payload;
        endless[6] |= 1;
        assert_eq!(Vp9Descriptor::parse(&endless), Err(Malformed));
    }

    #[test]
    fn every_field_of_the_other_mode_is_read() {
        let payload = [
            0b1010_1010,
            0x05,
            0b0010_0000,
            0x77, // first packet of a layer's frame, T 1, S 0
            0b0011_1000,
            0x01,
            0x40,
            0x00,
            0xb4,
            0x02,
            0x80,
            0x01,
            0x68, // two spatial layers
            2,
            0b0000_0100,
            1,
            0b0011_1000,
            2,
            1, // two pictures in a group
            0x82,
            0x49,
            0x83,
            0x42,
        ];
        let (descriptor, media) = Vp9Descriptor::parse(&payload).unwrap();
        assert_eq!((media.len(), descriptor.tl0_picture_index), (4, Some(0x77)));
        let structure = descriptor.structure.unwrap();
        let sizes: alloc::vec::Vec<_> = structure.spatial_layers().sizes().collect();
        assert_eq!(sizes, [(320, 180), (640, 360)]);
        let pictures: alloc::vec::Vec<_> = structure.pictures().collect();
        assert_eq!((pictures.len(), pictures[0].references()), (2, &[1][..]));
        assert_eq!((pictures[1].temporal, pictures[1].switching_up_point), (1, true));
        assert_eq!(pictures[1].references(), [2, 1]);
        for len in 0..payload.len() - 4 {
            assert_eq!(Vp9Descriptor::parse(&payload[..len]), Err(Malformed));
        }
    }
}
