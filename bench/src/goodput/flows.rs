//! Flows that share a network.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use pavane::{Instant, Path, Transport};
use pavane_tests::{Link, Net};

use crate::stack::Peer;

/// The message that is sent again and again.
const MESSAGE: [u8; 16 << 10] = [7; 16 << 10];

/// What may wait in a stack's buffer: more than any link holds, as some count what is in flight.
const BUFFER: usize = 96 << 20;

/// Unsent bytes above which nothing is added, for stacks that do not count what is in flight.
const ENOUGH: usize = 4 << 20;

/// Two peers, whatever their type.
pub trait Flow {
    fn receive(&mut self, now: Duration, end: usize, datagram: &mut [u8]);
    /// Does what is due, and hands out what is to be sent.
    fn turn(&mut self, now: Duration, end: usize, out: &mut dyn FnMut(&[u8]));
    fn timeout(&mut self, end: usize) -> Option<Duration>;
    /// Bytes that the second peer's application has.
    fn received(&self) -> u64;
    fn note(&self) -> String;
}

struct Pair<P> {
    peers: [P; 2],
}

/// A flow of a stack's.
pub fn flow<P: Peer + 'static>(seed: u64) -> Box<dyn Flow> {
    let (alice, bob) = P::pair(seed, BUFFER);
    Box::new(Pair { peers: [alice, bob] })
}

impl<P: Peer> Flow for Pair<P> {
    fn receive(&mut self, now: Duration, end: usize, datagram: &mut [u8]) {
        self.peers[end].receive(now, datagram);
    }

    fn turn(&mut self, now: Duration, end: usize, out: &mut dyn FnMut(&[u8])) {
        let peer = &mut self.peers[end];
        if peer.timeout().is_some_and(|at| at <= now) {
            peer.handle_timeout(now);
        }
        peer.attend(now);
        if end == 0 && peer.is_open() {
            let limit = if P::COUNTS_IN_FLIGHT { BUFFER } else { ENOUGH };
            while peer.outstanding(now) < limit && peer.send(now, &MESSAGE) {}
        }
        peer.transmit(now, out);
    }

    fn timeout(&mut self, end: usize) -> Option<Duration> {
        self.peers[end].timeout()
    }

    fn received(&self) -> u64 {
        self.peers[1].received() * MESSAGE.len() as u64
    }

    fn note(&self) -> String {
        self.peers[0].note()
    }
}

/// Flows, and the network that they share.
pub struct Scene {
    now: Duration,
    net: Net,
    flows: Vec<Box<dyn Flow>>,
    /// How long after a flow the next begins.
    pub apart: Duration,
    /// Whether each slice of time is told of.
    pub traces: bool,
    /// For how long a run may keep the processor busy.
    pub patience: Duration,
}

/// What came of a flow.
pub struct Outcome {
    /// Of the link's rate.
    pub share: f64,
    /// When a fifth of a second first brought 80 % of what is possible.
    pub quick: Option<Duration>,
    /// The mean wait in the bottleneck's queue, in the second half.
    pub queueing: Duration,
    /// How long the run was, if patience ended it.
    pub cut: Option<Duration>,
    pub note: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} (", self.share)?;
        match self.quick {
            Some(at) => write!(f, "{:.1} s", at.as_secs_f64())?,
            None => write!(f, "–")?,
        }
        write!(f, ", {:.0} ms", self.queueing.as_secs_f64() * 1e3)?;
        if let Some(cut) = self.cut {
            write!(f, ", of {:.1} s", cut.as_secs_f64())?;
        }
        write!(f, ")")
    }
}

fn at(now: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos() as u64)
}

/// Where a flow's end is: all flows are between the same two hosts.
fn address(flow: usize, end: usize) -> SocketAddr {
    ([192, 0, 2, 1 + end as u8], FIRST_PORT + flow as u16).into()
}

impl Scene {
    pub fn new(seed: u64, link: Link, flows: Vec<Box<dyn Flow>>) -> Self {
        let net = Net::new(seed, link).without_trace();
        let apart = Duration::from_secs(2);
        Self { now: Duration::ZERO, net, flows, apart, traces: false, patience: Duration::MAX }
    }

    /// Lets time pass; what came of each flow on a link of so many bytes in a second, in the second half of the time.
    pub fn run(&mut self, time: Duration, rate: u64) -> Vec<Outcome> {
        let begin = std::time::Instant::now();
        let slices = (time.as_nanos() / SLICE.as_nanos()) as u32;
        let mut history = vec![vec![0]; self.flows.len()];
        let mut waits = Vec::new();
        (0..2).for_each(|end| self.turn(0, end));
        for slice in 1..=slices {
            let end = SLICE * slice;
            while self.step(end) {}
            if self.traces {
                eprintln!("{end:?} {}", self.flows[0].note());
            }
            self.now = end;
            for (received, flow) in history.iter_mut().zip(&self.flows) {
                received.push(flow.received());
            }
            waits.push(self.net.queueing(at(end), address(0, 0).ip(), address(0, 1).ip()));
            if begin.elapsed() > self.patience {
                break;
            }
        }
        let (done, half) = (waits.len(), waits.len() / 2);
        let queueing = waits[half..].iter().sum::<Duration>() / (done - half) as u32;
        let cut = (done < slices as usize).then(|| SLICE * done as u32);
        let whole_slice = rate as f64 * SLICE.as_secs_f64();
        let outcome = |(received, flow): (&Vec<u64>, &Box<dyn Flow>)| Outcome {
            share: (received[done] - received[half]) as f64 / ((done - half) as f64 * whole_slice),
            quick: received
                .windows(2)
                .position(|pair| (pair[1] - pair[0]) as f64 >= whole_slice * 0.8 * 0.93)
                .map(|slice| SLICE * (slice as u32 + 1)),
            queueing,
            cut,
            note: flow.note(),
        };
        history.iter().zip(&self.flows).map(outcome).collect()
    }

    /// Moves on to the next moment at which something is due before `until`; whether there was one.
    fn step(&mut self, until: Duration) -> bool {
        let apart = self.apart;
        let begun = |index: usize, now: Duration| now >= apart * index as u32;
        let mut next = self.net.next_arrival().map(|at| Duration::from_nanos(at.as_nanos()));
        for index in 0..self.flows.len() {
            if !begun(index, self.now) {
                next = next.into_iter().chain([apart * index as u32]).min();
                continue;
            }
            for end in 0..2 {
                let timeout = self.flows[index].timeout(end).map(|at| at.max(self.now + TICK));
                next = next.into_iter().chain(timeout).min();
            }
        }
        let Some(next) = next.filter(|at| *at < until) else { return false };
        let before = self.now;
        self.now = self.now.max(next);
        let now = self.now;
        while let Some((path, mut datagram)) = self.net.receive(at(now)) {
            let flow = usize::from(path.local.port() - FIRST_PORT);
            let end = usize::from(path.local == address(flow, 1));
            self.flows[flow].receive(now, end, &mut datagram);
            self.net.recycle(datagram);
            self.turn(flow, end);
        }
        for index in (0..self.flows.len()).filter(|index| begun(*index, now)) {
            for end in 0..2 {
                let due = self.flows[index].timeout(end).is_some_and(|at| at <= now);
                if due || !begun(index, before) {
                    self.turn(index, end);
                }
            }
        }
        true
    }

    fn turn(&mut self, flow: usize, end: usize) {
        let Self { now, net, flows, .. } = self;
        let path =
            Path { local: address(flow, end), remote: address(flow, 1 - end), transport: Transport::Udp };
        flows[flow].turn(*now, end, &mut |datagram| net.send(at(*now), path, datagram));
    }
}

const SLICE: Duration = Duration::from_millis(200);

const FIRST_PORT: u16 = 4000;

/// The finest step of time: some stacks ask to be called at once, and then again.
const TICK: Duration = Duration::from_micros(20);
