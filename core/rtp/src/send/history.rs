//! Packets that wait to be sent, and packets that may have to be sent again.
//!
//! One ring holds both, indexed by sequence number; payloads are shared, headers are written anew each time.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use pavane_base::{Instant, extend_u16};

use super::{HistoryLimits, MediaExtensions, Outgoing, Pending, SendError, SentKind};
use crate::payload::Payload;
use crate::{
    AbsoluteSendTime, ExtensionValues, PayloadType, RtpTimestamp, SequenceNumber, TransportSequence,
};

/// A packet as it is kept.
///
/// It is small on purpose: where one packet goes to many streams, their rings are what does not fit into the processor's
/// caches.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) payload_type: PayloadType,
    pub(super) marker: bool,
    pub(super) timestamp: RtpTimestamp,
    pub(super) pushed_at: Instant,
    content: Content,
    first_hop: FirstHop,
    stage: Stage,
}

/// What a packet carries.
#[derive(Debug)]
enum Content {
    /// A payload in one piece, and no header extensions of its own.
    Plain(Bytes),
    Full(Box<Full>),
}

/// The rest: a payload that has something before it, header extensions.
#[derive(Debug, Default)]
struct Full {
    payload: Payload,
    extensions: MediaExtensions,
}

impl Stored {
    pub(super) const fn first_hop(&self) -> FirstHop {
        self.first_hop
    }

    pub(super) fn payload_len(&self) -> usize {
        match &self.content {
            Content::Plain(payload) => payload.len(),
            Content::Full(full) => full.payload.len(),
        }
    }

    pub(super) fn write_payload(&self, out: &mut Vec<u8>) {
        match &self.content {
            Content::Plain(payload) => out.extend_from_slice(payload),
            Content::Full(full) => full.payload.write(out),
        }
    }

    /// The header extensions that go with the media, if there are any.
    pub(super) fn extensions(&self) -> Option<ExtensionValues<'_>> {
        match &self.content {
            Content::Plain(_) => None,
            Content::Full(full) => Some(full.extensions.values()),
        }
    }
}

/// What the packet's header said beside the media when it was first sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FirstHop {
    pub(super) transport_sequence: Option<TransportSequence>,
    pub(super) absolute_send_time: Option<AbsoluteSendTime>,
    /// Whether it named the media section and the layer.
    pub(super) named: bool,
}

/// How far a packet has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Sent {
        at: Instant,
    },
    /// It was sent, and is to be sent again.
    Wanted {
        at: Instant,
    },
    /// It was sent more than once.
    SentAgain {
        at: Instant,
    },
}

/// Packets by their numbers, the oldest first; a gap in the numbers is an empty slot.
#[derive(Debug)]
pub(super) struct History {
    limits: HistoryLimits,
    slots: VecDeque<Option<Stored>>,
    /// The number of the first slot.
    base: u64,
    waiting: VecDeque<u64>,
    wanted: VecDeque<u64>,
    queued_bytes: usize,
    /// Boxes of packets that were let go, at most as many as there are packets.
    #[expect(clippy::vec_box, reason = "the boxes are what is kept: they go into slots and come back")]
    spare: Vec<Box<Full>>,
}

/// Where the first packet's number is put, so that an older one has a number too.
const FIRST_CIRCLE: u64 = 1 << 16;

impl History {
    pub(super) fn new(limits: HistoryLimits) -> Self {
        Self {
            limits: HistoryLimits { packets: limits.packets.max(1), age: limits.age },
            slots: VecDeque::new(),
            base: 0,
            waiting: VecDeque::new(),
            wanted: VecDeque::new(),
            queued_bytes: 0,
            spare: Vec::new(),
        }
    }

    fn end(&self) -> u64 {
        self.base + self.slots.len() as u64
    }

    fn slot(&self, sequence: u64) -> Option<&Stored> {
        let index = usize::try_from(sequence.checked_sub(self.base)?).ok()?;
        self.slots.get(index)?.as_ref()
    }

    fn slot_mut(&mut self, sequence: u64) -> Option<&mut Stored> {
        let index = usize::try_from(sequence.checked_sub(self.base)?).ok()?;
        self.slots.get_mut(index)?.as_mut()
    }

    /// Queues a packet; says whether it is the newest.
    #[inline]
    pub(super) fn push(
        &mut self,
        now: Instant,
        number: SequenceNumber,
        packet: Outgoing,
    ) -> Result<bool, SendError> {
        if self.base == 0 {
            self.base = FIRST_CIRCLE + u64::from(number.0);
        }
        let sequence = extend_u16(number.0, self.end());
        let newest = sequence >= self.end();
        match newest {
            true => self.make_room(now, sequence)?,
            false if sequence < self.base || self.slot(sequence).is_some() => return Err(SendError::TooOld),
            false => {}
        }
        self.queued_bytes += packet.payload.len();
        let stored = Stored {
            payload_type: packet.payload_type,
            marker: packet.marker,
            timestamp: packet.timestamp,
            content: self.content(packet.payload, packet.extensions),
            pushed_at: now,
            first_hop: FirstHop::default(),
            stage: Stage::Waiting,
        };
        if let Some(slot) = self.slots.get_mut((sequence - self.base) as usize) {
            *slot = Some(stored);
        } else {
            self.slots.push_back(Some(stored));
        }
        self.waiting.push_back(sequence);
        Ok(newest)
    }

    #[inline]
    fn content(&mut self, payload: Payload, extensions: MediaExtensions) -> Content {
        let payload = match extensions.is_empty() {
            true => match payload.into_shared() {
                Ok(payload) => return Content::Plain(payload),
                Err(payload) => payload,
            },
            false => payload,
        };
        let mut full = self.spare.pop().unwrap_or_default();
        *full = Full { payload, extensions };
        Content::Full(full)
    }

    /// Lets old packets go until `sequence` fits behind the others, and fills the gap before it with empty slots.
    fn make_room(&mut self, now: Instant, sequence: u64) -> Result<(), SendError> {
        let limit = u64::from(self.limits.packets);
        let oldest_that_fits = (sequence + 1).saturating_sub(limit);
        while self.base < oldest_that_fits
            && let Some(front) = self.slots.front()
        {
            if front.as_ref().is_some_and(|stored| stored.stage == Stage::Waiting) {
                return Err(SendError::Full);
            }
            self.pop_front();
        }
        if self.slots.is_empty() {
            self.base = self.base.max(oldest_that_fits);
        }
        while self.end() < sequence {
            self.slots.push_back(None);
        }
        self.forget_old(now);
        Ok(())
    }

    fn pop_front(&mut self) {
        let Some(slot) = self.slots.pop_front() else { return };
        self.base += 1;
        if let Some(Stored { content: Content::Full(mut full), .. }) = slot {
            *full = Full::default();
            self.spare.push(full);
        }
    }

    /// Lets go what was sent longer ago than anybody asks for it.
    fn forget_old(&mut self, now: Instant) {
        let age = self.limits.age;
        while let Some(front) = self.slots.front() {
            let old = match front.as_ref().map(|stored| stored.stage) {
                None => true,
                Some(Stage::Sent { at } | Stage::Wanted { at } | Stage::SentAgain { at }) => now - at > age,
                Some(Stage::Waiting) => false,
            };
            if !old {
                break;
            }
            self.pop_front();
        }
    }

    pub(super) fn queued_packets(&self) -> usize {
        self.waiting.len()
    }

    pub(super) const fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    pub(super) fn drop_queued(&mut self) {
        while let Some(sequence) = self.waiting.pop_front() {
            if let Some(slot) = sequence.checked_sub(self.base).and_then(|at| self.slots.get_mut(at as usize))
            {
                *slot = None;
            }
        }
        self.queued_bytes = 0;
    }

    /// Takes the newest packets out again, so many, of which none has been sent.
    pub(super) fn take_back(&mut self, count: usize) {
        for _ in 0..count {
            self.waiting.pop_back();
            let len = self.slots.pop_back().flatten().map_or(0, |stored| stored.payload_len());
            self.queued_bytes -= len;
        }
    }

    pub(super) fn clear(&mut self) {
        self.drop_queued();
        self.wanted.clear();
        let end = self.end();
        self.slots.clear();
        self.spare.clear();
        self.base = end;
    }

    /// Has a packet sent again, unless that was done less than `pause` ago or it is not there. The first time there is no
    /// pause: whoever misses it has seen a later one.
    pub(super) fn want_again(&mut self, now: Instant, number: SequenceNumber, pause: Duration) {
        let sequence = extend_u16(number.0, self.end());
        let Some(stored) = self.slot_mut(sequence) else { return };
        match stored.stage {
            Stage::SentAgain { at } if now < at + pause => {}
            Stage::Sent { at } | Stage::SentAgain { at } => {
                stored.stage = Stage::Wanted { at };
                self.wanted.push_back(sequence);
            }
            Stage::Waiting | Stage::Wanted { .. } => {}
        }
    }

    /// Whether some packet is to be sent again, unless it is gone.
    pub(super) fn has_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The next packet to be sent again; those that are gone are passed over.
    pub(super) fn next_wanted(&mut self) -> Option<&Stored> {
        while self.wanted.front().is_some_and(|sequence| self.slot(*sequence).is_none()) {
            self.wanted.pop_front();
        }
        self.slot(*self.wanted.front()?)
    }

    /// Forgets what was sent, so that none of it is sent again.
    pub(super) fn forget_sent(&mut self) {
        self.wanted.clear();
        self.slots.iter_mut().for_each(|slot| {
            *slot = slot.take().filter(|stored| stored.stage == Stage::Waiting);
        });
    }

    /// What would be sent next.
    pub(super) fn peek(&self) -> Option<Pending> {
        let again =
            self.wanted.iter().find_map(|sequence| Some((SentKind::Retransmission, self.slot(*sequence)?)));
        let first = || Some((SentKind::Media, self.slot(*self.waiting.front()?)?));
        let (kind, stored) = again.or_else(first)?;
        Some(Pending { kind, payload_len: stored.payload_len(), since: stored.pushed_at })
    }

    /// Takes the packet that waits longest; it counts as sent.
    #[inline]
    pub(super) fn take_waiting(&mut self, now: Instant, hop: FirstHop) -> Option<(u64, &Stored)> {
        let sequence = self.waiting.pop_front()?;
        let index = usize::try_from(sequence.checked_sub(self.base)?).ok()?;
        let stored = self.slots.get_mut(index)?.as_mut()?;
        stored.first_hop = hop;
        stored.stage = Stage::Sent { at: now };
        self.queued_bytes -= stored.payload_len();
        Some((sequence, &*stored))
    }

    /// Takes the packet that is to be sent again.
    pub(super) fn take_wanted(&mut self, now: Instant) -> Option<(u64, &Stored)> {
        self.next_wanted()?;
        let sequence = self.wanted.pop_front()?;
        self.slot_mut(sequence)?.stage = Stage::SentAgain { at: now };
        self.slot(sequence).map(|stored| (sequence, stored))
    }

    /// Does not send again what is to be, for once.
    pub(super) fn skip_wanted(&mut self) {
        if let Some(sequence) = self.wanted.pop_front()
            && let Some(stored) = self.slot_mut(sequence)
            && let Stage::Wanted { at } = stored.stage
        {
            stored.stage = Stage::SentAgain { at };
        }
    }

    /// The newest packet that was sent and is not longer than `len`, for a probe that carries something useful.
    pub(super) fn newest_sent(&self, len: usize) -> Option<(u64, &Stored)> {
        const LOOK_BACK: usize = 16;
        let newest = self.slots.iter().enumerate().rev().take(LOOK_BACK);
        let found = newest
            .filter_map(|(index, slot)| Some((index, slot.as_ref()?)))
            .find(|(_, stored)| stored.stage != Stage::Waiting && stored.payload_len() <= len)?;
        Some((self.base + found.0 as u64, found.1))
    }
}
