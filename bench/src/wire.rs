//! Two peers, a virtual clock, and a wire between them.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::alloc::{counted, uncounted};
use crate::stack::Peer;

/// The wire's nature, and the loop's.
#[derive(Clone, Copy)]
pub struct Weather {
    /// One way; the rate is infinite.
    pub delay: Duration,
    /// The share of datagrams that are lost.
    pub loss: f64,
    /// The greatest number of datagrams that a peer takes before it sends again: what a socket hands over at once.
    pub turn: usize,
}

/// A peer of each end, and what lies between them.
pub struct Wire<P> {
    pub now: Duration,
    pub peers: [P; 2],
    pub tallies: [Tally; 2],
    /// Whether allocations are counted.
    pub counts: bool,
    weather: Weather,
    rng: ChaCha8Rng,
    /// On the way to each end: the delay is constant, so that the first to leave is the first to arrive.
    in_flight: [VecDeque<(Duration, Vec<u8>)>; 2],
    spare: Vec<Vec<u8>>,
}

/// What an end has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Datagrams handed out.
    pub datagrams: u64,
    /// Allocations in the calls that give it messages, the message's own among them.
    pub sending: u64,
    /// Allocations in every other call.
    pub running: u64,
}

impl<P: Peer> Wire<P> {
    pub fn new(seed: u64, buffer: usize, weather: Weather) -> Self {
        let (alice, bob) = P::pair(seed, buffer);
        Self {
            now: Duration::ZERO,
            peers: [alice, bob],
            tallies: [Tally::default(); 2],
            counts: false,
            weather,
            rng: ChaCha8Rng::seed_from_u64(seed),
            in_flight: Default::default(),
            spare: Vec::new(),
        }
    }

    /// The first peer sends a message; whether it was taken.
    pub fn send(&mut self, message: &[u8]) -> bool {
        let (now, alice) = (self.now, &mut self.peers[0]);
        counted(self.counts, &mut self.tallies[0].sending, || alice.send(now, message))
    }

    /// A peer sees what happened and sends what is to be sent at this moment.
    pub fn turn(&mut self, end: usize) {
        let Self { now, peers, tallies, counts, weather, rng, in_flight, spare } = self;
        let Tally { datagrams, running, .. } = &mut tallies[end];
        let (peer, link) = (&mut peers[end], &mut in_flight[1 - end]);
        let mut carry = |datagram: &[u8]| {
            *datagrams += 1;
            if weather.loss == 0.0 || f64::from(rng.next_u32()) >= weather.loss * f64::from(u32::MAX) {
                let mut copy = spare.pop().unwrap_or_default();
                copy.extend_from_slice(datagram);
                link.push_back((*now + weather.delay, copy));
            }
        };
        counted(*counts, running, || {
            peer.attend(*now);
            peer.transmit(*now, &mut |datagram| uncounted(|| carry(datagram)));
        });
    }

    /// Moves on to the next moment at which something is due and does it; if that is after `until`, waits until then and
    /// tells that nothing happened.
    pub fn step(&mut self, until: Duration) -> bool {
        let arrival = self.in_flight.iter().filter_map(|link| link.front()).map(|(at, _)| *at).min();
        let timeout = self.peers.iter_mut().filter_map(Peer::timeout).min();
        // Some stacks ask to be called at once, and then again: a step of time keeps them from standing still.
        let next = arrival.into_iter().chain(timeout.map(|at| at.max(self.now + TICK))).min();
        let Some(next) = next.filter(|at| *at <= until) else {
            self.now = until;
            return false;
        };
        self.now = self.now.max(next);
        for end in 0..2 {
            while self.deliver(end) {
                self.turn(end);
            }
            if self.peers[end].timeout().is_some_and(|at| at <= self.now) {
                let (now, peer) = (self.now, &mut self.peers[end]);
                counted(self.counts, &mut self.tallies[end].running, || peer.handle_timeout(now));
                self.turn(end);
            }
        }
        true
    }

    /// Gives an end as many of the datagrams that have come as a turn takes; whether there were any.
    fn deliver(&mut self, end: usize) -> bool {
        let mut count = 0;
        while count < self.weather.turn
            && self.in_flight[end].front().is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, mut datagram)) = self.in_flight[end].pop_front()
        {
            let (now, peer) = (self.now, &mut self.peers[end]);
            counted(self.counts, &mut self.tallies[end].running, || peer.receive(now, &mut datagram));
            datagram.clear();
            self.spare.push(datagram);
            count += 1;
        }
        count > 0
    }

    /// Goes on until the channel is open at both ends; the time that it took, unless `patience` ends before.
    pub fn open(&mut self, patience: Duration) -> Option<Duration> {
        (0..2).for_each(|end| self.turn(end));
        while !self.peers.iter().all(Peer::is_open) {
            if !self.step(patience) {
                return None;
            }
        }
        Some(self.now)
    }
}

const TICK: Duration = Duration::from_micros(100);
