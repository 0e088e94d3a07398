//! Sender and receiver reports (RFC 3550 §6.4).
//!
//! ```text
//! SR: 32 SSRC, 64 NTP time, 32 RTP timestamp, 32 packets, 32 bytes, blocks
//! RR: 32 SSRC, blocks
//! block: 32 SSRC, 8 fraction lost, 24 packets lost, 32 highest number, 32 jitter, 32 LSR, 32 DLSR
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use super::{begin_packet, end_packet, kind};
use crate::{NtpShort, NtpTime, RtpTimestamp, Ssrc};

/// How many blocks one report holds: its count has five bits.
pub const MAX_REPORT_BLOCKS: usize = 31;

const BLOCK_LEN: usize = 24;

/// What a sender says of its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// The stream.
    pub ssrc: Ssrc,
    /// A moment of the wall clock.
    pub ntp: NtpTime,
    /// The same moment of the media clock.
    pub rtp: RtpTimestamp,
    /// How many packets were sent, modulo 2^32.
    pub packets: u32,
    /// How many bytes of payload they had, modulo 2^32.
    pub octets: u32,
}

/// What somebody received of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// The part that was lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// How many packets were lost in all, 24 bits; negative if duplicates outweigh losses.
    pub cumulative_lost: i32,
    /// The highest sequence number, below how often it wrapped.
    pub highest: u32,
    /// The jitter of arrivals, in units of the media clock.
    pub jitter: u32,
    /// The middle of the NTP time of the last sender report; 0 without one.
    pub last_sr: NtpShort,
    /// How long ago that report came.
    pub delay_since_last_sr: NtpShort,
}

impl ReportBlock {
    fn from_bytes(bytes: &[u8; BLOCK_LEN]) -> Self {
        let mut reader = Reader::new(bytes);
        let mut word = || reader.u32().expect("a block has six words");
        let ssrc = Ssrc(word());
        let loss = word();
        Self {
            ssrc,
            fraction_lost: (loss >> 24) as u8,
            // The shifts extend the sign of 24 bits.
            cumulative_lost: ((loss << 8) as i32) >> 8,
            highest: word(),
            jitter: word(),
            last_sr: NtpShort(word()),
            delay_since_last_sr: NtpShort(word()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff);
        out.put_u32(self.ssrc.0);
        out.put_u8(self.fraction_lost);
        out.put_u24(lost as u32 & 0xff_ffff);
        for word in [self.highest, self.jitter, self.last_sr.0, self.delay_since_last_sr.0] {
            out.put_u32(word);
        }
    }
}

/// A sender report.
#[derive(Clone, Copy, Debug)]
pub struct SenderReport<'a> {
    info: SenderInfo,
    blocks: &'a [[u8; BLOCK_LEN]],
}

impl<'a> SenderReport<'a> {
    pub(super) fn read(count: u8, body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let info = SenderInfo {
            ssrc: Ssrc(body.u32()?),
            ntp: NtpTime(body.u64()?),
            rtp: RtpTimestamp(body.u32()?),
            packets: body.u32()?,
            octets: body.u32()?,
        };
        Ok(Self { info, blocks: read_blocks(count, body)? })
    }

    /// What it says of its sender's stream.
    pub const fn info(&self) -> SenderInfo {
        self.info
    }

    /// What its sender received.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::from_bytes)
    }
}

/// A receiver report.
#[derive(Clone, Copy, Debug)]
pub struct ReceiverReport<'a> {
    ssrc: Ssrc,
    blocks: &'a [[u8; BLOCK_LEN]],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn read(count: u8, body: &mut Reader<'a>) -> Result<Self, Truncated> {
        Ok(Self { ssrc: Ssrc(body.u32()?), blocks: read_blocks(count, body)? })
    }

    /// Whose report it is.
    pub const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// What was received.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::from_bytes)
    }
}

fn read_blocks<'a>(count: u8, body: &mut Reader<'a>) -> Result<&'a [[u8; BLOCK_LEN]], Truncated> {
    Ok(body.take(usize::from(count) * BLOCK_LEN)?.as_chunks().0)
}

/// Writes one report, block by block.
#[derive(Debug)]
pub struct ReportWriter<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    blocks: usize,
}

impl<'b> ReportWriter<'b> {
    /// Begins a sender report.
    pub fn sender(out: &'b mut Vec<u8>, info: &SenderInfo) -> Self {
        let start = begin_packet(out, kind::SR, 0);
        out.put_u32(info.ssrc.0);
        out.put_u64(info.ntp.0);
        for word in [info.rtp.0, info.packets, info.octets] {
            out.put_u32(word);
        }
        Self { out, start, blocks: 0 }
    }

    /// Begins a receiver report.
    pub fn receiver(out: &'b mut Vec<u8>, ssrc: Ssrc) -> Self {
        let start = begin_packet(out, kind::RR, 0);
        out.put_u32(ssrc.0);
        Self { out, start, blocks: 0 }
    }

    /// Whether another block fits.
    pub const fn has_room(&self) -> bool {
        self.blocks < MAX_REPORT_BLOCKS
    }

    /// Adds a block.
    ///
    /// # Panics
    /// If there is no room.
    pub fn block(&mut self, block: &ReportBlock) {
        assert!(self.has_room(), "a report holds 31 blocks");
        block.write(self.out);
        self.out[self.start] += 1;
        self.blocks += 1;
    }

    /// Ends the report.
    pub fn finish(self) {
        end_packet(self.out, self.start);
    }
}
