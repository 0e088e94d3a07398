//! Extended reports (RFC 3611): blocks of which receivers' reference times and their answers are understood.
//!
//! ```text
//! block: 8 type, 8 of the type's own, 16 length in words
//! receiver reference time (4): 64 NTP time
//! DLRR (5): for each receiver 32 SSRC, 32 last reference time, 32 delay since
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use super::{kind, write_packet};
use crate::{NtpShort, NtpTime, Ssrc};

const RECEIVER_REFERENCE_TIME: u8 = 4;
const DLRR: u8 = 5;

/// Further statistics.
#[derive(Clone, Copy, Debug)]
pub struct ExtendedReport<'a> {
    ssrc: Ssrc,
    body: &'a [u8],
}

/// One block of an extended report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtendedBlock<'a> {
    /// What a receiver's clock showed (RFC 3611 §4.4).
    ReceiverReferenceTime(NtpTime),
    /// How long ago such times came (RFC 3611 §4.5); see [`DelaySinceLastRr::read_all`].
    DelaySinceLastRr(&'a [u8]),
    /// A block of another type.
    Other {
        /// The type.
        kind: u8,
        /// The byte beside it.
        specific: u8,
        /// What it says.
        data: &'a [u8],
    },
}

/// How long ago a receiver's reference time came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelaySinceLastRr {
    /// The receiver.
    pub ssrc: Ssrc,
    /// The middle of its reference time.
    pub last_rr: NtpShort,
    /// How long ago that came.
    pub delay: NtpShort,
}

impl DelaySinceLastRr {
    /// Reads the entries of a block.
    pub fn read_all(data: &[u8]) -> impl Iterator<Item = Self> + '_ {
        let (entries, _) = data.as_chunks::<12>();
        entries.iter().filter_map(|entry| {
            let mut reader = Reader::new(entry);
            Some(Self {
                ssrc: Ssrc(reader.u32().ok()?),
                last_rr: NtpShort(reader.u32().ok()?),
                delay: NtpShort(reader.u32().ok()?),
            })
        })
    }
}

impl<'a> ExtendedReport<'a> {
    pub(super) fn read(body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let ssrc = Ssrc(body.u32()?);
        let report = Self { ssrc, body: body.rest() };
        let mut rest = Reader::new(report.body);
        while !rest.is_empty() {
            next_block(&mut rest)?;
        }
        Ok(report)
    }

    /// Whose report it is.
    pub const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Its blocks.
    pub fn blocks(&self) -> impl Iterator<Item = ExtendedBlock<'a>> + use<'a> {
        let mut rest = Reader::new(self.body);
        core::iter::from_fn(move || next_block(&mut rest).ok())
    }
}

fn next_block<'a>(reader: &mut Reader<'a>) -> Result<ExtendedBlock<'a>, Truncated> {
    let kind = reader.u8()?;
    let specific = reader.u8()?;
    let words = usize::from(reader.u16()?);
    let data = reader.take(words * 4)?;
    Ok(match kind {
        RECEIVER_REFERENCE_TIME => ExtendedBlock::ReceiverReferenceTime(NtpTime(Reader::new(data).u64()?)),
        DLRR => ExtendedBlock::DelaySinceLastRr(data),
        _ => ExtendedBlock::Other { kind, specific, data },
    })
}

/// Writes a report of what a receiver's clock shows.
pub fn write_rrtr(out: &mut Vec<u8>, ssrc: Ssrc, time: NtpTime) {
    write_packet(out, kind::XR, 0, |out| {
        out.put_u32(ssrc.0);
        out.put(&[RECEIVER_REFERENCE_TIME, 0, 0, 2]);
        out.put_u64(time.0);
    });
}

/// Writes a report of how long ago receivers' times came.
pub fn write_dlrr(out: &mut Vec<u8>, ssrc: Ssrc, entries: &[DelaySinceLastRr]) {
    write_packet(out, kind::XR, 0, |out| {
        out.put_u32(ssrc.0);
        out.put(&[DLRR, 0]);
        out.put_u16(u16::try_from(entries.len() * 3).expect("a few entries"));
        for entry in entries {
            out.put_u32(entry.ssrc.0);
            out.put_u32(entry.last_rr.0);
            out.put_u32(entry.delay.0);
        }
    });
}
