//! One message of a gibibyte, the largest that is sent, from one end to the other in virtual time.
//!
//! `cargo run --release --example gibibyte -p pavane-sctp --features std [-- <mebibytes>]`

use core::time::Duration;
use std::time::Instant as Clock;

use bytes::Bytes;
use pavane_base::Instant;
use pavane_sctp::{Association, Config, Ppid, SendError, SendOptions, State, StreamId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const GIBIBYTE: usize = 1 << 30;
const STREAM: StreamId = StreamId(1);
const PPID: Ppid = Ppid(53);

fn main() {
    let mebibytes = std::env::args().nth(1).and_then(|a| a.parse::<usize>().ok());
    let size = mebibytes.map_or(GIBIBYTE, |count| count << 20);
    // A pattern whose length is prime: no two fragments are alike.
    let pattern: Vec<u8> = (0..251).collect();
    let message: Bytes = pattern.iter().copied().cycle().take(size).collect::<Vec<_>>().into();
    for interleaving in [false, true] {
        let begin = Clock::now();
        transfer(&message, interleaving);
        let form = if interleaving { "I-DATA" } else { "DATA" };
        println!("{size} bytes by {form} in {:?}", begin.elapsed());
    }
}

/// Sends the message, after one that is too large.
fn transfer(message: &Bytes, interleaving: bool) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let config = || Config { interleaving, max_message_size: GIBIBYTE, ..Config::default() };
    let mut ends = [Association::new(config(), &mut rng), Association::new(config(), &mut rng)];
    let mut now = Instant::from_millis(1);
    ends.iter_mut().for_each(|end| end.connect(now));
    turn(&mut ends, now, [&mut Vec::new(), &mut Vec::new()]);
    let too_large = Bytes::from(vec![0; GIBIBYTE + 1]);
    let mut buffers = [Vec::new(), Vec::new()];
    let mut sent = false;
    loop {
        if !sent && ends[0].state() == State::Established {
            let refused = ends[0].send(now, STREAM, PPID, too_large.clone(), SendOptions::default());
            assert_eq!(refused, Err(SendError::TooLarge));
            ends[0].send(now, STREAM, PPID, message.clone(), SendOptions::default()).expect("it is accepted");
            sent = true;
        }
        let [first, second] = &mut buffers;
        turn(&mut ends, now, [first, second]);
        if let Some(received) = ends[1].recv(STREAM) {
            assert!(received.payload == *message, "a byte is wrong");
            return;
        }
        now += Duration::from_millis(1);
        ends.iter_mut()
            .filter(|end| end.poll_timeout().is_some_and(|at| at <= now))
            .for_each(|end| end.handle_timeout(now));
    }
}

/// Everything that can be sent is, and arrives at once.
fn turn(ends: &mut [Association; 2], now: Instant, buffers: [&mut Vec<u8>; 2]) {
    let [a, b] = ends;
    let [from_a, from_b] = buffers;
    loop {
        let sent = carry(a, b, now, from_a) + carry(b, a, now, from_b);
        while a.poll_event().is_some() || b.poll_event().is_some() {}
        if sent == 0 {
            return;
        }
    }
}

/// Up to a socket's buffer full of packets; how many there were.
fn carry(from: &mut Association, to: &mut Association, now: Instant, packet: &mut Vec<u8>) -> usize {
    let mut count = 0;
    while count < 256 && from.poll_transmit(now, packet).is_some() {
        to.handle_packet(now, packet);
        packet.clear();
        count += 1;
    }
    count
}
