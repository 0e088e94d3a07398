//! DATA, a fragment of a message (RFC 9260 §3.3.1).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 0        | 0 0 0 0 I U B E | length                      |
//! +---------------+---------------+---------------+---------------+
//! |                              TSN                              |
//! +---------------+---------------+---------------+---------------+
//! |            stream             |             SSN               |
//! +---------------+---------------+---------------+---------------+
//! |                 payload protocol identifier                   |
//! +---------------+---------------+---------------+---------------+
//! |  at least one byte of the message                             |
//! ```

use pavane_base::{Reader, Truncated, WriteExt};

use super::RawChunk;
use crate::packet::{ChunkAt, PacketWriter};
use crate::types::{Mid, Ppid, StreamId, Tsn};

/// A DATA chunk, or an I-DATA chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Data<'p> {
    pub(crate) tsn: Tsn,
    pub(crate) stream: StreamId,
    /// Which message of the stream it is a part of; of an unordered one DATA does not say.
    pub(crate) mid: Mid,
    /// Which part of the message it is; DATA does not say.
    pub(crate) fsn: u32,
    /// What the message is; of I-DATA the first part alone says it.
    pub(crate) ppid: Ppid,
    pub(crate) unordered: bool,
    /// The first fragment of its message.
    pub(crate) begins: bool,
    /// The last fragment of its message.
    pub(crate) ends: bool,
    /// The sender would like a SACK at once (RFC 7053).
    pub(crate) immediate: bool,
    pub(crate) payload: &'p [u8],
}

impl<'p> Data<'p> {
    pub(crate) const TYPE: u8 = 0;

    /// The bytes before the payload.
    pub(crate) const HEADER: usize = 16;

    pub(crate) fn parse(raw: RawChunk<'p>) -> Result<Self, Truncated> {
        let mut r = Reader::new(raw.value);
        Ok(Self {
            tsn: Tsn(r.u32()?),
            stream: StreamId(r.u16()?),
            mid: Mid(u32::from(r.u16()?)),
            fsn: 0,
            ppid: Ppid(r.u32()?),
            unordered: raw.flags & UNORDERED != 0,
            begins: raw.flags & BEGINS != 0,
            ends: raw.flags & ENDS != 0,
            immediate: raw.flags & IMMEDIATE != 0,
            payload: r.rest(),
        })
    }

    pub(crate) fn write(&self, w: &mut PacketWriter<'_>) -> ChunkAt {
        w.chunk(Self::TYPE, self.flags(), |out| {
            let mut fields = [0; 12];
            fields[..4].copy_from_slice(&self.tsn.0.to_be_bytes());
            fields[4..6].copy_from_slice(&self.stream.0.to_be_bytes());
            fields[6..8].copy_from_slice(&(self.mid.0 as u16).to_be_bytes());
            fields[8..].copy_from_slice(&self.ppid.0.to_be_bytes());
            out.put(&fields);
            out.put(self.payload);
        })
    }

    /// The flags, which DATA and I-DATA have in common.
    pub(super) const fn flags(&self) -> u8 {
        const fn flag(set: bool, bit: u8) -> u8 {
            if set { bit } else { 0 }
        }
        flag(self.immediate, IMMEDIATE)
            | flag(self.unordered, UNORDERED)
            | flag(self.begins, BEGINS)
            | flag(self.ends, ENDS)
    }
}

pub(super) const ENDS: u8 = 1;
pub(super) const BEGINS: u8 = 2;
pub(super) const UNORDERED: u8 = 4;
/// The flag that asks for a SACK at once.
pub(crate) const IMMEDIATE: u8 = 8;

#[cfg(test)]
mod tests {
    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn every_flag_makes_the_round_trip() {
        for bits in 0..16 {
            let data = Data {
                tsn: Tsn(0xffff_fff0),
                stream: StreamId(65535),
                mid: Mid(7),
                fsn: 0,
                ppid: Ppid(51),
                unordered: bits & 1 != 0,
                begins: bits & 2 != 0,
                ends: bits & 4 != 0,
                immediate: bits & 8 != 0,
                payload: b"hello",
            };
            through_a_packet(
                |w| _ = data.write(w),
                Some(Data::HEADER + 8),
                |raw| {
                    assert_eq!(Data::parse(raw), Ok(data));
                    abuse(raw, |raw| _ = Data::parse(raw));
                },
            );
        }
    }
}
