//! The sending half of an association: what waits, what is in flight, what was lost.
//!
//! ```text
//! send() -> Outbox -> (fill) -> Ring -> SACK: acknowledged
//!                        ^         |
//!                        +- lost --+-> SACK or timer: lost -> (abandon) -> FORWARD TSN
//! ```

mod abandon;
mod fill;
mod loss;
mod message;
mod options;
mod outbox;
mod pacer;
mod rate;
mod ring;
mod sack;
mod schedule;

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use bytes::Bytes;
use pavane_base::Instant;

use self::abandon::Forward;
use self::loss::{LossDetector, Recovery, Undo};
pub use self::options::{Reliability, SendOptions};
use self::outbox::Outbox;
use self::pacer::Pacer;
use self::rate::DeliveryRate;
use self::ring::Ring;
use self::sack::Scoreboard;
use crate::chunk::{Data, Extensions, IData};
use crate::config::Config;
use crate::congestion::{CongestionAlgorithm, CongestionController};
use crate::error::SendError;
use crate::event::Event;
use crate::packet::COMMON_HEADER;
use crate::rtt::RoundTrip;
use crate::types::{Ppid, StreamId, Tsn};

pub(crate) use self::sack::BadSack;

/// The sending half of an association.
#[derive(Debug)]
pub(crate) struct Sender {
    outbox: Outbox,
    ring: Ring,
    scoreboard: Scoreboard,
    loss: LossDetector,
    recovery: Recovery,
    /// What would show that the last reduction of the window was for nothing.
    undo: Option<Undo>,
    /// Positions marked as lost, the next to be sent again first. What is no longer lost by then is passed over.
    lost: VecDeque<u64>,
    forward: Forward,
    congestion: Box<dyn CongestionController>,
    algorithm: CongestionAlgorithm,
    rate: DeliveryRate,
    pacer: Pacer,
    pub(crate) rtt: RoundTrip,
    /// How many bytes the peer said that it can take beyond what it has.
    peer_window: u64,
    /// Whether the peer understands FORWARD TSN.
    partial_reliability: bool,
    /// Whether messages are interleaved.
    interleaving: bool,
    /// How many bytes of chunks fit into one packet.
    packet_room: usize,
    /// How many payload bytes fit into one chunk: what a packet of the base size carries.
    max_payload: usize,
    /// How long the fragments of larger messages are, so that they fill packets.
    fragment: usize,
    /// How many bytes of chunks fit into a packet of the base size.
    base_room: usize,
    /// Whether packets seem to vanish for their size.
    black_hole: bool,
    /// What may go out beyond the congestion window: one packet.
    credit: Credit,
    /// When the last DATA chunk was sent.
    last_sent: Instant,
    /// Since when the path is used: what was sent before says nothing about it.
    path_since: Instant,
    /// Whether the window of the peer is closed and it is time to ask (RFC 9260 §6.1 A).
    window_probe_due: bool,
    counters: SendCounters,
}

/// What the congestion window does not hold back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credit {
    None,
    /// The first packet of a fast retransmission (RFC 9260 §7.2.4 rule 3).
    Retransmission,
    /// A probe for the loss of the last packets.
    Probe,
}

/// Counts that the sending half keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SendCounters {
    pub(crate) bytes: u64,
    pub(crate) retransmissions: u64,
    pub(crate) timeouts: u64,
    pub(crate) fast_recoveries: u64,
    pub(crate) tail_probes: u64,
    pub(crate) abandoned: u64,
    pub(crate) old_sacks: u64,
    pub(crate) spurious: u64,
}

impl Sender {
    pub(crate) fn new(config: &Config, initial: Tsn) -> Self {
        let room = (config.effective_packet() - COMMON_HEADER) & !3;
        Self {
            outbox: Outbox::new(config.max_buffered_send),
            ring: Ring::new(initial),
            scoreboard: Scoreboard::default(),
            loss: LossDetector::default(),
            recovery: Recovery::None,
            undo: None,
            lost: VecDeque::new(),
            forward: Forward::default(),
            congestion: config.congestion.build(room as u64),
            algorithm: config.congestion,
            rate: DeliveryRate::default(),
            pacer: Pacer::default(),
            rtt: RoundTrip::new(&config.timing),
            peer_window: 0,
            partial_reliability: false,
            interleaving: false,
            packet_room: room,
            max_payload: room - Data::HEADER,
            fragment: room - Data::HEADER,
            base_room: room,
            black_hole: false,
            credit: Credit::None,
            last_sent: Instant::ZERO,
            path_since: Instant::ZERO,
            window_probe_due: false,
            counters: SendCounters::default(),
        }
    }

    /// The peer has introduced itself: data may go out.
    pub(crate) fn start(
        &mut self,
        window: u32,
        extensions: Extensions,
        stream_count: u16,
        events: &mut VecDeque<Event>,
    ) {
        self.peer_window = u64::from(window);
        self.partial_reliability = extensions.partial_reliability;
        self.interleaving = extensions.interleaving;
        let header = if self.interleaving { IData::HEADER } else { Data::HEADER };
        self.ring.set_header(header);
        self.max_payload = self.base_room - header;
        self.cut_to_size();
        self.outbox.set_interleaving(self.interleaving, window);
        self.outbox.set_stream_count(stream_count, events);
    }

    /// Packets may be of this size from here on.
    pub(crate) fn set_packet(&mut self, size: usize) {
        self.packet_room = size - COMMON_HEADER;
        self.black_hole = false;
        self.cut_to_size();
        self.congestion.set_packet(self.packet_room as u64);
        self.set_pace();
    }

    /// Another path is used from here on: what goes out is as careful as at the beginning (RFC 8261 §6.1).
    pub(crate) fn begin_path(&mut self, now: Instant, packet: usize) {
        self.path_since = now;
        self.congestion = self.algorithm.build(self.packet_room as u64);
        self.recovery = Recovery::None;
        self.undo = None;
        self.pacer.reset();
        self.rtt.forget();
        self.set_packet(packet);
    }

    /// Cuts messages so that as many chunks fill a packet as it takes for none to be longer than a base packet carries.
    ///
    /// Packets have no room beyond those chunks, so that none is larger than one full of them: callers batch packets of one
    /// size.
    const fn cut_to_size(&mut self) {
        let chunks = self.packet_room.div_ceil(self.base_room);
        let share = (self.packet_room / chunks) & !3;
        self.packet_room = share * chunks;
        self.fragment = share - self.ring.header();
    }

    /// The length of the largest packet.
    pub(crate) const fn max_packet(&self) -> usize {
        COMMON_HEADER + self.packet_room
    }

    /// Whether packets seem to have vanished for their size since somebody asked.
    pub(crate) const fn take_black_hole(&mut self) -> bool {
        core::mem::replace(&mut self.black_hole, false)
    }

    /// The peer has forgotten everything; the next chunk has the number `initial` (RFC 9260 §5.2.4 A).
    pub(crate) fn restart(&mut self, initial: Tsn, events: &mut VecDeque<Event>) {
        self.outbox.restart(events);
        self.ring = Ring::new(initial);
        self.scoreboard = Scoreboard::default();
        self.loss = LossDetector::default();
        self.recovery = Recovery::None;
        self.undo = None;
        self.rate = DeliveryRate::default();
        self.pacer.reset();
        self.lost.clear();
        self.forward = Forward::default();
        self.congestion = self.algorithm.build(self.packet_room as u64);
        self.credit = Credit::None;
        self.window_probe_due = false;
    }

    pub(crate) fn push(
        &mut self,
        now: Instant,
        stream: StreamId,
        ppid: Ppid,
        payload: Bytes,
        options: SendOptions,
    ) -> Result<(), SendError> {
        if self.outbox.is_empty() && self.window_is_open() {
            self.rate.note_limited(self.ring.in_flight());
        }
        self.outbox.push(now, stream, ppid, payload, options)
    }

    /// Sets the pace anew, after the controller has learnt something.
    fn set_pace(&mut self) {
        if let Some(smoothed) = self.rtt.smoothed() {
            let packet = self.packet_room as u64;
            self.pacer.set_rate(self.congestion.pacing_rate(smoothed), packet);
        }
    }

    /// When the pace allows the next packet, if only the pace holds it back.
    pub(crate) fn paced_until(&self, now: Instant) -> Option<Instant> {
        let held = !self.pacer.is_open(now) && self.window_is_open();
        let waits = !self.lost.is_empty() || (!self.outbox.is_empty() && self.peer_has_room());
        (held && waits).then(|| self.pacer.next())
    }

    fn peer_has_room(&self) -> bool {
        self.available_window() >= self.max_payload as u64
    }

    /// Drops what waits and what is in flight: there is nobody to send it to.
    pub(crate) fn clear(&mut self) {
        self.outbox.clear();
        self.ring = Ring::new(Tsn(self.ring.next() as u32));
        self.lost.clear();
        self.forward = Forward::default();
    }

    /// Whether everything has been sent and acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.outbox.is_empty() && self.ring.is_empty()
    }

    /// Whether a chunk has been sent that is not acknowledged, or given up without the peer knowing.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.ring.is_empty()
    }

    /// Whether a probe for the loss of the last packets makes sense.
    pub(crate) fn wants_tail_probe(&self) -> bool {
        self.ring.in_flight() > 0 && !self.loss.has_probed()
    }

    /// Whether data waits for a window that the peer has closed, with nothing under way that would bring news of it.
    pub(crate) fn wants_window_probe(&self) -> bool {
        self.ring.is_empty()
            && !self.outbox.is_empty()
            && !self.window_probe_due
            && self.available_window() < self.max_payload as u64
    }

    /// Sends a chunk into the closed window.
    pub(crate) fn probe_window(&mut self) {
        self.window_probe_due = true;
    }

    /// When the last DATA chunk was sent.
    pub(crate) const fn last_sent(&self) -> Instant {
        self.last_sent
    }

    /// The TSN of the last chunk that has one.
    pub(crate) fn last_tsn(&self) -> Tsn {
        Tsn(self.ring.next() as u32).sub(1)
    }

    pub(crate) const fn counters(&self) -> &SendCounters {
        &self.counters
    }

    pub(crate) fn congestion_window(&self) -> u64 {
        self.congestion.window()
    }

    pub(crate) fn slow_start_threshold(&self) -> u64 {
        self.congestion.threshold()
    }

    pub(crate) const fn in_flight(&self) -> u64 {
        self.ring.in_flight()
    }

    pub(crate) const fn peer_window(&self) -> u64 {
        self.peer_window
    }

    pub(crate) fn buffered(&self, stream: StreamId) -> usize {
        self.outbox.buffered(stream)
    }

    pub(crate) const fn queued(&self) -> usize {
        self.outbox.queued()
    }

    pub(crate) fn set_low_threshold(&mut self, stream: StreamId, bytes: usize) {
        self.outbox.set_low_threshold(stream, bytes);
    }

    pub(crate) fn set_weight(&mut self, stream: StreamId, weight: u16) {
        self.outbox.set_weight(stream, weight);
    }

    pub(crate) fn begin_reset(&mut self, stream: StreamId) {
        self.outbox.begin_reset(stream);
    }

    pub(crate) fn next_drained(&mut self) -> Option<StreamId> {
        self.outbox.next_drained()
    }

    pub(crate) fn has_drained(&self) -> bool {
        self.outbox.has_drained()
    }

    pub(crate) fn finish_reset(&mut self, streams: &[StreamId]) {
        streams.iter().for_each(|stream| self.outbox.finish_reset(*stream));
    }

    pub(crate) fn cancel_reset(&mut self, streams: &[StreamId]) {
        streams.iter().for_each(|stream| self.outbox.cancel_reset(*stream));
    }

    /// Whether there is nothing of any message.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.ring.is_empty() && self.outbox.is_at_rest()
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn audit(&self) {
        self.ring.audit();
        self.outbox.audit();
    }

    /// How many more bytes the peer can take.
    fn available_window(&self) -> u64 {
        self.peer_window.saturating_sub(self.ring.in_flight_payload())
    }
}
