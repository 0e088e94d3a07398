//! Rounds, and the greatest of a figure over the last of them.

/// Counts round trips: one is over when something is acknowledged that was sent after it began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rounds {
    /// How much had arrived when the round began.
    mark: u64,
    pub(super) count: u32,
}

impl Rounds {
    /// Takes a sample in; whether a round begins with it.
    pub(super) fn advance(&mut self, delivered_before: u64, delivered: u64) -> bool {
        let begins = delivered_before >= self.mark;
        if begins {
            self.mark = delivered;
            self.count = self.count.wrapping_add(1);
        }
        begins
    }
}

/// The greatest figure of the last rounds: of this lot of rounds and of the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Greatest {
    lots: [u64; 2],
    began: u32,
}

impl Greatest {
    pub(super) fn note(&mut self, round: u32, figure: u64) {
        if round.wrapping_sub(self.began) >= LOT {
            self.lots = [0, self.lots[0]];
            self.began = round;
        }
        self.lots[0] = self.lots[0].max(figure);
    }

    pub(super) fn get(&self) -> u64 {
        self.lots[0].max(self.lots[1])
    }
}

/// How many rounds make a lot: two of them hold at least one probe for more.
const LOT: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_over_when_something_newer_is_acknowledged() {
        let mut rounds = Rounds::default();
        assert!(rounds.advance(0, 100));
        assert!(!rounds.advance(50, 200));
        assert!(rounds.advance(100, 300));
        assert!(!rounds.advance(299, 400));
        assert_eq!(rounds.count, 2);
    }

    #[test]
    fn the_greatest_is_forgotten_after_two_lots() {
        let mut greatest = Greatest::default();
        greatest.note(0, 9);
        (1..LOT).for_each(|round| greatest.note(round, 3));
        greatest.note(LOT, 4);
        assert_eq!(greatest.get(), 9);
        greatest.note(2 * LOT, 2);
        assert_eq!(greatest.get(), 4);
    }
}
