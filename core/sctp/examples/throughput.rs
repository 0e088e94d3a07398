//! How long a packet takes through both ends of an association, without a network and without encryption.
//!
//! `cargo run --release --example throughput --features std [-- <message size> <mebibytes in flight>]`

use std::time::Instant as Clock;

use bytes::Bytes;
use pavane_base::Instant;
use pavane_sctp::{Association, Config, Ppid, SendOptions, StreamId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse::<usize>().ok());
    let sizes = arguments.next().map_or(vec![20, 1000, 16_384, 262_144], |size| vec![size]);
    let flights = arguments.next().map_or(vec![128 << 10, 1 << 20, 8 << 20], |mib| vec![mib << 20]);
    println!("{:>10} {:>12} {:>10} {:>12} {:>10}", "message", "in flight", "packets", "ns/packet", "Gbit/s");
    for size in &sizes {
        for flight in &flights {
            run(*size, *flight);
        }
    }
}

/// Sends for about a second with so many bytes under way.
fn run(size: usize, flight: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let config = || Config { receive_window: 64 << 20, max_buffered_send: 64 << 20, ..Config::default() };
    let (mut a, mut b) = (Association::new(config(), &mut rng), Association::new(config(), &mut rng));
    let mut now = Instant::from_millis(1);
    a.connect(now);
    b.connect(now);
    let message = Bytes::from(vec![1; size]);
    let mut buffers = [Vec::with_capacity(flight * 2), Vec::with_capacity(1 << 20)];
    let mut lengths = [Vec::new(), Vec::new()];
    let (mut packets, mut begin, mut bytes) = (0_u64, Clock::now(), 0_u64);
    let mut warm = false;
    while begin.elapsed().as_millis() < 700 {
        while a.buffered_amount(StreamId(1)) < 2 * flight
            && a.send(now, StreamId(1), Ppid(53), message.clone(), SendOptions::default()).is_ok()
        {}
        // Everything that may be under way is, then it arrives.
        now += core::time::Duration::from_micros(100);
        for (side, from) in [&mut a, &mut b].into_iter().enumerate() {
            buffers[side].clear();
            lengths[side].clear();
            while buffers[side].len() < flight
                && let Some(len) = from.poll_transmit(now, &mut buffers[side])
            {
                lengths[side].push(len);
            }
        }
        let mut at = 0;
        for len in &lengths[1] {
            a.handle_packet(now, &buffers[1][at..at + len]);
            at += len;
        }
        packets += lengths[1].len() as u64 * u64::from(warm);
        let mut at = 0;
        for (index, len) in lengths[0].iter().enumerate() {
            b.handle_packet(now, &buffers[0][at..at + len]);
            at += len;
            // A SACK for every second packet, as if they came one by one.
            if index % 2 == 1 {
                buffers[1].clear();
                if let Some(len) = b.poll_transmit(now, &mut buffers[1]) {
                    a.handle_packet(now, &buffers[1][..len]);
                    packets += u64::from(warm);
                }
            }
        }
        packets += lengths[0].len() as u64 * u64::from(warm);
        while let Some(got) = b.recv(StreamId(1)) {
            bytes += got.payload.len() as u64 * u64::from(warm);
        }
        while a.poll_event().is_some() {}
        while b.poll_event().is_some() {}
        if !warm && begin.elapsed().as_millis() > 200 {
            warm = true;
            begin = Clock::now();
        }
    }
    let time = begin.elapsed();
    println!(
        "{:>10} {:>12} {:>10} {:>12.0} {:>10.2}",
        size,
        a.stats().congestion_window.min(flight as u64),
        packets,
        time.as_nanos() as f64 / packets as f64,
        bytes as f64 * 8.0 / time.as_nanos() as f64,
    );
}
