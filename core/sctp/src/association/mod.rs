//! The association: one conversation of two endpoints.
//!
//! ```text
//!      we                        peer
//!  CookieWait     INIT ->                       both begin at once more often than not: their packets cross,
//!                 <- INIT ACK (cookie)          and the rules of RFC 9260 §5.2 make one association of it
//!  CookieEchoed   COOKIE ECHO, DATA ->
//!  Established    <- COOKIE ACK, SACK, DATA
//! ```

#[cfg(any(test, feature = "fuzzing"))]
mod audit;
mod blue;
mod handshake;
mod heartbeat;
mod input;
mod output;
mod path_mtu;
mod reconfig;
mod shutdown;
mod state;
#[cfg(test)]
mod tests;
mod timeout;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use pavane_base::{Instant, Timers};
use rand_core::CryptoRng;

use self::blue::Standalone;
use self::path_mtu::PathMtu;
pub use self::state::State;
use self::state::{Link, Phase, Stage};
use self::timeout::{TIMERS, Timer};
use crate::chunk::Cause;
use crate::config::Config;
use crate::counters::{Counters, Dropped};
use crate::error::SendError;
use crate::event::{CloseReason, Event, Message};
use crate::introduction::{self, Introduction, InvalidIntroduction};
use crate::receive::ReceiveCounters;
use crate::send::{SendOptions, Sender};
use crate::siphash::SipKey;
use crate::types::{Ppid, StreamId, Tsn, VerificationTag};

/// One end of an SCTP association.
///
/// # Commands
/// [`connect`](Self::connect), [`connect_introduced`](Self::connect_introduced), [`send`](Self::send), [`recv`](Self::recv), [`reset_streams`](Self::reset_streams),
/// [`shutdown`](Self::shutdown), [`abort`](Self::abort).
///
/// # The world
/// [`handle_packet`](Self::handle_packet) and [`handle_timeout`](Self::handle_timeout).
///
/// # What next
/// [`poll_transmit`](Self::poll_transmit) until it has nothing more, after anything else was called;
/// [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Association {
    config: Config,
    identity: Identity,
    phase: Phase,
    sender: Sender,
    events: VecDeque<Event>,
    path_mtu: PathMtu,
    timers: Timers<Timer, TIMERS>,
    /// Whether [`Event::Connected`] has been told.
    announced: bool,
    /// Packets that go out on their own, outside of any association or at its end.
    standalone: VecDeque<Standalone>,
    packets_sent: u64,
    packets_received: u64,
    /// What the receiving half counted, once it is gone.
    received: ReceiveCounters,
    dropped: Dropped,
}

/// By what the peer knows us.
#[derive(Debug)]
struct Identity {
    tag: VerificationTag,
    initial_tsn: Tsn,
    key: SipKey,
    /// How many numbers were derived from the key.
    drawn: u64,
}

impl Identity {
    fn new(introduction: Introduction) -> Self {
        let Introduction { tag, initial_tsn, key } = introduction;
        Self { tag, initial_tsn, key, drawn: 0 }
    }

    /// A number that nobody else can foresee.
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.key.hash(&self.drawn.to_be_bytes())
    }
}

/// What is known about the path and the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How many bytes of chunks may be in flight.
    pub congestion_window: u64,
    /// Up to which window growth is quick.
    pub slow_start_threshold: u64,
    /// How many bytes of chunks are in flight.
    pub in_flight: u64,
    /// How many bytes the peer said that it can take.
    pub peer_window: u64,
    /// How many bytes wait for their first transmission, over all streams.
    pub queued: usize,
    /// The smoothed round trip.
    pub round_trip_time: Option<Duration>,
    /// The retransmission timeout.
    pub retransmission_timeout: Duration,
}

impl Association {
    /// Makes an association that does nothing yet; it answers a peer that begins, though.
    pub fn new(config: Config, rng: &mut dyn CryptoRng) -> Self {
        Self::with_introduction(config, Introduction::new(rng))
    }

    /// Makes the association that a description has introduced.
    pub fn with_introduction(config: Config, introduction: Introduction) -> Self {
        let identity = Identity::new(introduction);
        let sender = Sender::new(&config, identity.initial_tsn);
        let path_mtu = PathMtu::new(&config);
        Self {
            path_mtu,
            config,
            identity,
            phase: Phase::Closed,
            sender,
            events: VecDeque::new(),
            timers: Timers::default(),
            announced: false,
            standalone: VecDeque::new(),
            packets_sent: 0,
            packets_received: 0,
            received: ReceiveCounters::default(),
            dropped: Dropped::default(),
        }
    }

    /// Tells the round trip that another layer measured on the same path; our own measurements override it.
    pub fn set_round_trip_time(&mut self, rtt: Duration) {
        self.sender.rtt.hint(rtt);
    }

    /// Begins: sends INIT. Nothing happens if there is an association already, or was one.
    pub fn connect(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Closed) {
            self.phase = Phase::CookieWait { init_due: true, sent_at: now, attempts: 0 };
            self.timers.set(Timer::Init, now + self.sender.rtt.timeout());
        }
    }

    /// Begins with a peer that has our [`Introduction`] and has sent its own: the association is there at once.
    ///
    /// # Errors
    /// If the bytes are no INIT chunk that an association can be built on; nothing has happened then.
    pub fn connect_introduced(&mut self, now: Instant, peer: &[u8]) -> Result<(), InvalidIntroduction> {
        let peer = introduction::read(peer)?;
        if matches!(self.phase, Phase::Closed) {
            self.meet(peer, Stage::Established);
            self.schedule_heartbeat(now);
            self.refresh_timers(now);
        }
        Ok(())
    }

    /// Queues a message; before the association is established it waits, and rides with the first packets that may carry
    /// data.
    ///
    /// # Errors
    /// If the association is closing or closed, the stream is not there or being reset, the message empty or too large, or
    /// the send buffer full.
    pub fn send(
        &mut self,
        now: Instant,
        stream: StreamId,
        ppid: Ppid,
        payload: Bytes,
        options: SendOptions,
    ) -> Result<(), SendError> {
        let open = match &self.phase {
            Phase::Closed | Phase::CookieWait { .. } => true,
            Phase::Linked(link) => matches!(link.stage, Stage::CookieEchoed { .. } | Stage::Established),
            Phase::Over { .. } => false,
        };
        if !open {
            return Err(SendError::Closed);
        }
        self.sender.push(now, stream, ppid, payload, options)?;
        self.refresh_timers(now);
        Ok(())
    }

    /// Takes the next message off a stream; what is read makes room for more. What had arrived before the association
    /// ended can be read afterwards.
    pub fn recv(&mut self, stream: StreamId) -> Option<Message> {
        match &mut self.phase {
            Phase::Linked(link) => link.receiver.recv(stream),
            Phase::Over { unread } => unread.take(stream),
            Phase::Closed | Phase::CookieWait { .. } => None,
        }
    }

    /// The payload protocol identifier of the message that [`recv`](Self::recv) would take.
    pub fn peek(&self, stream: StreamId) -> Option<Ppid> {
        match &self.phase {
            Phase::Linked(link) => link.receiver.peek(stream),
            Phase::Over { unread } => unread.peek(stream),
            Phase::Closed | Phase::CookieWait { .. } => None,
        }
    }

    /// The length in bytes of the largest packet that [`poll_transmit`](Self::poll_transmit) makes, and of every one that is
    /// full of new data: what has been proven to pass, less some bytes that would make them differ.
    pub const fn max_packet(&self) -> usize {
        self.sender.max_packet()
    }

    /// How many bytes of the stream have not been sent once.
    pub fn buffered_amount(&self, stream: StreamId) -> usize {
        self.sender.buffered(stream)
    }

    /// Asks for [`Event::BufferedAmountLow`] when no more than `bytes` wait on the stream; zero at first. A reset of the
    /// stream sets it back.
    pub fn set_buffered_amount_low_threshold(&mut self, stream: StreamId, bytes: usize) {
        self.sender.set_low_threshold(stream, bytes);
    }

    /// Sets how much the stream may send beside others: one of twice the weight sends twice as much while both have
    /// something to send (RFC 8260 §3.6). It is 256 at first; a reset of the stream sets it back.
    ///
    /// Fragments of messages take turns by it where the peer interleaves, whole messages elsewhere.
    pub fn set_weight(&mut self, stream: StreamId, weight: u16) {
        self.sender.set_weight(stream, weight);
    }

    /// From here on the receive window grows no further than this, for callers that share memory out among many
    /// associations; what it has grown to is kept, since the peer was promised it.
    pub fn set_max_receive_window(&mut self, bytes: u32) {
        self.config.max_receive_window = bytes;
        if let Some(link) = self.phase.link_mut() {
            link.receiver.set_max_window(bytes as usize);
        }
    }

    /// Ends the association at once; the peer is told why.
    pub fn abort(&mut self, _now: Instant, reason: &[u8]) {
        let reason = reason.get(..reason.len().min(MAX_REASON)).unwrap_or_default();
        self.close(CloseReason::Aborted, Some(Cause::UserAbort(reason.to_vec())));
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, unless something else happens before.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Where the association is in its life.
    pub fn state(&self) -> State {
        self.phase.public()
    }

    /// Whether messages can be sent that have somebody to go to: [`Event::Connected`] was told, and no end.
    pub const fn is_connected(&self) -> bool {
        self.announced && matches!(self.phase, Phase::Linked(_))
    }

    /// How many streams we may send on; `None` before the peer has said.
    pub fn max_outgoing_streams(&self) -> Option<u16> {
        self.phase.link().map(|link| link.outgoing)
    }

    /// How many streams the peer may send on; `None` before the peer has said.
    pub fn max_incoming_streams(&self) -> Option<u16> {
        self.phase.link().map(|link| link.incoming)
    }

    /// What happened how often.
    pub fn counters(&self) -> Counters {
        let sent = self.sender.counters();
        let received = self.phase.link().map_or(self.received, |link| *link.receiver.counters());
        let mut dropped = self.dropped.clone();
        dropped.old_sacks = sent.old_sacks;
        dropped.beyond_window = received.beyond_window;
        Counters {
            packets_sent: self.packets_sent,
            packets_received: self.packets_received,
            bytes_sent: sent.bytes,
            bytes_received: received.bytes,
            retransmissions: sent.retransmissions,
            timeouts: sent.timeouts,
            fast_recoveries: sent.fast_recoveries,
            tail_probes: sent.tail_probes,
            spurious_recoveries: sent.spurious,
            abandoned: sent.abandoned,
            duplicates: received.duplicates,
            dropped,
        }
    }

    /// What is known about the path and the peer.
    pub fn stats(&self) -> Stats {
        Stats {
            congestion_window: self.sender.congestion_window(),
            slow_start_threshold: self.sender.slow_start_threshold(),
            in_flight: self.sender.in_flight(),
            peer_window: self.sender.peer_window(),
            queued: self.sender.queued(),
            round_trip_time: self.sender.rtt.smoothed(),
            retransmission_timeout: self.sender.rtt.timeout(),
        }
    }

    /// Ends the association; with a cause, the peer is told by ABORT.
    fn close(&mut self, reason: CloseReason, cause: Option<Cause>) {
        if matches!(self.phase, Phase::Over { .. }) {
            return;
        }
        let unread = match core::mem::replace(&mut self.phase, Phase::Over { unread: Box::default() }) {
            Phase::Linked(link) => {
                if let Some(cause) = cause {
                    let abort =
                        Standalone::Abort { tag: link.peer_tag, reflected: false, cause: Some(cause) };
                    self.send_standalone(abort);
                }
                self.received = *link.receiver.counters();
                Box::new(link.receiver.into_inbox())
            }
            _ => Box::default(),
        };
        self.phase = Phase::Over { unread };
        self.timers.stop_all();
        self.sender.clear();
        self.events.push_back(Event::Closed(reason));
    }

    fn link_mut(&mut self) -> Option<&mut Link> {
        self.phase.link_mut()
    }
}

/// An ABORT's text; it has to fit into a packet, and nobody reads novels in a protocol trace.
const MAX_REASON: usize = 128;

fn without_duplicates(streams: &[StreamId]) -> Vec<StreamId> {
    let mut list = streams.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}
