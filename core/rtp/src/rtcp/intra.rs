//! Requests for key frames: picture loss indication (RFC 4585 §6.3.1) and full intra request (RFC 5104 §4.3.1).

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use super::{kind, psfb, put_feedback_ssrcs, read_feedback_ssrcs, write_packet};
use crate::Ssrc;

/// A receiver has lost the pictures of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureLoss {
    /// Who has lost them.
    pub sender: Ssrc,
    /// The stream.
    pub media: Ssrc,
}

impl PictureLoss {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, Truncated> {
        let (sender, media) = read_feedback_ssrcs(body)?;
        Ok(Self { sender, media })
    }
}

/// Writes a picture loss indication.
pub fn write_pli(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc) {
    write_packet(out, kind::PSFB, psfb::PLI, |out| put_feedback_ssrcs(out, sender, media));
}

/// One stream of which a key frame is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntraEntry {
    /// The stream.
    pub ssrc: Ssrc,
    /// The request's number, which a repetition leaves as it is.
    pub number: u8,
}

/// Key frames are wanted.
#[derive(Clone, Copy, Debug)]
pub struct FullIntraRequest<'a> {
    sender: Ssrc,
    entries: &'a [[u8; 8]],
}

impl<'a> FullIntraRequest<'a> {
    pub(super) fn read(body: &mut Reader<'a>) -> Result<Self, Truncated> {
        // The media's SSRC is not used (RFC 5104 §4.3.1.2).
        let (sender, _) = read_feedback_ssrcs(body)?;
        match body.rest().as_chunks() {
            (entries, []) => Ok(Self { sender, entries }),
            _ => Err(Truncated),
        }
    }

    /// Who wants them.
    pub const fn sender(&self) -> Ssrc {
        self.sender
    }

    /// Of which streams.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = IntraEntry> + use<'a> {
        self.entries.iter().map(|[a, b, c, d, number, ..]| IntraEntry {
            ssrc: Ssrc(u32::from_be_bytes([*a, *b, *c, *d])),
            number: *number,
        })
    }
}

/// Writes a full intra request for one stream.
pub fn write_fir(out: &mut Vec<u8>, sender: Ssrc, entry: IntraEntry) {
    write_packet(out, kind::PSFB, psfb::FIR, |out| {
        put_feedback_ssrcs(out, sender, Ssrc(0));
        out.put_u32(entry.ssrc.0);
        out.put(&[entry.number, 0, 0, 0]);
    });
}
