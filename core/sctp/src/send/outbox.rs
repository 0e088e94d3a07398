//! What the application has handed over and nobody has sent: a queue for each stream, and whose turn it is.
//!
//! Streams with something to send take turns, message by message: the fragments of a message have consecutive TSNs
//! (RFC 9260 §6.9), so that one that has begun is finished first.

use alloc::collections::VecDeque;

use bytes::Bytes;
use pavane_base::{Instant, Key, Slab};

use super::options::{Reliability, SendOptions};
use crate::error::SendError;
use crate::event::Event;
use crate::stream_map::StreamMap;
use crate::types::{Ppid, Ssn, StreamId};

/// Everything that waits to be sent, and the messages that are on their way.
#[derive(Debug)]
pub(crate) struct Outbox {
    streams: StreamMap<OutStream>,
    messages: Slab<OutMessage>,
    /// The streams with a message that has not begun, in the order of their turns.
    turns: VecDeque<StreamId>,
    /// The message that has begun and is not sent to its end.
    current: Option<Key>,
    /// How many messages have begun and are not acknowledged to their end.
    under_way: usize,
    /// Bytes not sent yet, of all streams.
    queued: usize,
    limit: usize,
    /// Whether somebody was told that there is no room.
    refused: bool,
    /// How many streams the peer accepts; any, before it has said.
    stream_count: Option<u16>,
    /// Streams to be reset on which nothing waits any more.
    drained: VecDeque<StreamId>,
}

#[derive(Debug, Default)]
struct OutStream {
    queue: VecDeque<Key>,
    /// Bytes not sent yet.
    unsent: usize,
    /// Those among them that count in the buffered amount.
    buffered: usize,
    low_threshold: usize,
    next_ssn: Ssn,
    resetting: bool,
}

/// A message that has been accepted for sending.
#[derive(Debug)]
pub(crate) struct OutMessage {
    pub(crate) payload: Bytes,
    pub(crate) stream: StreamId,
    pub(crate) ppid: Ppid,
    /// Its number in the stream, once it has begun; `None` for an unordered one.
    pub(crate) ssn: Option<Ssn>,
    pub(crate) ordered: bool,
    counted: bool,
    pub(crate) max_retransmits: Option<u16>,
    pub(crate) expires: Option<Instant>,
    /// How many of its bytes have been sent at least once.
    pub(crate) sent: u32,
    /// The position of its first fragment, once it has begun.
    pub(crate) first: u64,
    /// How many TSNs it has taken.
    pub(crate) fragments: u32,
    /// How many of these have not been acknowledged cumulatively.
    pub(crate) held: u32,
    pub(crate) abandoned: bool,
}

impl OutMessage {
    /// Whether its lifetime is over.
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    fn unsent(&self) -> usize {
        self.payload.len() - self.sent as usize
    }
}

/// The next piece to send: of which message, from where, how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(crate) message: Key,
    pub(crate) offset: u32,
    pub(crate) len: u16,
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            streams: StreamMap::default(),
            messages: Slab::default(),
            turns: VecDeque::new(),
            current: None,
            under_way: 0,
            queued: 0,
            limit,
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
            ssn: None,
            ordered: options.ordered,
            counted: options.counted,
            max_retransmits,
            expires,
            sent: 0,
            first: 0,
            fragments: 0,
            held: 0,
            abandoned: false,
        });
        if state.queue.is_empty() {
            self.turns.push_back(stream);
        }
        state.queue.push_back(message);
        state.unsent += len;
        if options.counted {
            state.buffered += len;
        }
        self.queued += len;
        Ok(())
    }

    /// The next fragment of at most `max` bytes, without taking it; messages that are too old to begin are dropped.
    pub(crate) fn peek(
        &mut self,
        now: Instant,
        max: usize,
        events: &mut VecDeque<Event>,
    ) -> Option<Fragment> {
        let key = loop {
            let key = match self.current {
                Some(key) => key,
                None => *self.streams.get(*self.turns.front()?)?.queue.front()?,
            };
            let message = self.messages.get(key)?;
            if message.sent != 0 || !message.is_expired(now) {
                break key;
            }
            self.drop_unsent(key, events);
        };
        let message = self.messages.get(key)?;
        let len = message.unsent().min(max) as u16;
        Some(Fragment { message: key, offset: message.sent, len })
    }

    /// Takes what [`peek`](Self::peek) showed: it is being sent as the chunk at `position`.
    pub(crate) fn take(&mut self, fragment: Fragment, position: u64, events: &mut VecDeque<Event>) {
        let Some(message) = self.messages.get_mut(fragment.message) else { return };
        let Some(stream) = self.streams.get_mut(message.stream) else { return };
        if message.sent == 0 {
            message.first = position;
            self.under_way += 1;
            if message.ordered {
                message.ssn = Some(stream.next_ssn);
                stream.next_ssn = stream.next_ssn.next();
            }
            self.current = Some(fragment.message);
            stream.queue.pop_front();
            self.turns.pop_front();
            if !stream.queue.is_empty() {
                self.turns.push_back(message.stream);
            }
        }
        message.sent += u32::from(fragment.len);
        message.fragments += 1;
        message.held += 1;
        if message.unsent() == 0 {
            self.current = None;
        }
        let (id, counted) = (message.stream, message.counted);
        self.release(id, usize::from(fragment.len), counted, events);
    }

    /// Takes a TSN for a message that will not be sent to its end, so that the peer can be told to skip it.
    pub(crate) fn abandon(&mut self, key: Key, events: &mut VecDeque<Event>) -> Abandoned {
        let Some(message) = self.messages.get_mut(key) else { return Abandoned::Already };
        if core::mem::replace(&mut message.abandoned, true) {
            return Abandoned::Already;
        }
        let (id, unsent, counted) = (message.stream, message.unsent(), message.counted);
        let (first, count) = (message.first, message.fragments);
        message.payload = Bytes::new();
        message.sent = 0;
        if unsent == 0 {
            return Abandoned::Whole { first, count };
        }
        message.fragments += 1;
        message.held += 1;
        self.current = None;
        self.release(id, unsent, counted, events);
        Abandoned::Partly { first, count }
    }

    /// One chunk of the message has been acknowledged cumulatively.
    pub(crate) fn acknowledge(&mut self, key: Key) {
        let Some(message) = self.messages.get_mut(key) else { return };
        message.held -= 1;
        if message.held == 0 && message.unsent() == 0 {
            self.messages.remove(key);
            self.under_way -= 1;
        }
    }

    /// Whether so many messages are under way that one more, of another stream's turn or not, has to wait.
    pub(crate) fn is_crowded(&self) -> bool {
        self.current.is_none() && self.under_way >= MAX_UNDER_WAY
    }

    pub(crate) fn message(&self, key: Key) -> Option<&OutMessage> {
        self.messages.get(key)
    }

    /// Whether there is nothing that has not been sent at least once.
    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_none() && self.turns.is_empty()
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

    /// The peer has said how many streams it accepts: what waits for others is dropped.
    pub(crate) fn set_stream_count(&mut self, count: u16, events: &mut VecDeque<Event>) {
        self.stream_count = Some(count);
        let beyond: alloc::vec::Vec<_> = self.streams.ids().filter(|id| id.0 >= count).collect();
        for id in beyond {
            while let Some(key) = self.streams.get(id).and_then(|s| s.queue.front().copied()) {
                self.drop_unsent(key, events);
            }
            self.streams.remove(id);
        }
    }

    /// Accepts nothing more for the stream until [`finish_reset`](Self::finish_reset).
    pub(crate) fn begin_reset(&mut self, id: StreamId) {
        let stream = self.streams.get_or_insert_with(id, OutStream::default);
        if !core::mem::replace(&mut stream.resetting, true) && stream.unsent == 0 {
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
        if let Some(key) = self.current.take()
            && let Some(message) = self.messages.get(key)
        {
            let (id, unsent, counted) = (message.stream, message.unsent(), message.counted);
            self.release(id, unsent, counted, events);
        }
        let begun: alloc::vec::Vec<_> =
            self.messages.iter().filter(|(_, m)| m.fragments > 0).map(|(key, _)| key).collect();
        for key in begun {
            self.messages.remove(key);
        }
        self.under_way = 0;
        self.drained.clear();
        for stream in self.streams.values_mut() {
            stream.next_ssn = Ssn(0);
            stream.resetting = false;
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self { stream_count: self.stream_count, ..Self::new(self.limit) };
    }

    /// Drops the message at the head of its stream's queue.
    fn drop_unsent(&mut self, key: Key, events: &mut VecDeque<Event>) {
        let Some(message) = self.messages.remove(key) else { return };
        let id = message.stream;
        if let Some(stream) = self.streams.get_mut(id) {
            stream.queue.pop_front();
            if stream.queue.is_empty() {
                self.turns.retain(|turn| *turn != id);
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
        if stream.resetting && stream.unsent == 0 {
            self.drained.push_back(id);
        }
    }
}

/// What was abandoned: the position of its first chunk and how many there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abandoned {
    /// Nothing more than before.
    Already,
    /// A message that had been sent to its end.
    Whole { first: u64, count: u32 },
    /// A message of which a part had been sent; it takes one position more.
    Partly { first: u64, count: u32 },
}

/// How many messages are under way at most: no two ordered ones of a stream differ by half the circle of SSNs.
const MAX_UNDER_WAY: usize = 32_000;

/// What a queued message costs beside its bytes.
const MESSAGE_OVERHEAD: usize = 64;

/// Offsets are 32 bits; nobody sends this in one message.
const MAX_MESSAGE: usize = 1 << 30;
