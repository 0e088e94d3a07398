//! The server's side of the handshake, in the order of its messages.
//!
//! No HelloVerifyRequest is sent: a ClientHello comes on a path that ICE has proved, from a peer that answered connectivity
//! checks with our password, so no address can be forged and no cookie is needed (RFC 6347 §4.2.1 leaves the choice).

use alloc::boxed::Box;
use alloc::vec::Vec;

use pavane_base::random_array;
use pavane_crypto::{KeyExchange, SignatureScheme};

use super::messages::{CertificateRequest, ClientKeyExchange, KeyShare, ServerKeyExchange, Signed};
use super::negotiation::{answered_extensions, choose};
use super::secrets::{Finisher, Protections, Randoms};
use super::{Context, Next, Parameters, Protection, Secrets, Transcript, expect, verify_finished};
use crate::error::Failure;
use crate::handshake::{HandshakeType, Message};
use crate::messages::{ClientHello, NO_COMPRESSION, ServerHello};
use crate::record::wire_version::DTLS_1_2;
use crate::{Incompatible, Misbehaved};

/// What the server waits for.
#[derive(Debug)]
pub(crate) enum Server {
    /// The client's offer.
    ClientHello(ExpectClientHello),
    /// The client's certificate.
    Certificate(ExpectCertificate),
    /// The client's key share.
    ClientKeyExchange(ExpectClientKeyExchange),
    /// The proof that the client has the certificate's key.
    CertificateVerify(ExpectCertificateVerify),
    /// The client's Finished.
    Finished(ExpectFinished),
}

#[derive(Debug)]
pub(crate) struct ExpectClientHello;

pub(crate) struct ExpectCertificate {
    parameters: Parameters,
    transcript: Transcript,
    exchange: Box<dyn KeyExchange>,
}

pub(crate) struct ExpectClientKeyExchange {
    parameters: Parameters,
    transcript: Transcript,
    exchange: Box<dyn KeyExchange>,
    client_key: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct ExpectCertificateVerify {
    secrets: Secrets,
    sending: Protection,
    transcript: Transcript,
    client_key: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct ExpectFinished {
    secrets: Secrets,
    sending: Protection,
    transcript: Transcript,
}

impl Server {
    /// Waits for a ClientHello.
    pub(crate) const fn start() -> Self {
        Self::ClientHello(ExpectClientHello)
    }

    /// Takes the next message.
    pub(crate) fn handle(self, cx: &mut Context<'_>, message: &Message) -> Result<Next<Self>, Failure> {
        match self {
            Self::ClientHello(state) => state.handle(cx, message).map(Next::Expect),
            Self::Certificate(state) => state.handle(cx, message).map(Next::Expect),
            Self::ClientKeyExchange(state) => state.handle(cx, message).map(Next::Expect),
            Self::CertificateVerify(state) => state.handle(cx, message).map(Next::Expect),
            Self::Finished(state) => state.handle(cx, message).map(Next::Done),
        }
    }
}

impl ExpectClientHello {
    fn handle(self, cx: &mut Context<'_>, message: &Message) -> Result<Server, Failure> {
        let hello = ClientHello::parse(expect(message, HandshakeType::CLIENT_HELLO)?)?;
        let choice = choose(cx, &hello)?;
        let randoms = Randoms { client: hello.random, server: random_array(cx.rng) };
        let exchange =
            cx.config.provider.key_exchange(choice.group, cx.rng).map_err(|_| Incompatible::Group)?;
        let share = KeyShare { group: choice.group.code(), public_key: exchange.public_key() };
        let signature = cx.sign(choice.scheme, &share.to_be_signed(&randoms.client, &randoms.server))?;
        let signed = Signed { scheme: choice.scheme.code(), signature: &signature };

        let mut transcript = Transcript::default();
        transcript.add_message(message);
        cx.begin_flight(true);
        let server_hello = ServerHello {
            version: DTLS_1_2,
            random: randoms.server,
            // RFC 5246 §7.4.1.3: empty, since the session cannot be resumed.
            session_id: &[],
            cipher_suite: choice.suite.code(),
            compression_method: NO_COMPRESSION,
            extensions: answered_extensions(&hello, choice.srtp_profile),
        };
        cx.send(&mut transcript, HandshakeType::SERVER_HELLO, server_hello.encode());
        cx.send_certificate(&mut transcript);
        let key_exchange = ServerKeyExchange { share, signed };
        cx.send(&mut transcript, HandshakeType::SERVER_KEY_EXCHANGE, key_exchange.encode());
        let request =
            CertificateRequest { signature_schemes: SignatureScheme::ALL.map(|s| s.code()).to_vec() };
        cx.send(&mut transcript, HandshakeType::CERTIFICATE_REQUEST, request.encode());
        cx.send(&mut transcript, HandshakeType::SERVER_HELLO_DONE, Vec::new());
        let parameters = Parameters { suite: choice.suite, randoms, srtp_profile: choice.srtp_profile };
        Ok(Server::Certificate(ExpectCertificate { parameters, transcript, exchange }))
    }
}

impl ExpectCertificate {
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Server, Failure> {
        let client_key = cx.receive_certificate(expect(message, HandshakeType::CERTIFICATE)?)?;
        self.transcript.add_message(message);
        Ok(Server::ClientKeyExchange(ExpectClientKeyExchange {
            parameters: self.parameters,
            transcript: self.transcript,
            exchange: self.exchange,
            client_key,
        }))
    }
}

impl ExpectClientKeyExchange {
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Server, Failure> {
        let share = ClientKeyExchange::parse(expect(message, HandshakeType::CLIENT_KEY_EXCHANGE)?)?;
        let premaster = self.exchange.complete(share.public_key).map_err(|_| Misbehaved::InvalidKeyShare)?;
        self.transcript.add_message(message);
        let provider = &cx.config.provider;
        let session_hash = self.transcript.hash(provider, self.parameters.suite.hash());
        let secrets = Secrets::derive(provider, self.parameters, &premaster, &session_hash);
        // The client's Finished may be here already; our own epoch changes with our own Finished.
        let Protections { client, server } = secrets.protections();
        cx.records.protect_receiving(client);
        Ok(Server::CertificateVerify(ExpectCertificateVerify {
            secrets,
            sending: server,
            transcript: self.transcript,
            client_key: self.client_key,
        }))
    }
}

impl ExpectCertificateVerify {
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Server, Failure> {
        let body = expect(message, HandshakeType::CERTIFICATE_VERIFY)?;
        let signed = Signed::parse(&mut pavane_base::Reader::new(body))?;
        cx.verify(&signed, &self.client_key, self.transcript.bytes())?;
        self.transcript.add_message(message);
        Ok(Server::Finished(ExpectFinished {
            secrets: self.secrets,
            sending: self.sending,
            transcript: self.transcript,
        }))
    }
}

impl ExpectFinished {
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Secrets, Failure> {
        let Self { secrets, sending, ref mut transcript } = self;
        let provider = &cx.config.provider;
        let hash = transcript.hash(provider, secrets.hash());
        verify_finished(message, &secrets.verify_data(Finisher::Client, &hash))?;
        transcript.add_message(message);

        // Nothing answers this flight: it is sent again when the client asks by repeating its own (RFC 6347 §4.2.4).
        cx.begin_flight(false);
        cx.records.protect_sending(sending);
        cx.outbox.push_change_cipher_spec();
        let hash = transcript.hash(provider, secrets.hash());
        let finished = secrets.verify_data(Finisher::Server, &hash);
        cx.send(transcript, HandshakeType::FINISHED, finished.to_vec());
        Ok(secrets)
    }
}

/// A key exchange shows nothing of itself.
macro_rules! opaque_debug {
    ($($state:ident)*) => {$(
        impl core::fmt::Debug for $state {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($state)).field("parameters", &self.parameters).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(ExpectCertificate ExpectClientKeyExchange);
