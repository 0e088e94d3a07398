//! rtc, the sans-IO half of webrtc-rs, without interceptors: those are what keeps packets for retransmission, asks for
//! missing ones and reports, so that it does less here than the others.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_VP8, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp;
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};

use super::peer::{MediaPeer, Profile};
use crate::stack::addresses;

pub struct Rtc {
    connection: RTCPeerConnection,
    start: Instant,
    sender: Option<RTCRtpSenderId>,
    connected: bool,
    local: SocketAddr,
    remote: SocketAddr,
    received: u64,
}

const SSRC: u32 = 0x1122_3344;
const PAYLOAD_TYPE: u8 = 96;

impl Rtc {
    fn new(start: Instant, profile: SrtpProtectionProfile, local: SocketAddr, remote: SocketAddr) -> Self {
        let mut media = MediaEngine::default();
        media.register_codec(codec(), RtpCodecKind::Video).unwrap();
        let settings = SettingEngineBuilder::new()
            .with_srtp_protection_profiles(vec![profile])
            .with_srtp_replay_protection_window(1024)
            .build();
        let mut connection = RTCPeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_media_engine(media)
            .build(start)
            .unwrap();
        let candidate = CandidateHostConfig {
            base_config: CandidateConfig {
                network: "udp".to_owned(),
                address: local.ip().to_string(),
                port: local.port(),
                component: 1,
                ..Default::default()
            },
            ..Default::default()
        };
        let candidate = candidate.new_candidate_host().unwrap();
        connection.add_local_candidate(RTCIceCandidate::from(&candidate).to_json().unwrap()).unwrap();
        Self { connection, start, sender: None, connected: false, local, remote, received: 0 }
    }

    fn take(&mut self, now: Duration, datagram: &[u8]) {
        let transport = TransportContext {
            local_addr: self.local,
            peer_addr: self.remote,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = BytesMut::from(datagram);
        // A refused datagram is one that is dropped.
        let _ = self.connection.handle_read(TaggedBytesMut { now: self.start + now, transport, message });
    }

    fn attend(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                self.connected = state == RTCPeerConnectionState::Connected;
            }
        }
    }

    fn read(&mut self) -> Option<rtp::packet::Packet> {
        let mut last = None;
        while let Some(message) = self.connection.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = message.message {
                self.received += 1;
                last = Some(packet);
            }
        }
        last
    }
}

fn codec() -> RTCRtpCodecParameters {
    let rtp_codec =
        RTCRtpCodec { mime_type: MIME_TYPE_VP8.to_owned(), clock_rate: 90_000, ..Default::default() };
    RTCRtpCodecParameters { rtp_codec, payload_type: PAYLOAD_TYPE }
}

impl MediaPeer for Rtc {
    const NAME: &'static str = "rtc";

    type Payload = Bytes;
    type Packet = rtp::packet::Packet;

    fn pair(profile: Profile) -> Option<(Self, Self)> {
        let profile = match profile {
            Profile::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            Profile::AeadAes256Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            Profile::Aes128CmHmacSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            Profile::Aes128CmHmacSha1_32 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
            _ => return None,
        };
        let [a, b] = addresses();
        let now = Instant::now();
        let (mut alice, mut bob) = (Self::new(now, profile, a, b), Self::new(now, profile, b, a));
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
            codec: codec().rtp_codec,
            ..Default::default()
        };
        let track = MediaStreamTrack::new(
            "bench".to_owned(),
            "bench-video".to_owned(),
            "bench video".to_owned(),
            RtpCodecKind::Video,
            vec![encoding],
        );
        alice.sender = Some(alice.connection.add_track(track).unwrap());
        let offer = alice.connection.create_offer(None).unwrap();
        alice.connection.set_local_description(now, offer.clone()).unwrap();
        bob.connection.set_remote_description(now, offer).unwrap();
        let answer = bob.connection.create_answer(None).unwrap();
        bob.connection.set_local_description(now, answer.clone()).unwrap();
        alice.connection.set_remote_description(now, answer).unwrap();
        Some((alice, bob))
    }

    fn receive(&mut self, now: Duration, datagram: &mut [u8]) {
        self.take(now, datagram);
        self.read();
    }

    fn receive_packet(&mut self, now: Duration, datagram: &[u8]) -> Option<Self::Packet> {
        self.take(now, datagram);
        self.read()
    }

    fn handle_timeout(&mut self, now: Duration) {
        let _ = self.connection.handle_timeout(self.start + now);
    }

    fn transmit(&mut self, _: Duration, out: &mut dyn FnMut(&mut [u8])) {
        self.attend();
        while let Some(mut datagram) = self.connection.poll_write() {
            out(&mut datagram.message);
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        self.connection.poll_timeout().map(|at| at.saturating_duration_since(self.start))
    }

    fn is_connected(&self) -> bool {
        self.connected
    }

    fn payload(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    fn write(&mut self, now: Duration, number: u64, payload: &Bytes) {
        let header = rtp::header::Header {
            version: 2,
            payload_type: PAYLOAD_TYPE,
            sequence_number: number as u16,
            timestamp: number as u32,
            ssrc: SSRC,
            ..Default::default()
        };
        self.forward(now, &rtp::packet::Packet { header, payload: payload.clone() });
    }

    fn forward(&mut self, now: Duration, packet: &Self::Packet) {
        let mut sender = self.connection.rtp_sender(self.sender.unwrap()).unwrap();
        sender.write_rtp(self.start + now, packet.clone()).unwrap();
    }

    fn received(&self) -> u64 {
        self.received
    }
}
