//! Frames in pieces of nearly the same size: a small last packet costs as much as a large one, and is lost as easily.

use bytes::Bytes;

/// What is left of a frame, and in how many pieces it is to go.
#[derive(Clone, Debug, Default)]
pub(super) struct Fragments {
    rest: Bytes,
    pieces: usize,
}

impl Fragments {
    /// Divides `whole` into as few pieces of at most `max_len` bytes as there can be; `max_len` is not 0.
    pub(super) const fn new(whole: Bytes, max_len: usize) -> Self {
        let pieces = whole.len().div_ceil(max_len);
        Self { rest: whole, pieces }
    }

    /// Whether no piece is left.
    pub(super) const fn is_empty(&self) -> bool {
        self.pieces == 0
    }
}

impl Iterator for Fragments {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let len = self.rest.len().checked_div(self.pieces)?;
        // What does not divide goes to the last ones, byte by byte.
        self.pieces -= 1;
        Some(self.rest.split_to(len))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn pieces_differ_by_one_byte_at_most() {
        for len in 0..400 {
            for max_len in 1..50 {
                let pieces: Vec<_> =
                    Fragments::new(vec![0; len].into(), max_len).map(|piece| piece.len()).collect();
                assert_eq!(pieces.len(), len.div_ceil(max_len));
                assert_eq!(pieces.iter().sum::<usize>(), len);
                let (least, most) = (pieces.iter().min(), pieces.iter().max());
                assert!(most.is_none_or(|most| *most <= max_len && most - least.unwrap() <= 1));
            }
        }
    }
}
