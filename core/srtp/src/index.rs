//! Packet indices: sequence numbers with their rollover counters, and which of them came (RFC 3711 §3.3.1, §3.3.2).

use crate::UnprotectError;

/// The number of indices that a key may be used for (RFC 3711 §9.2).
///
/// Deviation: RFC 5764 §4.1.2 gives the profiles with AES-CM a lifetime of 2^31 packets. A WebRTC session has no way to get
/// new keys, so that it would end there; other implementations count to 2^48 as well.
pub(crate) const MAX_RTP_INDEX: u64 = (1 << 48) - 1;
/// The same for RTCP.
pub(crate) const MAX_RTCP_INDEX: u32 = (1 << 31) - 1;

/// The index of a packet with this sequence number, if the highest so far is `highest`: the nearest one, whatever the
/// rollover counter would have to be for it.
pub(crate) const fn nearest(highest: u64, sequence: u16) -> u64 {
    let ahead = sequence.wrapping_sub(highest as u16);
    if ahead < 0x8000 {
        return highest + ahead as u64;
    }
    let behind = 0x1_0000 - ahead as u64;
    // Before the first packet of all there is none: it is the one to come.
    match highest.checked_sub(behind) {
        Some(index) => index,
        None => highest + ahead as u64,
    }
}

/// Which of the newest indices came.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    highest: u64,
    /// A bit for each, in a circle.
    bits: [u64; WORDS],
}

const WORDS: usize = 16;
/// How many indices are remembered; RFC 3711 §3.3.2 wants 64 at least, fast links reorder over more.
pub(crate) const WINDOW: u64 = WORDS as u64 * 64;

impl Window {
    /// A window whose first packet has this index.
    pub(crate) fn starting(index: u64) -> Self {
        let mut window = Self { highest: index, bits: [0; WORDS] };
        window.set(index);
        window
    }

    /// The highest index that came.
    pub(crate) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether a packet with this index may be taken.
    pub(crate) fn check(&self, index: u64) -> Result<(), UnprotectError> {
        if index > self.highest {
            return Ok(());
        }
        if self.highest - index >= WINDOW {
            return Err(UnprotectError::TooOld);
        }
        let (word, bit) = Self::position(index);
        if self.bits[word] & bit == 0 { Ok(()) } else { Err(UnprotectError::Replayed) }
    }

    /// Notes that a packet with this index, which was checked, is authentic.
    pub(crate) fn accept(&mut self, index: u64) {
        if index > self.highest {
            match index - self.highest {
                WINDOW.. => self.bits = [0; WORDS],
                _ => (self.highest + 1..index).for_each(|skipped| {
                    let (word, bit) = Self::position(skipped);
                    self.bits[word] &= !bit;
                }),
            }
            self.highest = index;
        }
        self.set(index);
    }

    fn set(&mut self, index: u64) {
        let (word, bit) = Self::position(index);
        self.bits[word] |= bit;
    }

    const fn position(index: u64) -> (usize, u64) {
        ((index / 64) as usize % WORDS, 1 << (index % 64))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn every_sequence_number_has_its_nearest_index() {
        for highest in [0, 1, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x1_7fff, 0x5_8000, MAX_RTP_INDEX - 5] {
            for sequence in 0..=u16::MAX {
                let index = nearest(highest, sequence);
                assert_eq!(index as u16, sequence);
                let distance = index.abs_diff(highest);
                assert!(distance <= 0x8000 || highest < 0x8000, "{highest:x} {sequence:x}");
            }
        }
    }

    /// RFC 3711 §3.3.1 in its own words, as the appendix has them.
    #[test]
    fn the_nearest_index_is_the_standards_guess() {
        let guess = |roc: u64, s_l: u64, seq: u64| {
            let v = if s_l < 0x8000 {
                if seq as i64 - s_l as i64 > 0x8000 { roc.checked_sub(1) } else { Some(roc) }
            } else if s_l - 0x8000 > seq {
                Some(roc + 1)
            } else {
                Some(roc)
            };
            v.map(|v| v << 16 | seq)
        };
        for roc in [1, 2, 77] {
            for s_l in (0..0x1_0000).step_by(257).chain([0x7fff, 0x8000, 0x8001]) {
                for seq in (0..0x1_0000).step_by(61) {
                    // At exactly half the circle either is right.
                    if (seq - s_l as i64).rem_euclid(0x1_0000) != 0x8000 {
                        let s_l = s_l as u64;
                        assert_eq!(Some(nearest(roc << 16 | s_l, seq as u16)), guess(roc, s_l, seq as u64));
                    }
                }
            }
        }
    }

    #[test]
    fn each_index_is_accepted_once_in_any_order() {
        for seed in 0..200 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let first = u64::from(rng.next_u32() % 70_000);
            let mut window = Window::starting(first);
            let mut accepted = BTreeSet::from([first]);
            for _ in 0..2000 {
                let highest = window.highest();
                let spread = [4, 100, 3000][rng.next_u32() as usize % 3];
                let index =
                    (highest + u64::from(rng.next_u32() % spread)).saturating_sub(u64::from(spread) / 2);
                let expected = match index {
                    _ if index + WINDOW <= highest => Err(UnprotectError::TooOld),
                    _ if accepted.contains(&index) => Err(UnprotectError::Replayed),
                    _ => Ok(()),
                };
                assert_eq!(window.check(index), expected, "seed {seed}: {index} at {highest}");
                if expected.is_ok() {
                    window.accept(index);
                    accepted.insert(index);
                }
            }
        }
    }
}
