//! What arrives of a link's rate: bulk over simulated bad networks, in virtual time.
//!
//! A link carries each datagram with 28 bytes of IP and UDP around it, so that of its rate at most 93 % can be payload. The
//! application keeps the stack's send buffer full. Measured is the second half of the run.

pub mod bare;
mod flows;

use std::time::Duration;

use pavane_tests::{Bursts, Link};

use self::bare::{Dcsctp, Ours};
use self::flows::{Flow, Scene};
use crate::Arguments;
use crate::stack::Peer;
use crate::str0m::Str0m;

/// A network.
#[derive(Clone, Copy)]
pub struct Cell {
    /// Megabits in a second.
    rate: u64,
    /// Milliseconds.
    rtt: u64,
    /// Of a thousand.
    loss: u64,
    /// The queue, in tenths of the bandwidth-delay product.
    queue: u64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Random,
    Bursts,
    Reordering,
}

impl Cell {
    const fn new(rate: u64, rtt: u64, loss: u64, queue: u64) -> Self {
        Self { rate, rtt, loss, queue, kind: Kind::Random }
    }

    const fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Bytes in a second.
    fn bytes(&self) -> u64 {
        self.rate * 1_000_000 / 8
    }

    fn link(&self) -> Link {
        let product = self.bytes() * self.rtt / 1000;
        let queue = (product * self.queue / 10).max(LEAST_QUEUE);
        let link = Link::with_delay(Duration::from_micros(self.rtt * 500))
            .loss(self.loss as f64 / 1000.0)
            .bottleneck(self.bytes(), queue)
            .framing(28);
        match self.kind {
            Kind::Random => link,
            // Bursts of ten datagrams of which half is lost, so often that one in a hundred is lost altogether.
            Kind::Bursts => link.loss(0.0).bursts(Bursts { begin: 0.002, end: 0.1, loss: 0.5 }),
            Kind::Reordering => link.reordering(0.01),
        }
    }

    fn title(&self) -> String {
        let kind = match self.kind {
            Kind::Random => format!("{}.{} %", self.loss / 10, self.loss % 10),
            Kind::Bursts => "bursts".into(),
            Kind::Reordering => "reordering".into(),
        };
        format!("{} | {} | {kind} | {}.{}", self.rate, self.rtt, self.queue / 10, self.queue % 10)
    }
}

/// A queue shorter than this is none.
const LEAST_QUEUE: u64 = 16 << 10;

/// All cells, or the few that tell most.
fn cells(quick: bool) -> Vec<Cell> {
    if quick {
        return vec![
            Cell::new(10, 50, 0, 20),
            Cell::new(100, 20, 0, 5),
            Cell::new(100, 20, 10, 20),
            Cell::new(100, 100, 0, 5),
            Cell::new(100, 100, 0, 20),
            Cell::new(100, 100, 10, 20),
            Cell::new(100, 100, 50, 20),
            Cell::new(100, 100, 0, 20).of(Kind::Bursts),
            Cell::new(100, 100, 0, 20).of(Kind::Reordering),
        ];
    }
    let mut cells = Vec::new();
    for rate in [10, 100, 1000] {
        for rtt in [10, 50, 100, 200] {
            for queue in [5, 20] {
                cells.extend([0, 1, 10, 30].map(|loss| Cell::new(rate, rtt, loss, queue)));
                cells.push(Cell::new(rate, rtt, 0, queue).of(Kind::Bursts));
                cells.push(Cell::new(rate, rtt, 0, queue).of(Kind::Reordering));
            }
        }
    }
    cells.push(Cell::new(100, 20, 10, 20));
    cells.push(Cell::new(100, 100, 50, 20));
    cells
}

/// Prints the tables.
pub fn report(arguments: &Arguments) {
    let seconds = if arguments.quick { 12 } else { 30 };
    let cells: Vec<_> = cells(arguments.quick)
        .into_iter()
        .filter(|cell| arguments.rate.is_empty() || arguments.rate.contains(&cell.rate))
        .filter(|cell| arguments.rtt.is_empty() || arguments.rtt.contains(&cell.rtt))
        .collect();
    if arguments.fairness {
        return fairness(seconds);
    }
    println!(
        "\nGoodput as a share of the link, second half of {seconds} s (others at a gigabit: of {OTHERS_AT_A_GIGABIT} s);\n\
         in parentheses when 80 % of what is possible were reached, the mean wait in the queue,\n\
         and how long the run was, if patience ended it.\n"
    );
    let columns: Vec<usize> = match &arguments.column[..] {
        [] => (0..BESIDE).collect(),
        chosen => chosen.iter().copied().filter(|index| *index < NAMES.len()).collect(),
    };
    let names: Vec<_> = columns.iter().map(|index| NAMES[*index]).collect();
    println!("| Mbit/s | RTT ms | loss | queue BDP | {} |", names.join(" | "));
    println!("|---|---|---|---|{}", "---|".repeat(columns.len()));
    for cell in cells {
        let row: Vec<_> = columns.iter().map(|index| column(&cell, *index, seconds, arguments)).collect();
        println!("| {} | {} |", cell.title(), row.join(" | "));
    }
}

/// The columns; those behind the first few only where they are asked for.
const NAMES: [&str; 5] = [Ours::<0>::NAME, Dcsctp::NAME, Str0m::NAME, Ours::<1>::NAME, Ours::<2>::NAME];
const BESIDE: usize = 3;

/// Seconds of a transfer by others at a gigabit, which takes them minutes.
const OTHERS_AT_A_GIGABIT: u64 = 12;

fn column(cell: &Cell, index: usize, seconds: u64, arguments: &Arguments) -> String {
    let flow: Box<dyn Flow> = match index {
        0 => flows::flow::<Ours<0>>(1),
        1 => flows::flow::<Dcsctp>(1),
        2 => flows::flow::<Str0m>(1),
        3 => flows::flow::<Ours<1>>(1),
        _ => flows::flow::<Ours<2>>(1),
    };
    let others = matches!(index, 1 | 2);
    let seconds = if others && cell.rate >= 1000 { seconds.min(OTHERS_AT_A_GIGABIT) } else { seconds };
    let mut scene = Scene::new(7, cell.link(), vec![flow]);
    scene.traces = arguments.verbose;
    scene.patience = arguments.patience.map_or(Duration::MAX, Duration::from_secs);
    let start = std::time::Instant::now();
    let outcome = &scene.run(Duration::from_secs(seconds), cell.bytes())[0];
    if arguments.verbose {
        eprintln!("{} {}: {:?} {}", NAMES[index], cell.title(), start.elapsed(), outcome.note);
    }
    outcome.to_string()
}

/// Several flows in one queue.
///
/// Who loses the one packet that is too many is chance, and changes all that follows: each pair begins several times anew, with
/// the second flow at another moment.
fn fairness(seconds: u64) {
    type Make = fn() -> Box<dyn Flow>;
    let ours: [(&str, Make); 3] = [
        (Ours::<0>::NAME, || flows::flow::<Ours<0>>(1)),
        (Ours::<1>::NAME, || flows::flow::<Ours<1>>(1)),
        (Ours::<2>::NAME, || flows::flow::<Ours<2>>(1)),
    ];
    let cubic: Make = || flows::flow::<Ours<2>>(2);
    println!(
        "\nTwo flows in one queue, the second from {} ms on: the ratios of what they get in the second half of {} s,\n\
         the mean of {} runs and in parentheses the least and the greatest.\n",
        STARTS.map(|ms| ms.to_string()).join(", "),
        seconds * 2,
        STARTS.len()
    );
    println!(
        "| Mbit/s | RTT ms | loss | queue BDP | controller | itself twice, smaller to greater | to a CUBIC that comes second | to a CUBIC that was first | its queueing alone, mean ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for cell in [
        Cell::new(100, 50, 0, 5),
        Cell::new(100, 50, 0, 10),
        Cell::new(100, 50, 0, 20),
        Cell::new(20, 50, 0, 20),
        Cell::new(100, 50, 1, 20),
    ] {
        let ratios = |first: Make, second: Make| {
            STARTS.map(|ms| {
                let mut scene = Scene::new(7, cell.link(), vec![first(), second()]);
                scene.apart = Duration::from_millis(ms);
                let outcomes = scene.run(Duration::from_secs(seconds * 2), cell.bytes());
                outcomes[0].share / outcomes[1].share
            })
        };
        for (name, make) in ours {
            let twice = ratios(make, make).map(|ratio| ratio.min(1.0 / ratio));
            let first = ratios(make, cubic);
            let second = ratios(cubic, make).map(f64::recip);
            let alone =
                Scene::new(7, cell.link(), vec![make()]).run(Duration::from_secs(seconds), cell.bytes());
            println!(
                "| {} | {name} | {} | {} | {} | {:.1} |",
                cell.title(),
                summary(twice),
                summary(first),
                summary(second),
                alone[0].queueing.as_secs_f64() * 1e3
            );
        }
    }
}

/// When the second flow begins, in milliseconds.
const STARTS: [u64; 5] = [2000, 2500, 3100, 3700, 4300];

/// The mean of ratios, which is that of their logarithms, and how far they reach.
fn summary(ratios: [f64; STARTS.len()]) -> String {
    let mean = (ratios.map(f64::ln).iter().sum::<f64>() / STARTS.len() as f64).exp();
    let least = ratios.into_iter().fold(f64::INFINITY, f64::min);
    let greatest = ratios.into_iter().fold(0.0, f64::max);
    format!("{mean:.2} ({least:.2} to {greatest:.2})")
}
