//! Filling a packet with data: first what was lost, then what is new (RFC 9260 §6.1 C).

use alloc::collections::VecDeque;

use pavane_base::Instant;

use super::message::{Fragment, Sizes};
use super::ring::{ChunkState, Entry};
use super::{Credit, Sender};
use crate::chunk::data::IMMEDIATE;
use crate::chunk::{Data, IData};
use crate::event::Event;
use crate::packet::{COMMON_HEADER, ChunkAt, PacketWriter};
use crate::types::{Mid, Tsn};

impl Sender {
    /// Whether a packet could be filled: cheap, and wrong at most where a window is a few bytes short.
    pub(crate) fn has_work(&self, now: Instant) -> bool {
        if self.outbox.is_empty() && self.lost.is_empty() {
            return false;
        }
        let urgent = self.credit != Credit::None || self.window_probe_due;
        urgent || (self.window_is_open() && (self.pacer.is_open(now) || self.ring.in_flight() == 0))
    }

    /// Appends as much data as fits, and as the windows allow; whether there was any.
    pub(crate) fn fill(
        &mut self,
        now: Instant,
        w: &mut PacketWriter<'_>,
        events: &mut VecDeque<Event>,
    ) -> bool {
        if !self.has_work(now) {
            return false;
        }
        self.slow_down_after_silence(now);
        if self.ring.in_flight() == 0 && self.lost.is_empty() {
            self.pacer.begin_flight(self.max_payload as u64);
        }
        let room = w.room();
        let mut last = self.repeat_lost(now, w, events);
        if self.lost.is_empty() {
            last = self.send_new(now, w, events).or(last);
        }
        let Some(last) = last else { return false };
        self.pacer.note_sent(now, (room - w.room() + COMMON_HEADER) as u64);
        if self.outbox.is_empty() && self.lost.is_empty() && self.window_is_open() {
            self.rate.note_limited(self.ring.in_flight());
        }
        if self.nothing_follows() {
            w.add_flags(last, IMMEDIATE);
        }
        self.credit = Credit::None;
        self.window_probe_due = false;
        self.last_sent = now;
        true
    }

    fn repeat_lost(
        &mut self,
        now: Instant,
        w: &mut PacketWriter<'_>,
        events: &mut VecDeque<Event>,
    ) -> Option<ChunkAt> {
        let mut last = None;
        while let Some(position) = self.lost.front().copied() {
            let entry = self.ring.get(position).copied();
            let Some(entry) = entry.filter(|e| e.state == ChunkState::Lost) else {
                self.lost.pop_front();
                continue;
            };
            let expired = self.outbox.message(entry.message).is_some_and(|m| m.is_expired(now));
            if expired && self.partial_reliability {
                self.lost.pop_front();
                self.give_up(entry.message, events);
                self.advance_point(now);
                continue;
            }
            if w.room() < self.ring.wire_size(usize::from(entry.len)) || !self.may_send_now() {
                break;
            }
            self.lost.pop_front();
            last = self.write_chunk(w, position, entry.fragment(), self.ring.base() == position);
            let number = self.loss.note_sent(position);
            let stamp = self.rate.stamp(now, self.ring.in_flight() == 0);
            self.ring.update(position, |e| {
                e.number = number;
                e.stamp = stamp;
                e.state = ChunkState::InFlight;
                e.sent_at = now;
                e.transmissions = e.transmissions.saturating_add(1);
            });
            if self.credit == Credit::Probe {
                self.loss.note_probe(position, now);
            } else if let Some(undo) = &mut self.undo {
                undo.repeated += 1;
            }
            self.counters.retransmissions += 1;
        }
        last
    }

    fn send_new(
        &mut self,
        now: Instant,
        w: &mut PacketWriter<'_>,
        events: &mut VecDeque<Event>,
    ) -> Option<ChunkAt> {
        let mut last = None;
        while self.ring.len() < MAX_OUTSTANDING && !self.outbox.is_crowded() && self.may_send_now() {
            let Some(room) = w.room().checked_sub(self.ring.header()).filter(|room| *room > 0) else { break };
            let Some(fragment) = self.outbox.peek(now, room, self.sizes(), events) else { break };
            if self.give_up_expired(now, fragment.message, events) {
                continue;
            }
            let Some(message) = self.outbox.message(fragment.message) else { break };
            let ends = fragment.offset as usize + usize::from(fragment.len) == message.payload.len();
            let worth_it = ends || usize::from(fragment.len) >= MIN_FRAGMENT.min(self.fragment);
            let probe = self.window_probe_due && self.ring.is_empty();
            if !worth_it {
                break;
            }
            if u64::from(fragment.len) > self.available_window() && !probe {
                self.rate.note_limited(self.ring.in_flight());
                break;
            }
            let position = self.ring.next();
            self.outbox.take(fragment, position, events);
            let number = self.loss.note_sent(position);
            let stamp = self.rate.stamp(now, self.ring.in_flight() == 0);
            self.ring.push(Entry {
                message: fragment.message,
                sent_at: now,
                offset: fragment.offset,
                fragment: fragment.number,
                len: fragment.len,
                transmissions: 1,
                state: ChunkState::InFlight,
                number,
                stamp,
            });
            if self.credit == Credit::Probe {
                self.loss.note_probe(position, now);
            }
            self.counters.bytes += u64::from(fragment.len);
            last = self.write_chunk(w, position, fragment, false).or(last);
        }
        last
    }

    /// Writes one DATA or I-DATA chunk; the first outstanding one asks for an answer at once when it is sent again.
    fn write_chunk(
        &self,
        w: &mut PacketWriter<'_>,
        position: u64,
        fragment: Fragment,
        immediate: bool,
    ) -> Option<ChunkAt> {
        let message = self.outbox.message(fragment.message)?;
        let start = fragment.offset as usize;
        let end = start + usize::from(fragment.len);
        let data = Data {
            tsn: Tsn(position as u32),
            stream: message.stream,
            // An unordered DATA chunk has no number (RFC 9260 §3.3.1).
            mid: if message.ordered || self.interleaving { message.mid } else { Mid(0) },
            fsn: fragment.number,
            ppid: message.ppid,
            unordered: !message.ordered,
            begins: start == 0,
            ends: end == message.payload.len(),
            immediate,
            payload: message.payload.get(start..end)?,
        };
        Some(if self.interleaving { IData::write(&data, w) } else { data.write(w) })
    }

    const fn sizes(&self) -> Sizes {
        Sizes { whole: self.max_payload, fragment: self.fragment }
    }

    pub(super) fn window_is_open(&self) -> bool {
        self.ring.in_flight() < self.congestion.window()
    }

    /// Deviation: Max.Burst (RFC 9260 §6.1 D) does not hold packets back; the congestion window does, and it shrinks with
    /// idleness. Four packets would spread a 16 KiB message over four round trips.
    fn may_send_now(&self) -> bool {
        self.credit != Credit::None || self.window_is_open()
    }

    /// Whether the peer will see nothing more for a while that would make it acknowledge, or the window is so small that
    /// waiting for a second packet hurts (RFC 7053 §4).
    fn nothing_follows(&self) -> bool {
        let drained = self.outbox.is_empty() && self.lost.is_empty();
        let few = self.ring.in_flight() <= FEW_PACKETS * self.max_payload as u64;
        drained || few && !self.window_is_open() || self.available_window() < self.max_payload as u64
    }

    fn slow_down_after_silence(&mut self, now: Instant) {
        if !self.ring.is_empty() || self.last_sent == Instant::ZERO {
            return;
        }
        let timeout = self.rtt.timeout();
        let silent = (now - self.last_sent).as_nanos() / timeout.as_nanos().max(1);
        for _ in 0..silent.min(MAX_HALVINGS) {
            self.congestion.on_idle(now);
        }
        if silent > 0 {
            self.set_pace();
        }
    }
}

impl Entry {
    const fn fragment(&self) -> Fragment {
        Fragment { message: self.message, offset: self.offset, number: self.fragment, len: self.len }
    }
}

/// How many chunks may be outstanding: what a SACK's gap blocks can address.
const MAX_OUTSTANDING: usize = 60_000;

/// A message is not cut into smaller pieces than this to fill a packet up.
const MIN_FRAGMENT: usize = 512;

/// How many packets are few.
const FEW_PACKETS: u64 = 4;

/// After this many halvings any window is at its least.
const MAX_HALVINGS: u128 = 32;
