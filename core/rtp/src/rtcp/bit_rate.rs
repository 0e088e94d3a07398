//! Temporary maximum media stream bit rate: requests and their notification (RFC 5104 §4.2).
//!
//! ```text
//! for each entry: 32 SSRC, 6 exponent, 17 mantissa, 9 bytes of overhead that a packet has
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use super::{kind, put_feedback_ssrcs, read_feedback_ssrcs, rtpfb, shift_or_saturate, write_packet};
use crate::Ssrc;

/// A bound of a bit rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitRateBound {
    /// Of a request, the stream that is bounded; of a notification, who bounds it.
    pub ssrc: Ssrc,
    /// The bound.
    pub bits_per_second: u64,
    /// How many bytes besides RTP's the bound counts in each packet.
    pub overhead: u16,
}

/// Which of the two messages it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitRateMessage {
    /// Somebody asks for bounds (TMMBR).
    Request,
    /// The sender tells which bounds are in force (TMMBN).
    Notification,
}

/// Bounds of bit rates.
#[derive(Clone, Copy, Debug)]
pub struct BitRateBounds<'a> {
    message: BitRateMessage,
    sender: Ssrc,
    entries: &'a [[u8; 8]],
}

impl<'a> BitRateBounds<'a> {
    pub(super) fn read(message: BitRateMessage, body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let (sender, _) = read_feedback_ssrcs(body)?;
        match body.rest().as_chunks() {
            (entries, []) => Ok(Self { message, sender, entries }),
            _ => Err(Truncated),
        }
    }

    /// Which of the two messages it is.
    pub const fn message(&self) -> BitRateMessage {
        self.message
    }

    /// Who sends it.
    pub const fn sender(&self) -> Ssrc {
        self.sender
    }

    /// The bounds.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = BitRateBound> + use<'a> {
        self.entries.iter().map(|[a, b, c, d, bound @ ..]| {
            let word = u32::from_be_bytes(*bound);
            BitRateBound {
                ssrc: Ssrc(u32::from_be_bytes([*a, *b, *c, *d])),
                bits_per_second: shift_or_saturate(u64::from(word >> 9 & 0x1_ffff), word >> 26),
                overhead: word as u16 & 0x1ff,
            }
        })
    }
}

/// Writes bounds of bit rates.
pub fn write_bit_rate_bounds(
    out: &mut Vec<u8>,
    message: BitRateMessage,
    sender: Ssrc,
    bounds: &[BitRateBound],
) {
    let format = match message {
        BitRateMessage::Request => rtpfb::TMMBR,
        BitRateMessage::Notification => rtpfb::TMMBN,
    };
    write_packet(out, kind::RTPFB, format, |out| {
        // The media's SSRC is not used (RFC 5104 §4.2.1.2).
        put_feedback_ssrcs(out, sender, Ssrc(0));
        for bound in bounds {
            let exponent = (64 - bound.bits_per_second.leading_zeros()).saturating_sub(17);
            let mantissa = (bound.bits_per_second >> exponent) as u32;
            out.put_u32(bound.ssrc.0);
            out.put_u32(exponent << 26 | mantissa << 9 | u32::from(bound.overhead.min(0x1ff)));
        }
    });
}
