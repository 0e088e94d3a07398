//! One DTLS association: what callers see, and how its parts play together.

mod incoming;

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use pavane_base::Instant;
use pavane_crypto::{Fingerprint, TAG_LEN};
use rand_core::CryptoRng;

use crate::alert::Alert;
use crate::early::{EarlyData, SealedRecords};
use crate::error::Failure;
use crate::flight::{Outbox, Progress};
use crate::identity::{Identity, Verdict};
use crate::reassembly::Reassembly;
use crate::record::{self, ContentType, MAX_PLAINTEXT, wire_version};
use crate::record_layer::{PROTECTED, RecordLayer};
use crate::retransmission::{Expiry, Retransmission};
use crate::v12::client::Client;
use crate::v12::server::Server;
use crate::v12::{Context, EXPLICIT_NONCE_LEN, Secrets};
use crate::{
    AlertDescription, CipherSuite, CloseReason, Config, Counters, ExportError, Role, SealError, Version,
};

/// How long a server answers a client that has not got its last flight: twice the longest life of a datagram
/// (RFC 6347 §4.2.4), which RFC 793 puts at two minutes.
const LINGER: Duration = Duration::from_secs(240);

/// A DTLS association with one peer.
///
/// # The world speaks
/// [`handle_record`](Self::handle_record) takes what the peer sent, [`handle_timeout`](Self::handle_timeout) says that
/// time has passed.
///
/// # What comes next
/// [`poll_transmit`](Self::poll_transmit) makes handshake and alert datagrams, [`poll_event`](Self::poll_event) tells what
/// happened, [`poll_early_data`](Self::poll_early_data) gives out what came before the end of the handshake, and
/// [`poll_timeout`](Self::poll_timeout) the next deadline. They may be called in any order, any number of times.
///
/// # The application speaks
/// [`seal`](Self::seal) protects application data in place, [`close`](Self::close) says good-bye.
#[derive(Debug)]
pub struct Connection {
    config: Arc<Config>,
    role: Role,
    stage: Stage,
    identity: Identity,
    records: RecordLayer,
    reassembly: Reassembly,
    outbox: Outbox,
    timer: Retransmission,
    sealed: SealedRecords,
    early: EarlyData,
    events: VecDeque<Event>,
    counters: Counters,
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    /// Nothing has been sent, and nothing has come.
    New,
    /// Messages are being exchanged.
    Handshake(Handshake),
    /// Both Finished messages are right; whose certificate it is remains to be seen.
    Unverified(Session),
    /// All is right.
    Connected(Session),
    /// Nothing is sent or taken any more.
    Over(State),
}

#[derive(Debug)]
struct Handshake {
    machine: Machine,
    /// A fatal alert that anybody could have sent after we had keys.
    ///
    /// The peer may have sent it for good reason, having no keys itself, or a stranger to do harm. It is believed once a
    /// whole retransmission interval has brought nothing better.
    suspicion: Option<AlertDescription>,
}

#[derive(Debug)]
enum Machine {
    Client(Client),
    Server(Server),
}

/// What a handshake came to.
#[derive(Debug)]
struct Session {
    secrets: Secrets,
    linger_until: Instant,
    /// Whether the peer has been told that there is no second handshake.
    refused_renegotiation: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is done and the peer's certificate is the one that was announced.
    Connected,
    /// It is over; [`Connection::close`] does not announce itself.
    Closed(CloseReason),
}

/// What a record was.
#[derive(Debug, PartialEq, Eq)]
pub enum Record<'d> {
    /// Application data, decrypted in place.
    ApplicationData(&'d mut [u8]),
    /// Something that concerns the connection alone, or a record that was dropped.
    Handled,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing has been sent, and nothing has come.
    New,
    /// The handshake is under way, or the fingerprints are awaited.
    Connecting,
    /// Application data may flow.
    Connected,
    /// One of the sides closed it.
    Closed,
    /// It ended with an error.
    Failed,
}

impl Connection {
    /// The most that a record puts before application data, with any cipher.
    pub const MAX_HEADROOM: usize = record::HEADER_LEN + EXPLICIT_NONCE_LEN;

    /// The most that a record puts behind application data, with any cipher.
    pub const MAX_TAILROOM: usize = TAG_LEN;

    /// Makes a connection; nothing happens yet.
    pub fn new(config: Arc<Config>, role: Role) -> Self {
        Self {
            config,
            role,
            stage: Stage::New,
            identity: Identity::default(),
            records: RecordLayer::default(),
            reassembly: Reassembly::default(),
            outbox: Outbox::default(),
            timer: Retransmission::default(),
            sealed: SealedRecords::default(),
            early: EarlyData::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Says which fingerprints signaling announced, in the place of those said before.
    ///
    /// They may come at any time: the handshake goes on without them, but the connection is not connected, and no
    /// application data is given out or taken, before a certificate has matched one. Fingerprints by hashes that the
    /// provider does not know are left out by the caller; no fingerprint at all matches nothing.
    pub fn set_remote_fingerprints(&mut self, fingerprints: Vec<Fingerprint>) {
        self.identity.set_fingerprints(fingerprints);
        if matches!(self.stage, Stage::New | Stage::Over(_)) {
            return;
        }
        match self.identity.verify(&*self.config.provider) {
            Verdict::Mismatch => self.fail(Failure::FINGERPRINT_MISMATCH),
            Verdict::Match => self.admit(),
            Verdict::Open => {}
        }
    }

    /// Says how long a round trip takes, as ICE measured it: retransmission starts from that.
    pub fn set_round_trip_time(&mut self, rtt: Duration) {
        self.timer.set_round_trip_time(rtt);
    }

    /// Begins: a client sends its first flight, a server is ready for one; again, it does nothing.
    pub fn start(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if !matches!(self.stage, Stage::New) {
            return;
        }
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
        let machine = match self.role {
            Role::Client => Machine::Client(Client::start(&mut cx)),
            Role::Server => Machine::Server(Server::start()),
        };
        self.stage = Stage::Handshake(Handshake { machine, suspicion: None });
    }

    /// Takes one record off the front of `rest` and decrypts it in place.
    ///
    /// With `None` nothing is left: `rest` is empty. Callers loop until then. A server that has not been started is
    /// started by a record.
    pub fn handle_record<'d>(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        rest: &mut &'d mut [u8],
    ) -> Option<Record<'d>> {
        self.take_record(now, rng, rest)
    }

    /// Application data that came before the connection was connected, in the order of arrival.
    ///
    /// There is none to have before [`Event::Connected`]; what comes after is given out by
    /// [`handle_record`](Self::handle_record).
    pub fn poll_early_data(&mut self) -> Option<Vec<u8>> {
        match self.stage {
            Stage::Connected(_) => self.early.pop().map(|((), data)| data),
            _ => None,
        }
    }

    /// Says that time has passed; early, late and repeated calls are fine.
    pub fn handle_timeout(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        let _ = rng;
        let Some(expiry) = self.timer.handle_timeout(now) else { return };
        let Stage::Handshake(handshake) = &self.stage else { return };
        match (handshake.suspicion, expiry) {
            (Some(alert), _) => self.end(State::Failed, CloseReason::PeerAlert(alert)),
            (None, Expiry::GiveUp) => self.fail(Failure::TIMEOUT),
            (None, Expiry::Resend) => self.resend(),
        }
    }

    /// Appends one datagram of handshake or alert records to `buf` and returns its length; `None` if there is none to send.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<usize> {
        if self.outbox.is_idle() {
            return None;
        }
        let start = buf.len();
        match self.outbox.write_datagram(&mut self.records, self.config.datagram_limit(), buf) {
            Ok(Progress::FlightSent { awaited }) => self.timer.sent(now, awaited),
            Ok(Progress::Nothing) => {}
            Err(_) => {
                // There is no number left for an alert either.
                buf.truncate(start);
                self.end(State::Failed, CloseReason::KeysExhausted);
                self.outbox = Outbox::default();
            }
        }
        Some(buf.len() - start).filter(|len| *len > 0)
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.timer.deadline()
    }

    /// What a record puts before application data, with the negotiated cipher; [`MAX_HEADROOM`](Self::MAX_HEADROOM) while
    /// there is none.
    pub fn headroom(&self) -> usize {
        match self.records.sending_epoch() {
            PROTECTED => self.records.headroom(PROTECTED),
            _ => Self::MAX_HEADROOM,
        }
    }

    /// What a record adds to application data, before and behind it, with the negotiated cipher.
    pub fn overhead(&self) -> usize {
        self.headroom() + Self::MAX_TAILROOM
    }

    /// Makes a record of application data in place.
    ///
    /// `buf[start..]` is [`headroom`](Self::headroom) octets of room, and then the plaintext to the buffer's end; the tag
    /// is appended.
    ///
    /// # Errors
    /// If the connection is not connected, the plaintext is too long for a record, the room is missing, or the keys are
    /// exhausted; the buffer is as it was.
    pub fn seal(&mut self, buf: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        if !matches!(self.stage, Stage::Connected(_)) {
            return Err(SealError::NotConnected);
        }
        let content = start + self.records.headroom(PROTECTED);
        let len = buf.len().checked_sub(content).ok_or(SealError::NoHeadroom)?;
        if len > MAX_PLAINTEXT {
            return Err(SealError::TooLarge { max: MAX_PLAINTEXT });
        }
        let sealed =
            self.records.seal(PROTECTED, ContentType::ApplicationData, wire_version::DTLS_1_2, buf, start);
        sealed.map_err(|_| {
            self.end(State::Failed, CloseReason::KeysExhausted);
            SealError::KeysExhausted
        })
    }

    /// Fills `out` with keying material for another protocol (RFC 5705 §4).
    ///
    /// # Errors
    /// If the connection is not connected, the label is one of the protocol's own, or the context is too long.
    pub fn export(&self, label: &str, context: Option<&[u8]>, out: &mut [u8]) -> Result<(), ExportError> {
        match &self.stage {
            Stage::Connected(session) => session.secrets.export(label, context, out),
            _ => Err(ExportError::NotConnected),
        }
    }

    /// Says good-bye with close_notify; nothing is sent or taken after.
    pub fn close(&mut self, now: Instant) {
        let _ = now;
        match self.stage {
            Stage::Over(_) => {}
            Stage::New => self.stage = Stage::Over(State::Closed),
            _ => {
                self.abandon(State::Closed);
                self.outbox.set_alert(Alert::warning(AlertDescription::CLOSE_NOTIFY));
            }
        }
    }

    /// Which side of the handshake we are.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// How far it is.
    pub const fn state(&self) -> State {
        match self.stage {
            Stage::New => State::New,
            Stage::Handshake(_) | Stage::Unverified(_) => State::Connecting,
            Stage::Connected(_) => State::Connected,
            Stage::Over(state) => state,
        }
    }

    /// The negotiated version, once connected.
    pub const fn version(&self) -> Option<Version> {
        match self.stage {
            Stage::Connected(_) => Some(Version::Dtls12),
            _ => None,
        }
    }

    /// The negotiated SRTP profile (RFC 5764 §4.1.2), once connected and if there is one.
    pub const fn srtp_profile(&self) -> Option<u16> {
        match &self.stage {
            Stage::Connected(session) => session.secrets.srtp_profile(),
            _ => None,
        }
    }

    /// The negotiated cipher suite, once connected.
    pub const fn cipher_suite(&self) -> Option<CipherSuite> {
        match &self.stage {
            Stage::Connected(session) => Some(session.secrets.suite()),
            _ => None,
        }
    }

    /// The peer's certificate in DER, once it has come; it is the announced one only once connected.
    pub fn remote_certificate(&self) -> Option<&[u8]> {
        self.identity.certificate()
    }

    /// What was received, dropped and sent.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sends the present flight again.
    fn resend(&mut self) {
        if self.outbox.rewind() {
            self.counters.retransmissions += 1;
        }
    }

    /// The handshake is done.
    fn complete(&mut self, now: Instant, secrets: Secrets) {
        let session = Session { secrets, linger_until: now + LINGER, refused_renegotiation: false };
        self.stage = Stage::Unverified(session);
        self.reassembly.clear();
        if self.identity.verify(&*self.config.provider) == Verdict::Match {
            self.admit();
        }
    }

    /// The peer is who signaling says: connected, if the handshake is done.
    fn admit(&mut self) {
        match mem::replace(&mut self.stage, Stage::New) {
            Stage::Unverified(session) => {
                self.stage = Stage::Connected(session);
                self.events.push_back(Event::Connected);
            }
            stage => self.stage = stage,
        }
    }

    /// Ends with a fatal alert to the peer.
    fn fail(&mut self, failure: Failure) {
        self.end(State::Failed, failure.reason);
        self.outbox.set_alert(Alert::fatal(failure.alert));
    }

    /// Ends for a reason that the caller has to know.
    fn end(&mut self, state: State, reason: CloseReason) {
        self.abandon(state);
        self.events.push_back(Event::Closed(reason));
    }

    /// Ends: the secrets and whatever waits are dropped; the keys for sending stay for one alert.
    fn abandon(&mut self, state: State) {
        self.stage = Stage::Over(state);
        self.outbox.clear();
        self.timer.stop();
        self.reassembly.clear();
        self.sealed.clear();
        self.early.clear();
    }
}
