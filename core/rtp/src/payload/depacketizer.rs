//! Payloads into frames.

use alloc::vec::Vec;

use pavane_base::WriteExt;

use super::descriptor::Malformed;
use super::format::PayloadFormat;
use super::h264::H264;
use super::h265::H265;
use super::vp8::Vp8Descriptor;
use super::vp9::Vp9Descriptor;
use super::{av1, nal};

/// Makes a frame of its payloads, which are given in the order of their numbers.
///
/// Which payloads are a frame's is for `FrameBuffer` to find out.
#[derive(Clone, Copy, Debug)]
pub struct Depacketizer {
    format: PayloadFormat,
    units: nal::Assembly,
    obus: av1::Assembly,
}

impl Depacketizer {
    /// A depacketizer that has seen nothing of a frame.
    pub fn new(format: PayloadFormat) -> Self {
        Self { format, units: nal::Assembly::default(), obus: av1::Assembly::default() }
    }

    /// Appends what a payload carries to its frame, which holds what those before carried.
    ///
    /// # Errors
    /// If the payload is not what the format prescribes, or does not follow the one before. The frame is lost then.
    pub fn push(&mut self, payload: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
        match self.format {
            PayloadFormat::Opus | PayloadFormat::G711 => frame.put(payload),
            PayloadFormat::Vp8 => frame.put(Vp8Descriptor::parse(payload)?.1),
            PayloadFormat::Vp9 => frame.put(Vp9Descriptor::parse(payload)?.1),
            PayloadFormat::H264(_) => self.units.push::<H264>(payload, frame)?,
            PayloadFormat::H265 => self.units.push::<H265>(payload, frame)?,
            PayloadFormat::Av1 => self.obus.push(payload, frame)?,
        }
        Ok(())
    }

    /// Ends a frame.
    ///
    /// # Errors
    /// If a part of it is missing.
    pub fn finish(&mut self) -> Result<(), Malformed> {
        self.units.finish()?;
        self.obus.finish()
    }
}
