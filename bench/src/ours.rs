//! Pavane.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pavane::{ChannelId, Config, Datagram, Epoch, Event, Instant, Message, Path, PeerConnection, Transport};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::stack::{Peer, WINDOW, addresses};

pub struct Ours {
    connection: PeerConnection,
    channel: Option<ChannelId>,
    open: bool,
    path: Path,
    buf: Vec<u8>,
    received: u64,
}

/// The most datagrams that one system call sends.
const SEGMENTS: usize = 32;

fn at(now: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos() as u64)
}

impl Ours {
    fn new(seed: u64, buffer: usize, local: SocketAddr, remote: SocketAddr) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_790_000_000) };
        let config = Config::new(pavane_crypto_rustls::provider(), &mut rng, &epoch)
            .receive_window(WINDOW)
            // The others do not look for larger packets.
            .max_path_mtu(1280)
            .send_buffer(buffer);
        let mut connection = PeerConnection::new(Arc::new(config), Box::new(rng), epoch).unwrap();
        connection.add_local_address(Instant::ZERO, local).unwrap();
        connection.end_of_local_addresses(Instant::ZERO);
        let path = Path { local, remote, transport: Transport::Udp };
        Self { connection, channel: None, open: false, path, buf: Vec::new(), received: 0 }
    }

    fn read(&mut self, now: Duration, id: ChannelId) {
        let Some(mut channel) = self.connection.channel(id) else { return };
        while channel.recv(at(now)).is_some() {
            self.received += 1;
        }
    }
}

impl Peer for Ours {
    const NAME: &'static str = "pavane";

    fn pair(seed: u64, buffer: usize) -> (Self, Self) {
        let [a, b] = addresses();
        let (mut alice, mut bob) = (Self::new(seed * 2, buffer, a, b), Self::new(seed * 2 + 1, buffer, b, a));
        let now = Instant::ZERO;
        alice.channel = Some(alice.connection.create_data_channel(now, "bench", Default::default()).unwrap());
        alice.connection.set_local_description(now, None).unwrap();
        bob.connection.set_remote_description(now, alice.connection.local_description().unwrap()).unwrap();
        bob.connection.set_local_description(now, None).unwrap();
        alice.connection.set_remote_description(now, bob.connection.local_description().unwrap()).unwrap();
        (alice, bob)
    }

    fn receive(&mut self, now: Duration, payload: &mut [u8]) {
        self.connection.handle_datagram(at(now), Datagram { path: self.path, ecn: None, payload });
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.connection.handle_timeout(at(now));
    }

    fn attend(&mut self, now: Duration) {
        while let Some(event) = self.connection.poll_event() {
            match event {
                Event::ChannelOpened(_) => self.open = true,
                Event::ChannelAnnounced(id) => {
                    self.channel = Some(id);
                    self.open = true;
                }
                Event::ChannelReadable(id) => self.read(now, id),
                _ => {}
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut dyn FnMut(&[u8])) {
        while let Some(transmit) = self.connection.poll_transmit(at(now), SEGMENTS, &mut self.buf) {
            self.buf.chunks(transmit.segment_size.unwrap_or(transmit.len)).for_each(&mut *out);
            self.buf.clear();
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        self.connection.poll_timeout().map(|at| Duration::from_nanos(at.as_nanos()))
    }

    fn is_open(&self) -> bool {
        self.open
    }

    fn outstanding(&mut self, now: Duration) -> usize {
        let in_flight = self.connection.stats(at(now)).sctp.map_or(0, |sctp| sctp.in_flight as usize);
        let unsent =
            self.channel.and_then(|id| self.connection.channel(id)).map_or(0, |c| c.buffered_amount());
        in_flight + unsent
    }

    fn send(&mut self, now: Duration, message: &[u8]) -> bool {
        let Some(mut channel) = self.channel.and_then(|id| self.connection.channel(id)) else { return false };
        channel.send(at(now), Message::Binary(Bytes::copy_from_slice(message))).is_ok()
    }

    fn received(&self) -> u64 {
        self.received
    }
}
