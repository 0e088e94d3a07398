//! Resetting streams (RFC 6525): ours when the application asks, the peer's when it does.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use pavane_base::Instant;

use super::state::{Link, Phase};
use super::timeout::Timer;
use super::{Association, without_duplicates};
use crate::chunk::{OutgoingReset, RawChunk, Reconfig, ReconfigParameter, ResetResult};
use crate::event::{CloseReason, Event};
use crate::packet::PacketWriter;
use crate::types::{RequestSeq, StreamId, Tsn};

/// What is under way about streams, in both directions.
#[derive(Debug)]
pub(super) struct Reconfiguration {
    next_seq: RequestSeq,
    /// The number of the peer's next request.
    expected: RequestSeq,
    request: Option<Request>,
    /// The peer's last request, and what it was told.
    answered: Option<(RequestSeq, ResetResult)>,
    /// Requests of the peer that wait for data sent before them.
    deferred: Vec<Deferred>,
    /// Answers to be sent.
    answers: VecDeque<(RequestSeq, ResetResult)>,
}

/// Our request: one at a time (RFC 6525 §5.1.1).
#[derive(Debug)]
struct Request {
    seq: RequestSeq,
    last_tsn: Tsn,
    streams: Vec<StreamId>,
    due: bool,
    /// The peer was not ready: the next attempt is a request of its own.
    postponed: bool,
}

#[derive(Debug)]
struct Deferred {
    seq: RequestSeq,
    last_tsn: Tsn,
    streams: Vec<StreamId>,
}

impl Reconfiguration {
    /// RFC 6525 §4.1: requests are numbered from the initial TSN.
    pub(super) fn new(ours: Tsn, theirs: Tsn) -> Self {
        Self {
            next_seq: RequestSeq(ours.0),
            expected: RequestSeq(theirs.0),
            request: None,
            answered: None,
            deferred: Vec::new(),
            answers: VecDeque::new(),
        }
    }

    pub(super) fn is_due(&self) -> bool {
        !self.answers.is_empty() || self.request.as_ref().is_some_and(|request| request.due)
    }

    fn answer(&mut self, seq: RequestSeq, result: ResetResult) {
        self.answers.retain(|(known, _)| *known != seq);
        if self.answers.len() < MAX_ANSWERS {
            self.answers.push_back((seq, result));
        }
    }

    fn settle(&mut self, seq: RequestSeq, result: ResetResult) {
        self.answered = Some((seq, result));
        self.answer(seq, result);
    }

    /// Writes what is due; whether our own request was among it, so that its timer has to run.
    pub(super) fn write(&mut self, w: &mut PacketWriter<'_>) -> bool {
        while w.room() >= ReconfigParameter::RESPONSE_SIZE
            && let Some((seq, result)) = self.answers.pop_front()
        {
            ReconfigParameter::write_response(w, seq, result);
        }
        let last_received = RequestSeq(self.expected.0.wrapping_sub(1));
        match &mut self.request {
            Some(request) if request.due && w.room() >= OutgoingReset::size(request.streams.len()) => {
                OutgoingReset::write(w, request.seq, last_received, request.last_tsn, &request.streams);
                request.due = false;
                true
            }
            _ => false,
        }
    }
}

impl Association {
    /// Has the peer forget the numbering of these streams once everything that was sent on them has arrived; nothing can be
    /// sent on them until [`Event::StreamsReset`].
    pub fn reset_streams(&mut self, now: Instant, streams: &[StreamId]) {
        let can = match &self.phase {
            Phase::Closed | Phase::CookieWait { .. } => true,
            Phase::Linked(link) => link.extensions.reconfiguration,
            Phase::Over { .. } => return,
        };
        let streams = without_duplicates(streams);
        if !can {
            self.events.push_back(Event::ResetFailed(streams));
            return;
        }
        streams.iter().for_each(|stream| self.sender.begin_reset(*stream));
        self.request_resets(now);
    }

    /// Makes a request of the streams that are ready, if none is under way.
    pub(super) fn request_resets(&mut self, now: Instant) {
        if !self.sender.has_drained() {
            return;
        }
        let room =
            (self.config.effective_packet() - crate::packet::COMMON_HEADER - OutgoingReset::size(0)) / 2;
        let Phase::Linked(link) = &mut self.phase else { return };
        if link.reconfig.request.is_some() {
            return;
        }
        let mut streams: Vec<_> =
            core::iter::from_fn(|| self.sender.next_drained()).take(room & !1).collect();
        if !link.extensions.reconfiguration {
            self.sender.cancel_reset(&streams);
            self.events.push_back(Event::ResetFailed(streams));
            return;
        }
        streams.sort_unstable();
        let seq = link.reconfig.take_seq();
        let last_tsn = self.sender.last_tsn();
        link.reconfig.request = Some(Request { seq, last_tsn, streams, due: true, postponed: false });
        self.timers.set(Timer::Reconfig, now + self.sender.rtt.timeout());
    }

    pub(super) fn on_reconfig(&mut self, now: Instant, raw: RawChunk<'_>) {
        for parameter in Reconfig::parse(raw).parameters() {
            match parameter {
                ReconfigParameter::OutgoingReset(reset) => self.on_reset_request(&reset),
                ReconfigParameter::AddOutgoing { seq, count } => self.on_add_request(seq, count),
                ReconfigParameter::Unwanted { seq } => {
                    if let Some(link) = self.link_mut()
                        && link.reconfig.is_new(seq)
                    {
                        link.reconfig.settle(seq, ResetResult::DENIED);
                    }
                }
                ReconfigParameter::Response { seq, result } => self.on_reset_response(now, seq, result),
            }
        }
    }

    /// Performs the peer's resets that waited for data which has arrived.
    pub(super) fn perform_deferred(&mut self) {
        let Phase::Linked(link) = &mut self.phase else { return };
        while let Some(at) = link.reconfig.deferred.iter().position(|d| link.receiver.has_reached(d.last_tsn))
        {
            let deferred = link.reconfig.deferred.remove(at);
            let event = link.perform(deferred.streams);
            self.events.push_back(event);
            if link.reconfig.answered.is_some_and(|(seq, _)| seq == deferred.seq) {
                link.reconfig.settle(deferred.seq, ResetResult::PERFORMED);
            } else {
                link.reconfig.answer(deferred.seq, ResetResult::PERFORMED);
            }
        }
    }

    fn on_reset_request(&mut self, reset: &OutgoingReset<'_>) {
        let Phase::Linked(link) = &mut self.phase else { return };
        if !link.reconfig.is_new(reset.seq) {
            return;
        }
        let streams: Vec<_> = reset.streams().collect();
        // RFC 6525 §5.2.2 E2: data that was sent before the reset is delivered before it.
        let result = if link.receiver.has_reached(reset.last_tsn) {
            let event = link.perform(streams);
            self.events.push_back(event);
            ResetResult::PERFORMED
        } else if let Some(same) =
            link.reconfig.deferred.iter_mut().find(|d| d.last_tsn == reset.last_tsn && d.streams == streams)
        {
            // Asked again, under a new number.
            same.seq = reset.seq;
            ResetResult::IN_PROGRESS
        } else if link.reconfig.deferred.len() < MAX_DEFERRED {
            link.reconfig.deferred.push(Deferred { seq: reset.seq, last_tsn: reset.last_tsn, streams });
            ResetResult::IN_PROGRESS
        } else {
            ResetResult::DENIED
        };
        link.reconfig.settle(reset.seq, result);
        // RFC 6525 §5.2.1: a SACK beside the answer settles what the reset waits for.
        link.receiver.sack_now();
    }

    fn on_add_request(&mut self, seq: RequestSeq, count: u16) {
        let most = self.config.incoming_streams;
        let Some(link) = self.link_mut() else { return };
        if !link.reconfig.is_new(seq) {
            return;
        }
        let wanted = link.incoming.checked_add(count).filter(|sum| *sum <= most);
        let result = if wanted.is_some() { ResetResult::PERFORMED } else { ResetResult::DENIED };
        link.incoming = wanted.unwrap_or(link.incoming);
        link.reconfig.settle(seq, result);
    }

    fn on_reset_response(&mut self, now: Instant, seq: RequestSeq, result: ResetResult) {
        let Phase::Linked(link) = &mut self.phase else { return };
        let Some(request) = link.reconfig.request.as_mut().filter(|request| request.seq == seq) else {
            return;
        };
        link.unanswered = 0;
        match result {
            // RFC 6525 §5.2.7 H2: asked again after a while, which counts as no error.
            ResetResult::IN_PROGRESS => {
                request.postponed = true;
                self.timers.set(Timer::Reconfig, now + self.sender.rtt.timeout());
                return;
            }
            ResetResult::PERFORMED | ResetResult::NOTHING_TO_DO => {
                let streams = core::mem::take(&mut request.streams);
                self.sender.finish_reset(&streams);
                self.events.push_back(Event::StreamsReset(streams));
            }
            _ => {
                let streams = core::mem::take(&mut request.streams);
                self.sender.cancel_reset(&streams);
                self.events.push_back(Event::ResetFailed(streams));
            }
        }
        link.reconfig.request = None;
        self.timers.stop(Timer::Reconfig);
        self.request_resets(now);
    }

    pub(super) fn on_reconfig_timer(&mut self, now: Instant) {
        let Phase::Linked(link) = &mut self.phase else { return };
        let Some(mut request) = link.reconfig.request.take() else { return };
        request.due = true;
        let postponed = core::mem::take(&mut request.postponed);
        if postponed {
            // Some peers repeat their first answer to a repeated number: a new one makes them look again.
            request.seq = link.reconfig.take_seq();
        }
        link.reconfig.request = Some(request);
        if !postponed {
            if self.is_unreachable() {
                return self.close(CloseReason::Unreachable, None);
            }
            self.sender.rtt.back_off();
        }
        self.timers.set(Timer::Reconfig, now + self.sender.rtt.timeout());
    }
}

impl Reconfiguration {
    fn take_seq(&mut self) -> RequestSeq {
        let seq = self.next_seq;
        self.next_seq = seq.next();
        seq
    }

    /// Whether the request is the next one; a repeated one is answered as before, any other refused.
    fn is_new(&mut self, seq: RequestSeq) -> bool {
        if seq == self.expected {
            self.expected = seq.next();
            return true;
        }
        match self.answered {
            Some((last, result)) if last == seq => self.answer(seq, result),
            _ => self.answer(seq, ResetResult::BAD_SEQUENCE),
        }
        false
    }
}

impl Link {
    fn perform(&mut self, mut streams: Vec<StreamId>) -> Event {
        // RFC 6525 §4.1: no list stands for all.
        if streams.is_empty() {
            streams = self.receiver.known_streams().collect();
        }
        self.receiver.reset(streams.iter().copied());
        Event::StreamsResetByPeer(streams)
    }
}

/// How many answers wait at most.
const MAX_ANSWERS: usize = 8;

/// How many of the peer's requests wait for data at most.
const MAX_DEFERRED: usize = 8;

#[cfg(test)]
impl Reconfiguration {
    pub(super) fn is_busy(&self) -> bool {
        self.request.is_some() || !self.deferred.is_empty()
    }
}
