//! rtc, the sans-IO half of webrtc-rs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc::data_channel::RTCDataChannelId;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::event::{RTCDataChannelEvent, RTCPeerConnectionEvent};
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};

use crate::stack::{FRAGMENT, Peer, WINDOW, addresses};

pub struct Rtc {
    connection: RTCPeerConnection,
    start: Instant,
    channel: Option<RTCDataChannelId>,
    open: bool,
    local: SocketAddr,
    remote: SocketAddr,
    received: u64,
}

impl Rtc {
    fn new(start: Instant, local: SocketAddr, remote: SocketAddr) -> Self {
        let settings = SettingEngineBuilder::new()
            .with_sctp_max_receive_buffer_size(WINDOW)
            .with_sctp_mtu(FRAGMENT as u32 + SCTP_HEADERS)
            .build();
        let mut connection = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_setting_engine(settings)
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
        Self { connection, start, channel: None, open: false, local, remote, received: 0 }
    }
}

/// The common header and a DATA chunk's own.
const SCTP_HEADERS: u32 = 12 + 16;

impl Peer for Rtc {
    const NAME: &'static str = "rtc";

    fn pair(_: u64, _: usize) -> (Self, Self) {
        let [a, b] = addresses();
        let now = Instant::now();
        let (mut alice, mut bob) = (Self::new(now, a, b), Self::new(now, b, a));
        alice.connection.create_data_channel("bench", None).unwrap();
        let offer = alice.connection.create_offer(None).unwrap();
        alice.connection.set_local_description(now, offer.clone()).unwrap();
        bob.connection.set_remote_description(now, offer).unwrap();
        let answer = bob.connection.create_answer(None).unwrap();
        bob.connection.set_local_description(now, answer.clone()).unwrap();
        alice.connection.set_remote_description(now, answer).unwrap();
        (alice, bob)
    }

    fn receive(&mut self, now: Duration, datagram: &mut [u8]) {
        let transport = TransportContext {
            local_addr: self.local,
            peer_addr: self.remote,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = BytesMut::from(&*datagram);
        // A refused datagram is one that is dropped.
        let _ = self.connection.handle_read(TaggedBytesMut { now: self.start + now, transport, message });
    }

    fn handle_timeout(&mut self, now: Duration) {
        let _ = self.connection.handle_timeout(self.start + now);
    }

    fn attend(&mut self, _: Duration) {
        while let Some(event) = self.connection.poll_event() {
            if let RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnOpen(id)) = event {
                self.channel = Some(id);
                self.open = true;
            }
        }
        while let Some(message) = self.connection.poll_read() {
            if let RTCMessage::DataChannelMessage(..) = message.message {
                self.received += 1;
            }
        }
    }

    fn transmit(&mut self, _: Duration, out: &mut dyn FnMut(&[u8])) {
        while let Some(datagram) = self.connection.poll_write() {
            out(&datagram.message);
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        self.connection.poll_timeout().map(|at| at.saturating_duration_since(self.start))
    }

    fn is_open(&self) -> bool {
        self.open
    }

    fn outstanding(&mut self, _: Duration) -> usize {
        let channel = self.channel.and_then(|id| self.connection.data_channel(id));
        channel.map_or(0, |channel| channel.outstanding_bytes())
    }

    fn send(&mut self, now: Duration, message: &[u8]) -> bool {
        let Some(mut channel) = self.channel.and_then(|id| self.connection.data_channel(id)) else {
            return false;
        };
        channel.send(self.start + now, BytesMut::from(message)).is_ok()
    }

    fn received(&self) -> u64 {
        self.received
    }
}
