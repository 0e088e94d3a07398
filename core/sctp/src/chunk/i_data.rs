//! I-DATA, a fragment of a message whose neighbours may be those of others (RFC 8260 §2.1).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 64       | 0 0 0 0 I U B E | length                      |
//! +---------------+---------------+---------------+---------------+
//! |                              TSN                              |
//! +---------------+---------------+---------------+---------------+
//! |            stream             |              0                |
//! +---------------+---------------+---------------+---------------+
//! |                      message identifier                       |
//! +---------------+---------------+---------------+---------------+
//! |  of the first fragment the payload protocol identifier,       |
//! |  of any other its number                                      |
//! +---------------+---------------+---------------+---------------+
//! |  at least one byte of the message                             |
//! ```

use pavane_base::{Reader, Truncated, WriteExt};

use super::data::{BEGINS, ENDS, IMMEDIATE, UNORDERED};
use super::{Data, RawChunk};
use crate::packet::{ChunkAt, PacketWriter};
use crate::types::{Mid, Ppid, StreamId, Tsn};

/// The form that [`Data`] has where messages are interleaved.
#[derive(Debug)]
pub(crate) enum IData {}

impl IData {
    pub(crate) const TYPE: u8 = 64;

    /// The bytes before the payload.
    pub(crate) const HEADER: usize = 20;

    pub(crate) fn parse(raw: RawChunk<'_>) -> Result<Data<'_>, Truncated> {
        let mut r = Reader::new(raw.value);
        let (tsn, stream) = (Tsn(r.u32()?), StreamId(r.u16()?));
        r.u16()?;
        let mid = Mid(r.u32()?);
        let either = r.u32()?;
        let begins = raw.flags & BEGINS != 0;
        let (ppid, fsn) = if begins { (either, 0) } else { (0, either) };
        Ok(Data {
            tsn,
            stream,
            mid,
            fsn,
            ppid: Ppid(ppid),
            unordered: raw.flags & UNORDERED != 0,
            begins,
            ends: raw.flags & ENDS != 0,
            immediate: raw.flags & IMMEDIATE != 0,
            payload: r.rest(),
        })
    }

    pub(crate) fn write(data: &Data<'_>, w: &mut PacketWriter<'_>) -> ChunkAt {
        let either = if data.begins { data.ppid.0 } else { data.fsn };
        w.chunk(Self::TYPE, data.flags(), |out| {
            let mut fields = [0; 16];
            fields[..4].copy_from_slice(&data.tsn.0.to_be_bytes());
            fields[4..6].copy_from_slice(&data.stream.0.to_be_bytes());
            fields[8..12].copy_from_slice(&data.mid.0.to_be_bytes());
            fields[12..].copy_from_slice(&either.to_be_bytes());
            out.put(&fields);
            out.put(data.payload);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn every_flag_makes_the_round_trip() {
        for bits in 0..16 {
            let begins = bits & 2 != 0;
            let data = Data {
                tsn: Tsn(0xffff_fff0),
                stream: StreamId(65535),
                mid: Mid(0x0102_0304),
                fsn: if begins { 0 } else { 70_000 },
                ppid: Ppid(if begins { 51 } else { 0 }),
                unordered: bits & 1 != 0,
                begins,
                ends: bits & 4 != 0,
                immediate: bits & 8 != 0,
                payload: b"hello",
            };
            through_a_packet(
                |w| _ = IData::write(&data, w),
                Some(IData::HEADER + 8),
                |raw| {
                    assert_eq!(IData::parse(raw), Ok(data));
                    abuse(raw, |raw| _ = IData::parse(raw));
                },
            );
        }
    }
}
