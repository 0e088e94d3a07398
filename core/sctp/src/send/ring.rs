//! The chunks that were sent and not acknowledged cumulatively, by position.
//!
//! A position is a TSN that does not wrap: the low 32 bits are the TSN. The ring is indexed by the distance from its
//! first position, so that every look-up is O(1), however much is in flight.

use alloc::collections::VecDeque;

use pavane_base::{Instant, Key};

use super::loss::TransmissionNumber;
use super::rate::Stamp;
use crate::chunk::Data;
use crate::packet::padded;
use crate::types::Tsn;

/// One DATA chunk that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) message: Key,
    /// When it was sent last.
    pub(crate) sent_at: Instant,
    /// Where its payload begins in the message.
    pub(crate) offset: u32,
    /// How many fragments of the message come before it.
    pub(crate) fragment: u32,
    pub(crate) len: u16,
    /// How often it was sent.
    pub(crate) transmissions: u16,
    pub(crate) state: ChunkState,
    /// Which transmission the last one was.
    pub(super) number: TransmissionNumber,
    /// How much had arrived when it was sent last.
    pub(super) stamp: Stamp,
}

/// What is known about a chunk that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkState {
    /// On its way, for all that is known.
    InFlight,
    /// To be sent again.
    Lost,
    /// It arrived, and something before it did not.
    Acked,
    /// Given up: not to be sent again, the peer is told to skip it.
    Abandoned,
}

/// The chunks, and how many bytes of them are in flight.
#[derive(Debug)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    base: u64,
    /// The bytes of a chunk before its payload.
    header: usize,
    in_flight: u64,
    in_flight_payload: u64,
}

impl Ring {
    pub(crate) fn new(initial: Tsn) -> Self {
        Self {
            entries: VecDeque::new(),
            base: FIRST_CIRCLE | u64::from(initial.0),
            header: Data::HEADER,
            in_flight: 0,
            in_flight_payload: 0,
        }
    }

    /// Sets how many bytes of a chunk come before its payload, while there is none.
    pub(crate) fn set_header(&mut self, header: usize) {
        if self.entries.is_empty() {
            self.header = header;
        }
    }

    /// How many bytes of a chunk come before its payload.
    pub(crate) const fn header(&self) -> usize {
        self.header
    }

    /// How many bytes a chunk takes in a packet, header and padding included.
    pub(crate) const fn wire_size(&self, payload: usize) -> usize {
        self.header + padded(payload)
    }

    /// The position of the oldest chunk; one beyond the last cumulative acknowledgement.
    pub(crate) const fn base(&self) -> u64 {
        self.base
    }

    /// The position that the next new chunk gets.
    pub(crate) fn next(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes in flight, chunk headers and padding included.
    pub(crate) const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Bytes of user data in flight.
    pub(crate) const fn in_flight_payload(&self) -> u64 {
        self.in_flight_payload
    }

    /// The position nearest to the ring whose TSN is `tsn`.
    pub(crate) const fn position_of(&self, tsn: Tsn) -> u64 {
        let distance = tsn.0.wrapping_sub(self.base as u32) as i32;
        self.base.saturating_add_signed(distance as i64)
    }

    pub(crate) fn get(&self, position: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(position.checked_sub(self.base)?).ok()?)
    }

    /// Adds a chunk that is being sent, or the place of one that never will be.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.account(&entry, true);
        self.entries.push_back(entry);
    }

    /// Changes an entry, keeping the sums right.
    pub(crate) fn update<R>(&mut self, position: u64, change: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        let index = usize::try_from(position.checked_sub(self.base)?).ok()?;
        let mut entry = *self.entries.get(index)?;
        self.account(&entry, false);
        let result = change(&mut entry);
        self.account(&entry, true);
        self.entries[index] = entry;
        Some(result)
    }

    /// Takes the oldest chunk out: it is acknowledged.
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.base += 1;
        self.account(&entry, false);
        Some(entry)
    }

    /// The position of the last chunk in flight.
    pub(crate) fn last_in_flight(&self) -> Option<u64> {
        let index = self.entries.iter().rposition(|e| e.state == ChunkState::InFlight)?;
        Some(self.base + index as u64)
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn audit(&self) {
        let flying = self.entries.iter().filter(|entry| entry.state == ChunkState::InFlight);
        let payload: u64 = flying.clone().map(|entry| u64::from(entry.len)).sum();
        let whole: u64 = flying.map(|entry| self.wire_size(usize::from(entry.len)) as u64).sum();
        assert_eq!((self.in_flight, self.in_flight_payload), (whole, payload), "in flight");
    }

    fn account(&mut self, entry: &Entry, add: bool) {
        if entry.state != ChunkState::InFlight {
            return;
        }
        let size = self.wire_size(usize::from(entry.len)) as u64;
        if add {
            self.in_flight += size;
            self.in_flight_payload += u64::from(entry.len);
        } else {
            self.in_flight -= size;
            self.in_flight_payload -= u64::from(entry.len);
        }
    }
}

/// Positions begin here, so that those before the first one exist as well.
const FIRST_CIRCLE: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use pavane_base::Slab;

    use super::*;

    #[test]
    fn positions_do_not_wrap_where_tsns_do() {
        let ring = Ring::new(Tsn(u32::MAX));
        assert_eq!(ring.position_of(Tsn(u32::MAX)), ring.base());
        assert_eq!(ring.position_of(Tsn(0)), ring.base() + 1);
        assert_eq!(ring.position_of(Tsn(u32::MAX - 1)), ring.base() - 1);
        let ring = Ring::new(Tsn(0));
        assert_eq!(ring.position_of(Tsn(u32::MAX)), ring.base() - 1);
    }

    #[test]
    fn the_sums_follow_the_states() {
        let mut keys = Slab::default();
        let message = keys.insert(());
        let mut ring = Ring::new(Tsn(5));
        for len in [100, 101] {
            ring.push(Entry {
                message,
                sent_at: Instant::ZERO,
                offset: 0,
                fragment: 0,
                len,
                transmissions: 1,
                state: ChunkState::InFlight,
                number: TransmissionNumber(0),
                stamp: Stamp::default(),
            });
        }
        assert_eq!((ring.in_flight(), ring.in_flight_payload()), (116 + 120, 201));
        ring.update(ring.base(), |e| e.state = ChunkState::Lost);
        assert_eq!((ring.in_flight(), ring.in_flight_payload()), (120, 101));
        assert_eq!(ring.last_in_flight(), Some(ring.base() + 1));
        ring.pop();
        ring.pop();
        assert_eq!((ring.in_flight(), ring.in_flight_payload(), ring.len()), (0, 0, 0));
        assert!(ring.update(ring.base(), |_| ()).is_none());
    }
}
