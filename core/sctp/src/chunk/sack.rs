//! SACK, what has arrived (RFC 9260 §3.3.4).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 3        | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! |      cumulative TSN: everything up to here has arrived        |
//! +---------------+---------------+---------------+---------------+
//! |                 advertised receiver window                    |
//! +---------------+---------------+---------------+---------------+
//! |     number of gap blocks      |     number of duplicates      |
//! +---------------+---------------+---------------+---------------+
//! |  first ..last that arrived beyond, relative to the cumulative |
//! |  TSN, 16 bits each, for each block; then the duplicate TSNs   |
//! ```

use pavane_base::{Reader, Truncated, WriteExt};

use super::RawChunk;
use crate::packet::PacketWriter;
use crate::types::Tsn;

/// A SACK chunk as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sack<'p> {
    pub(crate) cumulative: Tsn,
    pub(crate) window: u32,
    blocks: &'p [u8],
    duplicates: &'p [u8],
}

impl<'p> Sack<'p> {
    pub(crate) const TYPE: u8 = 3;

    /// The length without gap blocks and duplicates.
    pub(crate) const MIN_SIZE: usize = 16;

    pub(crate) fn parse(raw: RawChunk<'p>) -> Result<Self, Truncated> {
        let mut r = Reader::new(raw.value);
        let (cumulative, window) = (Tsn(r.u32()?), r.u32()?);
        let (blocks, duplicates) = (usize::from(r.u16()?), usize::from(r.u16()?));
        Ok(Self { cumulative, window, blocks: r.take(blocks * 4)?, duplicates: r.take(duplicates * 4)? })
    }

    /// The gap blocks: first and last, relative to the cumulative TSN.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u16, u16)> + use<'p> {
        let (blocks, _) = self.blocks.as_chunks::<4>();
        blocks.iter().map(|[a, b, c, d]| (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
    }

    /// The TSNs that arrived more than once.
    pub(crate) fn duplicates(&self) -> impl Iterator<Item = Tsn> + use<'p> {
        let (duplicates, _) = self.duplicates.as_chunks::<4>();
        duplicates.iter().map(|tsn| Tsn(u32::from_be_bytes(*tsn)))
    }

    /// Writes a SACK with as many of the blocks, then of the duplicates, as fit. Of blocks that do not fit the lowest and the
    /// highest are told: the others were, when they were the highest, and the news is at both ends.
    pub(crate) fn write(
        w: &mut PacketWriter<'_>,
        cumulative: Tsn,
        window: u32,
        blocks: impl Iterator<Item = (u16, u16)> + Clone,
        duplicates: impl Iterator<Item = Tsn>,
    ) {
        let room = (w.room().saturating_sub(Self::MIN_SIZE) / 4).min(usize::from(u16::MAX));
        let beyond = blocks.clone().count().saturating_sub(room);
        let (lowest, highest) = (room / 2, room / 2 + beyond);
        let chosen = blocks
            .enumerate()
            .filter(|(index, _)| beyond == 0 || *index < lowest || *index >= highest)
            .map(|(_, block)| block);
        w.chunk(Self::TYPE, 0, |out| {
            out.put_u32(cumulative.0);
            out.put_u32(window);
            let counts = out.len();
            out.put_u32(0);
            let mut block_count: u16 = 0;
            for (first, last) in chosen.take(room) {
                out.put_u16(first);
                out.put_u16(last);
                block_count += 1;
            }
            let mut duplicate_count: u16 = 0;
            for tsn in duplicates.take(room - usize::from(block_count)) {
                out.put_u32(tsn.0);
                duplicate_count += 1;
            }
            out[counts..counts + 2].copy_from_slice(&block_count.to_be_bytes());
            out[counts + 2..counts + 4].copy_from_slice(&duplicate_count.to_be_bytes());
        });
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn blocks_and_duplicates_make_the_round_trip() {
        let blocks = [(2, 3), (5, 5), (65535, 65535)];
        let duplicates = [Tsn(9), Tsn(u32::MAX)];
        through_a_packet(
            |w| Sack::write(w, Tsn(100), 5_000_000, blocks.into_iter(), duplicates.into_iter()),
            Some(Sack::MIN_SIZE + 20),
            |raw| {
                let sack = Sack::parse(raw).unwrap();
                assert_eq!((sack.cumulative, sack.window), (Tsn(100), 5_000_000));
                assert_eq!(sack.blocks().collect::<Vec<_>>(), blocks);
                assert_eq!(sack.duplicates().collect::<Vec<_>>(), duplicates);
                abuse(raw, |raw| {
                    if let Ok(sack) = Sack::parse(raw) {
                        sack.blocks().count();
                    }
                });
            },
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let blocks = (0..2000).map(|i| (i * 2 + 2, i * 2 + 2));
        through_a_packet(
            |w| Sack::write(w, Tsn(1), 0, blocks, [Tsn(1)].into_iter()),
            None,
            |raw| {
                let sack = Sack::parse(raw).unwrap();
                assert_eq!(sack.blocks().count(), (2000 - 12 - 16) / 4);
                assert_eq!(sack.duplicates().count(), 0);
            },
        );
    }
}
