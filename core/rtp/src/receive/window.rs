//! Which of the newest packets came.

/// A bit for each of the newest packets.
#[derive(Clone, Debug)]
pub(super) struct Window {
    bits: [u64; WORDS],
}

const WORDS: usize = 64;

impl Default for Window {
    fn default() -> Self {
        Self { bits: [0; WORDS] }
    }
}

impl Window {
    /// How many packets it remembers.
    pub(super) const LEN: u64 = WORDS as u64 * 64;

    /// Forgets everything but that `sequence` came.
    pub(super) fn restart(&mut self, sequence: u64) {
        // What should have come before counts as missing, so that it can come late.
        self.bits = [0; WORDS];
        self.set(sequence);
    }

    /// Moves on from `highest` to `sequence`, which came.
    pub(super) fn advance(&mut self, highest: u64, sequence: u64) {
        if sequence - highest >= Self::LEN {
            return self.restart(sequence);
        }
        for skipped in highest + 1..sequence {
            let (word, bit) = Self::position(skipped);
            self.bits[word] &= !bit;
        }
        self.set(sequence);
    }

    /// Notes that a packet came, which is not beyond the window; says whether it is the first time.
    pub(super) fn insert(&mut self, sequence: u64) -> bool {
        let (word, bit) = Self::position(sequence);
        let new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        new
    }

    fn set(&mut self, sequence: u64) {
        let (word, bit) = Self::position(sequence);
        self.bits[word] |= bit;
    }

    const fn position(sequence: u64) -> (usize, u64) {
        ((sequence / 64) as usize % WORDS, 1 << (sequence % 64))
    }
}
