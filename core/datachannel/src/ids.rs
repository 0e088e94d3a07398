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
    /// Below these, every even and every odd id is in use.
    full_below: [u16; 2],
}

impl Ids {
    pub(crate) fn get(&self, id: u16) -> Option<Key> {
        self.used.get(&id).copied()
    }

    pub(crate) fn take(&mut self, id: u16, key: Key) {
        self.used.insert(id, key);
    }

    pub(crate) fn free(&mut self, id: u16) {
        if self.used.remove(&id).is_some() {
            let full_below = &mut self.full_below[usize::from(id % 2)];
            *full_below = id.min(*full_below);
        }
    }

    /// The lowest id of this parity that is free and below `limit`, which is 65535 at most: that id stands for none.
    pub(crate) fn lowest(&mut self, parity: Parity, limit: u16) -> Option<u16> {
        let first: u16 = match parity {
            Parity::Even => 0,
            Parity::Odd => 1,
        };
        let full_below = &mut self.full_below[usize::from(first)];
        let mut candidate = first.max(*full_below);
        while self.used.contains_key(&candidate) {
            candidate = candidate.checked_add(2)?;
        }
        *full_below = candidate;
        (candidate < limit).then_some(candidate)
    }
}

#[cfg(test)]
mod tests {
    use pavane_base::Slab;

    use super::*;

    #[test]
    fn the_lowest_free_id_is_given_up_to_65534() {
        let key = Slab::default().insert(());
        for (parity, last) in [(Parity::Even, 65_534), (Parity::Odd, 65_533)] {
            let mut ids = Ids::default();
            ids.take(4, key);
            ids.take(5, key);
            let mut given = alloc::vec::Vec::new();
            while let Some(id) = ids.lowest(parity, u16::MAX) {
                ids.take(id, key);
                given.push(id);
            }
            assert_eq!((given.len(), given.last()), (32_766 + usize::from(last % 2 == 0), Some(&last)));
            assert!(given.is_sorted() && !given.contains(&4) && !given.contains(&5));
            ids.free(given[7]);
            ids.free(given[3]);
            assert_eq!(ids.lowest(parity, u16::MAX), Some(given[3]));
            assert_eq!(ids.lowest(parity, given[3]), None);
        }
    }
}
