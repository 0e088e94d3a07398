//! I-FORWARD-TSN, "do not wait for these" where messages are interleaved (RFC 8260 §2.3.1).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 194      | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! |      new cumulative TSN: nothing up to here will come         |
//! +---------------+---------------+---------------+---------------+
//! |            stream             |  0                          U |
//! +---------------+---------------+---------------+---------------+
//! |  last message given up among the ordered or, with U, the      |
//! |  unordered ones; for each stream and kind among them          |
//! ```

use pavane_base::{Reader, Truncated, WriteExt};

use super::{RawChunk, Skipped};
use crate::packet::PacketWriter;
use crate::types::{Mid, StreamId, Tsn};

/// An I-FORWARD-TSN chunk as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IForwardTsn<'p> {
    pub(crate) cumulative: Tsn,
    skipped: &'p [u8],
}

impl<'p> IForwardTsn<'p> {
    pub(crate) const TYPE: u8 = 194;

    /// The length with this many entries.
    pub(crate) const fn size(entries: usize) -> usize {
        8 + 8 * entries
    }

    pub(crate) fn parse(raw: RawChunk<'p>) -> Result<Self, Truncated> {
        let mut r = Reader::new(raw.value);
        Ok(Self { cumulative: Tsn(r.u32()?), skipped: r.rest() })
    }

    /// The streams with messages given up, and the last of these.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = Skipped> + use<'p> {
        let (skipped, _) = self.skipped.as_chunks::<8>();
        skipped.iter().map(|[a, b, _, flags, mid @ ..]| Skipped {
            stream: StreamId(u16::from_be_bytes([*a, *b])),
            unordered: flags & UNORDERED != 0,
            mid: Mid(u32::from_be_bytes(*mid)),
        })
    }

    pub(crate) fn write(w: &mut PacketWriter<'_>, cumulative: Tsn, skipped: &[Skipped]) {
        w.chunk(Self::TYPE, 0, |out| {
            out.put_u32(cumulative.0);
            for Skipped { stream, unordered, mid } in skipped {
                out.put_u16(stream.0);
                out.put(&[0, if *unordered { UNORDERED } else { 0 }]);
                out.put_u32(mid.0);
            }
        });
    }
}

const UNORDERED: u8 = 1;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn it_makes_the_round_trip() {
        let skip = |stream, unordered, mid| Skipped { stream: StreamId(stream), unordered, mid: Mid(mid) };
        let skipped = [skip(1, false, u32::MAX), skip(1, true, 70_000), skip(65535, false, 0)];
        through_a_packet(
            |w| IForwardTsn::write(w, Tsn(9), &skipped),
            Some(IForwardTsn::size(3)),
            |raw| {
                let forward = IForwardTsn::parse(raw).unwrap();
                assert_eq!(forward.cumulative, Tsn(9));
                assert_eq!(forward.skipped().collect::<Vec<_>>(), skipped);
                abuse(raw, |raw| _ = IForwardTsn::parse(raw).map(|f| f.skipped().count()));
            },
        );
    }
}
