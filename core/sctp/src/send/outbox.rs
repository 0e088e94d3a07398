//! What the application has handed over and nobody has sent: a queue for each stream.
//!
//! Whose turn it is the schedule says. The fragments of a DATA message have consecutive TSNs (RFC 9260 §6.9), so that one
//! that has begun is finished first; those of I-DATA messages take turns (RFC 8260 §2.2.2), one message of each stream at a
//! time.

#[cfg(any(test, feature = "fuzzing"))]
mod audit;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use pavane_base::{Instant, Key, Slab};

use super::message::{Fragment, OutMessage, Sizes};
use super::options::{Reliability, SendOptions};
use super::schedule::{Schedule, Share};
use crate::error::SendError;
use crate::event::Event;
use crate::stream_map::StreamMap;
use crate::types::{Mid, Ppid, StreamId};

/// Everything that waits to be sent, and the messages that are on their way.
#[derive(Debug)]
pub(crate) struct Outbox {
    streams: StreamMap<OutStream>,
    messages: Slab<OutMessage>,
    schedule: Schedule,
    /// Whether fragments of messages of different streams may alternate.
    interleaving: bool,
    /// The stream whose message has to be finished first.
    current: Option<StreamId>,
    /// Streams whose next message cannot begin while so much is unfinished.
    parked: Vec<StreamId>,
    /// Bytes of the messages that have begun and are not sent to their end.
    unfinished: usize,
    /// How many messages have begun and are not acknowledged to their end.
    under_way: usize,
    /// Bytes not sent yet, of all streams.
    queued: usize,
    limit: usize,
    /// How many bytes of messages may be unfinished: a part of what the peer can hold.
    max_unfinished: usize,
    /// Whether somebody was told that there is no room.
    refused: bool,
    /// How many streams the peer accepts; any, before it has said.
    stream_count: Option<u16>,
    /// Streams to be reset on which nothing waits any more.
    drained: VecDeque<StreamId>,
}

#[derive(Debug, Default)]
struct OutStream {
    /// The messages not sent to their end; only the first may have begun.
    queue: VecDeque<Key>,
    share: Share,
    /// Bytes not sent yet.
    unsent: usize,
    /// Those among them that count in the buffered amount.
    buffered: usize,
    low_threshold: usize,
    /// The number of the next ordered message, and of the next unordered one.
    next_mid: [Mid; 2],
    resetting: bool,
    /// How many messages have begun that may be given up, and are not acknowledged to their end.
    limited: u32,
}

impl OutStream {
    /// Whether the stream can be reset: everything has been sent, and nothing will have to be skipped. The peer may reset
    /// it long before we hear of it; to skip by number then would skip messages that come after.
    const fn is_drained(&self) -> bool {
        self.resetting && self.unsent == 0 && self.limited == 0
    }
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            streams: StreamMap::default(),
            messages: Slab::default(),
            schedule: Schedule::default(),
            interleaving: false,
            current: None,
            parked: Vec::new(),
            unfinished: 0,
            under_way: 0,
            queued: 0,
            limit,
            max_unfinished: usize::MAX,
            refused: false,
            stream_count: None,
            drained: VecDeque::new(),
        }
    }

    /// Queues a message.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        stream: StreamId,
        ppid: Ppid,
        payload: Bytes,
        options: SendOptions,
    ) -> Result<(), SendError> {
        let len = payload.len();
        if stream.0 >= self.stream_count.unwrap_or(u16::MAX) {
            return Err(SendError::NoSuchStream);
        }
        if len == 0 {
            return Err(SendError::Empty);
        }
        if len > MAX_MESSAGE {
            return Err(SendError::TooLarge);
        }
        // A message larger than the buffer is accepted when nothing else waits: it could never be sent otherwise.
        // Messages cost memory beyond their bytes, so that their number counts, too. What does not count as the
        // application's gets through where the application has filled the buffer.
        let limit = if options.counted { self.limit } else { self.limit.saturating_mul(2) };
        let cost = self.messages.len().saturating_mul(MESSAGE_OVERHEAD).saturating_add(len);
        if self.queued != 0 && self.queued.saturating_add(cost) > limit {
            self.refused = true;
            return Err(SendError::Full);
        }
        let state = self.streams.get_or_insert_with(stream, OutStream::default);
        if state.resetting {
            return Err(SendError::Resetting);
        }
        let (max_retransmits, expires) = match options.reliability {
            Reliability::Reliable => (None, None),
            Reliability::MaxRetransmits(count) => (Some(count), None),
            Reliability::MaxLifetime(time) => (None, Some(now + time)),
        };
        let message = self.messages.insert(OutMessage {
            payload,
            stream,
            ppid,
            mid: Mid(0),
            ordered: options.ordered,
            counted: options.counted,
            max_retransmits,
            expires,
            sent: 0,
            first: 0,
            last: 0,
            fragments: 0,
            held: 0,
            abandoned: false,
        });
        if state.queue.is_empty() {
            self.schedule.add(stream, &mut state.share);
        }
        state.queue.push_back(message);
        state.unsent += len;
        if options.counted {
            state.buffered += len;
        }
        self.queued += len;
        Ok(())
    }

    /// The next fragment, of at most `room` bytes, without taking it; messages that are too old to begin are dropped.
    pub(crate) fn peek(
        &mut self,
        now: Instant,
        room: usize,
        sizes: Sizes,
        events: &mut VecDeque<Event>,
    ) -> Option<Fragment> {
        loop {
            let id = match self.current {
                Some(id) => id,
                None => self.schedule.peek()?,
            };
            let key = *self.streams.get(id)?.queue.front()?;
            let message = self.messages.get(key)?;
            if message.sent == 0 && message.is_expired(now) {
                self.drop_unsent(key, events);
            } else if message.sent == 0 && self.has_to_wait(message.payload.len(), sizes.whole) {
                self.schedule.pop();
                self.parked.push(id);
            } else {
                let unsent = message.unsent();
                let most = if unsent <= sizes.whole { sizes.whole } else { sizes.fragment };
                let len = unsent.min(most).min(room) as u16;
                let (offset, number) = (message.sent, message.fragments);
                return Some(Fragment { message: key, offset, number, len });
            }
        }
    }

    /// Whether a message may not begin: what is unfinished stays in the peer's window until it is finished, and if too
    /// much is, nothing ever would be.
    fn has_to_wait(&self, len: usize, whole: usize) -> bool {
        self.interleaving
            && len > whole
            && self.unfinished != 0
            && self.unfinished.saturating_add(len) > self.max_unfinished
    }

    /// Takes what [`peek`](Self::peek) showed: it is being sent as the chunk at `position`.
    pub(crate) fn take(&mut self, fragment: Fragment, position: u64, events: &mut VecDeque<Event>) {
        let Some(message) = self.messages.get_mut(fragment.message) else { return };
        let (id, len) = (message.stream, usize::from(fragment.len));
        let Some(stream) = self.streams.get_mut(id) else { return };
        let whole = message.payload.len();
        if message.sent == 0 {
            message.first = position;
            self.under_way += 1;
            self.unfinished += whole;
            let next = &mut stream.next_mid[usize::from(!message.ordered)];
            message.mid = *next;
            *next = next.next();
            stream.limited += u32::from(message.is_limited());
        }
        message.sent += u32::from(fragment.len);
        message.last = position;
        message.fragments += 1;
        message.held += 1;
        let (finished, counted) = (message.unsent() == 0, message.counted);
        if finished {
            stream.queue.pop_front();
            self.unfinished -= whole;
        }
        stream.share.charge(len);
        match self.current {
            None => self.schedule.pop(),
            Some(_) => self.current = None,
        }
        if !finished && !self.interleaving {
            self.current = Some(id);
        } else if !stream.queue.is_empty() {
            self.schedule.add(id, &mut stream.share);
        }
        if finished {
            self.unpark();
        }
        self.release(id, len, counted, events);
    }

    /// Something is finished: what could not begin may.
    fn unpark(&mut self) {
        while let Some(id) = self.parked.pop() {
            if let Some(stream) = self.streams.get_mut(id).filter(|stream| !stream.queue.is_empty()) {
                self.schedule.add(id, &mut stream.share);
            }
        }
    }

    /// Takes a TSN for a message that will not be sent to its end, so that the peer can be told to skip it.
    pub(crate) fn abandon(&mut self, key: Key, events: &mut VecDeque<Event>) -> Abandoned {
        let Some(message) = self.messages.get_mut(key) else { return Abandoned::Already };
        if core::mem::replace(&mut message.abandoned, true) {
            return Abandoned::Already;
        }
        let (id, unsent, counted) = (message.stream, message.unsent(), message.counted);
        let (first, last, whole) = (message.first, message.last, message.payload.len());
        message.payload = Bytes::new();
        message.sent = 0;
        if unsent == 0 {
            return Abandoned::Whole { first, last };
        }
        message.fragments += 1;
        message.held += 1;
        self.leave_unfinished(id, whole);
        self.release(id, unsent, counted, events);
        Abandoned::Partly { first, last }
    }

    /// The message at the head of the stream's queue, which has begun, goes no further.
    fn leave_unfinished(&mut self, id: StreamId, whole: usize) {
        self.unfinished -= whole;
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.queue.pop_front();
        if self.current.take_if(|current| *current == id).is_some() {
            if !stream.queue.is_empty() {
                self.schedule.add(id, &mut stream.share);
            }
        } else if stream.queue.is_empty() {
            self.schedule.remove(id);
        }
        self.unpark();
    }

    /// One chunk of the message has been acknowledged cumulatively.
    pub(crate) fn acknowledge(&mut self, key: Key) {
        let Some(message) = self.messages.get_mut(key) else { return };
        message.held -= 1;
        if message.held == 0 && message.unsent() == 0 {
            let (id, limited) = (message.stream, message.is_limited());
            self.messages.remove(key);
            self.under_way -= 1;
            if limited && let Some(stream) = self.streams.get_mut(id) {
                stream.limited -= 1;
                if stream.is_drained() {
                    self.drained.push_back(id);
                }
            }
        }
    }

    /// Whether so many messages are under way that one more, of another stream's turn or not, has to wait.
    pub(crate) fn is_crowded(&self) -> bool {
        !self.interleaving && self.current.is_none() && self.under_way >= MAX_UNDER_WAY
    }

    pub(crate) fn message(&self, key: Key) -> Option<&OutMessage> {
        self.messages.get(key)
    }

    /// Whether there is nothing that has not been sent at least once.
    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_none() && self.schedule.is_empty()
    }

    pub(crate) fn buffered(&self, stream: StreamId) -> usize {
        self.streams.get(stream).map_or(0, |s| s.buffered)
    }

    pub(crate) const fn queued(&self) -> usize {
        self.queued
    }

    pub(crate) fn set_low_threshold(&mut self, stream: StreamId, bytes: usize) {
        self.streams.get_or_insert_with(stream, OutStream::default).low_threshold = bytes;
    }

    pub(crate) fn set_weight(&mut self, stream: StreamId, weight: u16) {
        self.streams.get_or_insert_with(stream, OutStream::default).share.set_weight(weight);
    }

    /// Whether fragments of messages of different streams may alternate, and what the peer can hold of them.
    pub(crate) fn set_interleaving(&mut self, interleaving: bool, window: u32) {
        self.interleaving = interleaving;
        self.max_unfinished = window as usize / 2;
        if interleaving
            && let Some(id) = self.current.take()
            && let Some(stream) = self.streams.get_mut(id)
        {
            self.schedule.add(id, &mut stream.share);
        }
    }

    /// The peer has said how many streams it accepts: what waits for others is dropped.
    pub(crate) fn set_stream_count(&mut self, count: u16, events: &mut VecDeque<Event>) {
        self.stream_count = Some(count);
        let beyond: Vec<_> = self.streams.ids().filter(|id| id.0 >= count).collect();
        for id in beyond {
            let has_begun = |key: &Key| self.messages.get(*key).is_some_and(|m| m.fragments > 0);
            let queue = self.streams.get(id).map(|stream| &stream.queue);
            let unbegun: Vec<_> =
                queue.into_iter().flatten().filter(|key| !has_begun(key)).copied().collect();
            unbegun.into_iter().for_each(|key| self.drop_unsent(key, events));
            if self.streams.get(id).is_some_and(|stream| stream.queue.is_empty()) {
                self.streams.remove(id);
            }
        }
    }

    /// Accepts nothing more for the stream until [`finish_reset`](Self::finish_reset).
    pub(crate) fn begin_reset(&mut self, id: StreamId) {
        let stream = self.streams.get_or_insert_with(id, OutStream::default);
        if !core::mem::replace(&mut stream.resetting, true) && stream.is_drained() {
            self.drained.push_back(id);
        }
    }

    /// The next stream to be reset of which everything has been sent at least once.
    pub(crate) fn next_drained(&mut self) -> Option<StreamId> {
        self.drained.pop_front()
    }

    /// Whether a stream waits to be reset of which everything has been sent at least once.
    pub(crate) fn has_drained(&self) -> bool {
        !self.drained.is_empty()
    }

    /// The stream is as if it had never been used.
    pub(crate) fn finish_reset(&mut self, stream: StreamId) {
        self.streams.remove(stream);
    }

    /// The stream goes on as before.
    pub(crate) fn cancel_reset(&mut self, stream: StreamId) {
        if let Some(state) = self.streams.get_mut(stream) {
            state.resetting = false;
        }
    }

    /// The peer has forgotten everything: what was on its way is lost, what waits begins anew.
    pub(crate) fn restart(&mut self, events: &mut VecDeque<Event>) {
        let begun: Vec<_> =
            self.messages.iter().filter(|(_, m)| m.fragments > 0).map(|(key, _)| key).collect();
        for key in begun {
            let Some(message) = self.messages.remove(key) else { continue };
            if message.unsent() > 0 {
                self.leave_unfinished(message.stream, message.payload.len());
                self.release(message.stream, message.unsent(), message.counted, events);
            }
        }
        self.under_way = 0;
        self.drained.clear();
        for stream in self.streams.values_mut() {
            stream.next_mid = [Mid(0); 2];
            stream.resetting = false;
            stream.limited = 0;
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self { stream_count: self.stream_count, ..Self::new(self.limit) };
    }

    /// Drops a message that has not begun.
    fn drop_unsent(&mut self, key: Key, events: &mut VecDeque<Event>) {
        let Some(message) = self.messages.remove(key) else { return };
        let id = message.stream;
        if let Some(stream) = self.streams.get_mut(id) {
            match stream.queue.front() {
                Some(first) if *first == key => _ = stream.queue.pop_front(),
                _ => stream.queue.retain(|other| *other != key),
            }
            if stream.queue.is_empty() {
                self.schedule.remove(id);
                self.parked.retain(|parked| *parked != id);
            }
        }
        self.release(id, message.payload.len(), message.counted, events);
    }

    /// `bytes` wait no longer.
    fn release(&mut self, id: StreamId, bytes: usize, counted: bool, events: &mut VecDeque<Event>) {
        self.queued -= bytes;
        if self.refused && self.queued <= self.limit / 2 {
            self.refused = false;
            events.push_back(Event::Writable);
        }
        let Some(stream) = self.streams.get_mut(id) else { return };
        let was_above = stream.buffered > stream.low_threshold;
        stream.unsent -= bytes;
        if counted {
            stream.buffered -= bytes;
        }
        if was_above && stream.buffered <= stream.low_threshold {
            events.push_back(Event::BufferedAmountLow(id));
        }
        if stream.is_drained() {
            self.drained.push_back(id);
        }
    }
}

/// What was abandoned: the positions of its first and its last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abandoned {
    /// Nothing more than before.
    Already,
    /// A message that had been sent to its end.
    Whole { first: u64, last: u64 },
    /// A message of which a part had been sent; it takes one position more.
    Partly { first: u64, last: u64 },
}

/// How many messages are under way at most: no two ordered ones of a stream differ by half the circle of SSNs.
const MAX_UNDER_WAY: usize = 32_000;

/// What a queued message costs beside its bytes.
const MESSAGE_OVERHEAD: usize = 64;

/// Offsets are 32 bits; nobody sends this in one message.
const MAX_MESSAGE: usize = 1 << 30;
