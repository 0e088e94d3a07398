//! The client's side of the handshake, in the order of its messages.

use alloc::vec::Vec;

use pavane_base::random_array;
use pavane_crypto::{NamedGroup, SignatureScheme};

use super::messages::{CertificateRequest, ClientKeyExchange, HelloVerifyRequest, ServerKeyExchange, Signed};
use super::negotiation::{check_common_extensions, choose_own_scheme, offered_extensions};
use super::secrets::{Finisher, Randoms, VERIFY_DATA_LEN};
use super::{Context, Next, Parameters, Secrets, Transcript, expect, verify_finished};
use crate::error::Failure;
use crate::handshake::{HandshakeType, Message};
use crate::messages::{ClientHello, ExtensionType, NO_COMPRESSION, Random, ServerHello, use_srtp};
use crate::record::wire_version::DTLS_1_2;
use crate::suite::Authentication;
use crate::{CipherSuite, Misbehaved};

/// How often a server may ask for another cookie: once is usual, and a changed address or secret gives it reason for more.
const MAX_COOKIES: u32 = 4;

/// What the client waits for.
#[derive(Debug)]
pub(crate) enum Client {
    /// ServerHello, or a wish for a cookie.
    ServerHello(ExpectServerHello),
    /// The server's certificate.
    Certificate(ExpectCertificate),
    /// The server's key share.
    ServerKeyExchange(ExpectServerKeyExchange),
    /// The server's wish for a certificate.
    CertificateRequest(ExpectCertificateRequest),
    /// The end of the server's flight.
    ServerHelloDone(ExpectServerHelloDone),
    /// The server's Finished.
    Finished(ExpectFinished),
}

#[derive(Debug)]
pub(crate) struct ExpectServerHello {
    random: Random,
    cookies: u32,
    transcript: Transcript,
}

#[derive(Debug)]
pub(crate) struct ExpectCertificate {
    parameters: Parameters,
    transcript: Transcript,
}

#[derive(Debug)]
pub(crate) struct ExpectServerKeyExchange {
    parameters: Parameters,
    transcript: Transcript,
    server_key: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct ExpectCertificateRequest {
    parameters: Parameters,
    transcript: Transcript,
    exchange: Exchange,
}

#[derive(Debug)]
pub(crate) struct ExpectServerHelloDone {
    parameters: Parameters,
    transcript: Transcript,
    exchange: Exchange,
    scheme: SignatureScheme,
}

#[derive(Debug)]
pub(crate) struct ExpectFinished {
    secrets: Secrets,
    expected: [u8; VERIFY_DATA_LEN],
}

/// What the key exchange came to.
struct Exchange {
    public_key: Vec<u8>,
    premaster: Vec<u8>,
}

impl core::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Client {
    /// Sends the ClientHello.
    pub(crate) fn start(cx: &mut Context<'_>) -> Self {
        let random = random_array(cx.rng);
        Self::ServerHello(ExpectServerHello::send_hello(cx, random, &[], 0))
    }

    /// Takes the next message.
    pub(crate) fn handle(self, cx: &mut Context<'_>, message: &Message) -> Result<Next<Self>, Failure> {
        // RFC 5246 §7.4.1.1: in the middle of a handshake it means nothing, and no transcript has it.
        if message.kind == HandshakeType::HELLO_REQUEST {
            return Ok(Next::Expect(self));
        }
        match self {
            Self::ServerHello(state) => state.handle(cx, message).map(Next::Expect),
            Self::Certificate(state) => state.handle(cx, message).map(Next::Expect),
            Self::ServerKeyExchange(state) => state.handle(cx, message).map(Next::Expect),
            Self::CertificateRequest(state) => state.handle(cx, message).map(Next::Expect),
            Self::ServerHelloDone(state) => state.handle(cx, message).map(Next::Expect),
            Self::Finished(state) => state.handle(cx, message).map(Next::Done),
        }
    }
}

impl ExpectServerHello {
    fn send_hello(cx: &mut Context<'_>, random: Random, cookie: &[u8], cookies: u32) -> Self {
        let hello = ClientHello {
            version: DTLS_1_2,
            random,
            session_id: &[],
            cookie,
            cipher_suites: cx.config.cipher_suites.iter().map(|suite| suite.code()).collect(),
            compression_methods: &[NO_COMPRESSION],
            extensions: offered_extensions(cx.config),
        };
        // RFC 6347 §4.2.6: a hello that was answered by a cookie, and that answer, are in no hash.
        let mut transcript = Transcript::default();
        cx.begin_flight(true);
        cx.send(&mut transcript, HandshakeType::CLIENT_HELLO, hello.encode());
        Self { random, cookies, transcript }
    }

    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Client, Failure> {
        if message.kind == HandshakeType::HELLO_VERIFY_REQUEST {
            return self.handle_verify_request(cx, message);
        }
        let hello = ServerHello::parse(expect(message, HandshakeType::SERVER_HELLO)?)?;
        if hello.version != DTLS_1_2 {
            return Err(Misbehaved::UnofferedVersion.into());
        }
        if hello.compression_method != NO_COMPRESSION {
            return Err(Misbehaved::Compression.into());
        }
        let suite = CipherSuite::from_code(hello.cipher_suite)
            .filter(|suite| cx.config.cipher_suites.contains(suite))
            .ok_or(Misbehaved::UnofferedCipherSuite)?;
        let offered = offered_extensions(cx.config);
        if hello.extensions.types().any(|kind| offered.get(kind).is_none()) {
            return Err(Misbehaved::UnofferedExtension.into());
        }
        check_common_extensions(&hello.extensions)?;
        let srtp_profile = match hello.extensions.get(ExtensionType::USE_SRTP) {
            None => None,
            Some(answer) => {
                let chosen = use_srtp::chosen(answer, &cx.config.srtp_profiles);
                Some(chosen.ok_or(Misbehaved::SrtpProfile)?)
            }
        };
        self.transcript.add_message(message);
        let randoms = Randoms { client: self.random, server: hello.random };
        let parameters = Parameters { suite, randoms, srtp_profile };
        Ok(Client::Certificate(ExpectCertificate { parameters, transcript: self.transcript }))
    }

    /// The same hello again, random and all, with the cookie (RFC 6347 §4.2.1).
    fn handle_verify_request(self, cx: &mut Context<'_>, message: &Message) -> Result<Client, Failure> {
        let request = HelloVerifyRequest::parse(expect(message, HandshakeType::HELLO_VERIFY_REQUEST)?)?;
        if self.cookies == MAX_COOKIES {
            return Err(Misbehaved::TooManyCookies.into());
        }
        Ok(Client::ServerHello(Self::send_hello(cx, self.random, request.cookie, self.cookies + 1)))
    }
}

impl ExpectCertificate {
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Client, Failure> {
        let server_key = cx.receive_certificate(expect(message, HandshakeType::CERTIFICATE)?)?;
        self.transcript.add_message(message);
        Ok(Client::ServerKeyExchange(ExpectServerKeyExchange {
            parameters: self.parameters,
            transcript: self.transcript,
            server_key,
        }))
    }
}

impl ExpectServerKeyExchange {
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Client, Failure> {
        let body = expect(message, HandshakeType::SERVER_KEY_EXCHANGE)?;
        let ServerKeyExchange { share, signed } = ServerKeyExchange::parse(body)?;
        let Parameters { suite, randoms, .. } = self.parameters;
        let to_be_signed = share.to_be_signed(&randoms.client, &randoms.server);
        let scheme = cx.verify(&signed, &self.server_key, &to_be_signed)?;
        if Authentication::of(scheme) != Some(suite.authentication()) {
            return Err(Misbehaved::UnofferedSignatureScheme.into());
        }
        let exchange = exchange(cx, share.group, share.public_key)?;
        self.transcript.add_message(message);
        Ok(Client::CertificateRequest(ExpectCertificateRequest {
            parameters: self.parameters,
            transcript: self.transcript,
            exchange,
        }))
    }
}

/// Makes our key share in the server's group.
fn exchange(cx: &mut Context<'_>, group: u16, theirs: &[u8]) -> Result<Exchange, Failure> {
    let group = NamedGroup::from_code(group)
        .filter(|group| cx.config.groups.contains(group))
        .ok_or(Misbehaved::UnofferedGroup)?;
    let ours = cx.config.provider.key_exchange(group, cx.rng).map_err(|_| Misbehaved::UnofferedGroup)?;
    let public_key = ours.public_key().to_vec();
    let premaster = ours.complete(theirs).map_err(|_| Misbehaved::InvalidKeyShare)?;
    Ok(Exchange { public_key, premaster })
}

impl ExpectCertificateRequest {
    /// A server that wants no certificate cannot know who we are (RFC 8842 §5.1), so none goes on without it.
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Client, Failure> {
        let request = CertificateRequest::parse(expect(message, HandshakeType::CERTIFICATE_REQUEST)?)?;
        let scheme = choose_own_scheme(cx, &request.signature_schemes)?;
        self.transcript.add_message(message);
        Ok(Client::ServerHelloDone(ExpectServerHelloDone {
            parameters: self.parameters,
            transcript: self.transcript,
            exchange: self.exchange,
            scheme,
        }))
    }
}

impl ExpectServerHelloDone {
    fn handle(mut self, cx: &mut Context<'_>, message: &Message) -> Result<Client, Failure> {
        if !expect(message, HandshakeType::SERVER_HELLO_DONE)?.is_empty() {
            return Err(Misbehaved::Malformed.into());
        }
        let transcript = &mut self.transcript;
        transcript.add_message(message);
        cx.begin_flight(true);
        cx.send_certificate(transcript);
        let share = ClientKeyExchange { public_key: &self.exchange.public_key };
        cx.send(transcript, HandshakeType::CLIENT_KEY_EXCHANGE, share.encode());

        let provider = &cx.config.provider;
        let session_hash = transcript.hash(provider, self.parameters.suite.hash());
        let secrets = Secrets::derive(provider, self.parameters, &self.exchange.premaster, &session_hash);

        let signature = cx.sign(self.scheme, transcript.bytes())?;
        let mut verify = Vec::new();
        Signed { scheme: self.scheme.code(), signature: &signature }.encode(&mut verify);
        cx.send(transcript, HandshakeType::CERTIFICATE_VERIFY, verify);

        let protections = secrets.protections();
        cx.records.protect_sending(protections.client);
        cx.records.protect_receiving(protections.server);
        cx.outbox.push_change_cipher_spec();
        let hash = transcript.hash(provider, secrets.hash());
        let finished = secrets.verify_data(Finisher::Client, &hash);
        cx.send(transcript, HandshakeType::FINISHED, finished.to_vec());
        let hash = transcript.hash(provider, secrets.hash());
        let expected = secrets.verify_data(Finisher::Server, &hash);
        Ok(Client::Finished(ExpectFinished { secrets, expected }))
    }
}

impl ExpectFinished {
    fn handle(self, cx: &mut Context<'_>, message: &Message) -> Result<Secrets, Failure> {
        verify_finished(message, &self.expected)?;
        cx.end_flights();
        Ok(self.secrets)
    }
}
