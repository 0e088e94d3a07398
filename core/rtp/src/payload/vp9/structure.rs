//! How a stream's layers depend on each other (RFC 9628 §4.2.1).
//!
//! ```text
//!  N_S Y G -            how many spatial layers less one; whether sizes and a group of pictures follow
//!  (width16 height16)*  if Y
//!  N_G                  if G: how many pictures
//!  (T U R -  P_DIFF*)*  of each: the temporal layer, and R pictures that it refers to
//! ```

use pavane_base::Reader;

use crate::payload::bytes::Prefix;
use crate::payload::descriptor::Malformed;

/// How a stream's layers depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalabilityStructure<'a> {
    layers: SpatialLayers<'a>,
    group: Reading<'a>,
}

/// The spatial layers of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpatialLayers<'a> {
    count: u8,
    sizes: &'a [u8],
}

impl<'a> SpatialLayers<'a> {
    /// How many there are, 1 to 8.
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// The width and height of each, if they are told.
    pub fn sizes(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        let (sizes, _) = self.sizes.as_chunks::<4>();
        sizes.iter().map(|[a, b, c, d]| (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
    }
}

/// A picture in a group that repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StructurePicture<'a> {
    /// Its temporal layer.
    pub temporal: u8,
    /// Whether a receiver may change to a higher temporal layer here.
    pub switching_up_point: bool,
    references: &'a [u8],
}

impl<'a> StructurePicture<'a> {
    /// How many pictures ago those were that it refers to.
    pub const fn references(&self) -> &'a [u8] {
        self.references
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let byte = reader.u8()?;
        let references = reader.take(usize::from(byte >> 2 & 3))?;
        Ok(Self { temporal: byte >> 5, switching_up_point: byte & 0x10 != 0, references })
    }
}

/// Bytes of a group of pictures that have been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading<'a>(&'a [u8]);

impl<'a> ScalabilityStructure<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let first = reader.u8()?;
        let count = (first >> 5) + 1;
        let sizes = if first & 0x10 != 0 { reader.take(usize::from(count) * 4)? } else { &[] };
        let pictures = if first & 0x08 != 0 { reader.u8()? } else { 0 };
        let start = reader.rest();
        for _ in 0..pictures {
            StructurePicture::read(reader)?;
        }
        let group = start.get(..start.len() - reader.remaining()).unwrap_or_default();
        Ok(Self { layers: SpatialLayers { count, sizes }, group: Reading(group) })
    }

    /// The spatial layers.
    pub const fn spatial_layers(&self) -> SpatialLayers<'a> {
        self.layers
    }

    /// The pictures of the group that repeats, if it is told.
    pub fn pictures(&self) -> impl Iterator<Item = StructurePicture<'a>> + use<'a> {
        let mut rest = Reader::new(self.group.0);
        core::iter::from_fn(move || StructurePicture::read(&mut rest).ok())
    }
}

/// The structure of a stream of one layer, each picture of which refers to the one before.
pub(super) fn single_layer((width, height): (u16, u16)) -> Prefix {
    let one_picture = [1, 1 << 2, 1];
    Prefix::default()
        .with(&[0b0001_1000])
        .with(&width.to_be_bytes())
        .with(&height.to_be_bytes())
        .with(&one_picture)
}
