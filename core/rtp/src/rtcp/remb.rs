//! Receiver estimated maximum bit rate: application-layer feedback that begins with `REMB`.
//!
//! ```text
//! 32 "REMB", 8 number of SSRCs, 6 exponent, 18 mantissa, SSRCs
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use super::{SsrcList, kind, psfb, put_feedback_ssrcs, read_feedback_ssrcs, shift_or_saturate, write_packet};
use crate::Ssrc;

const NAME: [u8; 4] = *b"REMB";

/// How much may be sent.
#[derive(Clone, Copy, Debug)]
pub struct Remb<'a> {
    sender: Ssrc,
    bits_per_second: u64,
    streams: SsrcList<'a>,
}

impl<'a> Remb<'a> {
    /// Whether the application-layer feedback of this body is one.
    pub(super) fn is_one(body: &[u8]) -> bool {
        body.get(8..12).is_some_and(|name| name == NAME)
    }

    pub(super) fn read(body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let (sender, _) = read_feedback_ssrcs(body)?;
        body.take(NAME.len())?;
        let count = usize::from(body.u8()?);
        let rate = body.u24()?;
        // A rate that 64 bits do not hold is no limit.
        let bits_per_second = shift_or_saturate(u64::from(rate & 0x3_ffff), rate >> 18);
        Ok(Self { sender, bits_per_second, streams: SsrcList::read(count, body)? })
    }

    /// Who estimates it.
    pub const fn sender(&self) -> Ssrc {
        self.sender
    }

    /// The bit rate of all the streams together.
    pub const fn bits_per_second(&self) -> u64 {
        self.bits_per_second
    }

    /// The streams.
    pub fn streams(&self) -> impl ExactSizeIterator<Item = Ssrc> + use<'a> {
        self.streams.iter()
    }
}

/// Writes an estimate.
///
/// # Panics
/// If there are more than 255 streams.
pub fn write_remb(out: &mut Vec<u8>, sender: Ssrc, bits_per_second: u64, streams: &[Ssrc]) {
    let count = u8::try_from(streams.len()).expect("an estimate names at most 255 streams");
    let exponent = (64 - bits_per_second.leading_zeros()).saturating_sub(18);
    let mantissa = (bits_per_second >> exponent) as u32;
    write_packet(out, kind::PSFB, psfb::APPLICATION, |out| {
        put_feedback_ssrcs(out, sender, Ssrc(0));
        out.put(&NAME);
        out.put_u8(count);
        out.put_u24(exponent << 18 | mantissa);
        streams.iter().for_each(|stream| out.put_u32(stream.0));
    });
}
