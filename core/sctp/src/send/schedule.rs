//! Whose turn it is: fair queueing by weight (RFC 8260 §3.6).
//!
//! Every stream has a clock that runs as it sends, the slower the greater its weight, and the stream whose clock shows the
//! earliest time is next. One that was silent begins at the time of the stream served last, so that silence saves nothing up.
//! Streams of one weight thus take turns.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use crate::types::StreamId;

/// The streams that have something to send, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    turns: BinaryHeap<Reverse<Turn>>,
    /// What the clock showed of the stream served last.
    time: u64,
    /// Numbers turns, so that of two with one time the older is first.
    count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    time: u64,
    number: u64,
    stream: StreamId,
}

/// The clock of a stream, and how much it may send beside others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    time: u64,
    weight: u16,
}

impl Default for Share {
    fn default() -> Self {
        Self { time: 0, weight: DEFAULT_WEIGHT }
    }
}

impl Share {
    pub(super) fn set_weight(&mut self, weight: u16) {
        self.weight = weight.max(1);
    }

    /// So many bytes are sent.
    pub(super) fn charge(&mut self, bytes: usize) {
        self.time += bytes as u64 * SCALE / u64::from(self.weight);
    }
}

impl Schedule {
    /// Puts a stream in the queue, which must not be there.
    pub(super) fn add(&mut self, stream: StreamId, share: &mut Share) {
        share.time = share.time.max(self.time);
        self.count += 1;
        self.turns.push(Reverse(Turn { time: share.time, number: self.count, stream }));
    }

    /// The stream whose turn it is.
    pub(super) fn peek(&self) -> Option<StreamId> {
        self.turns.peek().map(|Reverse(turn)| turn.stream)
    }

    /// Takes the stream out whose turn it is.
    pub(super) fn pop(&mut self) {
        if let Some(Reverse(turn)) = self.turns.pop() {
            self.time = self.time.max(turn.time);
        }
    }

    /// Takes a stream out, wherever it is.
    pub(super) fn remove(&mut self, stream: StreamId) {
        self.turns.retain(|Reverse(turn)| turn.stream != stream);
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}

/// RFC 8831 §6.4: normal.
const DEFAULT_WEIGHT: u16 = 256;

/// How finely clocks run.
const SCALE: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_served_by_their_weights() {
        let mut schedule = Schedule::default();
        let mut shares = [Share::default(); 4];
        for (id, weight) in [(0, 128), (1, 256), (2, 512), (3, 1024)] {
            shares[id].set_weight(weight);
            schedule.add(StreamId(id as u16), &mut shares[id]);
        }
        let mut served = [0; 4];
        for _ in 0..1500 {
            let id = schedule.peek().unwrap();
            schedule.pop();
            let index = usize::from(id.0);
            served[index] += 1;
            shares[index].charge(1000);
            schedule.add(id, &mut shares[index]);
        }
        assert_eq!(served, [100, 200, 400, 800]);
    }

    #[test]
    fn silence_saves_nothing_up() {
        let mut schedule = Schedule::default();
        let mut shares = [Share::default(); 2];
        schedule.add(StreamId(0), &mut shares[0]);
        for _ in 0..1000 {
            schedule.pop();
            shares[0].charge(1000);
            schedule.add(StreamId(0), &mut shares[0]);
        }
        schedule.add(StreamId(1), &mut shares[1]);
        let mut served = [0; 2];
        for _ in 0..100 {
            let id = schedule.peek().unwrap();
            schedule.pop();
            served[usize::from(id.0)] += 1;
            shares[usize::from(id.0)].charge(1000);
            schedule.add(id, &mut shares[usize::from(id.0)]);
        }
        assert_eq!(served, [50, 50]);
    }
}
