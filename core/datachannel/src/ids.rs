//! Which ids are ours to give (RFC 8832 §6).

use alloc::collections::BTreeMap;

use pavane_base::Key;

/// Even ids are the DTLS client's to give, odd ones the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// For the DTLS client.
    Even,
    /// For the DTLS server.
    Odd,
}

/// The streams that are in use, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    used: BTreeMap<u16, Key>,
}

impl Ids {
    pub(crate) fn get(&self, id: u16) -> Option<Key> {
        self.used.get(&id).copied()
    }

    pub(crate) fn take(&mut self, id: u16, key: Key) {
        self.used.insert(id, key);
    }

    pub(crate) fn free(&mut self, id: u16) {
        self.used.remove(&id);
    }

    /// The lowest id of this parity that is free and below `limit`, which is 65535 at most: that id stands for none.
    pub(crate) fn lowest(&self, parity: Parity, limit: u16) -> Option<u16> {
        let first = match parity {
            Parity::Even => 0,
            Parity::Odd => 1,
        };
        let mut candidate = first;
        for id in self.used.keys().copied().filter(|id| id % 2 == first) {
            if id != candidate {
                break;
            }
            candidate = candidate.checked_add(2)?;
        }
        (candidate < limit).then_some(candidate)
    }
}
