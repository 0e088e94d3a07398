//! str0m, in its mode for whole packets.
//!
//! Its two ends agree on AES-256-GCM, and there is no setting for another profile. Where one is asked for, what DTLS has
//! exported is cut to that profile's length and handed on under its name, at both ends alike.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::config::DtlsVersion;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, KeyingMaterial, ProtocolVersion,
    SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::peer::{MediaPeer, Profile};
use crate::stack::addresses;

pub struct Str0m {
    rtc: Rtc,
    start: Instant,
    track: Option<(Mid, Pt)>,
    connected: bool,
    local: SocketAddr,
    remote: SocketAddr,
    next: Option<Duration>,
    waiting: Vec<Vec<u8>>,
    arrived: Option<RtpPacket>,
    received: u64,
}

impl Str0m {
    fn new(start: Instant, provider: CryptoProvider, local: SocketAddr, remote: SocketAddr) -> Self {
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .set_crypto_provider(Arc::new(provider))
            .set_dtls_version(DtlsVersion::Dtls12)
            .set_stats_interval(None)
            .build(start);
        rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
        Self {
            rtc,
            start,
            track: None,
            connected: false,
            local,
            remote,
            next: None,
            waiting: Vec::new(),
            arrived: None,
            received: 0,
        }
    }

    /// Its outputs have to be drained after each input; datagrams wait until they are asked for.
    fn drain(&mut self) {
        self.next = None;
        while let Ok(output) = self.rtc.poll_output() {
            match output {
                Output::Timeout(at) => {
                    self.next = Some(at.saturating_duration_since(self.start));
                    return;
                }
                Output::Transmit(transmit) => self.waiting.push(transmit.contents.into()),
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => {
                    self.received += 1;
                    self.arrived = Some(packet);
                }
                Output::Event(_) => {}
            }
        }
    }

    fn take(&mut self, now: Duration, datagram: &[u8]) {
        let receive = Receive::new(Protocol::Udp, self.remote, self.local, datagram).unwrap();
        let _ = self.rtc.handle_input(Input::Receive(self.start + now, receive));
        self.drain();
    }
}

impl MediaPeer for Str0m {
    const NAME: &'static str = "str0m";

    type Payload = Arc<[u8]>;
    type Packet = RtpPacket;

    fn pair(profile: Profile) -> Option<(Self, Self)> {
        let provider = provider_for(profile)?;
        let [a, b] = addresses();
        let start = Instant::now();
        let (mut alice, mut bob) =
            (Self::new(start, provider.clone(), a, b), Self::new(start, provider, b, a));
        let mut change = alice.rtc.sdp_api();
        let mid = change.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = change.apply().unwrap();
        let answer = bob.rtc.sdp_api().accept_offer(offer).unwrap();
        alice.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        let types = alice.rtc.media(mid).unwrap().remote_pts();
        alice.track = Some((mid, types[0]));
        alice.handle_timeout(Duration::ZERO);
        bob.handle_timeout(Duration::ZERO);
        Some((alice, bob))
    }

    fn receive(&mut self, now: Duration, datagram: &mut [u8]) {
        self.take(now, datagram);
    }

    fn receive_packet(&mut self, now: Duration, datagram: &[u8]) -> Option<RtpPacket> {
        self.arrived = None;
        self.take(now, datagram);
        self.arrived.take()
    }

    fn handle_timeout(&mut self, now: Duration) {
        let _ = self.rtc.handle_input(Input::Timeout(self.start + now));
        self.drain();
    }

    fn transmit(&mut self, now: Duration, out: &mut dyn FnMut(&mut [u8])) {
        // What was written leaves when time is told.
        self.handle_timeout(now);
        self.waiting.drain(..).for_each(|mut datagram| out(&mut datagram));
    }

    fn timeout(&mut self) -> Option<Duration> {
        self.next
    }

    fn is_connected(&self) -> bool {
        self.connected
    }

    fn payload(bytes: &[u8]) -> Arc<[u8]> {
        bytes.into()
    }

    fn write(&mut self, now: Duration, number: u64, payload: &Arc<[u8]>) {
        let (mid, payload_type) = self.track.unwrap();
        let wallclock = self.start + now;
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        let write = RtpWrite::new(payload_type, number.into(), number as u32, wallclock, payload.clone());
        stream.write_rtp(write.nackable(true));
    }

    fn forward(&mut self, now: Duration, packet: &RtpPacket) {
        let (mid, payload_type) = self.track.unwrap();
        let wallclock = self.start + now;
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        let time = packet.header.timestamp;
        let write = RtpWrite::new(payload_type, packet.seq_no, time, wallclock, packet.payload.clone());
        stream.write_rtp(write.marker(packet.header.marker).nackable(true));
    }

    fn received(&self) -> u64 {
        self.received
    }
}

/// The provider whose DTLS agrees on this profile, if str0m knows it.
fn provider_for(profile: Profile) -> Option<CryptoProvider> {
    let dtls_provider: &'static dyn DtlsProvider = match profile {
        Profile::AeadAes128Gcm => &Agreeing(SrtpProfile::AEAD_AES_128_GCM, 56),
        Profile::AeadAes256Gcm => &Agreeing(SrtpProfile::AEAD_AES_256_GCM, 88),
        Profile::Aes128CmHmacSha1_80 => &Agreeing(SrtpProfile::AES128_CM_SHA1_80, 60),
        _ => return None,
    };
    Some(CryptoProvider { dtls_provider, ..from_feature_flags() })
}

/// DTLS that agrees on one profile, with the length of its keying material.
#[derive(Debug)]
struct Agreeing(SrtpProfile, usize);

impl DtlsProvider for Agreeing {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = from_feature_flags().dtls_provider.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(AgreeingInstance { inner, profile: self.0, len: self.1 }))
    }
}

#[derive(Debug)]
struct AgreeingInstance {
    inner: Box<dyn DtlsInstance>,
    profile: SrtpProfile,
    len: usize,
}

impl DtlsInstance for AgreeingInstance {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        match self.inner.poll_output(buf) {
            DtlsOutput::KeyingMaterial(material, _) => {
                DtlsOutput::KeyingMaterial(KeyingMaterial::new(&material[..self.len]), self.profile)
            }
            other => other,
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}
