//! One channel through real sockets on the loopback interface: what a byte costs, system calls and all, and how long an echo
//! takes.
//!
//! Both ends are in this process and on one thread, so that the processor's time is that of both, and an echo waits for no
//! other core. On tokio and mio the stacks bring drivers of their own, and are as they come; in the minimal loop ([`bare`]) each is
//! driven alike, datagram by datagram, through [`crate::stack::Peer`]. Buffers of the system are as large as it gives.

mod bare;
mod ours;
mod reactor;
mod theirs;

use std::time::Duration;

use crate::ours::Ours;
use crate::rtc::Rtc;
use crate::str0m::Str0m;
use crate::{Arguments, Stack, median};

/// What a message of the transfer holds.
const SIZE: usize = 16 << 10;

/// What an echoed message holds.
const ECHO: usize = 100;

/// What a sender has under way at most.
const OUTSTANDING: usize = 1 << 20;

/// The same of a second row in the minimal loop: what a stack does for each datagram may grow with what is under way.
const FEW_OUTSTANDING: usize = 128 << 10;

/// Messages of a round, and echoes.
#[derive(Clone, Copy)]
pub struct Amount {
    messages: u64,
    echoes: usize,
}

/// What a round came to.
#[derive(Default)]
pub struct Round {
    /// The processor's time for the transfer, both ends'.
    cpu: Duration,
    /// The clock's.
    wall: Duration,
    /// Calls of the system that send and that receive, and the datagrams that were sent by them.
    calls: Option<Calls>,
    /// What each echo took.
    echoes: Vec<Duration>,
}

/// Calls of the system, as far as they are about datagrams.
#[derive(Clone, Copy, Default)]
pub struct Calls {
    sends: u64,
    receives: u64,
    datagrams: u64,
}

/// A stack and what drives it.
struct Row {
    stack: Option<Stack>,
    name: &'static str,
    driver: &'static str,
    run: fn(Amount) -> Round,
    rounds: Vec<Round>,
}

impl Row {
    fn new(stack: Stack, driver: &'static str, run: fn(Amount) -> Round) -> Self {
        Self { stack: Some(stack), name: stack.name(), driver, run, rounds: Vec::new() }
    }

    fn bare(stack: Stack) -> [Self; 2] {
        [
            Self::new(stack, "minimal loop", bare_run::<OUTSTANDING>(stack)),
            Self::new(stack, "minimal loop, less outstanding", bare_run::<FEW_OUTSTANDING>(stack)),
        ]
    }

    /// Bytes of payload in a second of the processor's time.
    fn rate(&self, round: usize, amount: Amount) -> f64 {
        amount.messages as f64 * SIZE as f64 / self.rounds[round].cpu.as_secs_f64()
    }
}

/// The minimal loop for a stack.
fn bare_run<const OUTSTANDING: usize>(stack: Stack) -> fn(Amount) -> Round {
    match stack {
        Stack::Pavane => bare::run::<Ours, OUTSTANDING>,
        Stack::Str0m => bare::run::<Str0m, OUTSTANDING>,
        Stack::Rtc => bare::run::<Rtc, OUTSTANDING>,
    }
}

/// Prints the tables.
pub fn report(arguments: &Arguments) {
    let mut rows = vec![
        Row::new(Stack::Pavane, "tokio", ours::run::<true>),
        Row::new(Stack::Pavane, "tokio, without GSO", ours::run::<false>),
        Row::new(Stack::Pavane, "loop of one's own, mio", reactor::run),
        Row { stack: None, name: "webrtc-rs", driver: "tokio", run: theirs::run, rounds: Vec::new() },
    ];
    rows.extend(Stack::ALL.into_iter().flat_map(Row::bare));
    rows.retain(|row| {
        arguments.only.is_empty() || row.stack.is_some_and(|stack| arguments.only.contains(&stack))
    });
    let amount = match arguments.quick {
        true => Amount { messages: 1024, echoes: 1000 },
        false => Amount { messages: 8192, echoes: 10_000 },
    };
    for _ in 0..arguments.rounds.unwrap_or(if arguments.quick { 1 } else { 5 }) {
        for row in &mut rows {
            row.rounds.push((row.run)(amount));
        }
    }
    println!(
        "\nThrough sockets on the loopback interface: {} messages of {SIZE} bytes, {} KiB outstanding ({} where it is \
         less), and {} echoes of {ECHO} bytes.\n",
        amount.messages,
        OUTSTANDING >> 10,
        FEW_OUTSTANDING >> 10,
        amount.echoes
    );
    println!(
        "| stack | driver | MB a CPU second | of Pavane's on tokio | Mbit/s | calls a datagram | bytes a datagram | echo p50 | p99 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in &rows {
        print(row, &rows[0], amount);
    }
}

fn print(row: &Row, first: &Row, amount: Amount) {
    let rounds = 0..row.rounds.len();
    let rate = median(rounds.clone().map(|round| row.rate(round, amount)));
    let ratio = median(rounds.clone().map(|round| row.rate(round, amount) / first.rate(round, amount)));
    let bits = amount.messages as f64 * SIZE as f64 * 8.0;
    let speed = median(row.rounds.iter().map(|round| bits / round.wall.as_secs_f64()));
    let calls = row.rounds.iter().filter_map(|round| round.calls);
    let per_datagram = median(calls.clone().map(|c| (c.sends + c.receives) as f64 / c.datagrams as f64));
    let size = median(calls.map(|c| amount.messages as f64 * SIZE as f64 / c.datagrams as f64));
    let echo = |share: usize| median(row.rounds.iter().map(|round| percentile(&round.echoes, share)));
    let known =
        |figure: f64, digits| if figure.is_nan() { "–".into() } else { format!("{figure:.digits$}") };
    println!(
        "| {} | {} | {:.0} | {ratio:.2} | {:.0} | {} | {} | {:.1} µs | {:.1} µs |",
        row.name,
        row.driver,
        rate / 1e6,
        speed / 1e6,
        known(per_datagram, 2),
        known(size, 0),
        echo(50),
        echo(99),
    );
}

/// In microseconds.
fn percentile(times: &[Duration], share: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e6
}
