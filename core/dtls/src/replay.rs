//! The replay window (RFC 6347 §4.1.2.6).

/// Which of the latest 64 sequence numbers of an epoch have been seen.
///
/// Asking and marking are two steps: a number is marked only after its record has proved authentic, or a forger could move
/// the window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReplayWindow {
    /// One above the highest number seen.
    next: u64,
    /// Bit `i` is number `next - 1 - i`.
    seen: u64,
}

impl ReplayWindow {
    const WIDTH: u64 = u64::BITS as u64;

    /// Whether the number has not been seen, as far as the window remembers.
    pub(crate) const fn is_fresh(&self, sequence: u64) -> bool {
        if sequence >= self.next {
            return true;
        }
        let age = self.next - 1 - sequence;
        age < Self::WIDTH && self.seen & (1 << age) == 0
    }

    /// Marks the number as seen.
    pub(crate) const fn mark(&mut self, sequence: u64) {
        if sequence >= self.next {
            let ahead = sequence - self.next + 1;
            self.seen = if ahead < Self::WIDTH { self.seen << ahead } else { 0 };
            self.seen |= 1;
            self.next = sequence + 1;
        } else if self.next - 1 - sequence < Self::WIDTH {
            self.seen |= 1 << (self.next - 1 - sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn the_window_agrees_with_a_set() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut window = ReplayWindow::default();
        let mut seen = BTreeSet::new();
        let mut highest = 0;
        for _ in 0..100_000 {
            let sequence = match rng.next_u32() % 50 {
                0 => highest + u64::from(rng.next_u32() % 100),
                _ => (highest + 3).saturating_sub(u64::from(rng.next_u32() % 80)),
            };
            let too_old = !seen.is_empty() && sequence + 64 <= highest;
            assert_eq!(window.is_fresh(sequence), !too_old && !seen.contains(&sequence));
            if window.is_fresh(sequence) {
                window.mark(sequence);
                seen.insert(sequence);
                highest = highest.max(sequence);
            }
        }
    }
}
