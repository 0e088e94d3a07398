//! From descriptions that both ends have to a channel that is open at both.

use std::time::Duration;

use cpu_time::ProcessTime;

use crate::stack::Peer;
use crate::wire::{Weather, Wire};
use crate::{Arguments, Stack, median, with_peer};

const ROUND_TRIP: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

/// What a set-up took.
struct Outcome {
    /// By the virtual clock, if it succeeded.
    time: Option<Duration>,
    /// Of both ends' processor, in milliseconds.
    cpu: f64,
}

/// Sets a connection up, certificates included.
fn set_up<P: Peer>(seed: u64, loss: f64, turn: usize) -> Outcome {
    let start = ProcessTime::now();
    let weather = Weather { delay: ROUND_TRIP / 2, loss, turn };
    let time = Wire::<P>::new(seed, 1 << 20, weather).open(PATIENCE);
    Outcome { time, cpu: start.elapsed().as_secs_f64() * 1e3 }
}

/// Set-ups that nobody measures, for profilers.
pub fn once<P: Peer>(amount: u64, turn: usize) {
    (0..amount).for_each(|seed| {
        set_up::<P>(seed, 0.0, turn);
    });
}

/// Prints the table.
pub fn report(arguments: &Arguments) {
    println!("\nUntil the channel is open at both ends; 100 ms of round trip; 60 s of patience.\n");
    println!("| loss | stack | median | in round trips | 99th percentile | failed | CPU for both, ms |");
    println!("|---|---|---|---|---|---|---|");
    let seeds = if arguments.quick { 50 } else { 500 };
    for loss in [0.0, 0.1, 0.3] {
        let mut rows: Vec<(Stack, Vec<Outcome>)> = arguments.stacks().map(|s| (s, Vec::new())).collect();
        for seed in 0..seeds {
            for (stack, row) in &mut rows {
                row.push(with_peer!(stack, set_up, seed, loss, arguments.turn));
            }
        }
        rows.into_iter().for_each(|(stack, row)| print(loss, stack, row));
    }
}

fn print(loss: f64, stack: Stack, mut row: Vec<Outcome>) {
    let cpu = median(row.iter().map(|outcome| outcome.cpu));
    // What failed took longer than any success.
    row.sort_by_key(|outcome| outcome.time.unwrap_or(Duration::MAX));
    let at = |share: usize| row[(row.len() * share / 100).min(row.len() - 1)].time;
    let show =
        |time: Option<Duration>| time.map_or("> 60 s".into(), |time| format!("{:.2} s", time.as_secs_f64()));
    println!(
        "| {:.0} % | {} | {} | {} | {} | {} of {} | {cpu:.2} |",
        loss * 100.0,
        stack.name(),
        show(at(50)),
        at(50).map_or("–".into(), |time| format!("{:.1}", time.as_secs_f64() / ROUND_TRIP.as_secs_f64())),
        show(at(99)),
        row.iter().filter(|outcome| outcome.time.is_none()).count(),
        row.len(),
    );
}
