//! Pavane.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pavane::rtp::send::{MediaExtensions, Outgoing};
use pavane::rtp::{PayloadType, RtpTimestamp, SequenceNumber};
use pavane::{
    Config, ConnectionState, Datagram, Epoch, Instant, Path, PeerConnection, Received, SenderId, TrackInit,
    Transport,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::peer::{MediaPeer, Profile};
use crate::stack::addresses;

pub struct Ours {
    connection: PeerConnection,
    sender: Option<SenderId>,
    path: Path,
    buf: Vec<u8>,
    received: u64,
}

/// A packet that was received, its payload where it came.
pub struct Packet {
    number: SequenceNumber,
    timestamp: RtpTimestamp,
    payload_type: PayloadType,
    marker: bool,
    extensions: MediaExtensions,
    payload: Bytes,
}

/// The most datagrams that one system call sends.
const SEGMENTS: usize = 32;

fn at(now: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos() as u64)
}

impl Ours {
    fn new(seed: u64, profile: Profile, local: SocketAddr, remote: SocketAddr) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_790_000_000) };
        let config =
            Config::new(pavane_crypto_rustls::provider(), &mut rng, &epoch).srtp_profiles(vec![profile]);
        let mut connection = PeerConnection::new(Arc::new(config), Box::new(rng), epoch).unwrap();
        connection.add_local_address(Instant::ZERO, local).unwrap();
        connection.end_of_local_addresses(Instant::ZERO);
        let path = Path { local, remote, transport: Transport::Udp };
        Self { connection, sender: None, path, buf: Vec::new(), received: 0 }
    }

    /// What happened is of no concern here.
    fn drop_events(&mut self) {
        while self.connection.poll_event().is_some() {}
    }
}

impl MediaPeer for Ours {
    const NAME: &'static str = "pavane";

    type Payload = Bytes;
    type Packet = Packet;

    fn pair(profile: Profile) -> Option<(Self, Self)> {
        let [a, b] = addresses();
        let (mut alice, mut bob) = (Self::new(1, profile, a, b), Self::new(2, profile, b, a));
        let now = Instant::ZERO;
        alice.sender = Some(alice.connection.add_track(TrackInit::video().stream("bench")).unwrap());
        alice.connection.set_local_description(now, None).unwrap();
        bob.connection.set_remote_description(now, alice.connection.local_description().unwrap()).unwrap();
        bob.connection.set_local_description(now, None).unwrap();
        alice.connection.set_remote_description(now, bob.connection.local_description().unwrap()).unwrap();
        Some((alice, bob))
    }

    fn receive(&mut self, now: Duration, payload: &mut [u8]) {
        let datagram = Datagram { path: self.path, ecn: None, payload };
        if let Received::Rtp(_) = self.connection.handle_datagram(at(now), datagram) {
            self.received += 1;
        }
    }

    fn receive_packet(&mut self, now: Duration, datagram: &[u8]) -> Option<Packet> {
        // What a socket would have been read into.
        let mut bytes = BytesMut::from(datagram);
        let start = bytes.as_ptr().addr();
        let datagram = Datagram { path: self.path, ecn: None, payload: &mut bytes };
        let Received::Rtp(received) = self.connection.handle_datagram(at(now), datagram) else { return None };
        let header = received.packet.header();
        let payload = received.packet.payload();
        let from = payload.as_ptr().addr() - start;
        let range = from..from + payload.len();
        let extensions = MediaExtensions::pass_on(&received.values, Bytes::copy_from_slice);
        Some(Packet {
            number: header.sequence_number,
            timestamp: header.timestamp,
            payload_type: header.payload_type,
            marker: header.marker,
            extensions,
            payload: bytes.freeze().slice(range),
        })
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.connection.handle_timeout(at(now));
    }

    fn transmit(&mut self, now: Duration, out: &mut dyn FnMut(&mut [u8])) {
        self.drop_events();
        while let Some(transmit) = self.connection.poll_transmit(at(now), SEGMENTS, &mut self.buf) {
            self.buf.chunks_mut(transmit.segment_size.unwrap_or(transmit.len)).for_each(&mut *out);
            self.buf.clear();
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        self.connection.poll_timeout().map(|at| Duration::from_nanos(at.as_nanos()))
    }

    fn is_connected(&self) -> bool {
        self.connection.connection_state() == ConnectionState::Connected
    }

    fn payload(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    fn write(&mut self, now: Duration, number: u64, payload: &Bytes) {
        let mut sender = self.connection.sender(self.sender.unwrap()).unwrap();
        let payload_type = PayloadType::new(sender.codecs()[0].payload_type).unwrap();
        let packet = Outgoing {
            payload_type,
            marker: false,
            timestamp: RtpTimestamp(number as u32),
            payload: payload.clone().into(),
            extensions: MediaExtensions::default(),
            captured_at: None,
        };
        sender.write(at(now), packet).unwrap();
    }

    fn forward(&mut self, now: Duration, packet: &Packet) {
        let mut sender = self.connection.sender(self.sender.unwrap()).unwrap();
        let outgoing = Outgoing {
            payload_type: packet.payload_type,
            marker: packet.marker,
            timestamp: packet.timestamp,
            payload: packet.payload.clone().into(),
            extensions: packet.extensions.clone(),
            captured_at: None,
        };
        sender.forward(at(now), packet.number, outgoing).unwrap();
    }

    fn received(&self) -> u64 {
        self.received
    }
}
