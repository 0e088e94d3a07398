//! SRTP alone: packets protected and unprotected, beside libsrtp2 and the published crates of webrtc-rs.
//!
//! Each takes a plain packet as it takes it best, in place where it can, and gives a protected one; then all of these are
//! unprotected by the other side. One source, numbers in order, replay windows everywhere.

use std::time::Instant;

use pavane::srtp::Profile;

use crate::media::{PROFILES, SIZES};
use crate::{Arguments, median};

mod engines;
mod libsrtp2;

use engines::{Engine, ours, rtc, webrtc};

/// As many packets as fit into a processor's second cache.
const BATCH: usize = 128;

/// What one packet takes, in nanoseconds.
#[derive(Clone, Copy)]
struct Times {
    protect: f64,
    unprotect: f64,
}

/// One engine's packets, round by round.
struct Row {
    name: &'static str,
    engine: Box<dyn Engine>,
    next: u16,
    rounds: Vec<Times>,
}

impl Row {
    fn measure(&mut self, size: usize, batches: usize) {
        let mut times = Times { protect: 0.0, unprotect: 0.0 };
        for _ in 0..batches {
            let packets = (0..BATCH).map(|_| self.packet(size)).collect();
            self.engine.load(packets);
            let start = Instant::now();
            self.engine.protect();
            let protected = Instant::now();
            self.engine.unprotect();
            times.unprotect += protected.elapsed().as_secs_f64();
            times.protect += (protected - start).as_secs_f64();
        }
        let scale = 1e9 / (batches * BATCH) as f64;
        self.rounds.push(Times { protect: times.protect * scale, unprotect: times.unprotect * scale });
    }

    fn packet(&mut self, size: usize) -> Vec<u8> {
        // What is appended to it finds room.
        let mut packet = Vec::with_capacity(size + 64);
        packet.extend_from_slice(&[0x80, 96]);
        packet.extend_from_slice(&self.next.to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2]);
        packet.resize(12 + size, 7);
        self.next = self.next.wrapping_add(1);
        packet
    }
}

/// Prints the table.
pub fn report(arguments: &Arguments) {
    println!("\nSRTP alone, nanoseconds a packet.\n");
    println!("| profile | payload | by | protect | unprotect | both | Pavane is faster by |");
    println!("|---|---|---|---|---|---|---|");
    let rounds = arguments.rounds.unwrap_or(if arguments.quick { 5 } else { 25 });
    for (name, profile) in PROFILES {
        for size in SIZES {
            let mut rows = rows(profile);
            for _ in 0..rounds {
                rows.iter_mut().for_each(|row| row.measure(size, 20));
            }
            rows.iter().for_each(|row| print(name, size, &rows[0], row));
        }
    }
}

fn rows(profile: Profile) -> Vec<Row> {
    let keys = engines::Keys::of(profile);
    let all: [(&str, Option<Box<dyn Engine>>); 4] = [
        ("pavane", ours(&keys)),
        ("libsrtp2", libsrtp2::engine(&keys)),
        ("rtc-srtp", rtc(&keys)),
        ("webrtc-srtp", webrtc(&keys)),
    ];
    let known = all.into_iter().filter_map(|(name, engine)| Some((name, engine?)));
    known.map(|(name, engine)| Row { name, engine, next: 0, rounds: Vec::new() }).collect()
}

fn print(profile: &str, size: usize, ours: &Row, row: &Row) {
    let of = |time: fn(&Times) -> f64| median(row.rounds.iter().map(time));
    let both = |times: &Times| times.protect + times.unprotect;
    let ratio = median(ours.rounds.iter().zip(&row.rounds).map(|(ours, other)| both(other) / both(ours)));
    println!(
        "| {profile} | {size} | {} | {:.0} | {:.0} | {:.0} | {} |",
        row.name,
        of(|times| times.protect),
        of(|times| times.unprotect),
        of(|times| times.protect + times.unprotect),
        if row.name == ours.name { "–".into() } else { format!("**{ratio:.2}**") },
    );
}
