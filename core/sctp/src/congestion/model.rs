//! A model of the path in the manner of BBR: how fast data arrives at best, and how long a round trip takes without queues.
//!
//! ```text
//!  Startup   twice as fast each round trip, until the rate of arrivals no longer grows
//!  Drain     slower, until the queue that this has built is empty
//!  Cruise    as fast as data arrives
//!  Raise     a little faster for a while: is there more?
//!  Lower     a little slower, until the queue that this has built is empty
//!  Shortest  hardly anything for a moment: how long is a round trip without our queue?
//! ```
//!
//! Loss alone says nothing about congestion: radio links lose packets as well. A loss counts as congestion where round trips
//! are longer than the shortest, since a full queue is what loses packets, and it is long, and where more is lost than
//! accidents take. What counts reduces a ceiling over what is in flight that grows as CUBIC's window does; while others fill
//! the queue (see `rivals`), this ceiling is the window, and the model takes about what CUBIC would. As long as nobody does,
//! little waits in the queue, and flows of this kind come to have the same.

use core::time::Duration;

use pavane_base::Instant;

use super::accidents::Accidents;
use super::cubic::Cubic;
use super::depth::Depth;
use super::filter::{Greatest, Rounds};
use super::rivals::{Presence, Rivals};
use super::{Acked, CongestionController, INITIAL_PACKETS, Lost, MIN_PACKETS, in_time, per_second};

/// The controller.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    packet: u64,
    window: u64,
    /// The greatest rate at which data arrived lately.
    rate: Greatest,
    rounds: Rounds,
    shortest: Option<Shortest>,
    /// The round trips of this round and of the one before, at their shortest.
    lately: [Option<Duration>; 2],
    phase: Phase,
    /// No window above this has been found to be too large.
    ceiling: Option<Cubic>,
    /// When the ceiling was reduced last.
    reduced_at: Instant,
    accidents: Accidents,
    /// What had arrived when this round began.
    round_began_at: u64,
    delivered: u64,
    rivals: Rivals,
    depth: Depth,
}

/// The shortest round trip, and when it was measured.
#[derive(Clone, Copy, Debug)]
struct Shortest {
    rtt: Duration,
    at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// `best` is the rate that has to be surpassed, `stale` for how many rounds it was not.
    Startup {
        best: u64,
        stale: u32,
    },
    Drain,
    Cruise {
        until_round: u32,
    },
    Raise {
        since: Instant,
    },
    Lower {
        since: Instant,
    },
    Shortest {
        until: Option<Instant>,
    },
}

impl Model {
    pub(crate) fn new(packet: u64) -> Self {
        Self {
            packet,
            window: INITIAL_PACKETS * packet,
            rate: Greatest::default(),
            rounds: Rounds::default(),
            shortest: None,
            lately: [None; 2],
            phase: Phase::Startup { best: 0, stale: 0 },
            ceiling: None,
            reduced_at: Instant::ZERO,
            accidents: Accidents::default(),
            round_began_at: 0,
            delivered: 0,
            rivals: Rivals::default(),
            depth: Depth::default(),
        }
    }

    /// Percent of the rate of arrivals at which to send.
    const fn pace(&self) -> u64 {
        match self.phase {
            Phase::Startup { .. } => 277,
            Phase::Drain => 36,
            Phase::Cruise { .. } | Phase::Shortest { .. } => 100,
            Phase::Raise { .. } => 125,
            Phase::Lower { .. } => 80,
        }
    }

    /// What is in flight on a path that is fully used and has no queue.
    fn product(&self) -> u64 {
        self.shortest.map_or(INITIAL_PACKETS * self.packet, |s| in_time(self.rate.get(), s.rtt))
    }

    /// What may be in flight by the model.
    fn target(&self) -> u64 {
        let product = self.product();
        let target = match self.phase {
            Phase::Startup { .. } | Phase::Drain => product * 3,
            Phase::Shortest { .. } => product / 2,
            _ => match self.rivals.presence() {
                // As much more as is sent faster in a round trip, in spite of a queue: where round trips vary, there seems to
                // be one always, and what is in flight has to grow for the rate to.
                Presence::None if matches!(self.phase, Phase::Raise { .. }) => {
                    self.modest(product) + product / 4
                }
                Presence::None => self.modest(product),
                Presence::Suspected => self.depth.filled(product) + SLACK_PACKETS * self.packet,
                Presence::Proven => product * 4,
            },
        };
        target.min(self.most()).max(MIN_PACKETS * self.packet)
    }

    /// What is in flight at most where nobody else fills the queue: the product, and a number of packets that grows with
    /// its square root; fewer where the queue is shallow. Of flows in one queue the smaller thus put relatively more into
    /// it, until all have the same.
    fn modest(&self, product: u64) -> u64 {
        let extra = (product * self.packet * ROOT_FACTOR * ROOT_FACTOR).isqrt();
        product + self.depth.part(extra).max(SLACK_PACKETS * self.packet)
    }

    /// How much may be in flight whatever the model says: the ceiling, where others keep a queue filled; without them never
    /// less than fills the path.
    fn most(&self) -> u64 {
        let Some(ceiling) = &self.ceiling else { return u64::MAX };
        let most = ceiling.window().min(self.rivals.hold());
        match self.rivals.presence() {
            Presence::Proven if self.had_queue() => most,
            _ => most.max(self.product()),
        }
    }

    /// Whether the queue of this round was longer than several of our kind make it: twice as long as what we put into it
    /// would be if all had the same. Flows of which one has four times as much as the other make it longer by a fifth.
    fn is_crowded(&self) -> bool {
        let (Some(shortest), Some(rtt)) = (self.shortest, self.lately[0]) else { return false };
        let product = self.product().max(1);
        let extra = self.modest(product) - product;
        let ours = shortest.rtt.as_nanos() * u128::from(extra) / u128::from(product);
        let settled = !matches!(self.phase, Phase::Startup { .. } | Phase::Drain);
        settled && rtt.saturating_sub(shortest.rtt).as_nanos() > ours * 2 + LEAST_QUEUE.as_nanos()
    }

    /// Whether more is in flight than the path holds, and more still waits: whatever it is that keeps it back, such as the
    /// peer's window, the path is full.
    fn is_overfull(&self, acked: &Acked) -> bool {
        acked.more_waits && acked.in_flight > self.product() * 5 / 4 && self.has_queue()
    }

    /// Whether round trips are so long that a queue must have formed.
    fn has_queue(&self) -> bool {
        self.lately[0].or(self.lately[1]).is_some_and(|rtt| self.is_long(rtt))
    }

    /// Whether there was a queue in this round or the one before: what is lost in a queue is found out later.
    fn had_queue(&self) -> bool {
        self.lately.iter().flatten().any(|rtt| self.is_long(*rtt))
    }

    fn is_long(&self, rtt: Duration) -> bool {
        self.shortest.is_some_and(|shortest| rtt > shortest.rtt + (shortest.rtt / 5).max(LEAST_QUEUE))
    }

    fn note_rtt(&mut self, now: Instant, rtt: Duration) {
        match &mut self.shortest {
            // A round trip that is all but as short confirms it.
            Some(shortest) if rtt > shortest.rtt && rtt < shortest.rtt + shortest.rtt / 64 => {
                shortest.at = now
            }
            Some(shortest) if rtt > shortest.rtt => {
                let expired = now - shortest.at > SHORTEST_LIFE;
                // Where others keep the queue filled, there is nothing to be seen, and they would take what we leave.
                let visible = self.rivals.presence() != Presence::Proven;
                if expired && visible && !matches!(self.phase, Phase::Startup { .. } | Phase::Shortest { .. })
                {
                    self.phase = Phase::Shortest { until: None };
                    // What is measured in this phase is the shortest, even if it is longer than before.
                    *shortest = Shortest { rtt, at: now };
                }
            }
            _ => self.shortest = Some(Shortest { rtt, at: now }),
        }
        let least = &mut self.lately[0];
        *least = Some(least.map_or(rtt, |least| least.min(rtt)));
    }

    fn begin_round(&mut self, acked: &Acked) {
        let arrived = acked.delivered - self.round_began_at;
        let settled = acked.now - self.reduced_at > self.shortest.map_or(Duration::ZERO, |s| s.rtt * 4);
        let steady = !self.had_queue() || matches!(self.phase, Phase::Cruise { .. });
        let below = self.accidents.go_on_below(acked.now, self.window);
        self.accidents.end_round(arrived, settled && steady || below);
        if let Phase::Startup { best, stale } = self.phase
            && acked.rate.is_some_and(|rate| !rate.limited || self.is_overfull(acked))
        {
            let rate = self.rate.get();
            let stale = if rate * 4 >= best * 5 { 0 } else { stale + 1 };
            let best = if stale == 0 { rate } else { best };
            self.phase = if stale >= STALE_ROUNDS { Phase::Drain } else { Phase::Startup { best, stale } };
        }
        let regrowth = Cubic::regrowth(self.window, self.packet);
        self.rivals.end_round(acked.now, self.lately[0], self.is_crowded(), regrowth);
        self.round_began_at = acked.delivered;
        self.lately = [None, self.lately[0]];
    }

    /// There is no more.
    fn end_growth(&mut self, now: Instant) {
        match self.phase {
            Phase::Raise { .. } => self.phase = Phase::Lower { since: now },
            Phase::Startup { .. } => self.phase = Phase::Drain,
            _ => {}
        }
    }

    /// Whether this round has lost something to a queue.
    fn is_congested(&self, in_flight: u64) -> bool {
        let exceeded = match self.phase {
            Phase::Startup { .. } => self.accidents.are_out_of_the_question(in_flight, self.packet),
            _ => self.accidents.are_exceeded(in_flight, self.packet),
        };
        exceeded && self.has_queue()
    }

    fn advance_phase(&mut self, acked: &Acked) {
        let now = acked.now;
        let product = self.product();
        let shortest = self.shortest.map_or(Duration::ZERO, |s| s.rtt);
        match self.phase {
            Phase::Drain if acked.in_flight <= product => self.cruise(),
            Phase::Cruise { until_round } if self.rounds.count.wrapping_sub(until_round) < u32::MAX / 2 => {
                self.phase = Phase::Raise { since: now };
            }
            Phase::Raise { since } => {
                // Where round trips vary, what is sent faster shows only after a long one.
                let latest = self.lately.iter().flatten().min().copied().unwrap_or(shortest);
                let round = latest.clamp(shortest, shortest * 5 / 4);
                let full = acked.in_flight >= product * 5 / 4 || acked.in_flight >= self.window;
                if (now - since > round && full) || now - since > shortest * 3 {
                    self.phase = Phase::Lower { since: now };
                }
            }
            Phase::Lower { since } if acked.in_flight <= product || now - since > shortest => self.cruise(),
            Phase::Shortest { until } => self.measure_shortest(acked, until),
            _ => {}
        }
    }

    /// Goes on for some rounds, differently many each time, so that flows do not fall into step.
    fn cruise(&mut self) {
        let spread = (self.delivered / self.packet) as u32 % CRUISE_SPREAD;
        self.phase = Phase::Cruise { until_round: self.rounds.count.wrapping_add(CRUISE_ROUNDS + spread) };
    }

    fn measure_shortest(&mut self, acked: &Acked, until: Option<Instant>) {
        match until {
            None if acked.in_flight <= self.target() + self.packet => {
                let rest = self.shortest.map_or(SHORTEST_TIME, |s| s.rtt.max(SHORTEST_TIME));
                self.phase = Phase::Shortest { until: Some(acked.now + rest) };
            }
            Some(until) if acked.now >= until => {
                if let Some(shortest) = &mut self.shortest {
                    shortest.at = acked.now;
                }
                self.cruise();
            }
            _ => {}
        }
    }
}

impl CongestionController for Model {
    fn set_packet(&mut self, packet: u64) {
        self.packet = packet;
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.set_packet(packet);
        }
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn threshold(&self) -> u64 {
        if matches!(self.phase, Phase::Startup { .. }) { u64::MAX } else { self.product() }
    }

    fn pacing_rate(&self, smoothed: Duration) -> u64 {
        let rate = match self.rate.get() {
            0 => per_second(self.window, smoothed),
            rate => rate,
        };
        // Where there is a queue one percent less than data arrives, so that it goes away.
        let modest = rate / 100 * self.pace() / 100 * if self.had_queue() { 99 } else { 100 };
        match self.phase {
            // Beside others the window decides, as it does with them.
            Phase::Cruise { .. } | Phase::Raise { .. } | Phase::Lower { .. }
                if self.rivals.presence() == Presence::Proven =>
            {
                modest.max(per_second(self.window, smoothed) / 100 * 125)
            }
            _ => modest,
        }
    }

    fn on_acked(&mut self, acked: &Acked) {
        self.delivered = acked.delivered;
        if let Some(rtt) = acked.rtt {
            self.note_rtt(acked.now, rtt);
            self.depth.note_rtt(rtt);
        }
        if let Some(sample) = acked.rate {
            let begins = self.rounds.advance(sample.delivered_before, acked.delivered);
            if !sample.limited || sample.bytes_per_second >= self.rate.get() {
                self.rate.note(self.rounds.count, sample.bytes_per_second);
            }
            if begins {
                self.begin_round(acked);
            }
        }
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.on_acked(&Acked { recovering: false, ..*acked });
        }
        self.advance_phase(acked);
        let target = self.target();
        self.window = match self.phase {
            Phase::Startup { .. } if acked.window_used => self.window + acked.bytes,
            Phase::Startup { .. } => self.window,
            _ => (self.window + acked.bytes).min(target),
        };
        self.window = self.window.min(self.most());
        self.window = self.window.max(MIN_PACKETS * self.packet);
    }

    fn on_lost(&mut self, lost: &Lost) {
        self.accidents.note_lost(lost.bytes);
        // One reduction for one flight: what was sent before the last one says nothing about it.
        let slowing = matches!(self.phase, Phase::Drain | Phase::Lower { .. } | Phase::Shortest { .. });
        if slowing || lost.sent_at <= self.reduced_at || !self.is_congested(lost.in_flight) {
            return;
        }
        let flight = lost.in_flight.min(self.window);
        let regrowth = Cubic::regrowth(flight, self.packet);
        self.accidents.note_overflow(lost.now, flight, regrowth);
        if self.accidents.go_on_below(lost.now, flight) {
            return;
        }
        self.reduced_at = lost.now;
        self.depth.note_overflow();
        // What is in flight beyond what arrives in a round trip is lost already.
        let flight = flight.min(in_time(self.rate.get(), self.depth.last())).max(self.product());
        let ceiling = self.ceiling.get_or_insert_with(|| Cubic::new(self.packet));
        match self.rivals.presence() {
            Presence::Proven => ceiling.reduce_from(flight),
            _ => ceiling.share_from(flight),
        }
        // Who doubles what is in flight fills every queue, alone or not.
        if !matches!(self.phase, Phase::Startup { .. }) {
            self.rivals.note_overflow(lost.now, ceiling.window(), regrowth, self.depth.last());
        }
        self.end_growth(lost.now);
    }

    fn on_spurious_loss(&mut self) {
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.on_spurious_loss();
        }
    }

    fn on_timeout(&mut self, _now: Instant) {
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.confirm();
        }
        // The model remembers what the path can do; the window is back as soon as it does it again.
        self.window = MIN_PACKETS * self.packet;
    }

    fn on_idle(&mut self, _now: Instant) {
        // Pacing spreads what comes next over a round trip.
    }
}

/// Room for what is acknowledged late, in lots.
const SLACK_PACKETS: u64 = 6;

/// How many times the square root of the product, in packets, may wait in a queue.
const ROOT_FACTOR: u64 = 5;

/// After this many rounds without growth by a quarter the path is full.
const STALE_ROUNDS: u32 = 3;

/// How long a shortest round trip counts before it has to be measured again.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);

/// How long the queue is kept empty for that.
const SHORTEST_TIME: Duration = Duration::from_millis(100);

/// Round trips this much longer than the shortest are no sign of a queue: timers and processors take their time.
const LEAST_QUEUE: Duration = Duration::from_millis(2);

/// How many rounds pass between one attempt to be faster and the next, at least, and how much more it may be.
const CRUISE_ROUNDS: u32 = 4;
const CRUISE_SPREAD: u32 = 3;
