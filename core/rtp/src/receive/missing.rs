//! Packets that have not come, and when they are asked for.
//!
//! A packet that is overtaken is not yet lost: it is asked for after a while, which grows to what reordering has been seen
//! and shrinks again while none is. It is asked for again a round trip later, each time a little more, until it comes, is too
//! old or has been asked for often enough.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use pavane_base::{Instant, earliest};

use super::Via;
use crate::rtcp::write_nack;
use crate::{SequenceNumber, Ssrc};

/// The most packets that are waited for; the oldest are given up for newer ones.
pub(super) const MAX_MISSING: usize = 1000;
/// How often a packet is asked for.
pub(crate) const MAX_TRIES: u8 = 10;
/// How long a packet is waited for: what comes later is of no use to a conversation.
pub(super) const MAX_AGE: Duration = Duration::from_secs(3);
/// The most words of one NACK: 200 bytes leave room for others in a datagram.
const MAX_WORDS: usize = 50;
/// How long an overtaken packet is waited for at least, and so that one NACK names a burst.
const MIN_WAIT: Duration = Duration::from_millis(5);
/// How long at most, however late packets came.
const MAX_WAIT: Duration = Duration::from_millis(100);
/// The least time between two requests.
const MIN_RETRY: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug)]
struct Entry {
    sequence: u64,
    noticed: Instant,
    due: Instant,
    tries: u8,
}

/// Packets that have not come, in the order of their numbers.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    entries: VecDeque<Entry>,
    /// The earliest due time, or one before it; none while a request is ready.
    next: Option<Instant>,
    ready: bool,
    wait: Duration,
    given_up: u64,
}

impl Default for Missing {
    fn default() -> Self {
        Self { entries: VecDeque::new(), next: None, ready: false, wait: MIN_WAIT, given_up: 0 }
    }
}

impl Missing {
    pub(super) const fn next(&self) -> Option<Instant> {
        if self.ready { None } else { self.next }
    }

    pub(super) const fn is_ready(&self) -> bool {
        self.ready
    }

    pub(super) const fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Notes packets that were overtaken.
    pub(super) fn notice(&mut self, now: Instant, gap: Range<u64>) {
        let due = now + self.wait;
        for sequence in gap {
            if self.entries.len() == MAX_MISSING {
                self.entries.pop_front();
                self.given_up += 1;
            }
            self.entries.push_back(Entry { sequence, noticed: now, due, tries: 0 });
            self.next = earliest(self.next, Some(due));
        }
    }

    /// Strikes out a packet that came late, and learns how late that was.
    pub(super) fn arrived(&mut self, now: Instant, sequence: u64, via: Via, round_trip: Duration) {
        let Ok(at) = self.entries.binary_search_by_key(&sequence, |entry| entry.sequence) else { return };
        let Some(entry) = self.entries.remove(at) else { return };
        let lateness = now - entry.noticed;
        // Before a request can have been answered it was not lost but overtaken.
        if via == Via::Original && (entry.tries == 0 || lateness < round_trip) {
            self.wait = self.wait.max(lateness * 5 / 4).min(MAX_WAIT);
        } else {
            self.wait = (self.wait * 15 / 16).max(MIN_WAIT);
        }
        if self.entries.is_empty() {
            self.next = None;
            self.ready = false;
        }
    }

    /// Gives up what is older than `oldest`.
    pub(super) fn forget_before(&mut self, oldest: u64) {
        while self.entries.front().is_some_and(|entry| entry.sequence < oldest) {
            self.entries.pop_front();
            self.given_up += 1;
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.entries.clear();
        self.next = None;
        self.ready = false;
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.ready || self.next.is_none_or(|next| next > now) {
            return;
        }
        let before = self.entries.len();
        self.entries
            .retain(|entry| entry.due > now || (entry.tries < MAX_TRIES && now - entry.noticed < MAX_AGE));
        self.given_up += (before - self.entries.len()) as u64;
        self.schedule(now);
    }

    fn schedule(&mut self, now: Instant) {
        self.next = self.entries.iter().map(|entry| entry.due).min();
        self.ready = self.next.is_some_and(|next| next <= now);
    }

    /// Writes a request for what is due; says whether there was anything.
    pub(super) fn write(
        &mut self,
        now: Instant,
        round_trip: Duration,
        local: Ssrc,
        media: Ssrc,
        out: &mut Vec<u8>,
    ) -> bool {
        let due = self.entries.iter().filter(|entry| entry.due <= now);
        let numbers = due.map(|entry| SequenceNumber(entry.sequence as u16));
        let named = write_nack(out, local, media, numbers, MAX_WORDS);
        let base = round_trip.max(MIN_RETRY) + self.wait;
        for entry in self.entries.iter_mut().filter(|entry| entry.due <= now).take(named) {
            entry.due = now + base * (4 + u32::from(entry.tries)) / 4;
            entry.tries += 1;
        }
        self.schedule(now);
        named > 0
    }
}
