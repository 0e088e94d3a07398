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
use crate::types::{Ssn, StreamId, Tsn};

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

    /// The streams with ordered messages given up, and the last SSN of these.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (StreamId, Ssn)> + use<'p> {
        let (skipped, _) = self.skipped.as_chunks::<4>();
        skipped
            .iter()
            .map(|[a, b, c, d]| (StreamId(u16::from_be_bytes([*a, *b])), Ssn(u16::from_be_bytes([*c, *d]))))
    }

    pub(crate) fn write(w: &mut PacketWriter<'_>, cumulative: Tsn, skipped: &[(StreamId, Ssn)]) {
        w.chunk(Self::TYPE, 0, |out| {
            out.put_u32(cumulative.0);
            for (stream, ssn) in skipped {
                out.put_u16(stream.0);
                out.put_u16(ssn.0);
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
        let skipped = [(StreamId(1), Ssn(65535)), (StreamId(65535), Ssn(0))];
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
