//! SCTP by itself: what DTLS would add is counted as bytes, so that hours of transfer take minutes.

use std::time::Duration;

use bytes::Bytes;
use dcsctp::api::{
    DcSctpSocket, Message as DcMessage, Options, PpId, SocketEvent, SocketTime, StreamId as DcStream,
};
use pavane::Instant;
use pavane::sctp::{Association, Config, CongestionAlgorithm, Event, Ppid, SendOptions, State, StreamId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::stack::{FRAGMENT, Peer, WINDOW};

/// DTLS 1.2's record header and what AES-GCM adds.
const RECORD: usize = 13 + 24;

/// SCTP's common header and that of a DATA chunk.
const SCTP: usize = 12 + 16;

/// Pavane's association.
pub struct Ours<const ALGORITHM: usize> {
    association: Association,
    buf: Vec<u8>,
    received: u64,
}

/// Every controller, in the order of [`Ours`]'s parameter; the first is the default.
const ALGORITHMS: [(&str, fn() -> CongestionAlgorithm); 3] = [
    ("pavane", CongestionAlgorithm::default),
    ("pavane, RFC 9260", || CongestionAlgorithm::Rfc9260),
    ("pavane, CUBIC", || CongestionAlgorithm::Cubic),
];

fn at(now: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos() as u64)
}

impl<const ALGORITHM: usize> Ours<ALGORITHM> {
    fn new(seed: u64, buffer: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let config = Config {
            max_packet: FRAGMENT + SCTP,
            // The others do not look for larger packets.
            max_probe: 0,
            max_buffered_send: buffer,
            congestion: ALGORITHMS[ALGORITHM].1(),
            ..Config::default()
        };
        let mut association = Association::new(config, &mut rng);
        association.connect(Instant::ZERO);
        Self { association, buf: Vec::new(), received: 0 }
    }
}

impl<const ALGORITHM: usize> Peer for Ours<ALGORITHM> {
    const NAME: &'static str = ALGORITHMS[ALGORITHM].0;

    fn pair(seed: u64, buffer: usize) -> (Self, Self) {
        (Self::new(seed * 2, buffer), Self::new(seed * 2 + 1, buffer))
    }

    fn receive(&mut self, now: Duration, datagram: &mut [u8]) {
        self.association.handle_packet(at(now), &datagram[..datagram.len() - RECORD]);
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.association.handle_timeout(at(now));
    }

    fn attend(&mut self, _: Duration) {
        while let Some(event) = self.association.poll_event() {
            if let Event::StreamReadable(id) = event {
                while self.association.recv(id).is_some() {
                    self.received += 1;
                }
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut dyn FnMut(&[u8])) {
        while self.association.poll_transmit(at(now), &mut self.buf).is_some() {
            self.buf.extend_from_slice(&[0; RECORD]);
            out(&self.buf);
            self.buf.clear();
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        self.association.poll_timeout().map(|at| Duration::from_nanos(at.as_nanos()))
    }

    fn is_open(&self) -> bool {
        self.association.state() == State::Established
    }

    fn outstanding(&mut self, _: Duration) -> usize {
        self.association.buffered_amount(StreamId(0))
    }

    fn send(&mut self, now: Duration, message: &[u8]) -> bool {
        let message = Bytes::copy_from_slice(message);
        self.association.send(at(now), StreamId(0), Ppid(53), message, SendOptions::default()).is_ok()
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn note(&self) -> String {
        let (stats, counters) = (self.association.stats(), self.association.counters());
        format!("{stats:?} {counters:?}")
    }
}

/// The SCTP of Chromium, in Rust.
pub struct Dcsctp {
    socket: Box<dyn DcSctpSocket>,
    waiting: Vec<Vec<u8>>,
    open: bool,
    received: u64,
}

impl Dcsctp {
    fn new(name: &str, buffer: usize) -> Self {
        let options = Options {
            mtu: FRAGMENT + SCTP,
            max_receiver_window_buffer_size: WINDOW as usize,
            max_send_buffer_size: buffer,
            per_stream_send_queue_limit: buffer,
            ..Options::default()
        };
        let mut socket = dcsctp::new_socket(name, &options);
        socket.connect();
        Self { socket, waiting: Vec::new(), open: false, received: 0 }
    }

    fn drain(&mut self) {
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.waiting.push(packet),
                SocketEvent::OnConnected() => self.open = true,
                _ => {}
            }
        }
        while self.socket.get_next_message().is_some() {
            self.received += 1;
        }
    }

    fn advance(&mut self, now: Duration) {
        self.socket.advance_time(SocketTime::zero() + now);
    }
}

impl Peer for Dcsctp {
    const NAME: &'static str = "dcsctp";

    fn pair(_: u64, buffer: usize) -> (Self, Self) {
        (Self::new("alice", buffer), Self::new("bob", buffer))
    }

    fn receive(&mut self, now: Duration, datagram: &mut [u8]) {
        self.advance(now);
        self.socket.handle_input(&datagram[..datagram.len() - RECORD]);
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.advance(now);
    }

    fn attend(&mut self, _: Duration) {
        self.drain();
    }

    fn transmit(&mut self, _: Duration, out: &mut dyn FnMut(&[u8])) {
        self.drain();
        for mut packet in self.waiting.drain(..) {
            packet.extend_from_slice(&[0; RECORD]);
            out(&packet);
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        let at = self.socket.poll_timeout();
        (at != SocketTime::infinite_future()).then(|| at - SocketTime::zero())
    }

    fn is_open(&self) -> bool {
        self.open
    }

    fn outstanding(&mut self, _: Duration) -> usize {
        self.socket.buffered_amount(DcStream(0))
    }

    fn send(&mut self, now: Duration, message: &[u8]) -> bool {
        self.advance(now);
        let message = DcMessage::new(DcStream(0), PpId(53), message.to_vec());
        self.socket.send(message, &Default::default()).is_ok()
    }

    fn received(&self) -> u64 {
        self.received
    }
}
