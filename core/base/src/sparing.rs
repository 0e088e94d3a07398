//! Growth of collections of which there are many, and that mostly hold one or two entries.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Room for one more entry, and for no others while there are few: by itself a collection begins with room for four.
pub trait RoomForOne {
    /// Makes the room. From the fifth entry on it is left to the collection, which doubles.
    fn room_for_one(&mut self);
}

/// Up to so many entries get no room ahead.
const FEW: usize = 4;

impl<T> RoomForOne for Vec<T> {
    fn room_for_one(&mut self) {
        if self.len() < FEW {
            self.reserve_exact(1);
        }
    }
}

impl<T> RoomForOne for VecDeque<T> {
    fn room_for_one(&mut self) {
        if self.len() < FEW {
            self.reserve_exact(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_entries_take_as_much_room_as_they_need() {
        let (mut list, mut queue) = (Vec::new(), VecDeque::new());
        for n in 1..=FEW {
            list.room_for_one();
            list.push([0_u64; 20]);
            queue.room_for_one();
            queue.push_back([0_u64; 20]);
            assert_eq!((list.capacity(), queue.capacity()), (n, n));
        }
        list.room_for_one();
        list.push([0; 20]);
        assert!(list.capacity() > FEW + 1, "it doubles");
    }
}
