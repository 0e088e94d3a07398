//! A path of a given rate, round trip and loss between two programs: a UDP relay that each takes for the other.
//!
//! `relay ADDRESS MBIT RTT-MS LOSS-PERCENT` prints the port at which it is found and reads the port behind it from its
//! standard input. Each address that sends to it gets a port of its own towards the other side, as with a NAT. Ahead of the
//! rate, either way, there is a queue of twice what is under way.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, rate, rtt, loss] = &arguments[..] else { panic!("ADDRESS MBIT RTT-MS LOSS-PERCENT") };
    let address: IpAddr = address.parse().expect("an address");
    let [rate, rtt, loss] = [rate, rtt, loss].map(|number| number.parse::<f64>().expect("a number"));
    let near = bind(address);
    println!("{}", near.local_addr().expect("it is bound").port());
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).expect("a line");
    let behind = SocketAddr::new(address, line.trim().parse().expect("a port"));
    std::thread::spawn(|| {
        // Whoever started it holds the other end.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let way = || Way::new(rate * 125_000.0, Duration::from_secs_f64(rtt / 2000.0), loss / 100.0);
    Relay { near, behind, guests: Vec::new(), known: HashMap::new(), ways: [way(), way()] }.run(address)
}

fn bind(address: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).expect("a port");
    socket.set_nonblocking(true).expect("sockets can be that");
    socket
}

struct Relay {
    near: UdpSocket,
    behind: SocketAddr,
    /// Who sends to us, and the socket that stands for each towards the other side.
    guests: Vec<(SocketAddr, UdpSocket)>,
    known: HashMap<SocketAddr, usize>,
    /// Towards the other side, and back.
    ways: [Way; 2],
}

/// One direction.
struct Way {
    bytes_per_second: f64,
    delay: Duration,
    loss: f64,
    rng: ChaCha8Rng,
    free_at: Instant,
    queue: VecDeque<Waiting>,
}

/// A datagram on its way.
struct Waiting {
    due: Instant,
    guest: usize,
    datagram: Vec<u8>,
}

impl Way {
    fn new(bytes_per_second: f64, delay: Duration, loss: f64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(1);
        Self { bytes_per_second, delay, loss, rng, free_at: Instant::now(), queue: VecDeque::new() }
    }

    fn take(&mut self, guest: usize, datagram: &[u8]) {
        let now = Instant::now();
        let lost = f64::from(self.rng.next_u32()) < self.loss * f64::from(u32::MAX);
        let begins = self.free_at.max(now);
        if lost || begins - now > self.delay * 4 {
            return;
        }
        self.free_at =
            begins + Duration::from_secs_f64((datagram.len() + HEADERS) as f64 / self.bytes_per_second);
        let due = self.free_at + self.delay;
        self.queue.push_back(Waiting { due, guest, datagram: datagram.to_vec() });
    }

    fn due(&mut self) -> Option<(usize, Vec<u8>)> {
        self.queue.front().filter(|next| next.due <= Instant::now())?;
        self.queue.pop_front().map(|Waiting { guest, datagram, .. }| (guest, datagram))
    }
}

/// Of IPv4 and UDP.
const HEADERS: usize = 28;

impl Relay {
    fn run(mut self, address: IpAddr) -> ! {
        let mut buffer = [0; 65_536];
        loop {
            let mut idle = true;
            for _ in 0..256 {
                let Some((len, from)) = receive(&self.near, &mut buffer) else { break };
                idle = false;
                let guest = *self.known.entry(from).or_insert_with(|| {
                    self.guests.push((from, bind(address)));
                    self.guests.len() - 1
                });
                self.ways[0].take(guest, &buffer[..len]);
            }
            for (guest, (_, socket)) in self.guests.iter().enumerate() {
                for _ in 0..256 {
                    let Some((len, _)) = receive(socket, &mut buffer) else { break };
                    idle = false;
                    self.ways[1].take(guest, &buffer[..len]);
                }
            }
            // What a full socket does not take is lost, as on any path.
            while let Some((guest, datagram)) = self.ways[0].due() {
                let _ = self.guests[guest].1.send_to(&datagram, self.behind);
            }
            while let Some((guest, datagram)) = self.ways[1].due() {
                let _ = self.near.send_to(&datagram, self.guests[guest].0);
            }
            if idle {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
}

fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    match socket.recv_from(buffer) {
        Ok(received) => Some(received),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused) => None,
        Err(error) => panic!("{error}"),
    }
}
