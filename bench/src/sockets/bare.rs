//! The minimal loop: two sockets, a poll, and a stack that is given each datagram as it comes.

use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use quinn_udp::UdpSocketState;

use super::{Amount, Calls, ECHO, Round, SIZE};
use crate::stack::Peer;

/// A peer and its socket.
struct End<P> {
    peer: P,
    socket: UdpSocket,
}

/// Both ends; a sender has so much under way at most.
struct Loop<P, const OUTSTANDING: usize> {
    ends: [End<P>; 2],
    start: Instant,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    calls: Calls,
}

/// Datagrams that an end receives before it sends.
const TURN: usize = 32;

/// What the stacks' own drivers ask the system to buffer, too.
const SYSTEM_BUFFER: usize = 2 << 20;

/// Connects two peers, and measures.
pub fn run<P: Peer, const OUTSTANDING: usize>(amount: Amount) -> Round {
    let mut this = Loop::<P, OUTSTANDING>::new();
    while !this.ends.iter().all(|end| end.peer.is_open()) {
        this.turn();
    }
    this.transfer(amount.messages / 4);
    this.calls = Calls::default();
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    this.transfer(amount.messages);
    let (cpu, wall, calls) = (cpu.elapsed(), wall.elapsed(), Some(this.calls));
    Round { cpu, wall, calls, echoes: (0..amount.echoes).map(|_| this.echo()).collect() }
}

impl<P: Peer, const OUTSTANDING: usize> Loop<P, OUTSTANDING> {
    fn new() -> Self {
        let sockets = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let poll = Poll::new().unwrap();
        for (index, socket) in sockets.iter().enumerate() {
            let state = UdpSocketState::new(socket.into()).unwrap();
            let _ = state.set_send_buffer_size(socket.into(), SYSTEM_BUFFER);
            let _ = state.set_recv_buffer_size(socket.into(), SYSTEM_BUFFER);
            socket.connect(sockets[1 - index].local_addr().unwrap()).unwrap();
            let registry = poll.registry();
            registry.register(&mut SourceFd(&socket.as_raw_fd()), Token(index), Interest::READABLE).unwrap();
        }
        let (alice, bob) = P::pair(1, OUTSTANDING);
        let [first, second] = sockets;
        Self {
            ends: [End { peer: alice, socket: first }, End { peer: bob, socket: second }],
            start: Instant::now(),
            poll,
            events: Events::with_capacity(8),
            buffer: vec![0; 1 << 16],
            calls: Calls::default(),
        }
    }

    /// Lets both ends do what there is to do, and waits if there is nothing.
    fn turn(&mut self) {
        let mut busy = false;
        for index in 0..2 {
            busy |= self.receive(index);
            self.follow_up(index);
        }
        if !busy {
            let now = self.start.elapsed();
            let next = self.ends.iter_mut().filter_map(|end| end.peer.timeout()).min();
            let wait = next.map_or(Duration::from_secs(1), |at| at.saturating_sub(now));
            self.poll.poll(&mut self.events, Some(wait)).unwrap();
        }
    }

    /// Receives for an end; returns whether there was something, or something due.
    fn receive(&mut self, index: usize) -> bool {
        let end = &mut self.ends[index];
        let now = self.start.elapsed();
        let mut busy = false;
        for _ in 0..TURN {
            self.calls.receives += 1;
            let Ok(len) = end.socket.recv(&mut self.buffer) else { break };
            end.peer.receive(now, &mut self.buffer[..len]);
            busy = true;
        }
        if end.peer.timeout().is_some_and(|at| at <= now) {
            end.peer.handle_timeout(now);
            busy = true;
        }
        busy
    }

    fn follow_up(&mut self, index: usize) {
        let End { peer, socket } = &mut self.ends[index];
        let now = self.start.elapsed();
        peer.attend(now);
        peer.transmit(now, &mut |datagram| {
            // What the system does not take is lost on the way, as it may be.
            let _ = socket.send(datagram);
            self.calls.sends += 1;
            self.calls.datagrams += 1;
        });
    }

    fn send(&mut self, index: usize, message: &[u8]) -> bool {
        self.ends[index].peer.send(self.start.elapsed(), message)
    }

    fn transfer(&mut self, messages: u64) {
        let message = vec![7; SIZE];
        let until = self.ends[1].peer.received() + messages;
        let mut sent = 0;
        while self.ends[1].peer.received() < until {
            let now = self.start.elapsed();
            while sent < messages
                && self.ends[0].peer.outstanding(now) + SIZE <= OUTSTANDING
                && self.send(0, &message)
            {
                sent += 1;
            }
            self.follow_up(0);
            self.turn();
        }
    }

    fn echo(&mut self) -> Duration {
        let start = Instant::now();
        for index in 0..2 {
            let before = self.ends[1 - index].peer.received();
            while !self.send(index, &[7; ECHO]) {
                self.turn();
            }
            self.follow_up(index);
            while self.ends[1 - index].peer.received() == before {
                self.turn();
            }
        }
        start.elapsed()
    }
}
