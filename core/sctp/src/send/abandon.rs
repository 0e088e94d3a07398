//! Giving messages up (RFC 3758, RFC 7496), and telling the peer to skip them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use pavane_base::{Instant, Key};

use super::Sender;
use super::loss::TransmissionNumber;
use super::outbox::Abandoned;
use super::rate::Stamp;
use super::ring::{ChunkState, Entry};
use crate::chunk::{ForwardTsn, IForwardTsn, Skipped};
use crate::event::Event;
use crate::packet::PacketWriter;
use crate::types::Tsn;

/// How far the peer should advance beyond what it has received.
#[derive(Debug, Default)]
pub(super) struct Forward {
    /// One beyond the last position to be skipped; at most the ring's base when there is nothing to skip.
    point: u64,
    due: bool,
    sent_at: Instant,
    /// The last message skipped of each stream; kept for its memory.
    skipped: Vec<Skipped>,
}

impl Forward {
    /// The timer expired: what was said may be lost.
    pub(super) fn send_again(&mut self) {
        self.due = true;
    }
}

/// Whether a message is worth going on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abandonment {
    Keep,
    GiveUp(Key),
}

impl Sender {
    /// Whether the chunk's message is to be given up rather than this chunk sent again.
    pub(super) fn abandonment(&self, now: Instant, position: u64) -> Abandonment {
        if !self.partial_reliability {
            return Abandonment::Keep;
        }
        let Some(entry) = self.ring.get(position) else { return Abandonment::Keep };
        let Some(message) = self.outbox.message(entry.message) else { return Abandonment::Keep };
        let exhausted = message.max_retransmits.is_some_and(|max| entry.transmissions > max);
        if exhausted || message.is_expired(now) {
            Abandonment::GiveUp(entry.message)
        } else {
            Abandonment::Keep
        }
    }

    /// Gives a message up that has begun: none of its chunks is sent any more.
    pub(super) fn give_up(&mut self, message: Key, events: &mut VecDeque<Event>) {
        let (first, last) = match self.outbox.abandon(message, events) {
            Abandoned::Already => return,
            Abandoned::Whole { first, last } => (first, last),
            Abandoned::Partly { first, last } => {
                // The parts that the peer has may all be acknowledged; a position of its own makes sure that there is
                // something to skip, and with it the message.
                self.ring.push(Entry {
                    message,
                    sent_at: Instant::ZERO,
                    offset: 0,
                    fragment: 0,
                    len: 0,
                    transmissions: 0,
                    state: ChunkState::Abandoned,
                    number: TransmissionNumber::default(),
                    stamp: Stamp::default(),
                });
                (first, last)
            }
        };
        self.counters.abandoned += 1;
        for position in first.max(self.ring.base())..=last {
            if self.ring.get(position).is_some_and(|e| e.message == message) {
                self.ring.update(position, |e| e.state = ChunkState::Abandoned);
            }
        }
    }

    /// Gives the message up that is being sent, if its time is over before its end.
    pub(super) fn give_up_expired(
        &mut self,
        now: Instant,
        message: Key,
        events: &mut VecDeque<Event>,
    ) -> bool {
        let expired = self.outbox.message(message).is_some_and(|m| m.sent > 0 && m.is_expired(now));
        if expired && self.partial_reliability {
            self.give_up(message, events);
            self.advance_point(now);
            return true;
        }
        false
    }

    /// Advances the point up to which the peer need not wait (RFC 3758 §3.5 A1 to A3, C2, C3).
    pub(super) fn advance_point(&mut self, now: Instant) {
        let before = self.forward.point;
        self.forward.point = self.forward.point.max(self.ring.base());
        while self.ring.get(self.forward.point).is_some_and(|e| e.state == ChunkState::Abandoned) {
            self.forward.point += 1;
        }
        if self.forward.point == self.ring.base() {
            self.forward.due = false;
            return;
        }
        let unheard = now - self.forward.sent_at > self.rtt.probe_timeout() / 2;
        self.forward.due |= self.forward.point > before || unheard;
    }

    /// Whether a FORWARD TSN is to be sent.
    pub(crate) fn forward_due(&self) -> bool {
        self.forward.due && self.forward.point > self.ring.base()
    }

    /// Writes a FORWARD TSN, or an I-FORWARD-TSN, if there is room; less far if its streams do not fit (RFC 3758 §3.5 A3).
    pub(crate) fn write_forward(&mut self, now: Instant, w: &mut PacketWriter<'_>) {
        let entry = if self.interleaving { IFORWARD_ENTRY } else { FORWARD_ENTRY };
        let room = w.room().saturating_sub(ForwardTsn::size(0)) / entry;
        if room == 0 {
            return;
        }
        let mut skipped = core::mem::take(&mut self.forward.skipped);
        skipped.clear();
        let mut end = self.ring.base();
        while end < self.forward.point {
            let message = self.ring.get(end).and_then(|e| self.outbox.message(e.message));
            if let Some(message) = message.filter(|message| message.ordered || self.interleaving) {
                let (stream, unordered, mid) = (message.stream, !message.ordered, message.mid);
                match skipped.binary_search_by_key(&(stream, unordered), |s| (s.stream, s.unordered)) {
                    Ok(at) => skipped[at].mid = mid,
                    Err(_) if skipped.len() == room => break,
                    Err(at) => skipped.insert(at, Skipped { stream, unordered, mid }),
                }
            }
            end += 1;
        }
        if end > self.ring.base() {
            let cumulative = Tsn(end as u32).sub(1);
            match self.interleaving {
                true => IForwardTsn::write(w, cumulative, &skipped),
                false => ForwardTsn::write(w, cumulative, &skipped),
            }
            self.forward.due = false;
            self.forward.sent_at = now;
        }
        self.forward.skipped = skipped;
    }
}

/// What each stream takes in a FORWARD TSN, and in an I-FORWARD-TSN.
const FORWARD_ENTRY: usize = ForwardTsn::size(1) - ForwardTsn::size(0);
const IFORWARD_ENTRY: usize = IForwardTsn::size(1) - IForwardTsn::size(0);
