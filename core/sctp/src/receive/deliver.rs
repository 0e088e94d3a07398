//! Complete messages: in the order of their stream, and waiting to be read.

use alloc::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::reassembly::Assembled;
use crate::chunk::{Data, Skipped};
use crate::event::{Event, Message};
use crate::stream_map::StreamMap;
use crate::types::{Mid, Ppid, StreamId};

/// The messages of all streams that wait for the application.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    streams: StreamMap<InStream>,
    /// Whether messages are numbered by 32 bits, as I-DATA does, or by 16.
    wide: bool,
    /// How much of the window is taken by what can be read.
    unread: usize,
    /// How much of the window is taken by what waits for an earlier message.
    waiting: usize,
}

#[derive(Debug)]
struct InStream {
    /// The number of the next ordered message; its low 32 or 16 bits are what the peer says.
    next: u64,
    readable: VecDeque<(Ppid, Bytes)>,
    /// Ordered messages that came too early, by number.
    early: BTreeMap<u64, (Ppid, Bytes)>,
    /// The length of the last message that came in fragments.
    size_hint: u32,
    /// The last unordered message that was given up, where they have numbers.
    skipped: Option<Mid>,
}

impl Inbox {
    /// Nothing yet of a peer that numbers messages by 32 bits or by 16.
    pub(super) fn new(wide: bool) -> Self {
        Self { wide, ..Self::default() }
    }

    /// How large a message in fragments was that came on this stream before; zero if there was none.
    pub(super) fn size_hint(&self, stream: StreamId) -> usize {
        self.streams.get(stream).map_or(0, |s| s.size_hint as usize)
    }

    /// Puts a message in its place.
    pub(super) fn deliver(&mut self, message: Assembled, events: &mut VecDeque<Event>) {
        let id = message.stream;
        let stream = self.streams.get_or_insert_with(id, InStream::new);
        if message.fragmented {
            stream.size_hint = message.payload.len() as u32;
        }
        let cost = cost(&message.payload);
        let Some(mid) = message.mid else {
            self.unread += cost;
            stream.make_readable(id, message.ppid, message.payload, events);
            return;
        };
        let number = stream.number_of(mid, self.wide);
        if number == stream.next {
            self.unread += cost;
            stream.next += 1;
            stream.make_readable(id, message.ppid, message.payload, events);
            let released = stream.release_early(id, events);
            self.unread += released;
            self.waiting -= released;
        } else if number > stream.next && !stream.early.contains_key(&number) {
            self.waiting += cost;
            stream.early.insert(number, (message.ppid, message.payload));
        }
        // What is left has a number that was delivered or skipped before: nobody waits for it.
    }

    /// Whether a fragment belongs to a message that was given up, or delivered: one that comes late, among those of others,
    /// would be kept for ever.
    pub(super) fn is_over(&self, data: &Data<'_>) -> bool {
        let Some(stream) = self.streams.get(data.stream).filter(|_| self.wide) else { return false };
        match data.unordered {
            true => stream.skipped.is_some_and(|last| !data.mid.is_after(last)),
            false => stream.number_of(data.mid, true) < stream.next,
        }
    }

    /// Messages up to `mid` that have not come will not (RFC 3758 §3.6, RFC 8260 §2.3.1).
    pub(super) fn skip(&mut self, skipped: Skipped, events: &mut VecDeque<Event>) {
        let Skipped { stream: id, unordered, mid } = skipped;
        let stream = self.streams.get_or_insert_with(id, InStream::new);
        if unordered {
            stream.skipped = Some(stream.skipped.filter(|last| last.is_after(mid)).unwrap_or(mid));
            return;
        }
        let number = stream.number_of(mid, self.wide);
        if number < stream.next {
            return;
        }
        let later = stream.early.split_off(&(number + 1));
        let mut released = 0;
        for (ppid, payload) in core::mem::replace(&mut stream.early, later).into_values() {
            released += cost(&payload);
            stream.make_readable(id, ppid, payload, events);
        }
        stream.next = number + 1;
        released += stream.release_early(id, events);
        self.unread += released;
        self.waiting -= released;
    }

    pub(super) fn recv(&mut self, id: StreamId) -> Option<Message> {
        let (ppid, payload) = self.streams.get_mut(id)?.readable.pop_front()?;
        self.unread -= cost(&payload);
        Some(Message { stream: id, ppid, payload })
    }

    /// Takes a message out after the association.
    pub(crate) fn take(&mut self, id: StreamId) -> Option<Message> {
        self.recv(id)
    }

    pub(crate) fn peek(&self, id: StreamId) -> Option<Ppid> {
        self.streams.get(id)?.readable.front().map(|(ppid, _)| *ppid)
    }

    /// The peer numbers its messages on this stream anew; what can be read stays.
    pub(super) fn reset(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        self.waiting -= stream.forget_order();
        if stream.readable.is_empty() {
            self.streams.remove(id);
        }
    }

    /// The peer numbers its messages on all streams anew, by 32 bits or by 16.
    pub(super) fn restart(&mut self, wide: bool) {
        self.wide = wide;
        for stream in self.streams.values_mut() {
            self.waiting -= stream.forget_order();
        }
    }

    pub(super) const fn is_wide(&self) -> bool {
        self.wide
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.streams.ids()
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn audit(&self) {
        let mut sums = (0, 0);
        for stream in self.streams.ids().filter_map(|id| self.streams.get(id)) {
            sums.0 += stream.readable.iter().map(|(_, payload)| cost(payload)).sum::<usize>();
            sums.1 += stream.early.values().map(|(_, payload)| cost(payload)).sum::<usize>();
        }
        assert_eq!((self.unread, self.waiting), sums, "unread, waiting");
    }

    pub(super) const fn unread(&self) -> usize {
        self.unread
    }

    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }
}

impl InStream {
    const fn new() -> Self {
        Self {
            next: FIRST_NUMBER,
            readable: VecDeque::new(),
            early: BTreeMap::new(),
            size_hint: 0,
            skipped: None,
        }
    }

    /// The number nearest to the next one of which the peer says this.
    fn number_of(&self, mid: Mid, wide: bool) -> u64 {
        let distance = mid.0.wrapping_sub(self.next as u32) as i32;
        let distance = if wide { distance } else { i32::from(distance as i16) };
        self.next.saturating_add_signed(i64::from(distance))
    }

    fn make_readable(&mut self, id: StreamId, ppid: Ppid, payload: Bytes, events: &mut VecDeque<Event>) {
        if self.readable.is_empty() {
            events.push_back(Event::StreamReadable(id));
        }
        self.readable.push_back((ppid, payload));
    }

    /// Makes readable what waited for the message before it; how much that is.
    fn release_early(&mut self, id: StreamId, events: &mut VecDeque<Event>) -> usize {
        let mut released = 0;
        while let Some(entry) = self.early.first_entry()
            && *entry.key() == self.next
        {
            let (ppid, payload) = entry.remove();
            released += cost(&payload);
            self.next += 1;
            self.make_readable(id, ppid, payload, events);
        }
        released
    }

    fn forget_order(&mut self) -> usize {
        self.next = FIRST_NUMBER;
        self.skipped = None;
        core::mem::take(&mut self.early).values().map(|(_, payload)| cost(payload)).sum()
    }
}

/// Messages are numbered from here, so that numbers before the first exist as well.
const FIRST_NUMBER: u64 = 1 << 32;

/// What a message takes of the window. An entry in a queue costs memory beyond the bytes, and the peer pays for it, or
/// many small messages would hold many times the window.
const fn cost(payload: &Bytes) -> usize {
    payload.len() + MESSAGE_OVERHEAD
}

const MESSAGE_OVERHEAD: usize = 48;
