//! How soon two agents of ICE know where to send: ours beside str0m's, the crate `is`.
//!
//! Both know each other's credentials and host candidates at time zero, and all that is between them is the simulated
//! network that our tests have. An agent is there when it names a way for data.

use std::net::SocketAddr;
use std::time::Duration;

use pavane::{Instant, Path};
use pavane_tests::{Link, Net};

use crate::{Arguments, Stack};

mod ours;
mod str0m;

/// An agent under a virtual clock.
trait Agent: Sized {
    const STACK: Stack;

    /// Two agents that know each other, the first the controlling one.
    fn pair(seed: u64, now: Instant, addresses: [&[SocketAddr]; 2]) -> [Self; 2];

    /// Takes a datagram.
    fn receive(&mut self, now: Instant, path: Path, datagram: &[u8]);

    /// Does what is due.
    fn handle_timeout(&mut self, now: Instant);

    /// When something is.
    fn timeout(&mut self) -> Option<Instant>;

    /// Hands every datagram that is to be sent to `out`.
    fn transmit(&mut self, now: Instant, out: &mut dyn FnMut(Path, &[u8]));

    /// Whether it names a way for data.
    fn is_there(&self) -> bool;
}

const ROUND_TRIP: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

/// Some stacks ask to be called at once, and then again: a step of time keeps them from standing still.
const TICK: Duration = Duration::from_micros(100);

/// How many addresses each end has; of several only the last are within each other's reach.
const ADDRESSES: [usize; 2] = [1, 3];

/// What a search took, as far as it succeeded.
#[derive(Default)]
struct Outcome {
    /// Until the first end was there.
    first: Option<Duration>,
    /// Until both were.
    both: Option<Duration>,
    datagrams: u64,
}

/// Prints the table.
pub fn report(arguments: &Arguments) {
    println!("\nUntil ICE has a way for data; host candidates; 100 ms of round trip; 60 s of patience.\n");
    println!(
        "| addresses | loss | stack | at one end, median | at both, median | 99th percentile | failed | datagrams |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let seeds = if arguments.quick { 50 } else { 500 };
    let wanted: Vec<_> = arguments.stacks().collect();
    for addresses in ADDRESSES {
        for loss in [0.0, 0.1, 0.3] {
            search::<ours::Ours>(&wanted, seeds, addresses, loss);
            search::<str0m::Str0m>(&wanted, seeds, addresses, loss);
        }
    }
}

/// Has pairs of agents search, and prints a row of it.
fn search<A: Agent>(wanted: &[Stack], seeds: u64, addresses: usize, loss: f64) {
    if !wanted.contains(&A::STACK) {
        return;
    }
    let outcomes: Vec<_> = (0..seeds).map(|seed| connect::<A>(seed, addresses, loss)).collect();
    let at = |share: usize, of: fn(&Outcome) -> Option<Duration>| {
        // What failed took longer than any success.
        let mut times: Vec<_> = outcomes.iter().map(|outcome| of(outcome).unwrap_or(Duration::MAX)).collect();
        times.sort_unstable();
        match times[(times.len() * share / 100).min(times.len() - 1)] {
            Duration::MAX => "> 60 s".into(),
            time => format!("{} ms", time.as_millis()),
        }
    };
    println!(
        "| {addresses} | {:.0} % | {} | {} | {} | {} | {} of {seeds} | {:.0} |",
        loss * 100.0,
        A::STACK.name(),
        at(50, |outcome| outcome.first),
        at(50, |outcome| outcome.both),
        at(99, |outcome| outcome.both),
        outcomes.iter().filter(|outcome| outcome.both.is_none()).count(),
        crate::median(outcomes.iter().map(|outcome| outcome.datagrams as f64)),
    );
}

/// Has two agents search until both are there.
fn connect<A: Agent>(seed: u64, addresses: usize, loss: f64) -> Outcome {
    let ends = [1, 2].map(|end| (1..=addresses).map(|n| address(end, n)).collect::<Vec<_>>());
    let start = Instant::from_millis(1);
    let mut net = network(seed, loss, &ends);
    let mut agents = A::pair(seed, start, [&ends[0], &ends[1]]);
    let (mut now, mut outcome) = (start, Outcome::default());
    loop {
        for agent in &mut agents {
            agent.transmit(now, &mut |path, datagram| {
                outcome.datagrams += 1;
                net.send(now, path, datagram);
            });
        }
        let there = agents.iter().filter(|agent| agent.is_there()).count();
        if there > 0 {
            outcome.first.get_or_insert(now - start);
        }
        let timeouts = agents.iter_mut().filter_map(Agent::timeout).map(|at| at.max(now + TICK));
        let next = timeouts.chain(net.next_arrival()).min().filter(|next| *next <= start + PATIENCE);
        let Some(next) = next.filter(|_| there < 2) else {
            outcome.both = (there == 2).then_some(now - start);
            return outcome;
        };
        now = now.max(next);
        while let Some((path, datagram)) = net.receive(now) {
            let end = usize::from(!ends[0].contains(&path.local));
            agents[end].receive(now, path, &datagram);
        }
        for agent in &mut agents {
            if agent.timeout().is_some_and(|at| at <= now) {
                agent.handle_timeout(now);
            }
        }
    }
}

/// An address of an end: those with the same number are of one network.
fn address(end: u16, n: usize) -> SocketAddr {
    format!("192.0.{n}.{end}:{}", 4000 + end).parse().expect("an address")
}

/// A network in which only the last addresses of both ends reach each other.
fn network(seed: u64, loss: f64, ends: &[Vec<SocketAddr>; 2]) -> Net {
    let link = Link::with_delay(ROUND_TRIP / 2);
    let mut net = Net::new(seed, link.loss(1.0));
    if let [Some(a), Some(b)] = [ends[0].last(), ends[1].last()] {
        net.set_way(*a, *b, link.loss(loss));
        net.set_way(*b, *a, link.loss(loss));
    }
    net
}
