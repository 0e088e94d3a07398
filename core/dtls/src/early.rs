//! What came before its time: records of a protected epoch whose keys are not there yet, and application data of a
//! handshake that is not done.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::record::RecordHeader;

/// How many records wait for keys, and how many plaintexts for the handshake's end, at most: a peer's Finished, and what
/// a peer that is done sends in the round trip before we are.
const MAX_RECORDS: usize = 32;

/// How many octets wait, at most, in each of the two places.
const MAX_OCTETS: usize = 1 << 16;

/// A bounded queue of byte strings with something beside each.
#[derive(Debug)]
pub(crate) struct Bounded<T> {
    items: VecDeque<(T, Vec<u8>)>,
    octets: usize,
}

/// Sealed records that wait for keys.
pub(crate) type SealedRecords = Bounded<RecordHeader>;

/// Opened application data that waits for the handshake's end.
pub(crate) type EarlyData = Bounded<()>;

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), octets: 0 }
    }
}

impl<T> Bounded<T> {
    pub(crate) fn push(&mut self, beside: T, bytes: &[u8]) -> Result<(), Full> {
        if self.items.len() >= MAX_RECORDS || self.octets + bytes.len() > MAX_OCTETS {
            return Err(Full);
        }
        self.octets += bytes.len();
        self.items.push_back((beside, bytes.to_vec()));
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<(T, Vec<u8>)> {
        let (beside, bytes) = self.items.pop_front()?;
        self.octets -= bytes.len();
        Some((beside, bytes))
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold_and_room_comes_back() {
        let mut many = EarlyData::default();
        let accepted = (0..100).filter(|_| many.push((), b"x").is_ok()).count();
        assert_eq!(accepted, MAX_RECORDS);
        assert!(many.pop().is_some());
        assert_eq!(many.push((), b"x"), Ok(()));

        let mut large = EarlyData::default();
        let accepted = (0..100).filter(|_| large.push((), &[0; 16_000]).is_ok()).count();
        assert_eq!(accepted, 4);
    }
}
