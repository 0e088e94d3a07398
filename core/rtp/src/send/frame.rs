//! Whole frames, put into packets as their format prescribes.

use core::fmt;

use bytes::Bytes;
use pavane_base::Instant;

use super::{MediaExtensions, Outgoing, SendError, Stream};
use crate::payload::{PacketizeError, Packetizer, PayloadFormat};
use crate::{PayloadType, RtpTimestamp};

/// A frame to be sent: what an encoder made of a picture, or of some milliseconds of sound.
#[derive(Clone, Debug)]
pub struct OutgoingFrame {
    /// The number of its format.
    pub payload_type: PayloadType,
    /// The frame, as [`PayloadFormat`] has it for its codec.
    pub data: Bytes,
    /// The media's moment.
    pub timestamp: RtpTimestamp,
    /// Header extensions that go with each of its packets.
    pub extensions: MediaExtensions,
    /// When the media was captured; the moment at which it is handed in without.
    pub captured_at: Option<Instant>,
}

impl OutgoingFrame {
    /// A frame without header extensions, captured as it is handed in.
    pub fn new(payload_type: PayloadType, timestamp: RtpTimestamp, data: impl Into<Bytes>) -> Self {
        Self {
            payload_type,
            data: data.into(),
            timestamp,
            extensions: MediaExtensions::default(),
            captured_at: None,
        }
    }
}

/// Why a frame is not taken; nothing of it is sent then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It cannot be put into packets.
    Packetize(PacketizeError),
    /// Its packets are not taken.
    Send(SendError),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packetize(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FrameError {}

impl From<PacketizeError> for FrameError {
    fn from(error: PacketizeError) -> Self {
        Self::Packetize(error)
    }
}

/// How many bytes of a frame a packet carries at most: 1280 octets of IPv6, less its header, UDP's, a TURN channel's, RTP's,
/// SRTP's tag, a retransmission's number, and 64 for extensions and contributing sources, in round numbers.
const MAX_PAYLOAD: usize = (1280 - 40 - 8 - 4 - 12 - 16 - 2 - 64) / 100 * 100;

impl Stream {
    /// Queues a frame under the next numbers; its timestamp gets the stream's random offset.
    ///
    /// # Errors
    /// If it is not taken.
    pub fn push_frame(
        &mut self,
        now: Instant,
        format: PayloadFormat,
        frame: OutgoingFrame,
    ) -> Result<(), FrameError> {
        if self.packetizer.as_ref().is_none_or(|packetizer| packetizer.format() != format) {
            self.packetizer = Some(Packetizer::new(format, MAX_PAYLOAD));
        }
        let Some(packetizer) = &mut self.packetizer else { return Ok(()) };
        let before = (packetizer.clone(), self.next, self.clock);
        let parts = packetizer.packetize(frame.data)?;
        for (pushed, part) in parts.enumerate() {
            let packet = Outgoing {
                payload_type: frame.payload_type,
                marker: part.marker,
                timestamp: frame.timestamp,
                payload: part.payload,
                extensions: frame.extensions.clone(),
                captured_at: frame.captured_at,
            };
            if let Err(error) = self.push(now, packet) {
                self.history.take_back(pushed);
                (self.packetizer, self.next, self.clock) = (Some(before.0), before.1, before.2);
                return Err(FrameError::Send(error));
            }
        }
        Ok(())
    }
}
