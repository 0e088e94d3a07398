//! Messages from one peer to the other, without loss: what they cost.

use std::time::Duration;

use cpu_time::ProcessTime;

use crate::goodput::bare::{Dcsctp, Ours};
use crate::stack::Peer;
use crate::wire::{Tally, Weather, Wire};
use crate::{Arguments, Stack, What, median, with_peer};

/// A way to send messages.
pub struct Case {
    title: &'static str,
    what: What,
    /// Of each message, in bytes.
    pub size: usize,
    /// How many bytes are sent before acknowledgements come.
    outstanding: usize,
    /// Time between messages; if there is none, as many are sent at once as may be outstanding.
    pace: Option<Duration>,
    /// In a round.
    messages: u64,
}

pub const CASES: [Case; 6] = [
    Case::bulk("16 KiB messages, 128 KiB outstanding", 16 << 10, 128 << 10, 8192),
    Case::bulk("16 KiB messages, 1 MiB outstanding", 16 << 10, 1 << 20, 8192),
    Case::bulk("16 KiB messages, 16 MiB outstanding", 16 << 10, 16 << 20, 4096),
    Case {
        title: "100-byte messages, many in a datagram",
        what: What::Small,
        size: 100,
        outstanding: 64 << 10,
        pace: None,
        messages: 40_000,
    },
    Case {
        title: "100-byte messages, one in a datagram",
        what: What::Small,
        size: 100,
        outstanding: 64 << 10,
        pace: Some(Duration::from_millis(1)),
        messages: 20_000,
    },
    Case::bulk("64 KiB messages, 1 MiB outstanding", 64 << 10, 1 << 20, 2048),
];

impl Case {
    /// What is sent, and how.
    pub fn title(&self) -> &str {
        self.title
    }

    const fn bulk(title: &'static str, size: usize, outstanding: usize, messages: u64) -> Self {
        Self { title, what: What::Bulk, size, outstanding, pace: None, messages }
    }
}

/// One measurement of a transfer.
struct Measurement {
    cpu: Duration,
    messages: u64,
    tallies: [Tally; 2],
}

impl Measurement {
    /// Bytes of payload in a second of the processor's time.
    fn rate(&self, case: &Case) -> f64 {
        (self.messages * case.size as u64) as f64 / self.cpu.as_secs_f64()
    }
}

/// Transfers `messages` messages, after as many as it takes to open the windows.
fn measure<P: Peer>(case: &Case, messages: u64, turn: usize, counts: bool) -> Measurement {
    let weather = Weather { delay: Duration::from_millis(1), loss: 0.0, turn };
    let mut wire = Wire::<P>::new(1, case.outstanding, weather);
    wire.open(Duration::from_secs(60)).expect("a clean path connects");
    run::<P>(&mut wire, case, messages / 4);
    wire.counts = counts;
    wire.tallies = Default::default();
    let start = ProcessTime::now();
    run::<P>(&mut wire, case, messages);
    Measurement { cpu: start.elapsed(), messages, tallies: wire.tallies }
}

/// Sends `count` messages more, and goes on until they are received.
pub fn run<P: Peer>(wire: &mut Wire<P>, case: &Case, count: u64) {
    let message = vec![7; case.size];
    let end = wire.peers[1].received() + count;
    let mut unsent = count;
    while wire.peers[1].received() < end {
        let now = wire.now;
        let room = case.outstanding.saturating_sub(wire.peers[0].outstanding(now)) / case.size;
        let allowed = if case.pace.is_some() { 1 } else { room as u64 };
        let sent = (0..unsent.min(allowed)).take_while(|_| wire.send(&message)).count() as u64;
        unsent -= sent;
        if sent > 0 {
            wire.turn(0);
        }
        match case.pace {
            Some(pace) if unsent > 0 => while wire.step(now + pace) {},
            _ => assert!(wire.step(now + Duration::from_secs(60)), "messages arrive"),
        }
    }
}

/// A transfer that nobody measures, for profilers.
pub fn once<P: Peer>(case: &Case, messages: u64, turn: usize) {
    measure::<P>(case, messages, turn, false);
}

/// A stack's measurements.
struct Row {
    name: &'static str,
    rounds: Vec<Measurement>,
    /// With allocations counted.
    counted: Measurement,
}

/// Prints the tables.
pub fn report(arguments: &Arguments) {
    let cases: Vec<_> = CASES.iter().filter(|case| arguments.wants(case.what)).collect();
    if cases.is_empty() {
        return;
    }
    println!(
        "\nMessages from one end to the other, both on one core. The ratio is Pavane's rate to that stack's.\n"
    );
    table(cases.iter().map(|case| (*case, whole(arguments, case))));
    if arguments.only.is_empty() {
        println!(
            "\nThe same by SCTP alone, of which dcsctp is: nothing is encrypted, and there are no paths.\n"
        );
        table(cases.iter().map(|case| (*case, alone(arguments, case))));
    }
}

fn table<'c>(compared: impl Iterator<Item = (&'c Case, Vec<Row>)>) {
    println!(
        "| transfer | stack | MB/CPU s | µs/message | µs/data packet | payload bytes/data packet | acks/data packet | \
         allocs/message given | allocs/packet, sender | allocs/message, receiver | ratio (least to greatest) |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (case, rows) in compared {
        rows.iter().for_each(|row| print(case, row, &ratios(case, &rows, row)));
    }
}

/// One measurement, by stack, number of messages, and whether allocations are counted.
type Measure<'m> = (&'static str, Box<dyn Fn(u64, bool) -> Measurement + 'm>);

/// Whole stacks.
fn whole(arguments: &Arguments, case: &Case) -> Vec<Row> {
    let turn = arguments.turn;
    let of = |stack: Stack| -> Measure<'_> {
        let measure = move |messages, counts| with_peer!(stack, measure, case, messages, turn, counts);
        (stack.name(), Box::new(measure))
    };
    compare(arguments, case, arguments.stacks().map(of).collect())
}

/// SCTP, with the bytes that DTLS would add.
fn alone(arguments: &Arguments, case: &Case) -> Vec<Row> {
    fn of<P: Peer>(case: &Case, turn: usize) -> Measure<'_> {
        (P::NAME, Box::new(move |messages, counts| measure::<P>(case, messages, turn, counts)))
    }
    compare(arguments, case, vec![of::<Ours<0>>(case, arguments.turn), of::<Dcsctp>(case, arguments.turn)])
}

/// The stacks in turn, several times.
fn compare(arguments: &Arguments, case: &Case, stacks: Vec<Measure<'_>>) -> Vec<Row> {
    let rounds = arguments.rounds.unwrap_or(if arguments.quick { 1 } else { 7 });
    let messages = if arguments.quick { case.messages / 4 } else { case.messages };
    let mut measured: Vec<Vec<Measurement>> = stacks.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((_, measure), row) in stacks.iter().zip(&mut measured) {
            row.push(measure(messages, false));
        }
    }
    let rows = stacks.into_iter().zip(measured);
    rows.map(|((name, measure), rounds)| Row { name, rounds, counted: measure(messages / 4, true) }).collect()
}

/// Our rate to that of another in each round.
fn ratios(case: &Case, rows: &[Row], other: &Row) -> Vec<f64> {
    let Some(ours) = rows.first().filter(|row| row.name == Stack::Pavane.name()) else { return Vec::new() };
    ours.rounds.iter().zip(&other.rounds).map(|(ours, other)| ours.rate(case) / other.rate(case)).collect()
}

fn print(case: &Case, row: &Row, ratios: &[f64]) {
    let of = |figure: &dyn Fn(&Measurement) -> f64| median(row.rounds.iter().map(figure));
    let micros = |m: &Measurement| m.cpu.as_secs_f64() * 1e6;
    let [sender, receiver] = row.counted.tallies;
    let messages = row.counted.messages as f64;
    let packets = sender.datagrams as f64;
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ratios.iter().copied().fold(0.0, f64::max);
    println!(
        "| {} | {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.2} | {:.2} | {:.3} | {:.2} | {} |",
        case.title,
        row.name,
        of(&|m| m.rate(case)) / 1e6,
        of(&|m| micros(m) / m.messages as f64),
        of(&|m| micros(m) / m.tallies[0].datagrams as f64),
        messages * case.size as f64 / packets,
        receiver.datagrams as f64 / packets,
        sender.sending as f64 / messages,
        sender.running as f64 / packets,
        receiver.running as f64 / messages,
        if row.name == Stack::Pavane.name() || ratios.is_empty() {
            "–".into()
        } else {
            format!("**{:.2}** ({least:.2} to {greatest:.2})", median(ratios.iter().copied()))
        },
    );
}
