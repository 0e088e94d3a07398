//! Packets by their numbers.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use pavane_base::{Instant, WriteExt};

use super::MAX_PACKETS;
use crate::payload::{Begins, Descriptor, PayloadFormat};
use crate::receive::Place;
use crate::{AbsoluteCaptureTime, AudioLevel, PayloadType, VideoOrientation};

/// The most buffers that are kept for packets to come.
const MAX_SPARE: usize = 512;

/// A packet.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) place: Place,
    /// What it carries; `None` for a packet that only fills its place.
    pub(super) media: Option<(PayloadFormat, Descriptor)>,
    pub(super) payload_type: PayloadType,
    pub(super) marker: bool,
    pub(super) received_at: Instant,
    pub(super) video_orientation: Option<VideoOrientation>,
    pub(super) audio_level: Option<AudioLevel>,
    pub(super) capture_time: Option<AbsoluteCaptureTime>,
    pub(super) payload: Vec<u8>,
}

impl Stored {
    pub(super) fn begins(&self, begins: Begins) -> bool {
        self.media.is_some_and(|(_, descriptor)| descriptor.begins == begins)
    }

    pub(super) fn is_key(&self) -> bool {
        self.media.is_some_and(|(_, descriptor)| descriptor.keyframe)
    }
}

/// What is known of the place before the first slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Edge {
    /// Nothing: packets from before the first slot may come.
    #[default]
    Open,
    /// Something was given up there; a frame may have begun in it.
    Torn,
    /// A frame ended there.
    Clean,
}

/// Packets by their numbers; what is missing is an empty slot. The last slot is never empty.
///
/// The bytes of a packet lie in a buffer that is used again when the packet is gone.
#[derive(Debug, Default)]
pub(super) struct Window {
    edge: Edge,
    /// The least number that is taken.
    floor: u64,
    /// The number of the first slot.
    base: u64,
    slots: VecDeque<Option<Stored>>,
    /// How many slots from the first on are known to be one frame's, which goes on.
    scanned: usize,
    bytes: usize,
    key_packets: usize,
    spare: Vec<Vec<u8>>,
}

/// Whether there is a slot for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    /// Its place is behind.
    Late,
    /// It is so far on that what is there has to go first.
    Ahead,
}

/// What there is at the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    Nothing,
    /// A frame to whose end all has come so far.
    Growing,
    /// A frame of as many packets.
    Whole(usize),
    /// As many packets of a frame whose beginning is lost, and whether there are no more of it.
    Remainder(usize, Edge),
    /// A packet is missing.
    Missing(u64),
}

impl Window {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn end(&self) -> u64 {
        self.base + self.slots.len() as u64
    }

    fn is_pinned(&self) -> bool {
        self.edge != Edge::Open
    }

    fn slot(&self, index: usize) -> Option<&Stored> {
        self.slots.get(index)?.as_ref()
    }

    /// The packets from the first slot on, up to the first that is missing.
    pub(super) fn packets(&self) -> impl Iterator<Item = &Stored> {
        self.slots.iter().map_while(Option::as_ref)
    }

    /// Whether there is a slot for a number.
    pub(super) fn fit(&self, sequence: u64) -> Fit {
        if sequence < self.floor {
            return Fit::Late;
        }
        if self.slots.is_empty() && !self.is_pinned() {
            return Fit::Yes;
        }
        let (first, end) = (self.base.min(sequence), self.end().max(sequence + 1));
        match end - first <= MAX_PACKETS as u64 {
            true => Fit::Yes,
            false if sequence < self.base => Fit::Late,
            false => Fit::Ahead,
        }
    }

    /// Puts a packet for which there is a slot into it.
    pub(super) fn insert(&mut self, mut packet: Stored, payload: &[u8]) {
        let sequence = packet.place.sequence;
        if self.slots.is_empty() && !self.is_pinned() {
            self.base = sequence;
        }
        while self.base > sequence {
            self.slots.push_front(None);
            self.base -= 1;
            self.scanned = 0;
        }
        while self.end() <= sequence {
            self.slots.push_back(None);
        }
        let Some(slot @ None) = self.slots.get_mut((sequence - self.base) as usize) else { return };
        packet.payload = self.spare.pop().unwrap_or_default();
        packet.payload.put(payload);
        self.bytes += payload.len();
        self.key_packets += usize::from(packet.is_key());
        *slot = Some(packet);
    }

    /// Takes the first slot away; returns the timestamp of the packet that was in it.
    pub(super) fn pop(&mut self) -> Option<u64> {
        let slot = self.slots.pop_front()?;
        self.base += 1;
        self.scanned = 0;
        if self.is_pinned() {
            self.floor = self.base;
        }
        let mut packet = slot?;
        self.bytes -= packet.payload.len();
        self.key_packets -= usize::from(packet.is_key());
        packet.payload.clear();
        if self.spare.len() < MAX_SPARE {
            self.spare.push(packet.payload);
        }
        Some(packet.place.timestamp)
    }

    /// How many slots there are up to a number whose packet is missing, and to the last one missing behind it.
    pub(super) fn through(&self, missing: u64) -> usize {
        let before = missing.saturating_sub(self.base) as usize;
        let gap = self.slots.iter().skip(before).take_while(|slot| slot.is_none());
        before + gap.count()
    }

    /// Changes what is known of the place before the first slot.
    pub(super) fn set_edge(&mut self, edge: Edge) {
        self.edge = edge;
        if self.is_pinned() {
            self.floor = self.base;
        }
    }

    /// Forgets all packets; the next ones are those from a number on.
    pub(super) fn restart(&mut self, floor: u64) {
        while !self.slots.is_empty() {
            self.pop();
        }
        self.edge = Edge::Open;
        self.floor = floor;
    }

    /// What there is at the front.
    pub(super) fn front(&mut self) -> Front {
        while self.slot(0).is_some_and(|packet| packet.media.is_none()) {
            self.pop();
        }
        let Some(first) = self.slots.front() else { return Front::Nothing };
        let Some(first) = first else { return Front::Missing(self.base) };
        match self.edge {
            _ if first.begins(Begins::Yes) => self.set_edge(Edge::Clean),
            Edge::Open => return Front::Missing(self.base.saturating_sub(1)),
            Edge::Clean if !first.begins(Begins::No) => {}
            Edge::Clean | Edge::Torn => return self.remainder(),
        }
        let front = self.frame(0, self.scanned);
        match front {
            Front::Growing => self.scanned = self.slots.len(),
            Front::Missing(sequence) => self.scanned = (sequence - self.base) as usize,
            _ => {}
        }
        front
    }

    /// The frame that begins at a slot, of which some are known to belong to it.
    fn frame(&self, start: usize, known: usize) -> Front {
        let Some(first) = self.slot(start) else { return Front::Nothing };
        let mut index = start.max(known);
        while let Some(slot) = self.slots.get(index) {
            let Some(packet) = slot else { return Front::Missing(self.base + index as u64) };
            if index > start && is_another(first, packet) {
                return Front::Whole(index - start);
            }
            index += 1;
            if ends_frame(packet) {
                return Front::Whole(index - start);
            }
        }
        Front::Growing
    }

    /// What has come of a frame whose beginning is lost.
    fn remainder(&self) -> Front {
        let mut count = 0;
        let mut packets = self.packets();
        if let Some(first) = packets.next() {
            count = 1;
            if ends_frame(first) {
                return Front::Remainder(count, Edge::Clean);
            }
            for packet in packets {
                if is_another(first, packet) {
                    return Front::Remainder(count, Edge::Clean);
                }
                count += 1;
                if ends_frame(packet) {
                    return Front::Remainder(count, Edge::Clean);
                }
            }
        }
        Front::Remainder(count, Edge::Torn)
    }

    /// How many slots lie before the first whole key frame.
    pub(super) fn find_keyframe(&self) -> Option<usize> {
        if self.key_packets == 0 {
            return None;
        }
        let mut index = 0;
        let mut begins = self.edge == Edge::Clean;
        while index < self.slots.len() {
            let Some(packet) = self.slot(index) else {
                (index, begins) = (index + 1, false);
                continue;
            };
            begins = packet.begins(Begins::Yes) || begins && packet.begins(Begins::Perhaps);
            let count = match self.frame(index, index) {
                Front::Whole(count) => count,
                Front::Missing(sequence) => {
                    (index, begins) = ((sequence - self.base) as usize, false);
                    continue;
                }
                _ => return None,
            };
            let mut packets = self.slots.range(index..index + count).flatten();
            if begins && packets.any(Stored::is_key) {
                return Some(index);
            }
            (index, begins) = (index + count, true);
        }
        None
    }

    /// When it was noticed that a packet is missing: when one of those behind it came, and the first that did.
    pub(super) fn behind(&self, sequence: u64) -> Option<(Instant, Place)> {
        /// How far is looked: what is sent again comes later than what was sent behind it.
        const LOOK: usize = 16;
        let index = (sequence + 1).saturating_sub(self.base) as usize;
        let mut packets = self.slots.range(index.min(self.slots.len())..).flatten().take(LOOK);
        let first = packets.next()?;
        let noticed = packets.map(|packet| packet.received_at).fold(first.received_at, Instant::min);
        Some((noticed, first.place))
    }
}

/// Whether a packet behind another is of another frame.
fn is_another(first: &Stored, packet: &Stored) -> bool {
    packet.place.timestamp != first.place.timestamp
}

/// Whether a frame ends with a packet.
fn ends_frame(packet: &Stored) -> bool {
    // In audio a packet is a frame, and the marker means something else.
    packet.media.is_some_and(|(format, _)| !format.is_video() || packet.marker)
}
