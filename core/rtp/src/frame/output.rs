//! The way out: frames that are whole are put together, what is missing too long is given up.

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::Instant;

use super::window::{Edge, Front, Stored};
use super::{Frame, FrameBuffer, Kind, MAX_BYTES, MAX_DELAY, MAX_FRAMES, Playout, Ready, Stall};
use crate::payload::{Depacketizer, Malformed};

/// What is allowed for packets that overtake each other, however even the network is.
pub(super) const REORDERING: Duration = Duration::from_millis(20);
/// How many round trips what is missing may take to come again: as often it is asked for.
const TRIES: u32 = crate::receive::MAX_TRIES as u32;

impl FrameBuffer {
    /// Does all that can be done with what has come.
    pub(super) fn advance(&mut self, now: Instant) {
        while self.step(now) {}
    }

    fn step(&mut self, now: Instant) -> bool {
        let front = self.window.front();
        if !matches!(front, Front::Missing(_)) {
            self.stall = None;
        }
        match front {
            Front::Nothing | Front::Growing => return false,
            Front::Whole(count) => self.take(now, count),
            Front::Remainder(count, edge) => {
                self.drop_slots(count);
                self.window.set_edge(edge);
                self.chain.lose();
            }
            Front::Missing(sequence) => return self.wait(now, sequence),
        }
        true
    }

    /// Waits for a packet, unless there is something better to do.
    fn wait(&mut self, now: Instant, sequence: u64) -> bool {
        if self.chain.waits_for_keyframe()
            && let Some(before) = self.window.find_keyframe()
        {
            self.drop_slots(before);
            self.window.set_edge(Edge::Clean);
            return true;
        }
        let stall = self.stall_at(sequence, now);
        if now < stall.until {
            self.stall = Some(stall);
            return false;
        }
        self.give_up(sequence);
        true
    }

    fn stall_at(&self, sequence: u64, now: Instant) -> Stall {
        let (noticed, behind) =
            self.window.behind(sequence).map_or((now, None), |(at, place)| (at, Some(place)));
        let known = self.stall.filter(|stall| stall.sequence == sequence);
        let since = known.map_or(noticed, |stall| stall.since.min(noticed));
        let patient = since + self.patience();
        let due = behind
            .filter(|_| self.config.playout == Playout::Smooth)
            .and_then(|place| self.delay.due(place, self.target_delay()));
        let until = match (due, self.config.kind) {
            (None, _) => patient,
            // Sound has to go on.
            (Some(due), Kind::Audio) => due,
            // A late picture is better than none before a key frame.
            (Some(due), Kind::Video) => due.max(patient),
        };
        Stall { since, sequence, until: until.min(since + MAX_DELAY) }
    }

    /// How long a missing packet is waited for.
    fn patience(&self) -> Duration {
        let again = match self.config.retransmission {
            true => self.round_trip.saturating_mul(TRIES),
            false => Duration::ZERO,
        };
        self.bounded(again.saturating_add(self.delay.target() + REORDERING))
    }

    /// Gives up what is missing at a number, and the frame that it belongs to.
    pub(super) fn give_up(&mut self, sequence: u64) {
        self.stall = None;
        self.drop_slots(self.window.through(sequence));
        self.window.set_edge(Edge::Torn);
        self.chain.lose();
    }

    /// Gives up what lies in front, whatever it is: there is no room for it.
    pub(super) fn drop_front(&mut self) {
        match self.window.front() {
            Front::Missing(sequence) => self.give_up(sequence),
            _ => {
                self.drop_slots(self.window.packets().count());
                self.window.set_edge(Edge::Torn);
                self.chain.lose();
            }
        }
    }

    /// Drops slots from the front.
    fn drop_slots(&mut self, count: usize) {
        for _ in 0..count {
            match self.window.pop() {
                Some(timestamp) if self.dropped == Some(timestamp) => {}
                Some(timestamp) => {
                    self.dropped = Some(timestamp);
                    self.statistics.frames_dropped += 1;
                }
                None => {
                    self.lost += 1;
                    self.statistics.packets_lost += 1;
                }
            }
        }
    }

    /// Takes the frame of the first packets.
    fn take(&mut self, now: Instant, count: usize) {
        let frame = self.assemble(count);
        for _ in 0..count {
            self.window.pop();
        }
        let is_full = self.ready.len() >= MAX_FRAMES || self.ready_bytes >= MAX_BYTES;
        let frame = frame.ok().filter(|_| !is_full);
        let Some((mut frame, layer)) = frame else {
            self.statistics.frames_dropped += 1;
            self.chain.lose();
            return;
        };
        let place = frame.place();
        self.delay.measure(frame.received_at, place);
        if !self.chain.admit(frame.keyframe, layer) {
            self.statistics.frames_dropped += 1;
            return;
        }
        self.statistics.frames += 1;
        self.statistics.keyframes += u64::from(frame.keyframe);
        frame.lost_packets = core::mem::take(&mut self.lost);
        self.ready_bytes += frame.data.len();
        let due = match self.config.playout {
            Playout::Immediate => now,
            Playout::Smooth => self.delay.due(place, self.target_delay()).unwrap_or(now).min(now + MAX_DELAY),
        };
        self.ready.push_back(Ready { frame, due });
    }

    /// Puts the frame of the first packets together.
    fn assemble(&self, count: usize) -> Result<(Frame, Option<crate::payload::Layer>), Malformed> {
        let packets = || self.window.packets().take(count);
        let first = packets().next().ok_or(Malformed)?;
        let (format, descriptor) = first.media.ok_or(Malformed)?;
        let media_len = |packet: &Stored| packet.media.map_or(0, |(_, descriptor)| descriptor.media_len);
        let mut data = Vec::with_capacity(packets().map(media_len).sum());
        let mut depacketizer = Depacketizer::new(format);
        for packet in packets().filter(|packet| packet.media.is_some()) {
            if packet.payload_type != first.payload_type {
                return Err(Malformed);
            }
            depacketizer.push(&packet.payload, &mut data)?;
        }
        depacketizer.finish()?;
        let times = || packets().map(|packet| packet.received_at);
        let start = first.place.sequence;
        let frame = Frame {
            data: data.into(),
            payload_type: first.payload_type,
            timestamp: first.place.timestamp,
            clock_rate: first.place.clock_rate,
            keyframe: packets().any(Stored::is_key),
            sequence: start..=start + count as u64 - 1,
            lost_packets: 0,
            first_received_at: times().fold(first.received_at, Instant::min),
            received_at: times().fold(first.received_at, Instant::max),
            video_orientation: packets().find_map(|packet| packet.video_orientation),
            audio_level: first.audio_level,
            capture_time: packets().find_map(|packet| packet.capture_time),
        };
        Ok((frame, descriptor.layer))
    }
}
