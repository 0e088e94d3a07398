//! Two peers, a virtual clock, and a wire between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::alloc::{self, Allocations};
use crate::stack::Peer;

/// One peer of each end, and what lies between them.
pub struct Wire<P> {
    pub now: Duration,
    pub peers: [P; 2],
    delay: Duration,
    loss: f64,
    rng: ChaCha8Rng,
    in_flight: BinaryHeap<Reverse<(Duration, u64, usize, Vec<u8>)>>,
    spare: Vec<Vec<u8>>,
    /// Datagrams sent by each.
    pub sent: [u64; 2],
    /// Allocations made inside each.
    pub allocations: [Allocations; 2],
    number: u64,
}

impl<P: Peer> Wire<P> {
    pub fn new(seed: u64, buffer: usize, delay: Duration, loss: f64) -> Self {
        let (alice, bob) = P::pair(seed, buffer);
        Self {
            now: Duration::ZERO,
            peers: [alice, bob],
            delay,
            loss,
            rng: ChaCha8Rng::seed_from_u64(seed),
            in_flight: BinaryHeap::new(),
            spare: Vec::new(),
            sent: [0; 2],
            allocations: [Allocations::default(); 2],
            number: 0,
        }
    }

    /// Sends what is to be sent at this moment.
    pub fn flush(&mut self) {
        for end in 0..2 {
            let Self { now, peers, delay, loss, rng, in_flight, spare, sent, allocations, number } = self;
            let mut outside = Allocations::default();
            let all = alloc::count(|| {
                peers[end].transmit(*now, &mut |datagram| {
                    outside += alloc::count(|| {
                        sent[end] += 1;
                        *number += 1;
                        if f64::from(rng.next_u32()) >= *loss * f64::from(u32::MAX) {
                            let mut copy = spare.pop().unwrap_or_default();
                            copy.extend_from_slice(datagram);
                            in_flight.push(Reverse((*now + *delay, *number, 1 - end, copy)));
                        }
                    });
                });
            });
            allocations[end] += all - outside;
        }
    }

    /// Moves on to the next moment at which something is due.
    pub fn step(&mut self) {
        self.flush();
        let arrival = self.in_flight.peek().map(|Reverse((at, ..))| *at);
        let timeouts = [self.peers[0].timeout(), self.peers[1].timeout()];
        let Some(next) = timeouts.into_iter().chain([arrival]).flatten().min() else { return };
        // Some stacks ask to be called at once, and then again: a step of time keeps them from standing still.
        self.now = if arrival.is_some_and(|at| at <= next) { next } else { next.max(self.now + TICK) };
        while self.in_flight.peek().is_some_and(|Reverse((at, ..))| *at <= self.now) {
            let Reverse((_, _, to, mut datagram)) = self.in_flight.pop().unwrap();
            let now = self.now;
            self.allocations[to] += alloc::count(|| self.peers[to].receive(now, &mut datagram));
            datagram.clear();
            self.spare.push(datagram);
        }
        for end in 0..2 {
            if self.peers[end].timeout().is_some_and(|at| at <= self.now) {
                let now = self.now;
                self.allocations[end] += alloc::count(|| self.peers[end].handle_timeout(now));
            }
        }
        self.flush();
    }

    /// Goes on until the channel is open at both ends; the time that it took, unless `patience` ends before.
    pub fn open(&mut self, patience: Duration) -> Option<Duration> {
        while self.now < patience {
            if self.peers[0].is_open() && self.peers[1].is_open() {
                return Some(self.now);
            }
            self.step();
        }
        None
    }
}

const TICK: Duration = Duration::from_micros(100);
