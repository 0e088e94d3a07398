//! The streams of one transport, and the RTCP that they share.
//!
//! ```text
//! datagram ─▶ handle_rtp  ─▶ Router ─▶ receive::Stream ─▶ Received: the application's
//!          ─▶ handle_rtcp ─▶ receive::Stream (reports, goodbyes), send::Stream (reports, NACK, PLI, FIR)
//! send ─▶ send::Stream ─▶ poll_rtp         the next packet, when the pacer allows it
//! Reporter, receive::Stream ─▶ poll_rtcp   reports when due, feedback when there is some
//! ```
//!
//! The caller decrypts before and encrypts behind it. Transport-wide feedback and bandwidth estimates pass it by: whoever
//! estimates reads them from the same datagrams.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Epoch, Instant, Key, Slab, earliest, random_array};

use crate::payload::PayloadFormat;
use crate::receive;
use crate::router::{Router, SectionId, SectionRules};
use crate::rtcp::DelaySinceLastRr;
use crate::send::{self, FrameError, Outgoing, OutgoingFrame, SendError};
use crate::{ExtensionMap, NtpTime, ReportTiming, Reporter, SequenceNumber, Ssrc};

mod input;
mod output;
#[cfg(test)]
mod tests;
mod types;

pub use input::{Dropped, Received};
pub use types::{Counters, Event, ReceiverKey, SectionConfig, SenderKey, SessionConfig, SsrcTaken};

/// The most events that wait; a peer that causes more loses the rest.
pub const MAX_EVENTS: usize = 1024;
/// The most receivers' reference times that wait to be answered.
const MAX_REFERENCE_TIMES: usize = 8;

#[derive(Debug)]
struct Sender {
    stream: send::Stream,
    /// Whether its key is in the queue of those that may have packets.
    is_ready: bool,
    collided: bool,
}

#[derive(Debug)]
struct Receiver {
    stream: receive::Stream,
    section: SectionId,
}

#[derive(Debug)]
struct SectionEntry {
    id: SectionId,
    config: SectionConfig,
}

/// The streams of one transport, and the RTCP that they share.
#[derive(Debug)]
pub struct Session {
    cname: Box<str>,
    epoch: Epoch,
    reduced_size: bool,
    reference_time: bool,
    /// Whom reports come from while nothing is sent.
    own_ssrc: Ssrc,
    extensions: ExtensionMap,
    sections: Vec<SectionEntry>,
    router: Router,
    receivers: Slab<Receiver>,
    receivers_by_ssrc: BTreeMap<Ssrc, Key>,
    senders: Slab<Sender>,
    senders_by_ssrc: BTreeMap<Ssrc, Key>,
    /// Senders that may have packets, in turn.
    ready: VecDeque<Key>,
    reporter: Reporter,
    round_trip: Option<Duration>,
    /// Sources that have left and not said so.
    leaving: Vec<Ssrc>,
    reference_times: VecDeque<DelaySinceLastRrAt>,
    turns: output::Turns,
    /// Whether some receiver has feedback.
    feedback: bool,
    /// Whether it has to wait until RTCP has its share again.
    waits_for_share: bool,
    /// Whether some sender may have a wish for a key frame.
    wishes: bool,
    /// The earliest of the streams' deadlines, or one before it.
    next: Option<Instant>,
    events: VecDeque<Event>,
    counters: Counters,
}

/// A receiver's reference time, and when it came (RFC 3611 §4.5).
#[derive(Clone, Copy, Debug)]
struct DelaySinceLastRrAt {
    entry: DelaySinceLastRr,
    at: Instant,
}

impl Session {
    /// A session without streams.
    ///
    /// # Panics
    /// If the CNAME has more than 255 bytes.
    pub fn new(config: SessionConfig, now: Instant, rng: &mut dyn CryptoRng) -> Self {
        assert!(config.cname.len() <= 255, "a CNAME has at most 255 bytes");
        Self {
            cname: config.cname,
            epoch: config.epoch,
            reduced_size: config.reduced_size,
            reference_time: config.reference_time,
            own_ssrc: Ssrc(u32::from_be_bytes(random_array(rng))),
            extensions: ExtensionMap::new(),
            sections: Vec::new(),
            router: Router::new(),
            receivers: Slab::default(),
            receivers_by_ssrc: BTreeMap::new(),
            senders: Slab::default(),
            senders_by_ssrc: BTreeMap::new(),
            ready: VecDeque::new(),
            reporter: Reporter::new(config.timing, now, rng),
            round_trip: None,
            leaving: Vec::new(),
            reference_times: VecDeque::new(),
            turns: output::Turns::default(),
            feedback: false,
            waits_for_share: false,
            wishes: false,
            next: None,
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// The ids of header extensions.
    pub const fn extensions(&self) -> &ExtensionMap {
        &self.extensions
    }

    /// Changes the ids of header extensions: an exchange of descriptions has agreed on them.
    pub fn set_extensions(&mut self, extensions: ExtensionMap) {
        if self.extensions != extensions {
            self.extensions = extensions;
            self.senders.iter_mut().for_each(|(_, sender)| sender.stream.extensions_changed());
        }
    }

    /// Changes whether feedback may go without a report before it, and whether receivers' reference times are sent.
    pub fn set_rtcp(&mut self, reduced_size: bool, reference_time: bool) {
        self.reduced_size = reduced_size;
        self.reference_time = reference_time;
    }

    /// Changes how often and how much is reported.
    pub fn set_timing(&mut self, timing: ReportTiming) {
        self.reporter.set_timing(timing);
    }

    /// Tells how long a round trip takes, where reports do not.
    pub fn set_round_trip_time(&mut self, time: Duration) {
        self.round_trip = Some(time);
        self.receivers.iter_mut().for_each(|(_, receiver)| receiver.stream.set_round_trip_time(time));
        self.senders.iter_mut().for_each(|(_, sender)| sender.stream.set_round_trip_time(time));
    }

    /// Says what may come in a media section, instead of what might before; its streams stay.
    pub fn set_section(&mut self, id: SectionId, config: SectionConfig) {
        self.router.set_section(id, &rules(&config));
        for (_, receiver) in self.receivers.iter_mut().filter(|(_, receiver)| receiver.section == id) {
            receiver.stream.set_formats(config.formats.clone(), config.nack, config.keyframes);
        }
        self.sections.retain(|section| section.id != id);
        self.sections.push(SectionEntry { id, config });
    }

    /// Forgets a media section and its streams.
    pub fn remove_section(&mut self, id: SectionId) {
        self.router.remove_section(id);
        self.sections.retain(|section| section.id != id);
        let gone: Vec<_> =
            self.receivers.iter().filter(|(_, r)| r.section == id).map(|(key, _)| key).collect();
        gone.into_iter().for_each(|key| self.forget_receiver(key));
    }

    fn forget_receiver(&mut self, key: Key) {
        if let Some(receiver) = self.receivers.remove(key) {
            self.receivers_by_ssrc.remove(&receiver.stream.ssrc());
        }
    }

    /// Adds a stream that is sent.
    ///
    /// # Errors
    /// If another stream has one of its SSRCs.
    pub fn add_sender(&mut self, config: send::Config) -> Result<SenderKey, SsrcTaken> {
        let repair = config.retransmission.as_ref().map(|rtx| rtx.ssrc);
        let ssrcs = [Some(config.ssrc), repair];
        let taken = |ssrc: &Ssrc| self.senders_by_ssrc.contains_key(ssrc);
        if let Some(ssrc) = ssrcs.into_iter().flatten().find(taken) {
            return Err(SsrcTaken(ssrc));
        }
        let mut stream = send::Stream::new(config);
        if let Some(time) = self.round_trip {
            stream.set_round_trip_time(time);
        }
        let key = self.senders.insert(Sender { stream, is_ready: false, collided: false });
        self.senders_by_ssrc.extend(ssrcs.into_iter().flatten().map(|ssrc| (ssrc, key)));
        Ok(SenderKey(key))
    }

    /// Ends a stream that is sent, and says goodbye for it at once (RFC 3550 §6.3.7).
    pub fn remove_sender(&mut self, key: SenderKey) {
        let Some(sender) = self.senders.remove(key.0) else { return };
        self.senders_by_ssrc.retain(|_, found| *found != key.0);
        if sender.stream.statistics().packets_sent > 0 {
            self.leaving.push(sender.stream.ssrc());
            self.leaving.extend(sender.stream.retransmission_ssrc());
            self.reporter.hurry();
        }
    }

    /// A stream that is sent.
    pub fn sender(&self, key: SenderKey) -> Option<&send::Stream> {
        self.senders.get(key.0).map(|sender| &sender.stream)
    }

    /// A stream that is sent.
    pub fn sender_mut(&mut self, key: SenderKey) -> Option<&mut send::Stream> {
        self.ready_sender(key.0).map(|sender| &mut sender.stream)
    }

    /// The streams that are sent.
    pub fn senders(&self) -> impl Iterator<Item = (SenderKey, &send::Stream)> {
        self.senders.iter().map(|(key, sender)| (SenderKey(key), &sender.stream))
    }

    /// A stream that is received.
    pub fn receiver(&self, key: ReceiverKey) -> Option<&receive::Stream> {
        self.receivers.get(key.0).map(|receiver| &receiver.stream)
    }

    /// The streams that are received, and their media sections.
    pub fn receivers(&self) -> impl Iterator<Item = (ReceiverKey, SectionId, &receive::Stream)> {
        self.receivers.iter().map(|(key, receiver)| (ReceiverKey(key), receiver.section, &receiver.stream))
    }

    /// Queues a packet under its stream's next number; its timestamp gets the stream's random offset.
    ///
    /// # Errors
    /// If it is not taken.
    pub fn send(
        &mut self,
        now: Instant,
        key: SenderKey,
        packet: Outgoing,
    ) -> Result<SequenceNumber, SendError> {
        self.ready_sender(key.0).ok_or(SendError::Ended)?.stream.push(now, packet)
    }

    /// Queues a frame under its stream's next numbers; its timestamp gets the stream's random offset.
    ///
    /// # Errors
    /// If it is not taken; nothing of it is sent then.
    pub fn send_frame(
        &mut self,
        now: Instant,
        key: SenderKey,
        format: PayloadFormat,
        frame: OutgoingFrame,
    ) -> Result<(), FrameError> {
        let sender = self.ready_sender(key.0).ok_or(FrameError::Send(SendError::Ended))?;
        sender.stream.push_frame(now, format, frame)
    }

    /// Queues a packet under a number of the caller's, with its timestamp as it is.
    ///
    /// # Errors
    /// If it is not taken.
    pub fn forward(
        &mut self,
        now: Instant,
        key: SenderKey,
        number: SequenceNumber,
        packet: Outgoing,
    ) -> Result<(), SendError> {
        self.ready_sender(key.0).ok_or(SendError::Ended)?.stream.push_numbered(now, number, packet)
    }

    /// A sender that may have packets from here on.
    fn ready_sender(&mut self, key: Key) -> Option<&mut Sender> {
        let sender = self.senders.get_mut(key)?;
        if !sender.is_ready {
            sender.is_ready = true;
            self.ready.push_back(key);
        }
        Some(sender)
    }

    /// Asks the sender of a stream for a key frame, again and again until one comes.
    pub fn request_keyframe(&mut self, now: Instant, key: ReceiverKey) {
        if let Some(receiver) = self.receivers.get_mut(key.0) {
            receiver.stream.request_keyframe(now);
        }
        self.note_receiver(key.0);
    }

    /// Tells that a key frame of a stream has come.
    pub fn keyframe_received(&mut self, key: ReceiverKey) {
        if let Some(receiver) = self.receivers.get_mut(key.0) {
            receiver.stream.keyframe_received();
        }
    }

    /// Takes over a receiver's deadline and whether it has feedback.
    fn note_receiver(&mut self, key: Key) {
        if let Some(receiver) = self.receivers.get(key) {
            self.feedback |= receiver.stream.has_feedback();
            self.next = earliest(self.next, receiver.stream.poll_timeout());
        }
    }

    /// Takes over a sender's deadline.
    fn note_sender(&mut self, key: Key) {
        if let Some(sender) = self.senders.get(key) {
            self.next = earliest(self.next, sender.stream.poll_timeout());
        }
    }

    /// What was dropped.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let reports = self.reporter.poll_timeout().filter(|_| self.has_streams());
        // Feedback that may not go yet waits for its moment.
        let early = self.waits_for_share.then(|| self.reporter.early_from());
        earliest(self.next, earliest(reports, early))
    }

    fn has_streams(&self) -> bool {
        !self.senders.is_empty() || !self.receivers.is_empty() || !self.leaving.is_empty()
    }

    /// Does what time brings.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.reporter.handle_timeout(now);
        self.waits_for_share &= self.reporter.early_from() > now;
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        self.next = None;
        for (_, receiver) in self.receivers.iter_mut() {
            receiver.stream.handle_timeout(now);
            self.feedback |= receiver.stream.has_feedback();
            self.next = earliest(self.next, receiver.stream.poll_timeout());
        }
        for (_, sender) in self.senders.iter_mut() {
            sender.stream.handle_timeout(now);
            self.next = earliest(self.next, sender.stream.poll_timeout());
        }
        self.wishes = true;
    }

    /// What has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if self.wishes {
            let mut senders = self.senders.iter_mut();
            let wanted =
                senders.find_map(|(key, sender)| sender.stream.take_keyframe_wanted().then_some(key));
            if let Some(key) = wanted {
                return Some(Event::KeyframeWanted { stream: SenderKey(key) });
            }
            self.wishes = false;
        }
        None
    }

    fn push_event(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        } else {
            self.counters.lost_events += 1;
        }
    }

    fn ntp(&self, now: Instant) -> NtpTime {
        NtpTime::at(now, &self.epoch)
    }
}

fn rules(config: &SectionConfig) -> SectionRules {
    SectionRules {
        mid: config.mid.clone(),
        payload_types: config.formats.iter().map(|format| format.payload_type).collect(),
        retransmission_types: config.formats.iter().filter_map(|format| format.retransmission).collect(),
        sources: config.sources.clone(),
        rids: config.rids.clone(),
    }
}
