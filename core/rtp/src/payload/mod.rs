//! Payload formats: frames into payloads and back, for each codec in its own way.
//!
//! A [`Packetizer`] makes the payloads of a frame, one at a time; each goes into a [`send::Outgoing`](crate::send::Outgoing).
//! [`PayloadFormat::describe`] says what one payload tells of its frame, a key frame among other things, and a
//! [`Depacketizer`] puts a frame together. Receivers that want frames use a `FrameBuffer`,
//! which does the last two and knows what belongs together.
//!
//! ```
//! # use pavane_base::bytes::Bytes;
//! use pavane_rtp::payload::{Depacketizer, Packetizer, PayloadFormat};
//!
//! let format = PayloadFormat::named("VP8", "").expect("VP8 has a payload format");
//! let mut packetizer = Packetizer::new(format, 1100);
//! let picture = Bytes::from(vec![0x90; 3000]);
//!
//! let mut depacketizer = Depacketizer::new(format);
//! let mut received = Vec::new();
//! for part in packetizer.packetize(picture.clone())? {
//!     // `part.payload` and `part.marker` go into a packet, and come out of one.
//!     assert!(part.payload.len() <= 1100);
//!     depacketizer.push(&part.payload.to_bytes(), &mut received)?;
//! }
//! depacketizer.finish()?;
//! assert_eq!(received, picture);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod av1;
mod bytes;
mod depacketizer;
mod descriptor;
mod format;
mod fragment;
mod g711;
mod h264;
mod h265;
mod nal;
mod opus;
mod packetizer;
mod vp8;
mod vp9;

pub use self::bytes::Payload;
pub use depacketizer::Depacketizer;
pub use descriptor::{Begins, Descriptor, Layer, Malformed};
pub use format::{H264Mode, PayloadFormat};
pub use opus::opus_duration;
pub use packetizer::{PacketizeError, Packetizer, Part, Parts, TemporalLayer};
pub use vp8::Vp8Descriptor;
pub use vp9::{ScalabilityStructure, SpatialLayers, StructurePicture, Vp9Descriptor, Vp9Layers};
