//! The agent: what its composer calls.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transmit};

use crate::candidate::{self, Candidate, NamedCandidate, RemoteCandidate};
use crate::checks::Outgoing;
use crate::config::{Config, Role};
use crate::generation::{Former, Keyed};
use crate::pair::{Pair, PairStats};
use crate::remote::Remote;
use crate::selection::Verdict;
use crate::{
    Counters, Credentials, Event, GatheringState, LocalAddressError, RemoteCandidateError, ResolveId, State,
};

/// A full ICE agent for one component.
pub struct Agent {
    pub(crate) config: Config,
    pub(crate) role: Role,
    pub(crate) tiebreaker: u64,
    pub(crate) local: Keyed,
    pub(crate) remote: Option<Keyed>,
    pub(crate) former: Option<Former>,
    /// What we can send from, with its priority.
    pub(crate) locals: Vec<Candidate>,
    /// What was told so far of what the caller named.
    gathering: GatheringState,
    locals_ended: bool,
    pub(crate) remotes: Vec<Remote>,
    pub(crate) remotes_ended: bool,
    pub(crate) names: BTreeMap<ResolveId, NamedCandidate>,
    pub(crate) unresolved: VecDeque<(ResolveId, String)>,
    pub(crate) next_resolve: u64,
    pub(crate) pairs: Vec<Pair>,
    /// Pairs that are checked before all others (RFC 8445 §6.1.4.1).
    pub(crate) triggered: VecDeque<Path>,
    pub(crate) outgoing: VecDeque<Outgoing>,
    /// Before this, no ordinary check is sent.
    pub(crate) paced_until: Instant,
    /// When the search began.
    pub(crate) searching_since: Option<Instant>,
    /// When the first pair worked that is waiting to be nominated.
    pub(crate) settling_since: Option<Instant>,
    pub(crate) selected: Option<Path>,
    pub(crate) verdict: Verdict,
    pub(crate) told: State,
    pub(crate) events: VecDeque<Event>,
    pub(crate) next_timeout: Option<Instant>,
    pub(crate) counters: Counters,
}

/// How many sockets an agent takes.
const MAX_LOCAL_ADDRESSES: usize = 32;

impl Agent {
    /// Makes an agent that does nothing yet.
    pub fn new(config: Config, role: Role, credentials: Credentials, rng: &mut dyn CryptoRng) -> Self {
        let local = Keyed::new(&*config.provider, credentials);
        Self {
            config,
            role,
            tiebreaker: rng.next_u64(),
            local,
            remote: None,
            former: None,
            locals: Vec::new(),
            gathering: GatheringState::New,
            locals_ended: false,
            remotes: Vec::new(),
            remotes_ended: false,
            names: BTreeMap::new(),
            unresolved: VecDeque::new(),
            next_resolve: 0,
            pairs: Vec::new(),
            triggered: VecDeque::new(),
            outgoing: VecDeque::new(),
            paced_until: Instant::ZERO,
            searching_since: None,
            settling_since: None,
            selected: None,
            verdict: Verdict::Open,
            told: State::New,
            events: VecDeque::new(),
            next_timeout: None,
            counters: Counters::default(),
        }
    }
}

/// # Commands
impl Agent {
    /// Adds the address of a UDP socket that the caller bound. Before gathering has begun it is only remembered.
    ///
    /// # Errors
    /// If it is not the address of one socket, or there are too many.
    pub fn add_local_address(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        address: SocketAddr,
    ) -> Result<(), LocalAddressError> {
        if address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(LocalAddressError::NotUnicast);
        }
        if address.port() == 0 {
            return Err(LocalAddressError::NoPort);
        }
        if self.locals.iter().any(|local| local.address == address) {
            return Ok(());
        }
        if self.locals.len() == MAX_LOCAL_ADDRESSES {
            return Err(LocalAddressError::TooMany { max: MAX_LOCAL_ADDRESSES });
        }
        let local = candidate::host(address, self.locals.len());
        self.locals.push(local.clone());
        if self.gathering != GatheringState::New {
            self.events.push_back(Event::LocalCandidate(local));
            self.pair_up();
        }
        self.turn(now, rng);
        Ok(())
    }

    /// Takes back an address whose socket is gone, and every pair that stands on it.
    pub fn remove_local_address(&mut self, now: Instant, rng: &mut dyn CryptoRng, address: SocketAddr) {
        self.locals.retain(|local| local.address != address);
        self.pairs.retain(|pair| pair.local != address);
        self.turn(now, rng);
    }

    /// Says that the caller has named all its sockets.
    pub fn end_of_local_addresses(&mut self, now: Instant) {
        self.locals_ended = true;
        self.settle_gathering();
        self.tell_state(now);
    }

    /// Begins to gather: every address that was added becomes a candidate to be signalled.
    pub fn start_gathering(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if self.gathering != GatheringState::New {
            return;
        }
        self.gathering = GatheringState::Gathering;
        self.events.push_back(Event::GatheringStateChanged(GatheringState::Gathering));
        self.events.extend(self.locals.iter().cloned().map(Event::LocalCandidate));
        self.settle_gathering();
        self.pair_up();
        self.turn(now, rng);
    }

    fn settle_gathering(&mut self) {
        if self.locals_ended && self.gathering == GatheringState::Gathering {
            self.gathering = GatheringState::Complete;
            self.events.push_back(Event::GatheringStateChanged(GatheringState::Complete));
        }
    }

    /// Takes a role.
    pub fn set_role(&mut self, role: Role) {
        if self.role != role {
            self.role = role;
            self.pairs.iter_mut().for_each(Pair::forget_checks);
        }
    }

    /// Takes the peer's credentials: checks begin.
    pub fn set_remote_credentials(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        credentials: Credentials,
    ) {
        self.remote = Some(Keyed::new(&*self.config.provider, credentials));
        self.searching_since = Some(now);
        self.turn(now, rng);
    }

    /// Adds a candidate of the peer, at any time.
    ///
    /// # Errors
    /// If there are too many.
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        candidate: RemoteCandidate,
    ) -> Result<(), RemoteCandidateError> {
        match candidate {
            RemoteCandidate::Address(candidate) => self.signalled(now, candidate)?,
            RemoteCandidate::Name(named) => self.ask_for(named)?,
        }
        self.turn(now, rng);
        Ok(())
    }

    /// Says that the peer has no further candidates.
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.remotes_ended = true;
        self.tell_state(now);
    }

    /// Begins a new generation with these credentials. Data goes on by the way that it has until a new one is found.
    pub fn restart(&mut self, now: Instant, rng: &mut dyn CryptoRng, local: Credentials) {
        let local = core::mem::replace(&mut self.local, Keyed::new(&*self.config.provider, local));
        let until = now + self.config.timing.failed_after;
        self.former = Some(Former { local, path: self.selected_path(), until });
        self.remote = None;
        self.remotes.clear();
        self.remotes_ended = false;
        self.names.clear();
        self.unresolved.clear();
        self.pairs.clear();
        self.triggered.clear();
        self.outgoing.clear();
        self.selected = None;
        self.settling_since = None;
        self.searching_since = None;
        self.verdict = Verdict::Open;
        if self.gathering != GatheringState::New {
            self.gathering = GatheringState::New;
            self.start_gathering(now, rng);
        }
        self.turn(now, rng);
    }

    /// Ends the agent: it sends and takes nothing any more.
    pub fn close(&mut self) {
        self.verdict = Verdict::Closed;
        self.pairs.clear();
        self.triggered.clear();
        self.outgoing.clear();
        self.former = None;
        self.selected = None;
        self.next_timeout = None;
    }
}

/// # The world speaks
impl Agent {
    /// Takes a datagram whose first byte is that of STUN.
    pub fn handle_datagram(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path, payload: &[u8]) {
        if self.verdict == Verdict::Closed {
            return;
        }
        self.take_message(now, rng, path, payload);
        self.turn(now, rng);
    }

    /// Notes that data came, and says whether it came by a pair that is known. It counts as a sign of life.
    pub fn handle_data(&mut self, now: Instant, path: Path) -> bool {
        let former = self.former.as_ref().is_some_and(|former| former.path == Some(path));
        let Some(pair) =
            self.pairs.iter_mut().find(|pair| pair.local == path.local && pair.remote == path.remote)
        else {
            return former;
        };
        pair.heard(now);
        if self.told == State::Disconnected {
            self.tell_state(now);
        }
        true
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if self.verdict != Verdict::Closed {
            self.turn(now, rng);
        }
    }

    /// Takes what a name was resolved to; `None` if it cannot be.
    pub fn handle_resolved(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        id: ResolveId,
        address: Option<IpAddr>,
    ) {
        let Some(named) = self.names.remove(&id) else { return };
        if let Some(ip) = address {
            // It was counted among the candidates when it came.
            let _ = self.signalled(now, named.at(ip));
        }
        self.turn(now, rng);
    }

    /// What every input ends with: what is due is done, the best pair is chosen, and the next deadline is set.
    fn turn(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.expire(now);
        self.select(now);
        self.check_what_is_due(now, rng);
        self.tell_state(now);
        self.next_timeout = self.deadline(now);
    }

    /// Tells the state if it is another.
    fn tell_state(&mut self, now: Instant) {
        let state = self.state_at(now);
        if core::mem::replace(&mut self.told, state) != state {
            self.events.push_back(Event::StateChanged(state));
        }
    }
}

/// # What the composer does next
impl Agent {
    /// Appends one STUN message to `buf`.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let _ = now;
        while let Some(outgoing) = self.outgoing.pop_front() {
            if let Some(transmit) = self.write(&outgoing, buf) {
                return Some(transmit);
            }
        }
        None
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next name to be resolved.
    pub fn poll_resolve(&mut self) -> Option<(ResolveId, String)> {
        self.unresolved.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.next_timeout
    }
}

/// # Getters
impl Agent {
    /// What the agent has achieved.
    pub const fn state(&self) -> State {
        match self.verdict {
            Verdict::Closed => State::Closed,
            _ => self.told,
        }
    }

    /// How far gathering has come.
    pub const fn gathering_state(&self) -> GatheringState {
        self.gathering
    }

    /// Who nominates.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Our credentials.
    pub const fn local_credentials(&self) -> &Credentials {
        &self.local.credentials
    }

    /// The peer's credentials.
    pub fn remote_credentials(&self) -> Option<&Credentials> {
        self.remote.as_ref().map(|remote| &remote.credentials)
    }

    /// Our candidates, once gathering has begun.
    pub fn local_candidates(&self) -> &[Candidate] {
        match self.gathering {
            GatheringState::New => &[],
            _ => &self.locals,
        }
    }

    /// Where to send data: the nominated pair, else the best one that works; nowhere without consent.
    pub fn selected_path(&self) -> Option<Path> {
        self.selected.or_else(|| self.former.as_ref()?.path)
    }

    /// The last round trip of a check on the selected path.
    pub fn round_trip_time(&self) -> Option<Duration> {
        let selected = self.selected?;
        self.pair(selected)?.round_trip_time
    }

    /// What was counted.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Every pair.
    pub fn pairs(&self) -> impl Iterator<Item = PairStats> {
        self.pairs.iter().map(|pair| pair.stats(self.role, self.selected == Some(pair.path())))
    }

    pub(crate) fn pair(&self, path: Path) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.path() == path)
    }

    pub(crate) fn pair_mut(&mut self, path: Path) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.path() == path)
    }

    /// Whether neither side will have further candidates.
    pub(crate) fn candidates_are_complete(&self) -> bool {
        self.gathering == GatheringState::Complete && self.remotes_ended && self.names.is_empty()
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("role", &self.role)
            .field("state", &self.told)
            .field("selected", &self.selected)
            .finish_non_exhaustive()
    }
}
