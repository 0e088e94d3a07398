//! What becomes of a record that comes in.

use core::mem;

use pavane_base::{Instant, Reader};
use rand_core::CryptoRng;

use super::{Connection, Handshake, Machine, Record, Stage, State};
use crate::alert::{Alert, AlertLevel};
use crate::error::Failure;
use crate::handshake::{Fragment, HandshakeType, Message};
use crate::reassembly::Admission;
use crate::record::{self, ContentType, RecordHeader};
use crate::record_layer::{OpenFailure, PLAIN, PROTECTED};
use crate::v12::{Context, Next};
use crate::{AlertDescription, CloseReason, Role};

impl Connection {
    pub(super) fn take_record<'d>(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        rest: &mut &'d mut [u8],
    ) -> Option<Record<'d>> {
        match self.stage {
            Stage::Over(_) => {
                *rest = &mut [];
                return None;
            }
            Stage::New if self.role == Role::Client => {
                *rest = &mut [];
                return None;
            }
            Stage::New => self.start(now, rng),
            _ => {}
        }
        if rest.is_empty() {
            return None;
        }
        let Some((header, body)) = record::split(rest) else {
            self.counters.malformed += 1;
            return None;
        };
        self.counters.records_received += 1;
        match header.number.epoch {
            PLAIN => self.take_plain(now, rng, &header, body),
            PROTECTED => return Some(self.take_protected(now, rng, &header, body)),
            _ => self.counters.unexpected_epoch += 1,
        }
        Some(Record::Handled)
    }

    /// A record in clear: anybody could have sent it.
    ///
    /// No replay window guards this epoch: a forger could close it with one record, and a repeated handshake message does
    /// nothing that its number does not catch.
    fn take_plain(&mut self, now: Instant, rng: &mut dyn CryptoRng, header: &RecordHeader, body: &[u8]) {
        match ContentType::from_code(header.content) {
            Some(ContentType::Handshake) => self.take_handshake(now, rng, PLAIN, body),
            Some(ContentType::Alert) => self.take_plain_alert(body),
            // The new epoch shows in the Finished that is in it; the announcement may be lost or late all the same.
            Some(ContentType::ChangeCipherSpec) => {}
            Some(ContentType::ApplicationData) | None => self.counters.unexpected_type += 1,
        }
    }

    fn take_protected<'d>(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        header: &RecordHeader,
        body: &'d mut [u8],
    ) -> Record<'d> {
        if !self.records.can_open() {
            // What comes before its keys waits for them (RFC 6347 §4.1 allows it, and a round trip is saved).
            self.counters.overflowed += u64::from(self.sealed.push(*header, body).is_err());
            return Record::Handled;
        }
        let Some(payload) = self.open(header, body) else { return Record::Handled };
        if header.content == ContentType::ApplicationData.code() && matches!(self.stage, Stage::Connected(_))
        {
            return Record::ApplicationData(payload);
        }
        self.take_opened(now, rng, header, payload);
        Record::Handled
    }

    fn open<'d>(&mut self, header: &RecordHeader, body: &'d mut [u8]) -> Option<&'d mut [u8]> {
        match self.records.open(header, body) {
            Ok(payload) => return Some(payload),
            Err(OpenFailure::NoKeys) => {}
            Err(OpenFailure::Replayed) => self.counters.replayed += 1,
            Err(OpenFailure::Forged) => self.counters.forged += 1,
            Err(OpenFailure::TooManyForgeries) => self.fail(Failure::TOO_MANY_FORGERIES),
        }
        None
    }

    /// An authentic record that is not application data of a connection that is connected.
    fn take_opened(&mut self, now: Instant, rng: &mut dyn CryptoRng, header: &RecordHeader, payload: &[u8]) {
        match ContentType::from_code(header.content) {
            Some(ContentType::Handshake) => self.take_handshake(now, rng, PROTECTED, payload),
            Some(ContentType::Alert) => match Alert::parse(payload) {
                Ok(alert) => self.take_alert(alert),
                Err(_) => self.counters.malformed += 1,
            },
            Some(ContentType::ApplicationData) => {
                self.counters.overflowed += u64::from(self.early.push((), payload).is_err());
                // A peer that sends data has done its part: its last flight got lost, and ours asks for it again.
                if matches!(self.stage, Stage::Handshake(_)) {
                    self.repeat_flight(now);
                }
            }
            Some(ContentType::ChangeCipherSpec) | None => self.counters.unexpected_type += 1,
        }
    }

    fn take_plain_alert(&mut self, payload: &[u8]) {
        let Ok(alert) = Alert::parse(payload) else {
            self.counters.malformed += 1;
            return;
        };
        match &mut self.stage {
            Stage::Handshake(_) if !self.records.can_open() => self.take_alert(alert),
            Stage::Handshake(handshake) if alert.level == AlertLevel::Fatal => {
                handshake.suspicion = Some(alert.description);
                self.counters.unauthenticated_alerts += 1;
            }
            _ => self.counters.unauthenticated_alerts += 1,
        }
    }

    fn take_alert(&mut self, alert: Alert) {
        if !alert.ends_connection() {
            return;
        }
        if alert.description == AlertDescription::CLOSE_NOTIFY {
            self.end(State::Closed, CloseReason::CloseNotify);
            // RFC 5246 §7.2.1: answered in kind.
            self.outbox.set_alert(Alert::warning(AlertDescription::CLOSE_NOTIFY));
        } else {
            self.end(State::Failed, CloseReason::PeerAlert(alert.description));
        }
    }

    /// The fragments of one handshake record.
    fn take_handshake(&mut self, now: Instant, rng: &mut dyn CryptoRng, epoch: u16, payload: &[u8]) {
        match self.stage {
            Stage::Handshake(_) => {
                self.collect(now, epoch, payload);
                self.advance(now, rng);
            }
            Stage::Unverified(_) | Stage::Connected(_) => self.take_late_handshake(now, epoch, payload),
            Stage::New | Stage::Over(_) => {}
        }
    }

    fn collect(&mut self, now: Instant, epoch: u16, payload: &[u8]) {
        let mut r = Reader::new(payload);
        while !r.is_empty() {
            let Ok(fragment) = Fragment::parse(&mut r) else {
                self.counters.bad_fragments += 1;
                return;
            };
            match self.reassembly.insert(epoch, &fragment) {
                Admission::Admitted => {}
                Admission::Refused => self.counters.bad_fragments += 1,
                Admission::Old => {
                    self.counters.old_fragments += 1;
                    if self.outbox.answers(fragment.header.seq) {
                        self.repeat_flight(now);
                    }
                }
            }
        }
    }

    /// The peer repeats its flight because it lacks ours.
    fn repeat_flight(&mut self, now: Instant) {
        if self.timer.may_repeat(now) {
            self.resend();
        }
    }

    /// Handles every message that is complete.
    fn advance(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        while let Some(message) = self.reassembly.pop() {
            match mem::replace(&mut self.stage, Stage::New) {
                Stage::Handshake(handshake) => self.step(now, rng, handshake, &message),
                stage => self.stage = stage,
            }
            self.unseal(now, rng);
        }
    }

    fn step(&mut self, now: Instant, rng: &mut dyn CryptoRng, handshake: Handshake, message: &Message) {
        let mut cx = Context {
            now,
            rng,
            config: &self.config,
            identity: &mut self.identity,
            records: &mut self.records,
            outbox: &mut self.outbox,
            timer: &mut self.timer,
            received: self.reassembly.next_seq(),
        };
        let next = match handshake.machine {
            Machine::Client(client) => client.handle(&mut cx, message).map(|next| next.map(Machine::Client)),
            Machine::Server(server) => server.handle(&mut cx, message).map(|next| next.map(Machine::Server)),
        };
        match next {
            Ok(Next::Expect(machine)) => self.stage = Stage::Handshake(Handshake { machine, ..handshake }),
            Ok(Next::Done(secrets)) => self.complete(now, secrets),
            Err(failure) => self.fail(failure),
        }
    }

    /// Takes the records that waited for keys, once there are keys.
    fn unseal(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        while self.records.can_open() {
            let Some((header, mut body)) = self.sealed.pop() else { return };
            let Some(payload) = self.open(&header, &mut body) else { continue };
            match (&self.stage, ContentType::from_code(header.content)) {
                // Its turn comes in the loop that called.
                (Stage::Handshake(_), Some(ContentType::Handshake)) => self.collect(now, PROTECTED, payload),
                _ => self.take_opened(now, rng, &header, payload),
            }
        }
    }

    /// A handshake message after the handshake: the peer lacks our last flight, or wants what it cannot have.
    fn take_late_handshake(&mut self, now: Instant, epoch: u16, payload: &[u8]) {
        let Ok(fragment) = Fragment::parse(&mut Reader::new(payload)) else {
            self.counters.bad_fragments += 1;
            return;
        };
        let (Stage::Unverified(session) | Stage::Connected(session)) = &mut self.stage else { return };
        match (epoch, fragment.header.kind) {
            // Of a repeated flight only the Finished cannot be forged, and so only that is answered.
            (PROTECTED, HandshakeType::FINISHED) => {
                self.counters.old_fragments += 1;
                if now <= session.linger_until {
                    self.repeat_flight(now);
                }
            }
            // RFC 8827 §6.5 rules renegotiation out, and this is what the peer is to be told (RFC 5246 §7.2.2).
            (PROTECTED, HandshakeType::HELLO_REQUEST | HandshakeType::CLIENT_HELLO) => {
                if !mem::replace(&mut session.refused_renegotiation, true) {
                    self.outbox.set_alert(Alert::warning(AlertDescription::NO_RENEGOTIATION));
                }
            }
            _ => self.counters.old_fragments += 1,
        }
    }
}
