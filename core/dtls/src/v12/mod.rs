//! DTLS 1.2 (RFC 6347): the handshake of both roles, its secrets and its record protection.
//!
//! ```text
//! client                                   server
//! ClientHello                     ->
//!                                 <-       [HelloVerifyRequest]
//! [ClientHello with cookie]       ->
//!                                 <-       ServerHello, Certificate, ServerKeyExchange,
//!                                          CertificateRequest, ServerHelloDone
//! Certificate, ClientKeyExchange,
//! CertificateVerify,
//! ChangeCipherSpec, Finished      ->
//!                                 <-       ChangeCipherSpec, Finished
//! ```
//!
//! [`client`] and [`server`] are one state enum each. A state owns what the handshake has brought so far; a message moves
//! it into the next state or ends the handshake.

pub(crate) mod client;
pub(crate) mod messages;
mod negotiation;
mod prf;
mod protection;
mod secrets;
pub(crate) mod server;
mod transcript;

use alloc::vec::Vec;

use pavane_base::Instant;
use pavane_crypto::{SignatureScheme, constant_time_eq, subject_public_key_info};
use rand_core::CryptoRng;

pub(crate) use protection::{EXPLICIT_NONCE_LEN, Protection};
pub(crate) use secrets::Secrets;

use self::messages::{Certificate, Signed};
use self::secrets::Randoms;
use self::transcript::Transcript;
use crate::error::Failure;
use crate::flight::Outbox;
use crate::handshake::{HandshakeType, Message};
use crate::identity::{Identity, Verdict};
use crate::record_layer::{PLAIN, PROTECTED, RecordLayer};
use crate::retransmission::Retransmission;
use crate::suite::Authentication;
use crate::{CipherSuite, Config, Misbehaved};

/// What a handshake works on.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) rng: &'a mut dyn CryptoRng,
    pub(crate) config: &'a Config,
    pub(crate) identity: &'a mut Identity,
    pub(crate) records: &'a mut RecordLayer,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) timer: &'a mut Retransmission,
    /// How many of the peer's messages have been handled, the present one included.
    pub(crate) received: u16,
}

/// Where a message leads.
#[derive(Debug)]
pub(crate) enum Next<S> {
    /// To another state.
    Expect(S),
    /// To the handshake's end.
    Done(Secrets),
}

impl<S> Next<S> {
    pub(crate) fn map<T>(self, f: impl FnOnce(S) -> T) -> Next<T> {
        match self {
            Self::Expect(state) => Next::Expect(f(state)),
            Self::Done(secrets) => Next::Done(secrets),
        }
    }
}

/// What the hellos agreed on.
#[derive(Clone, Copy, Debug)]
struct Parameters {
    suite: CipherSuite,
    randoms: Randoms,
    srtp_profile: Option<u16>,
}

impl Context<'_> {
    /// Begins a flight: the peer's is complete.
    fn begin_flight(&mut self, awaited: bool) {
        self.timer.answered(self.now);
        self.outbox.begin(awaited, self.received);
    }

    /// Ends the handshake without a further flight.
    fn end_flights(&mut self) {
        self.timer.answered(self.now);
        self.outbox.clear();
    }

    /// Adds a message to the flight and to the transcript.
    fn send(&mut self, transcript: &mut Transcript, kind: HandshakeType, body: Vec<u8>) {
        let epoch = if kind == HandshakeType::FINISHED { PROTECTED } else { PLAIN };
        transcript.add(kind, self.outbox.next_seq(), &body);
        self.outbox.push(epoch, kind, body);
    }

    /// Adds our certificate to the flight.
    fn send_certificate(&mut self, transcript: &mut Transcript) {
        let certificate = Certificate { end_entity: Some(self.config.certificate.der()) };
        self.send(transcript, HandshakeType::CERTIFICATE, certificate.encode());
    }

    /// Takes the peer's certificate and gives back its public key.
    fn receive_certificate(&mut self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        // RFC 8122 §6.2, RFC 8842 §5.1: both sides present one, and who does not is sent away.
        let der = Certificate::parse(body)?.end_entity.ok_or(Misbehaved::NoCertificate)?;
        let key = subject_public_key_info(der).map_err(|_| Misbehaved::MalformedCertificate)?.to_vec();
        self.identity.set_certificate(der.to_vec());
        match self.identity.verify(&*self.config.provider) {
            Verdict::Mismatch => Err(Failure::FINGERPRINT_MISMATCH),
            Verdict::Match | Verdict::Open => Ok(key),
        }
    }

    /// Signs with our certificate's key.
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Failure> {
        self.config.certificate.key().sign(scheme, message).map_err(|_| Failure::SIGNING_FAILED)
    }

    /// Verifies the peer's signature; every scheme that providers verify was offered.
    fn verify(&self, signed: &Signed<'_>, key: &[u8], message: &[u8]) -> Result<SignatureScheme, Failure> {
        let scheme = SignatureScheme::from_code(signed.scheme).ok_or(Misbehaved::UnofferedSignatureScheme)?;
        match self.config.provider.verify_signature(scheme, key, message, signed.signature) {
            Ok(()) => Ok(scheme),
            Err(_) => Err(Misbehaved::BadSignature.into()),
        }
    }

    /// Whether our key authenticates a server under this suite.
    fn can_authenticate(&self, suite: CipherSuite) -> bool {
        let schemes = self.config.certificate.key().schemes();
        schemes.iter().any(|scheme| Authentication::of(*scheme) == Some(suite.authentication()))
    }
}

/// The body of the message that has its place here; every message but Finished comes in clear.
fn expect(message: &Message, kind: HandshakeType) -> Result<&[u8], Failure> {
    let epoch = if kind == HandshakeType::FINISHED { PROTECTED } else { PLAIN };
    match message.kind == kind && message.epoch == epoch {
        true => Ok(&message.body),
        false => Err(Misbehaved::UnexpectedMessage.into()),
    }
}

/// Compares the peer's Finished message with what it has to be.
fn verify_finished(message: &Message, expected: &[u8]) -> Result<(), Failure> {
    let verify_data = expect(message, HandshakeType::FINISHED)?;
    if constant_time_eq(verify_data, expected) { Ok(()) } else { Err(Misbehaved::BadFinished.into()) }
}

#[cfg(test)]
mod tests;
