//! A map from stream ids to what is known of the streams.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::types::StreamId;

/// A map with 65,536 possible keys: two look-ups by index, memory for what is there and little besides.
///
/// Every packet looks streams up, so that this is on the way of all data; a tree of thousands of entries would be felt.
#[derive(Clone, Debug)]
pub(crate) struct StreamMap<T> {
    /// Where in `entries` a stream is, by the page that its id is on and its place there.
    pages: Vec<Option<Box<[u16; PAGE]>>>,
    entries: Vec<Option<T>>,
    free: Vec<u16>,
}

impl<T> Default for StreamMap<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> StreamMap<T> {
    pub(crate) fn get(&self, id: StreamId) -> Option<&T> {
        self.entries.get(self.slot(id)?)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut T> {
        let slot = self.slot(id)?;
        self.entries.get_mut(slot)?.as_mut()
    }

    /// The entry of `id`, made by `make` if there is none.
    pub(crate) fn get_or_insert_with(&mut self, id: StreamId, make: impl FnOnce() -> T) -> &mut T {
        let slot = self.slot(id).unwrap_or_else(|| self.occupy(id));
        self.entries[slot].get_or_insert_with(make)
    }

    pub(crate) fn remove(&mut self, id: StreamId) -> Option<T> {
        let slot = self.slot(id)?;
        let [page, index] = split(id);
        if let Some(Some(page)) = self.pages.get_mut(page) {
            page[index] = NOWHERE;
        }
        self.free.push(slot as u16);
        self.entries[slot].take()
    }

    /// The entries, in the order of their slots.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().flatten()
    }

    /// The ids that have an entry, in ascending order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = StreamId> {
        let pages = self.pages.iter().enumerate();
        pages.filter_map(|(upper, page)| page.as_ref().map(|page| (upper, page))).flat_map(|(upper, page)| {
            let present = page.iter().enumerate().filter(|(_, slot)| **slot != NOWHERE);
            present.map(move |(lower, _)| StreamId((upper * PAGE + lower) as u16))
        })
    }

    fn slot(&self, id: StreamId) -> Option<usize> {
        let [page, index] = split(id);
        let slot = self.pages.get(page)?.as_ref()?[index];
        (slot != NOWHERE).then_some(usize::from(slot))
    }

    fn occupy(&mut self, id: StreamId) -> usize {
        let [page, index] = split(id);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            if self.entries.len() < FEW {
                self.entries.reserve_exact(1);
            }
            self.entries.push(None);
            (self.entries.len() - 1) as u16
        });
        self.pages[page].get_or_insert_with(|| Box::new([NOWHERE; PAGE]))[index] = slot;
        usize::from(slot)
    }
}

const fn split(id: StreamId) -> [usize; 2] {
    [id.0 as usize / PAGE, id.0 as usize % PAGE]
}

/// Most connections use a handful of low ids: a small page is what they pay for. The table of pages grows to 16 KiB where the
/// highest ids are used.
const PAGE: usize = 32;

/// Up to so many entries get no room ahead.
const FEW: usize = 4;

/// No slot: stream 65,535 does not exist in WebRTC (RFC 8831 §6.5 has 65,535 streams, 0 to 65,534), so that there are
/// never more than 65,535 entries.
const NOWHERE: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_place_of_its_own() {
        let mut map = StreamMap::default();
        for id in 0..u16::MAX {
            assert!(map.get(StreamId(id)).is_none());
            *map.get_or_insert_with(StreamId(id), || id) ^= 1;
        }
        for id in 0..u16::MAX {
            assert_eq!(map.get(StreamId(id)), Some(&(id ^ 1)));
        }
        assert_eq!(map.ids().count(), 65535);
        for id in (0..u16::MAX).step_by(2) {
            assert_eq!(map.remove(StreamId(id)), Some(id ^ 1));
            assert_eq!(map.remove(StreamId(id)), None);
        }
        assert_eq!(map.ids().collect::<Vec<_>>(), (1..u16::MAX).step_by(2).map(StreamId).collect::<Vec<_>>());
        assert_eq!(map.values_mut().count(), 32767);
        map.get_or_insert_with(StreamId(4), || 9);
        assert_eq!(map.entries.len(), 65535, "slots are used again");
    }
}
