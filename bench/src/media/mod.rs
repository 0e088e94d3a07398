//! Packets of RTP from one peer to another: written, protected, received, unprotected, handed over.
//!
//! Both ends in one process, under a virtual clock; a datagram goes from one's hands into the other's without a copy
//! between. Packets are written one at a time, as sound is, or ten, as a picture's are; times are a millisecond apart.

use std::time::Duration;

use cpu_time::ProcessTime;

use crate::alloc::{counted, uncounted};
use crate::{Arguments, Stack, median};

pub mod fanout;
mod ours;
mod peer;
mod rtc;
mod str0m;

use peer::MediaPeer;
pub use peer::Profile;

/// Those that are measured, by name.
pub const PROFILES: [(&str, Profile); 4] = [
    ("AES-128-GCM", Profile::AeadAes128Gcm),
    ("AES-256-GCM", Profile::AeadAes256Gcm),
    ("AES-CM, HMAC-SHA1-80", Profile::Aes128CmHmacSha1_80),
    ("AES-CM, HMAC-SHA1-32", Profile::Aes128CmHmacSha1_32),
];

/// Lengths of payloads: sound, and pictures.
pub const SIZES: [usize; 2] = [160, 1200];

/// What is written: the length of payloads, and how many at a time.
#[derive(Clone, Copy)]
struct Load {
    size: usize,
    burst: u64,
}

const LOADS: [Load; 3] =
    [Load { size: 160, burst: 1 }, Load { size: 1200, burst: 1 }, Load { size: 1200, burst: 10 }];

/// Between bursts.
const TURN: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls a function that is generic over [`MediaPeer`] with the type that a [`Stack`] names.
macro_rules! with_media_peer {
    ($stack:expr, $($function:ident)::+, $($argument:expr),*) => {
        match $stack {
            $crate::Stack::Pavane => $($function)::+::<$crate::media::ours::Ours>($($argument),*),
            $crate::Stack::Str0m => $($function)::+::<$crate::media::str0m::Str0m>($($argument),*),
            $crate::Stack::Rtc => $($function)::+::<$crate::media::rtc::Rtc>($($argument),*),
        }
    };
}
use with_media_peer;

/// A sender, a receiver, and nothing between.
struct Call<P: MediaPeer> {
    now: Duration,
    peers: [P; 2],
    written: u64,
    /// Whether allocations are counted, and how many there were at each end.
    counts: bool,
    allocations: [u64; 2],
    /// The length of the last datagram that the sender sent.
    datagram: usize,
}

impl<P: MediaPeer> Call<P> {
    /// A call whose ends have found each other.
    fn connect(profile: Profile) -> Option<Self> {
        let (alice, bob) = P::pair(profile)?;
        let peers = [alice, bob];
        let mut call =
            Self { now: Duration::ZERO, peers, written: 0, counts: false, allocations: [0; 2], datagram: 0 };
        while !call.peers.iter().all(P::is_connected) {
            assert!(call.now < PATIENCE, "{} connects", P::NAME);
            call.pass();
        }
        // Let what follows a handshake pass.
        (0..100).for_each(|_| call.pass());
        Some(call)
    }

    /// A moment passes: what is due is done, and what is sent arrives.
    fn pass(&mut self) {
        self.now += TURN;
        for end in 0..2 {
            let (now, peer) = (self.now, &mut self.peers[end]);
            if peer.timeout().is_some_and(|at| at <= now) {
                counted(self.counts, &mut self.allocations[end], || peer.handle_timeout(now));
            }
            self.carry(end);
        }
    }

    /// Takes to the other end what one sends.
    fn carry(&mut self, from: usize) {
        let Self { now, peers: [alice, bob], counts, allocations: [first, second], datagram, .. } = self;
        let (now, counts) = (*now, *counts);
        let (peer, other, own, others) =
            if from == 0 { (alice, bob, first, second) } else { (bob, alice, second, first) };
        let mut len = 0;
        counted(counts, own, || {
            peer.transmit(now, &mut |bytes| {
                len = bytes.len();
                uncounted(|| counted(counts, others, || other.receive(now, bytes)));
            });
        });
        if from == 0 && len > 0 {
            *datagram = len;
        }
    }

    /// Sends packets until so many more were received.
    fn run(&mut self, count: u64, burst: u64, payload: &P::Payload) {
        let end = self.peers[1].received() + count;
        let written_until = self.written + count;
        while self.written < written_until {
            let (now, alice) = (self.now, &mut self.peers[0]);
            for number in self.written..self.written + burst {
                counted(self.counts, &mut self.allocations[0], || alice.write(now, number, payload));
            }
            self.written += burst;
            self.pass();
        }
        assert_eq!(self.peers[1].received(), end, "{}: every packet arrives", P::NAME);
    }
}

/// What a packet costs.
struct Measurement {
    nanoseconds: f64,
    allocations: [f64; 2],
    datagram: usize,
}

/// Measures `count` packets, after so many that histories and buffers are what they will be.
fn measure<P: MediaPeer>(profile: Profile, load: Load, count: u64, counts: bool) -> Option<Measurement> {
    const WARM_UP: u64 = 2000;
    let mut call = Call::<P>::connect(profile)?;
    let payload = P::payload(&vec![7; load.size]);
    call.run(WARM_UP, load.burst, &payload);
    call.counts = counts;
    call.allocations = [0; 2];
    let start = ProcessTime::now();
    call.run(count, load.burst, &payload);
    Some(Measurement {
        nanoseconds: start.elapsed().as_secs_f64() * 1e9 / count as f64,
        allocations: call.allocations.map(|number| number as f64 / count as f64),
        datagram: call.datagram,
    })
}

/// Packets that nobody measures, for profilers.
pub fn once(stack: Stack, count: u64) {
    with_media_peer!(stack, measure, Profile::AeadAes128Gcm, LOADS[2], count, false);
}

/// Prints the table.
pub fn report(arguments: &Arguments) {
    println!("\nPackets of RTP from one peer to another, both ends.\n");
    println!(
        "| profile | payload | at a time | stack | ns a packet | datagram | allocations, sender | receiver | Pavane is faster by |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let rounds = arguments.rounds.unwrap_or(if arguments.quick { 3 } else { 9 });
    let count = if arguments.quick { 5_000 } else { 20_000 };
    for (name, profile) in PROFILES {
        for load in LOADS {
            let one =
                |stack: Stack, count, counts| with_media_peer!(stack, measure, profile, load, count, counts);
            let rows = in_turn(arguments, rounds, |stack| one(stack, count, false));
            for (stack, row) in &rows {
                let Some(counted) = one(*stack, count / 4, true) else { continue };
                let [sender, receiver] = counted.allocations;
                println!(
                    "| {name} | {} | {} | {} | {:.0} | {} | {sender:.2} | {receiver:.2} | {} |",
                    load.size,
                    load.burst,
                    stack.name(),
                    median(row.iter().map(|m| m.nanoseconds)),
                    counted.datagram,
                    ratios(&rows, row, *stack, |m| m.nanoseconds),
                );
            }
        }
    }
}

/// Measures the stacks by turns, so that a busy machine slows them alike; those that cannot are left out.
fn in_turn<T>(
    arguments: &Arguments,
    rounds: usize,
    mut measure: impl FnMut(Stack) -> Option<T>,
) -> Vec<(Stack, Vec<T>)> {
    let mut rows: Vec<(Stack, Vec<T>)> = arguments.stacks().map(|stack| (stack, Vec::new())).collect();
    for _ in 0..rounds {
        for (stack, row) in &mut rows {
            row.extend(measure(*stack));
        }
    }
    rows.retain(|(_, row)| !row.is_empty());
    rows
}

/// A row's times to those of the first in each round: the median, the least and the greatest.
fn ratios<T>(rows: &[(Stack, Vec<T>)], row: &[T], stack: Stack, time: impl Fn(&T) -> f64) -> String {
    let Some((Stack::Pavane, ours)) = rows.first() else { return "–".into() };
    if stack == Stack::Pavane {
        return "–".into();
    }
    let ratios: Vec<f64> = ours.iter().zip(row).map(|(ours, other)| time(other) / time(ours)).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ratios.iter().copied().fold(0.0, f64::max);
    format!("**{:.2}** ({least:.2} to {greatest:.2})", median(ratios.into_iter()))
}
