//! A loop of one's own: the standard library's UDP socket, the core, and nothing else.
//!
//! Two peers in one program, each with a socket and a loop on a thread of its own, dance until both have had enough. What a
//! program would signal by its own means goes through channels of the standard library here.

use std::error::Error;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pavane::{
    ChannelId, Config, Datagram, Description, Epoch, Event, Instant, Message, Path, PeerConnection, SdpType,
    Transport,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

type Failure = Box<dyn Error + Send + Sync>;

/// How often the dancers answer each other.
const STEPS: u32 = 100;

struct Dancer {
    peer: PeerConnection,
    socket: UdpSocket,
    start: std::time::Instant,
    steps: u32,
}

impl Dancer {
    fn new(seed: u64) -> Result<Self, Failure> {
        let start = std::time::Instant::now();
        let epoch = Epoch { at: Instant::ZERO, unix: SystemTime::now().duration_since(UNIX_EPOCH)? };
        let mut rng = ChaCha20Rng::seed_from_u64(seed); // in production: from the operating system
        let config = Config::new(pavane_crypto_rustls::provider(), &mut rng, &epoch);
        let mut peer = PeerConnection::new(Arc::new(config), Box::new(rng), epoch)?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        peer.add_local_address(Instant::ZERO, socket.local_addr()?)?;
        peer.end_of_local_addresses(Instant::ZERO);
        Ok(Self { peer, socket, start, steps: 0 })
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// The loop: see what happened, send, wait for a datagram or the deadline.
    fn run(mut self) -> Result<u32, Failure> {
        let mut buffer = vec![0; 2048];
        let local = self.socket.local_addr()?;
        loop {
            let over = self.see_what_happened()?;
            // What was said just now is sent just now, a farewell included.
            self.send(&mut buffer)?;
            if over {
                return Ok(self.steps);
            }
            let left = self.peer.poll_timeout().map(|at| at.saturating_duration_since(self.now()));
            self.socket.set_read_timeout(Some(left.unwrap_or(Duration::MAX).clamp(
                Duration::from_micros(1), // zero would mean to wait for ever
                Duration::from_secs(1),
            )))?;
            buffer.resize(2048, 0);
            match self.socket.recv_from(&mut buffer) {
                Ok((len, remote)) => {
                    let path = Path { local, remote, transport: Transport::Udp };
                    let payload = &mut buffer[..len];
                    self.peer.handle_datagram(self.now(), Datagram { path, ecn: None, payload });
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                }
                // One datagram's misfortune.
                Err(_) => {}
            }
            self.peer.handle_timeout(self.now());
        }
    }

    fn send(&mut self, buffer: &mut Vec<u8>) -> Result<(), Failure> {
        buffer.clear();
        while let Some(transmit) = self.peer.poll_transmit(self.now(), 1, buffer) {
            // A datagram that cannot be sent is one that the network lost.
            let _ = self.socket.send_to(buffer, transmit.path.remote);
            buffer.clear();
        }
        Ok(())
    }

    /// Answers messages; returns whether the dance is over.
    fn see_what_happened(&mut self) -> Result<bool, Failure> {
        let now = self.now();
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::ChannelOpened(channel) => self.step(channel)?,
                Event::ChannelReadable(channel) => {
                    while self.peer.channel(channel).and_then(|mut channel| channel.recv(now)).is_some() {
                        self.step(channel)?;
                    }
                }
                Event::Closed(_) => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    fn step(&mut self, channel: ChannelId) -> Result<(), Failure> {
        let now = self.now();
        self.steps += 1;
        if self.steps > STEPS {
            self.peer.close(now);
        } else if let Some(mut channel) = self.peer.channel(channel) {
            channel.send(now, Message::text(format!("step {}", self.steps)))?;
        }
        Ok(())
    }
}

/// Offers, and waits for the answer.
fn lead(mut dancer: Dancer, offers: &Sender<String>, answers: &Receiver<String>) -> Result<u32, Failure> {
    let now = dancer.now();
    dancer.peer.create_data_channel(now, "pavane", Default::default())?;
    dancer.peer.set_local_description(now, None)?;
    offers.send(description(&dancer.peer, SdpType::Offer))?;
    dancer.peer.set_remote_description(dancer.now(), Description::answer(answers.recv()?))?;
    dancer.run()
}

/// Answers the offer.
fn follow(mut dancer: Dancer, offers: &Receiver<String>, answers: &Sender<String>) -> Result<u32, Failure> {
    dancer.peer.set_remote_description(dancer.now(), Description::offer(offers.recv()?))?;
    dancer.peer.set_local_description(dancer.now(), None)?;
    answers.send(description(&dancer.peer, SdpType::Answer))?;
    dancer.run()
}

fn description(peer: &PeerConnection, kind: SdpType) -> String {
    let description = peer.local_description().expect("it was just set");
    assert_eq!(description.kind, kind);
    description.sdp
}

pub(crate) fn main() -> Result<(), Failure> {
    let (offers, offered) = channel();
    let (answers, answered) = channel();
    let (leader, follower) = (Dancer::new(1)?, Dancer::new(2)?);
    let following = thread::spawn(move || follow(follower, &offered, &answers));
    let led = lead(leader, &offers, &answered)?;
    let followed = following.join().expect("no panic")?;
    println!("{led} steps led, {followed} followed");
    Ok(())
}
