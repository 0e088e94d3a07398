//! A server that passes on what one peer sends to many.
//!
//! One connection receives each packet once; fifty, each with a peer of its own at the other end, send it on, and all
//! share its payload. Measured is the server alone: the publisher's datagrams are made before, and what the server sends is
//! counted and dropped. Before that everything arrives, so that reports have come: what is sent until the first does not
//! count.

use std::time::Duration;

use cpu_time::ProcessTime;

use super::peer::MediaPeer;
use super::{Call, Profile, TURN, in_turn, ratios, with_media_peer};
use crate::alloc::{counted, uncounted};
use crate::{Arguments, Stack, median};

const SUBSCRIBERS: usize = 50;
const SIZE: usize = 1200;
const BURSTS: [u64; 2] = [1, 10];

struct Server<P: MediaPeer> {
    /// The publisher, and the end that receives.
    publishing: Call<P>,
    /// The ends that send, and the subscribers.
    subscribed: Vec<Call<P>>,
    /// How many packets come at a time.
    burst: u64,
    counts: bool,
    allocations: u64,
    sent: u64,
    cpu: Duration,
}

impl<P: MediaPeer> Server<P> {
    fn new(burst: u64) -> Option<Self> {
        let profile = Profile::AeadAes128Gcm;
        let publishing = Call::connect(profile)?;
        let subscribed = (0..SUBSCRIBERS).map(|_| Call::connect(profile)).collect::<Option<_>>()?;
        Some(Self {
            publishing,
            subscribed,
            burst,
            counts: false,
            allocations: 0,
            sent: 0,
            cpu: Duration::ZERO,
        })
    }

    /// Passes on `count` packets, which arrive, and what the subscribers say to them.
    fn warm_up(&mut self, count: u64, payload: &P::Payload) {
        for _ in 0..count / self.burst {
            // Slower than what is measured: reports are seconds apart.
            self.publishing.now += 9 * TURN;
            let datagrams = self.publish(payload);
            self.receive(datagrams);
            let Call { now, peers: [publisher, receiving], .. } = &mut self.publishing;
            attend(*now, receiving, &mut |datagram| publisher.receive(*now, datagram));
            for call in &mut self.subscribed {
                call.now = *now - TURN;
                call.pass();
            }
        }
    }

    /// Passes on `count` packets.
    fn run(&mut self, count: u64, payload: &P::Payload) {
        for _ in 0..count / self.burst {
            let datagrams = self.publish(payload);
            let start = ProcessTime::now();
            let (counts, mut allocations) = (self.counts, self.allocations);
            counted(counts, &mut allocations, || self.serve(datagrams));
            self.allocations = allocations;
            self.cpu += start.elapsed();
        }
    }

    /// What the publisher sends at the next moment.
    fn publish(&mut self, payload: &P::Payload) -> Vec<Vec<u8>> {
        let Call { now, peers: [publisher, _], written, .. } = &mut self.publishing;
        *now += TURN;
        (*written..*written + self.burst).for_each(|number| publisher.write(*now, number, payload));
        *written += self.burst;
        if publisher.timeout().is_some_and(|at| at <= *now) {
            publisher.handle_timeout(*now);
        }
        let mut datagrams = Vec::new();
        publisher.transmit(*now, &mut |datagram| datagrams.push(datagram.to_vec()));
        datagrams
    }

    /// What the server does at a moment.
    fn serve(&mut self, datagrams: Vec<Vec<u8>>) {
        self.receive(datagrams);
        let Call { now, peers: [publisher, receiving], .. } = &mut self.publishing;
        let now = *now;
        attend(now, receiving, &mut |datagram| uncounted(|| publisher.receive(now, datagram)));
        for call in &mut self.subscribed {
            attend(now, &mut call.peers[0], &mut |_| self.sent += 1);
        }
    }

    /// Takes what the publisher has sent and gives it to all who pass it on.
    fn receive(&mut self, datagrams: Vec<Vec<u8>>) {
        let Call { now, peers: [_, receiving], .. } = &mut self.publishing;
        for datagram in &datagrams {
            let Some(packet) = receiving.receive_packet(*now, datagram) else { continue };
            self.subscribed.iter_mut().for_each(|call| call.peers[0].forward(*now, &packet));
        }
    }
}

fn attend<P: MediaPeer>(now: Duration, peer: &mut P, out: &mut dyn FnMut(&mut [u8])) {
    if peer.timeout().is_some_and(|at| at <= now) {
        peer.handle_timeout(now);
    }
    peer.transmit(now, out);
}

/// What the server did.
struct Measurement {
    /// Packets sent in a second of the processor's time.
    rate: f64,
    /// For each packet that was sent.
    allocations: f64,
}

/// Measures `count` packets of the publisher's, after as many as histories keep.
fn measure<P: MediaPeer>(burst: u64, count: u64, counts: bool) -> Option<Measurement> {
    const WARM_UP: u64 = 3000;
    let mut server = Server::<P>::new(burst)?;
    let payload = P::payload(&[7; SIZE]);
    server.warm_up(WARM_UP, &payload);
    server.counts = counts;
    (server.allocations, server.sent, server.cpu) = (0, 0, Duration::ZERO);
    server.run(count, &payload);
    assert!(server.sent >= count * SUBSCRIBERS as u64, "{}: every packet is passed on", P::NAME);
    let sent = (count * SUBSCRIBERS as u64) as f64;
    Some(Measurement { rate: sent / server.cpu.as_secs_f64(), allocations: server.allocations as f64 / sent })
}

/// A server that nobody measures, for profilers.
pub fn once(stack: Stack, count: u64) {
    with_media_peer!(stack, measure, BURSTS[1], count, false);
}

/// Prints the table.
pub fn report(arguments: &Arguments) {
    println!("\nOne publisher, {SUBSCRIBERS} subscribers, payloads of {SIZE} bytes, AES-128-GCM.\n");
    println!(
        "| at a time | stack | packets sent in a CPU second | allocations a packet | Pavane is faster by |"
    );
    println!("|---|---|---|---|---|");
    let rounds = arguments.rounds.unwrap_or(if arguments.quick { 3 } else { 7 });
    let count = if arguments.quick { 500 } else { 2000 };
    for burst in BURSTS {
        let one = |stack: Stack, count, counts| with_media_peer!(stack, measure, burst, count, counts);
        let rows = in_turn(arguments, rounds, |stack| one(stack, count, false));
        for (stack, row) in &rows {
            let Some(counted) = one(*stack, count / 2, true) else { continue };
            println!(
                "| {burst} | {} | {:.2} million | {:.3} | {} |",
                stack.name(),
                median(row.iter().map(|m| m.rate)) / 1e6,
                counted.allocations,
                ratios(&rows, row, *stack, |m| 1.0 / m.rate),
            );
        }
    }
}
