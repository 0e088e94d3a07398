//! The receiving half of an association: what has arrived, what can be read, what the peer is told about it.

mod deliver;
mod interleaved;
mod partial;
mod reassembly;
mod runs;
mod tracker;

use alloc::collections::VecDeque;
use core::time::Duration;

use pavane_base::Instant;

use self::deliver::Inbox;
use self::reassembly::Reassembly;
use self::tracker::{Arrival, Tracker};
use crate::chunk::{Data, Sack, Skipped};
use crate::config::Config;
use crate::event::{Event, Message, Misbehaved};
use crate::packet::PacketWriter;
use crate::types::{Ppid, StreamId, Tsn};

/// The receiving half of an association.
#[derive(Debug)]
pub(crate) struct Receiver {
    tracker: Tracker,
    reassembly: Reassembly,
    inbox: Inbox,
    window: usize,
    /// Up to which size the window grows.
    max_window: usize,
    /// Bytes read since the moment: within a round trip, they tell whether the window is too small.
    read: (usize, Instant),
    /// How many bytes the peer was told that we can take.
    advertised: usize,
    /// A window below this is no window (RFC 9260 §6.2: avoidance of silly windows).
    least_window: usize,
    ack: Ack,
    counters: ReceiveCounters,
}

/// Whether the peer is owed a SACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ack {
    /// No.
    None,
    /// One packet with data has come since the last.
    Later,
    Due,
}

/// Counts that the receiving half keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReceiveCounters {
    pub(crate) bytes: u64,
    pub(crate) duplicates: u64,
    pub(crate) beyond_window: u64,
}

/// What a packet's DATA chunks mean for the SACK.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DataSeen {
    pub(crate) any: bool,
    pub(crate) immediate: bool,
}

impl Receiver {
    pub(crate) fn new(config: &Config, initial: Tsn, interleaving: bool) -> Self {
        let window = config.effective_window();
        Self {
            tracker: Tracker::new(initial),
            reassembly: Reassembly::new(config.max_message_size, interleaving),
            inbox: Inbox::new(interleaving),
            window,
            max_window: window.max(config.max_receive_window as usize),
            read: (0, Instant::ZERO),
            advertised: window,
            least_window: config.effective_packet(),
            // RFC 9260 §5.1: the first DATA is acknowledged at once.
            ack: Ack::Later,
            counters: ReceiveCounters::default(),
        }
    }

    /// Takes in a DATA or an I-DATA chunk.
    pub(crate) fn on_data(
        &mut self,
        data: &Data<'_>,
        seen: &mut DataSeen,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Misbehaved> {
        seen.any = true;
        seen.immediate |= data.immediate;
        let position = self.tracker.position_of(data.tsn);
        match self.tracker.arrival(position) {
            Arrival::Duplicate => {
                self.tracker.note_duplicate(data.tsn);
                self.counters.duplicates += 1;
                seen.immediate = true;
                return Ok(());
            }
            Arrival::TooFar => {
                self.counters.beyond_window += 1;
                seen.immediate = true;
                return Ok(());
            }
            Arrival::Highest | Arrival::Hole | Arrival::Next if !self.has_room(position) => {
                self.counters.beyond_window += 1;
                seen.immediate = true;
                return Ok(());
            }
            Arrival::Highest | Arrival::Hole | Arrival::Next => {}
        }
        if self.inbox.is_over(data) {
            self.tracker.note(position);
            return Ok(());
        }
        let hint = self.inbox.size_hint(data.stream);
        let assembled = self.reassembly.add(position, data, hint)?;
        self.tracker.note(position);
        self.counters.bytes += data.payload.len() as u64;
        if let Some(assembled) = assembled {
            self.inbox.deliver(assembled, events);
        }
        Ok(())
    }

    /// A DATA chunk on a stream that does not exist: it counts as arrived, and is thrown away (RFC 9260 §6.5).
    pub(crate) fn on_invalid_stream(&mut self, data: &Data<'_>, seen: &mut DataSeen) {
        seen.any = true;
        let position = self.tracker.position_of(data.tsn);
        if matches!(self.tracker.arrival(position), Arrival::Highest | Arrival::Hole | Arrival::Next) {
            self.tracker.note(position);
        }
    }

    /// Takes in a FORWARD TSN (RFC 3758 §3.6) or an I-FORWARD-TSN (RFC 8260 §2.3.1).
    pub(crate) fn on_forward(
        &mut self,
        cumulative: Tsn,
        skipped: impl Iterator<Item = Skipped>,
        seen: &mut DataSeen,
        events: &mut VecDeque<Event>,
    ) {
        let position = self.tracker.position_of(cumulative);
        seen.any = true;
        seen.immediate = true;
        if !self.tracker.may_skip_to(position) {
            return;
        }
        self.tracker.skip_to(position);
        self.reassembly.forget_up_to(position);
        for skipped in skipped {
            self.reassembly.forget(skipped);
            self.inbox.skip(skipped, events);
        }
    }

    /// A packet has been processed: decides when the peer is told (RFC 9260 §6.2).
    ///
    /// Deviation: RFC 9260 §6.2 has a SACK for every packet while there are gaps. Where packets get lost there always are,
    /// and the way back would carry as many packets as the way here; only what opens or fills a gap is told at once.
    pub(crate) fn after_packet(&mut self, now: Instant, round_trip: Duration, seen: DataSeen) {
        if !seen.any {
            return;
        }
        self.tune_window(now, round_trip);
        let at_once = seen.immediate || self.tracker.take_changed();
        self.ack = match self.ack {
            Ack::None if !at_once => Ack::Later,
            _ => Ack::Due,
        };
    }

    /// Doubles the window if the application reads half of it in a round trip: it may be what holds the peer back.
    fn tune_window(&mut self, now: Instant, round_trip: Duration) {
        let (bytes, since) = self.read;
        if now - since < round_trip.max(MIN_ROUND_TRIP) {
            return;
        }
        if bytes > self.window / 2 {
            self.window = self.window.saturating_mul(2).min(self.max_window);
        }
        self.read = (0, now);
    }

    /// From here on the window grows no further than this.
    pub(crate) fn set_max_window(&mut self, bytes: usize) {
        self.max_window = bytes.max(self.window);
    }

    /// Whether the SACK timer has to run.
    pub(crate) fn owes_sack_later(&self) -> bool {
        self.ack == Ack::Later && self.tracker.has_received()
    }

    /// Whether a SACK is to be sent in the next packet.
    pub(crate) fn sack_due(&self) -> bool {
        self.ack == Ack::Due
    }

    /// The SACK timer expired, or the peer is to be told for another reason.
    pub(crate) fn sack_now(&mut self) {
        self.ack = Ack::Due;
    }

    /// Whether a SACK may accompany other chunks.
    pub(crate) fn sack_wanted(&self) -> bool {
        self.ack == Ack::Due || self.owes_sack_later()
    }

    pub(crate) fn write_sack(&mut self, w: &mut PacketWriter<'_>) {
        self.advertised = self.free();
        let window = u32::try_from(self.advertised).unwrap_or(u32::MAX);
        Sack::write(w, self.tracker.cumulative(), window, self.tracker.blocks(), self.tracker.duplicates());
        self.tracker.clear_duplicates();
        self.ack = Ack::None;
    }

    /// Takes a message out; what is read makes room for more.
    pub(crate) fn recv(&mut self, stream: StreamId) -> Option<Message> {
        let message = self.inbox.recv(stream)?;
        self.read.0 += message.payload.len();
        // RFC 9260 §6.2: the peer hears of a larger window when it is worth a packet.
        if self.free().saturating_sub(self.advertised) >= self.window / 4 {
            self.sack_now();
        }
        Some(message)
    }

    pub(crate) fn peek(&self, stream: StreamId) -> Option<Ppid> {
        self.inbox.peek(stream)
    }

    pub(crate) fn reset(&mut self, streams: impl Iterator<Item = StreamId>) {
        for stream in streams {
            self.inbox.reset(stream);
            self.reassembly.reset(stream);
        }
    }

    pub(crate) fn known_streams(&self) -> impl Iterator<Item = StreamId> {
        self.inbox.streams()
    }

    pub(crate) fn cumulative(&self) -> Tsn {
        self.tracker.cumulative()
    }

    pub(crate) fn has_gaps(&self) -> bool {
        self.tracker.has_gaps()
    }

    pub(crate) fn has_received(&self) -> bool {
        self.tracker.has_received()
    }

    pub(crate) fn has_reached(&self, tsn: Tsn) -> bool {
        !tsn.is_after(self.tracker.cumulative())
    }

    pub(crate) const fn counters(&self) -> &ReceiveCounters {
        &self.counters
    }

    /// What can still be read after the association; the rest is dropped.
    pub(crate) fn into_inbox(self) -> Inbox {
        self.inbox
    }

    /// Takes over what an earlier life of the peer had sent completely.
    pub(crate) fn adopt_inbox(&mut self, mut inbox: Inbox) {
        inbox.restart(self.inbox.is_wide());
        self.inbox = inbox;
    }

    /// What incomplete messages take of the window.
    #[cfg(test)]
    pub(crate) const fn unfinished(&self) -> usize {
        self.reassembly.held()
    }

    /// Whether there is nothing of any message.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) const fn is_at_rest(&self) -> bool {
        self.used() == 0
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn audit(&self) {
        assert_eq!(self.reassembly.held(), self.reassembly.counted(), "held");
        self.inbox.audit();
        // What fills a hole may go beyond the window once, and a packet beyond that.
        assert!(self.used() <= self.window * 2 + MOST_BEYOND, "{} of {}", self.used(), self.window);
    }

    const fn used(&self) -> usize {
        self.inbox.unread() + self.reassembly.held() + self.inbox.waiting()
    }

    fn free(&self) -> usize {
        let free = self.window.saturating_sub(self.used());
        if free < self.least_window { 0 } else { free }
    }

    /// Whether a chunk can be kept. What lies beyond everything that has arrived has to fit into the window; what fills a
    /// hole releases what waits behind it, and the next in order always does (RFC 9260 §6.2).
    fn has_room(&self, position: u64) -> bool {
        let used = self.used();
        used < self.window
            || (self.tracker.is_hole(position) && used < self.window.saturating_mul(2))
            || (self.tracker.is_next(position) && self.inbox.unread() < self.window)
    }
}

/// Shorter round trips are those of one machine, where windows are not what holds anybody back.
const MIN_ROUND_TRIP: Duration = Duration::from_millis(1);

/// One packet, and what it costs beside its bytes.
#[cfg(any(test, feature = "fuzzing"))]
const MOST_BEYOND: usize = 4096;

pub(crate) use self::deliver::Inbox as UnreadMessages;
