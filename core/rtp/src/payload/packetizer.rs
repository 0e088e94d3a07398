//! Frames into payloads.

use core::fmt;

use bytes::Bytes;

use super::bytes::Payload;
use super::format::{H264Mode, PayloadFormat};
use super::h264::H264;
use super::h265::H265;
use super::nal::{self, Dividing};
use super::{av1, vp8, vp9};

/// One packet's part of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What the packet carries.
    pub payload: Payload,
    /// Whether it is marked: the last one of a picture is, and the first one of a talk spurt.
    pub marker: bool,
}

/// A frame's place among temporal layers, which VP8 tells receivers. The other formats leave that to the dependency
/// descriptor, a header extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporalLayer {
    /// The layer, 0 to 3; 0 is the lowest.
    pub id: u8,
    /// Whether the frame depends on the lowest layer alone.
    pub sync: bool,
}

/// Why a frame cannot go into packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketizeError {
    /// It is empty, or not what the format takes.
    Malformed,
    /// It, or a unit of it, does not fit into a packet, and the format cannot divide it.
    TooLarge {
        /// How many bytes fit.
        max: usize,
    },
}

impl fmt::Display for PacketizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the frame is not what its format takes"),
            Self::TooLarge { max } => {
                write!(f, "only {max} bytes fit into a packet, and the format cannot divide them")
            }
        }
    }
}

impl core::error::Error for PacketizeError {}

/// Makes payloads of one stream's frames.
///
/// Payloads of one frame are as few as can be, and of nearly the same size. They share the frame's bytes: none is copied
/// and nothing allocated but where small units are joined in one packet.
#[derive(Clone, Debug)]
pub struct Packetizer {
    format: PayloadFormat,
    max_len: usize,
    numbers: vp8::Numbers,
    /// Whether the next frame begins a talk spurt.
    talk_spurt: bool,
}

impl Packetizer {
    /// The least that `max_len` may be.
    pub const MIN_MAX_LEN: usize = 64;

    /// A packetizer whose payloads have at most `max_len` bytes, or [`MIN_MAX_LEN`](Self::MIN_MAX_LEN) if that is more.
    ///
    /// RTP's header and its extensions, SRTP's tag, and whatever carries the packet come on top of it: 1100 fit on every
    /// path.
    pub fn new(format: PayloadFormat, max_len: usize) -> Self {
        let mut packetizer = Self { format, max_len: 0, numbers: vp8::Numbers::default(), talk_spurt: true };
        packetizer.set_max_len(max_len);
        packetizer
    }

    /// The format.
    pub const fn format(&self) -> PayloadFormat {
        self.format
    }

    /// Changes how many bytes a payload has at most, for the frames to come.
    pub fn set_max_len(&mut self, max_len: usize) {
        self.max_len = max_len.clamp(Self::MIN_MAX_LEN, u16::MAX.into());
    }

    /// Tells that the next frame of audio follows silence: its packet is marked (RFC 3551 §4.1).
    pub const fn begin_talk_spurt(&mut self) {
        self.talk_spurt = true;
    }

    /// Begins to put a frame into packets.
    ///
    /// # Errors
    /// If it cannot go into packets.
    pub fn packetize(&mut self, frame: Bytes) -> Result<Parts, PacketizeError> {
        self.start(frame, None)
    }

    /// Begins to put a frame of a temporal layer into packets. All frames of a stream are to be in layers, or none.
    ///
    /// # Errors
    /// If it cannot go into packets.
    pub fn packetize_layer(&mut self, frame: Bytes, layer: TemporalLayer) -> Result<Parts, PacketizeError> {
        self.start(frame, Some(layer))
    }

    fn start(&mut self, frame: Bytes, layer: Option<TemporalLayer>) -> Result<Parts, PacketizeError> {
        if frame.is_empty() {
            return Err(PacketizeError::Malformed);
        }
        let max_len = self.max_len;
        Ok(Parts(match self.format {
            PayloadFormat::Opus | PayloadFormat::G711 if frame.len() > max_len => {
                return Err(PacketizeError::TooLarge { max: max_len });
            }
            PayloadFormat::Opus | PayloadFormat::G711 => {
                let marker = core::mem::replace(&mut self.talk_spurt, false);
                Kind::Whole(Some(Part { payload: frame.into(), marker }))
            }
            PayloadFormat::Vp8 => {
                self.numbers.advance(layer);
                Kind::Vp8(vp8::Parts::new(frame, max_len, self.numbers, layer))
            }
            PayloadFormat::Vp9 => {
                self.numbers.advance(Some(TemporalLayer { id: 0, sync: false }));
                Kind::Vp9(vp9::Parts::new(frame, max_len, self.numbers))
            }
            PayloadFormat::H264(mode) => {
                let dividing = match mode {
                    H264Mode::SingleUnit => Dividing::Forbidden,
                    H264Mode::NonInterleaved => Dividing::Allowed,
                };
                nal::check::<H264>(&frame, max_len, dividing)?;
                Kind::H264(nal::Parts::new(frame, max_len, dividing))
            }
            PayloadFormat::H265 => {
                nal::check::<H265>(&frame, max_len, Dividing::Allowed)?;
                Kind::H265(nal::Parts::new(frame, max_len, Dividing::Allowed))
            }
            PayloadFormat::Av1 => Kind::Av1(av1::Parts::new(frame, max_len)?),
        }))
    }
}

/// A frame's payloads, made one after the other.
#[derive(Clone, Debug)]
pub struct Parts(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Whole(Option<Part>),
    Vp8(vp8::Parts),
    Vp9(vp9::Parts),
    H264(nal::Parts<H264>),
    H265(nal::Parts<H265>),
    Av1(av1::Parts),
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        match &mut self.0 {
            Kind::Whole(part) => part.take(),
            Kind::Vp8(parts) => parts.next(),
            Kind::Vp9(parts) => parts.next(),
            Kind::H264(parts) => parts.next(),
            Kind::H265(parts) => parts.next(),
            Kind::Av1(parts) => parts.next(),
        }
    }
}
