//! Messages put together again from fragments that come in any order, and handed out in order (RFC 6347 §4.2.3).

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::handshake::{Fragment, HandshakeType, MAX_MESSAGE_LEN, Message};

/// How many messages, the next one included, may be under way at a time: the longest flight has five.
///
/// With [`MAX_MESSAGE_LEN`] this bounds what a peer can make us hold.
const MAX_AHEAD: usize = 8;

/// How many holes a message may have: enough for every second one of its fragments of 128 octets.
const MAX_GAPS: usize = 64;

/// The messages that are coming in.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    /// The number of the next message to hand out (RFC 6347 §4.2.2: next_receive_seq).
    next: u16,
    /// Slot `i` is message `next + i`.
    slots: VecDeque<Option<Partial>>,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It was taken in, or was here already.
    Admitted,
    /// Its message has been handed out: the peer repeats itself.
    Old,
    /// It is out of bounds.
    Refused,
}

#[derive(Debug)]
struct Partial {
    epoch: u16,
    kind: HandshakeType,
    body: Vec<u8>,
    /// The holes in `body`, in order.
    gaps: Vec<Range<usize>>,
    /// A message of no octets has no holes, and still has to come.
    started: bool,
}

impl Reassembly {
    /// The number of the next message to hand out.
    pub(crate) const fn next_seq(&self) -> u16 {
        self.next
    }

    /// Takes a fragment in.
    ///
    /// A fragment that disagrees with what is here of its message begins the message anew: one of the two is garbled or
    /// forged, and only the true one is sent again.
    pub(crate) fn insert(&mut self, epoch: u16, fragment: &Fragment<'_>) -> Admission {
        let header = &fragment.header;
        let Some(ahead) = header.seq.checked_sub(self.next).map(usize::from) else {
            return Admission::Old;
        };
        if ahead >= MAX_AHEAD || header.length > MAX_MESSAGE_LEN {
            return Admission::Refused;
        }
        if self.slots.len() <= ahead {
            self.slots.resize_with(ahead + 1, || None);
        }
        let Some(slot) = self.slots.get_mut(ahead) else { return Admission::Refused };
        match slot {
            Some(partial) if partial.agrees(epoch, fragment) => partial.insert(fragment),
            _ => slot.insert(Partial::new(epoch, header.kind, header.length)).insert(fragment),
        }
    }

    /// Hands out the next message, if all of it is here.
    pub(crate) fn pop(&mut self) -> Option<Message> {
        let complete = self.slots.front()?.as_ref().is_some_and(Partial::is_complete);
        if !complete {
            return None;
        }
        let partial = self.slots.pop_front()??;
        let seq = self.next;
        // A handshake has a dozen messages; a peer that sends 65536 gets no further.
        self.next = self.next.checked_add(1)?;
        Some(Message { epoch: partial.epoch, kind: partial.kind, seq, body: partial.body })
    }

    /// Gives up what is under way, and the room that it took.
    pub(crate) fn clear(&mut self) {
        self.slots = VecDeque::new();
    }
}

impl Partial {
    fn new(epoch: u16, kind: HandshakeType, length: usize) -> Self {
        let gaps = match length {
            0 => vec![],
            _ => core::iter::once(0..length).collect(),
        };
        Self { epoch, kind, body: vec![0; length], gaps, started: false }
    }

    const fn is_complete(&self) -> bool {
        self.started && self.gaps.is_empty()
    }

    fn agrees(&self, epoch: u16, fragment: &Fragment<'_>) -> bool {
        let header = &fragment.header;
        (epoch, header.kind, header.length) == (self.epoch, self.kind, self.body.len())
    }

    /// Fills the holes that the fragment covers.
    ///
    /// Deviation: octets that are here already are not compared with those that come (RFC 9147 §5.5 suggests an alert). The
    /// first ones stand, and the Finished messages tell whether they were right; an alert would let anybody end the handshake.
    fn insert(&mut self, fragment: &Fragment<'_>) -> Admission {
        let header = &fragment.header;
        let (start, end) = (header.offset, header.offset + header.fragment_length);
        let mut gaps = Vec::with_capacity(self.gaps.len() + 1);
        for gap in &self.gaps {
            gaps.extend(
                [gap.start..gap.end.min(start), gap.start.max(end)..gap.end]
                    .into_iter()
                    .filter(|g| !g.is_empty()),
            );
        }
        if gaps.len() > MAX_GAPS {
            return Admission::Refused;
        }
        for gap in &self.gaps {
            let filled = gap.start.max(start)..gap.end.min(end);
            if filled.is_empty() {
                continue;
            }
            let from = fragment.bytes.get(filled.start - start..filled.end - start);
            if let (Some(to), Some(from)) = (self.body.get_mut(filled), from) {
                to.copy_from_slice(from);
            }
        }
        self.gaps = gaps;
        self.started = true;
        Admission::Admitted
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;
    use crate::handshake::FragmentHeader;

    const KIND: HandshakeType = HandshakeType::CERTIFICATE;

    fn fragment(seq: u16, body: &[u8], range: Range<usize>) -> Fragment<'_> {
        let header = FragmentHeader {
            kind: KIND,
            length: body.len(),
            seq,
            offset: range.start,
            fragment_length: range.len(),
        };
        Fragment { header, bytes: &body[range] }
    }

    #[test]
    fn overlapping_fragments_in_any_order_make_the_message() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..500 {
            let mut draw = |bound: usize| rng.next_u32() as usize % bound;
            let bodies: Vec<Vec<u8>> =
                (0..4).map(|_| (0..draw(300)).map(|_| draw(256) as u8).collect()).collect();
            let mut reassembly = Reassembly::default();
            let mut out = vec![];
            for _ in 0..100_000 {
                let seq = draw(bodies.len());
                let body = &bodies[seq];
                let (a, b) = (draw(body.len() + 1), draw(body.len() + 1));
                let admission = reassembly.insert(0, &fragment(seq as u16, body, a.min(b)..a.max(b)));
                assert_eq!(admission == Admission::Old, seq < out.len());
                out.extend(core::iter::from_fn(|| reassembly.pop()));
                if out.len() == bodies.len() {
                    break;
                }
            }
            assert!(out.iter().map(|m| &m.body).eq(&bodies));
            assert!(out.iter().map(|m| m.seq).eq(0..4));
        }
    }

    #[test]
    fn what_disagrees_begins_the_message_anew() {
        let body = [0; 10];
        let mut reassembly = Reassembly::default();
        for (epoch, body) in [(0, &body[..]), (1, &body[..]), (1, &body[..9])] {
            assert_eq!(reassembly.insert(epoch, &fragment(0, body, 0..5)), Admission::Admitted);
            assert_eq!(reassembly.pop(), None);
        }
        assert_eq!(reassembly.insert(1, &fragment(0, &body[..9], 5..9)), Admission::Admitted);
        assert_eq!(reassembly.pop().map(|m| (m.epoch, m.body.len())), Some((1, 9)));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let body = [0; 10];
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.insert(0, &fragment(0, &body, 0..5)), Admission::Admitted);
        assert_eq!(reassembly.insert(0, &fragment(MAX_AHEAD as u16, &body, 0..10)), Admission::Refused);
        assert_eq!(reassembly.insert(0, &fragment(MAX_AHEAD as u16 - 1, &body, 0..10)), Admission::Admitted);
        let long = vec![0; MAX_MESSAGE_LEN + 1];
        assert_eq!(reassembly.insert(0, &fragment(1, &long, 0..1)), Admission::Refused);
        assert_eq!(reassembly.pop(), None);
        assert_eq!(reassembly.insert(0, &fragment(0, &body, 5..10)), Admission::Admitted);
        assert_eq!(reassembly.pop().map(|m| m.body.len()), Some(10));
        assert_eq!(reassembly.insert(0, &fragment(0, &body, 0..10)), Admission::Old);
    }

    #[test]
    fn holes_are_bounded() {
        let body = vec![0; 1000];
        let mut reassembly = Reassembly::default();
        let refused = (0..500)
            .filter(|i| reassembly.insert(0, &fragment(0, &body, 2 * i..2 * i + 1)) == Admission::Refused)
            .count();
        assert_eq!(refused, 500 - MAX_GAPS);
        assert_eq!(reassembly.insert(0, &fragment(0, &body, 0..1000)), Admission::Admitted);
        assert!(reassembly.pop().is_some());
    }
}
