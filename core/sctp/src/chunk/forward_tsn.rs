//! FORWARD TSN, "do not wait for these" (RFC 3758 §3.2).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 192      | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! |      new cumulative TSN: nothing up to here will come         |
//! +---------------+---------------+---------------+---------------+
//! |            stream             |   last SSN given up           |
//! |  for each stream with ordered messages among them             |
//! ```

use pavane_base::{Reader, Truncated, WriteExt};

use super::RawChunk;
use crate::packet::PacketWriter;
use crate::types::{Mid, StreamId, Tsn};

/// Messages given up: the last one among the ordered or the unordered ones of a stream, and those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) stream: StreamId,
    pub(crate) unordered: bool,
    pub(crate) mid: Mid,
}

/// A FORWARD TSN chunk as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ForwardTsn<'p> {
    pub(crate) cumulative: Tsn,
    skipped: &'p [u8],
}

impl<'p> ForwardTsn<'p> {
    pub(crate) const TYPE: u8 = 192;

    /// The length with this many streams.
    pub(crate) const fn size(streams: usize) -> usize {
        8 + 4 * streams
    }

    pub(crate) fn parse(raw: RawChunk<'p>) -> Result<Self, Truncated> {
        let mut r = Reader::new(raw.value);
        Ok(Self { cumulative: Tsn(r.u32()?), skipped: r.rest() })
    }

    /// The streams with ordered messages given up, and the last of these.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = Skipped> + use<'p> {
        let (skipped, _) = self.skipped.as_chunks::<4>();
        skipped.iter().map(|[a, b, c, d]| Skipped {
            stream: StreamId(u16::from_be_bytes([*a, *b])),
            unordered: false,
            mid: Mid(u32::from(u16::from_be_bytes([*c, *d]))),
        })
    }

    pub(crate) fn write(w: &mut PacketWriter<'_>, cumulative: Tsn, skipped: &[Skipped]) {
        w.chunk(Self::TYPE, 0, |out| {
            out.put_u32(cumulative.0);
            for Skipped { stream, mid, .. } in skipped {
                out.put_u16(stream.0);
                out.put_u16(mid.0 as u16);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn it_makes_the_round_trip() {
        let skip = |stream, mid| Skipped { stream: StreamId(stream), unordered: false, mid: Mid(mid) };
        let skipped = [skip(1, 65535), skip(65535, 0)];
        through_a_packet(
            |w| ForwardTsn::write(w, Tsn(9), &skipped),
            Some(ForwardTsn::size(2)),
            |raw| {
                let forward = ForwardTsn::parse(raw).unwrap();
                assert_eq!(forward.cumulative, Tsn(9));
                assert_eq!(forward.skipped().collect::<Vec<_>>(), skipped);
                abuse(raw, |raw| _ = ForwardTsn::parse(raw).map(|f| f.skipped().count()));
            },
        );
    }
}
