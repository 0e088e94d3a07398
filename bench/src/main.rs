//! Pavane beside str0m and rtc: two peers in one process, under a virtual clock, the same driver for each.

mod alloc;
mod ours;
mod rtc;
mod stack;
mod str0m;
mod wire;

use std::time::Duration;

use clap::{Parser, ValueEnum};
use cpu_time::ProcessTime;

use crate::ours::Ours;
use crate::rtc::Rtc;
use crate::stack::Peer;
use crate::str0m::Str0m;
use crate::wire::Wire;

/// Measures Pavane beside other stacks and prints tables.
#[derive(Parser)]
struct Arguments {
    /// What to measure; everything if nothing is named.
    what: Vec<What>,
    /// Less of everything, for a first look.
    #[arg(long)]
    quick: bool,
    /// Pavane alone, for profilers.
    #[arg(long)]
    alone: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    Bulk,
    Small,
    Setup,
}

/// One measurement of a transfer.
struct Transfer {
    cpu: Duration,
    payload: u64,
    messages: u64,
    packets: u64,
    sender: f64,
    receiver: f64,
}

/// Sends `total` bytes of payload from the first peer to the second in messages of `size` bytes.
fn transfer<P: Peer>(size: usize, buffer: usize, total: u64) -> Transfer {
    let mut wire = Wire::<P>::new(1, buffer, Duration::from_millis(1), 0.0);
    wire.open(Duration::from_secs(60)).expect("it connects");
    let message = vec![7; size];
    // The windows open first.
    run::<P>(&mut wire, &message, total / 4);
    let (packets, allocations) = (wire.sent, wire.allocations);
    let start = ProcessTime::now();
    let messages = run::<P>(&mut wire, &message, total);
    let cpu = start.elapsed();
    let packets = [wire.sent[0] - packets[0], wire.sent[1] - packets[1]];
    let count = |end: usize| (wire.allocations[end] - allocations[end]).0 as f64;
    Transfer {
        cpu,
        payload: messages * size as u64,
        messages,
        packets: packets[0] + packets[1],
        sender: count(0) / packets[0] as f64,
        receiver: count(1) / messages as f64,
    }
}

/// Sends and receives `total` bytes more; returns the number of messages.
fn run<P: Peer>(wire: &mut Wire<P>, message: &[u8], total: u64) -> u64 {
    let (_, before) = wire.peers[1].received(wire.now);
    let count = total.div_ceil(message.len() as u64);
    let mut sent = 0;
    loop {
        let now = wire.now;
        while sent < count && wire.peers[0].send(now, message) {
            sent += 1;
        }
        let (_, messages) = wire.peers[1].received(now);
        if messages - before >= count {
            return count;
        }
        wire.step();
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The three stacks in turn, several times; a row for each, with the ratio to the better of the others.
fn compare(title: &str, rounds: usize, alone: bool, size: usize, buffer: usize, total: u64) {
    let mut results: [Vec<Transfer>; 3] = Default::default();
    for _ in 0..rounds {
        results[0].push(transfer::<Ours>(size, buffer, total));
        if !alone {
            results[1].push(transfer::<Str0m>(size, buffer, total));
            results[2].push(transfer::<Rtc>(size, buffer, total));
        }
    }
    let rate = |transfer: &Transfer| transfer.payload as f64 / transfer.cpu.as_secs_f64();
    let ratio =
        |n: usize| median(results[0].iter().zip(&results[n]).map(|(a, b)| rate(a) / rate(b)).collect());
    for (n, name) in [Ours::NAME, Str0m::NAME, Rtc::NAME].into_iter().enumerate() {
        let Some(last) = results[n].last() else { continue };
        let of = |figure: &dyn Fn(&Transfer) -> f64| median(results[n].iter().map(figure).collect());
        let micros = of(&|t| t.cpu.as_secs_f64() * 1e6 / t.packets as f64);
        let per_message = of(&|t| t.cpu.as_secs_f64() * 1e6 / t.messages as f64);
        println!(
            "| {title} | {name} | {:.0} | {micros:.2} | {per_message:.2} | {:.3} | {:.2} | {} |",
            of(&rate) / 1e6,
            last.sender,
            last.receiver,
            if n == 0 { "1".into() } else { format!("{:.2}", ratio(n)) },
        );
    }
}

fn transfers(arguments: &Arguments) {
    let rounds = if arguments.quick { 1 } else { 5 };
    let total = if arguments.quick { 32 << 20 } else { 128 << 20 };
    println!(
        "\nPayload per CPU second, both ends on one core; the last column is Pavane's rate over that stack's.\n"
    );
    println!(
        "| transfer | stack | MB/CPU s | µs/packet | µs/message | allocations/packet sending | allocations/message receiving | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    if wanted(arguments, What::Bulk) {
        for (label, buffer) in [("128 KiB", 128 << 10), ("1 MiB", 1 << 20), ("8 MiB", 8 << 20)] {
            let title = format!("16 KiB messages, {label} outstanding");
            compare(&title, rounds, arguments.alone, 16 << 10, buffer, total);
        }
    }
    if wanted(arguments, What::Small) {
        compare("50-byte messages", rounds, arguments.alone, 50, 64 << 10, total / 64);
    }
}

fn setups(arguments: &Arguments) {
    println!("\nUntil the channel is open at both ends, 100 ms of round trip.\n");
    println!("| loss | stack | median | 99th percentile | not open after 60 s | CPU for both, ms |");
    println!("|---|---|---|---|---|---|");
    for loss in [0.0, 0.1, 0.3] {
        setup::<Ours>(arguments, loss);
        if !arguments.alone {
            setup::<Str0m>(arguments, loss);
            setup::<Rtc>(arguments, loss);
        }
    }
}

fn setup<P: Peer>(arguments: &Arguments, loss: f64) {
    let seeds = if arguments.quick { 20 } else { 200 };
    let start = ProcessTime::now();
    let mut times: Vec<_> = (0..seeds)
        .filter_map(|seed| {
            Wire::<P>::new(seed, 1 << 20, Duration::from_millis(50), loss).open(Duration::from_secs(60))
        })
        .collect();
    let cpu = start.elapsed().as_secs_f64() * 1e3 / seeds as f64;
    times.sort();
    let at =
        |share: usize| times.get(times.len() * share / 100).map_or("-".into(), |time| format!("{time:.1?}"));
    println!(
        "| {:.0} % | {} | {} | {} | {} of {seeds} | {cpu:.2} |",
        loss * 100.0,
        P::NAME,
        at(50),
        at(99),
        seeds as usize - times.len(),
    );
}

fn wanted(arguments: &Arguments, what: What) -> bool {
    arguments.what.is_empty() || arguments.what.contains(&what)
}

fn main() {
    let arguments = Arguments::parse();
    if wanted(&arguments, What::Bulk) || wanted(&arguments, What::Small) {
        transfers(&arguments);
    }
    if wanted(&arguments, What::Setup) {
        setups(&arguments);
    }
}
