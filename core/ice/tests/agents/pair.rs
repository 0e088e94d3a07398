//! The two agents, what lies between them, and their clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pavane_base::rand_core::{Rng, SeedableRng};
use pavane_base::{Instant, Path, Transport};
use pavane_crypto::software::SoftwareProvider;
use pavane_ice::{Agent, Config, Credentials, Event, Mode, RemoteCandidate, Role, State};
use rand_chacha::ChaCha8Rng;

pub(crate) const RTT: Duration = Duration::from_millis(100);

pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) agents: [Agent; 2],
    pub(crate) events: [Vec<(Instant, Event)>; 2],
    pub(crate) rngs: [ChaCha8Rng; 2],
    pub(crate) loss: f64,
    /// Ways that lead nowhere.
    pub(crate) cut: Vec<(SocketAddr, SocketAddr)>,
    /// Ways that lead nowhere in the direction from the first to the second.
    pub(crate) cut_one_way: Vec<(SocketAddr, SocketAddr)>,
    /// What an address of ours looks like from outside.
    pub(crate) nat: BTreeMap<SocketAddr, SocketAddr>,
    in_flight: BTreeMap<(Instant, u64), (usize, Path, Vec<u8>)>,
    network: ChaCha8Rng,
    sent: u64,
    /// Everything that was sent, for comparing runs.
    pub(crate) trace: Vec<(Instant, Path, Vec<u8>)>,
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn path(local: SocketAddr, remote: SocketAddr) -> Path {
    Path { local, remote, transport: Transport::Udp }
}

impl Pair {
    /// Two agents with these addresses that know nothing of each other.
    pub(crate) fn strangers(seed: u64, addresses: [&[&str]; 2]) -> Self {
        Self::configured(seed, addresses, [Mode::Full; 2])
    }

    /// The same, of which one may be a lite one.
    pub(crate) fn configured(seed: u64, addresses: [&[&str]; 2], modes: [Mode; 2]) -> Self {
        let now = Instant::from_millis(1);
        let mut rngs = [seed * 2, seed * 2 + 1].map(ChaCha8Rng::seed_from_u64);
        let mut agents = [0, 1].map(|n| {
            let rng = &mut rngs[n];
            let role = if n == 0 { Role::Controlling } else { Role::Controlled };
            let credentials = Credentials::generate(rng);
            let mut config = Config::new(Arc::new(SoftwareProvider));
            config.mode = modes[n];
            Agent::new(config, role, credentials, rng)
        });
        for n in 0..2 {
            for text in addresses[n] {
                agents[n].add_local_address(now, &mut rngs[n], address(text)).unwrap();
            }
            agents[n].end_of_local_addresses(now);
        }
        Self {
            now,
            agents,
            events: Default::default(),
            rngs,
            loss: 0.0,
            cut: Vec::new(),
            cut_one_way: Vec::new(),
            nat: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            network: ChaCha8Rng::seed_from_u64(!seed),
            sent: 0,
            trace: Vec::new(),
        }
    }

    /// Two agents that have told each other everything.
    pub(crate) fn introduced(seed: u64, addresses: [&[&str]; 2]) -> Self {
        let mut pair = Self::strangers(seed, addresses);
        pair.introduce();
        pair
    }

    pub(crate) fn introduce(&mut self) {
        for n in 0..2 {
            self.agents[n].start_gathering(self.now, &mut self.rngs[n]);
        }
        for n in 0..2 {
            self.tell_candidates(n);
            self.tell_credentials(n);
            self.agents[1 - n].end_of_remote_candidates(self.now);
        }
    }

    /// Tells the other one the credentials of `n`.
    pub(crate) fn tell_credentials(&mut self, n: usize) {
        let credentials = self.agents[n].local_credentials().clone();
        self.agents[1 - n].set_remote_credentials(self.now, &mut self.rngs[1 - n], credentials);
    }

    /// Tells the other one the candidates of `n`.
    pub(crate) fn tell_candidates(&mut self, n: usize) {
        for candidate in self.agents[n].local_candidates().to_vec() {
            let candidate = RemoteCandidate::Address(candidate);
            self.agents[1 - n].add_remote_candidate(self.now, &mut self.rngs[1 - n], candidate).unwrap();
        }
    }

    fn outside(&self, address: SocketAddr) -> SocketAddr {
        self.nat.get(&address).copied().unwrap_or(address)
    }

    fn inside(&self, address: SocketAddr) -> SocketAddr {
        self.nat.iter().find(|(_, outside)| **outside == address).map_or(address, |(inside, _)| *inside)
    }

    pub(crate) fn flush(&mut self) {
        for n in 0..2 {
            let mut buf = Vec::new();
            while let Some(transmit) = self.agents[n].poll_transmit(self.now, &mut buf) {
                let datagram = std::mem::take(&mut buf);
                assert_eq!(datagram.len(), transmit.len);
                self.trace.push((self.now, transmit.path, datagram.clone()));
                self.sent += 1;
                let lost = f64::from(self.network.next_u32()) < self.loss * f64::from(u32::MAX);
                let (from, to) = (transmit.path.local, transmit.path.remote);
                let lost = lost || self.cut_one_way.contains(&(from, to));
                if !lost && !self.cut.contains(&(from, to)) && !self.cut.contains(&(to, from)) {
                    let seen = path(self.inside(to), self.outside(from));
                    let arrival = (self.now + RTT / 2, self.sent);
                    self.in_flight.insert(arrival, (1 - n, seen, datagram));
                }
            }
            while let Some(event) = self.agents[n].poll_event() {
                self.events[n].push((self.now, event));
            }
        }
    }

    fn step(&mut self) {
        self.now = self.now.max(self.next().unwrap_or(self.now));
        while let Some(entry) = self.in_flight.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (to, seen, datagram) = entry.remove();
            self.agents[to].handle_datagram(self.now, &mut self.rngs[to], seen, &datagram);
        }
        for n in 0..2 {
            if self.agents[n].poll_timeout().is_some_and(|at| at <= self.now) {
                self.agents[n].handle_timeout(self.now, &mut self.rngs[n]);
                let next = self.agents[n].poll_timeout();
                assert!(next.is_none_or(|at| at > self.now), "what was due is done");
            }
        }
        self.flush();
    }

    pub(crate) fn run(&mut self, patience: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let deadline = self.now + patience;
        self.flush();
        while !done(self) {
            if self.next().is_none_or(|next| next > deadline) {
                self.now = deadline;
                return false;
            }
            self.step();
        }
        true
    }

    fn next(&self) -> Option<Instant> {
        let arrival = self.in_flight.keys().next().map(|(at, _)| *at);
        self.agents.iter().filter_map(Agent::poll_timeout).chain(arrival).min()
    }

    pub(crate) fn idle(&mut self, duration: Duration) {
        self.run(duration, |_| false);
    }

    pub(crate) fn both_selected(&self) -> bool {
        self.agents.iter().all(|agent| agent.selected_path().is_some())
    }

    pub(crate) fn both_completed(&self) -> bool {
        self.agents.iter().all(|agent| agent.state() == State::Completed)
    }

    /// Whether both send by the same way.
    pub(crate) fn agree(&self) -> bool {
        let [a, b] = [0, 1].map(|n| self.agents[n].selected_path());
        a.zip(b).is_some_and(|(a, b)| a.local == b.remote && a.remote == b.local)
    }

    pub(crate) fn states(&self, n: usize) -> Vec<State> {
        self.events[n]
            .iter()
            .filter_map(|(_, event)| match event {
                Event::StateChanged(state) => Some(*state),
                _ => None,
            })
            .collect()
    }
}
