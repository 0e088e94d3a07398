//! The agent: what its composer calls.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transmit, earliest};

use crate::action::{Action, ActionId, ActionOutcome, Actions};
use crate::candidate::{self, Candidate, RemoteCandidate};
use crate::checklist::Checklist;
use crate::config::{Config, Role};
use crate::generation::{Duty, Former, Keyed};
use crate::locals::Locals;
use crate::nomination::Nomination;
use crate::outbox::Outbox;
use crate::pair::{Pair, PairStats};
use crate::purpose::Purpose;
use crate::remote::{Disclosure, Remotes};
use crate::requests::Effect;
use crate::search::Phase;
use crate::servers::Servers;
use crate::{
    Counters, Credentials, Event, GatheringState, LocalAddress, LocalAddressError, Mode,
    RemoteCandidateError, State,
};

/// A full ICE agent for one component.
pub struct Agent {
    pub(crate) config: Config,
    pub(crate) role: Role,
    pub(crate) tiebreaker: u64,
    pub(crate) local: Keyed,
    pub(crate) remote: Option<Keyed>,
    pub(crate) former: Option<Former>,
    pub(crate) locals: Locals,
    pub(crate) servers: Servers,
    pub(crate) remotes: Remotes,
    pub(crate) actions: Actions<Purpose>,
    /// The streams that are open.
    pub(crate) streams: Vec<Path>,
    pub(crate) checklist: Checklist,
    pub(crate) outbox: Outbox,
    /// The latest numbered nomination.
    pub(crate) renomination: Option<u32>,
    pub(crate) phase: Phase,
    /// Before this, no ordinary check is sent.
    pub(crate) paced_until: Instant,
    pub(crate) told: State,
    events: VecDeque<Event>,
    next_timeout: Option<Instant>,
    pub(crate) counters: Counters,
}

/// How many events wait for the caller; the oldest gives way.
const MAX_EVENTS: usize = 256;

impl Agent {
    /// Makes an agent that does nothing yet.
    pub fn new(config: Config, role: Role, credentials: Credentials, rng: &mut dyn CryptoRng) -> Self {
        let role = if config.mode == Mode::Lite { Role::Controlled } else { role };
        let local = Keyed::new(&config.provider, credentials);
        let checklist = Checklist::new(config.max_pairs);
        Self {
            config,
            role,
            tiebreaker: rng.next_u64(),
            local,
            remote: None,
            former: None,
            locals: Locals::new(),
            servers: Servers::default(),
            remotes: Remotes::default(),
            actions: Actions::default(),
            streams: Vec::new(),
            checklist,
            outbox: Outbox::default(),
            renomination: None,
            phase: Phase::Idle,
            paced_until: Instant::ZERO,
            told: State::New,
            events: VecDeque::new(),
            next_timeout: None,
            counters: Counters::default(),
        }
    }
}

/// # Commands
///
/// After [`close`](Self::close) they do nothing.
impl Agent {
    /// Adds the address of a socket that the caller bound. Before gathering has begun it is only remembered.
    ///
    /// # Errors
    /// If it is not the address of one socket, or there are too many.
    pub fn add_local_address(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        address: impl Into<LocalAddress>,
    ) -> Result<(), LocalAddressError> {
        if self.phase != Phase::Closed {
            self.add_host(now, address.into())?;
        }
        self.turn(now, rng);
        Ok(())
    }

    /// Takes back an address whose socket is gone, and every pair that stands on it.
    pub fn remove_local_address(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        address: impl Into<LocalAddress>,
    ) {
        self.remove_host(now, address.into());
        self.turn(now, rng);
    }

    /// Says that the caller has named all its sockets.
    pub fn end_of_local_addresses(&mut self, now: Instant) {
        self.locals.ended = true;
        self.settle_gathering(now);
        self.tell_state(now);
    }

    /// Begins to gather: every address that was added becomes a candidate to be signalled.
    pub fn start_gathering(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if self.phase != Phase::Closed {
            self.gather();
        }
        self.turn(now, rng);
    }

    /// Takes a role. A lite agent is always controlled (RFC 8445 §6.1.1).
    pub fn set_role(&mut self, role: Role) {
        if self.config.mode == Mode::Full {
            self.take_role(role);
        }
    }

    /// Takes the peer's credentials: checks begin. Others than before are those of another peer, or of one that has begun
    /// anew, whose candidates are yet to come.
    pub fn set_remote_credentials(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        credentials: Credentials,
    ) {
        if self.phase == Phase::Closed || self.remote_credentials() == Some(&credentials) {
            return;
        }
        let remote = Keyed::new(&self.config.provider, credentials);
        if self.remote.replace(remote).is_some() {
            self.forget_peer();
        }
        self.phase = Phase::Searching { since: now, lost: false };
        self.turn(now, rng);
    }

    /// Adds a candidate of the peer, at any time; before its credentials are known it waits. What cannot be used here is
    /// passed over without an error.
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
            _ if self.phase == Phase::Closed => {}
            RemoteCandidate::Address(candidate) => self.signalled(now, &candidate, Disclosure::Open)?,
            RemoteCandidate::Name(named) => self.ask_for(named)?,
        }
        self.turn(now, rng);
        Ok(())
    }

    /// Says that the peer has no further candidates.
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.remotes.ended = true;
        self.tell_state(now);
    }

    /// Begins a new generation with these credentials (RFC 8445 §9). Data goes on by the way that it has, for as long as
    /// the peer consents there, until a new one is found.
    pub fn restart(&mut self, now: Instant, rng: &mut dyn CryptoRng, local: Credentials) {
        if self.phase == Phase::Closed {
            return;
        }
        let local = core::mem::replace(&mut self.local, Keyed::new(&self.config.provider, local));
        let pair = self.selected().and_then(|selected| self.checklist.remove(selected));
        match (pair, self.remote.take()) {
            (Some(pair), Some(remote)) => {
                let others = self.checklist.iter().filter(|pair| pair.consent().is_some()).map(Pair::path);
                let others = others.collect();
                self.former = Some(Former { local, remote, pair, others, duty: Duty::Carries });
            }
            // Where a restart follows another, the way before the first of them is what there is.
            _ => self.former = self.former.take().filter(|former| former.duty == Duty::Carries),
        }
        self.forget_peer();
        self.phase = Phase::Idle;
        self.gather_again();
        self.servers.relays.look_after(now, rng);
        self.turn(now, rng);
    }

    /// Forgets all that belongs to the peer's candidates.
    fn forget_peer(&mut self) {
        self.remotes = Remotes::default();
        self.actions.forget_candidates();
        self.checklist.clear();
        self.outbox.clear();
        self.paced_until = Instant::ZERO;
        self.renomination = None;
    }

    /// Has the caller answer for a name of multicast DNS that stands for an address of ours, until it is
    /// [withdrawn](Self::withdraw). The agent itself knows addresses alone.
    pub fn publish(&mut self, name: String, address: IpAddr) {
        self.actions.tell(Action::PublishMdns { name, address });
    }

    /// Has a name answered for no more; after [`close`](Self::close), too.
    pub fn withdraw(&mut self, name: String) {
        self.actions.tell(Action::WithdrawMdns { name });
    }

    /// Ends the agent: it takes nothing any more, and sends no more than what gives relays their addresses back. Its streams
    /// are to be closed after that.
    pub fn close(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.forget_peer();
        self.servers.close(now, rng);
        self.actions.clear();
        self.phase = Phase::Closed;
        self.former = None;
        self.turn(now, rng);
    }
}

/// # The world speaks
impl Agent {
    /// Takes a datagram whose first byte is that of STUN.
    pub fn handle_datagram(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path, payload: &[u8]) {
        if self.phase == Phase::Closed {
            return;
        }
        let path = candidate::path(path);
        if self.take_message(now, rng, path, payload) == Effect::Changed {
            self.turn(now, rng);
        }
    }

    /// Notes that a datagram of data came, and says whether it came by a pair that is known. It counts as a sign of life.
    pub fn handle_data(&mut self, now: Instant, path: Path, len: usize) -> bool {
        let path = candidate::path(path);
        let check_len = self.check_len();
        let mut is_to_be_checked = false;
        if let Some(pair) = self.pair_mut(path) {
            pair.heard();
            pair.traffic.received(now, len as u64);
            let could_be_checked = pair.budget.affords(check_len);
            pair.budget.received(len);
            is_to_be_checked = !could_be_checked && pair.budget.affords(check_len);
        } else if !self.former.as_ref().is_some_and(|former| former.others.contains(&path)) {
            return false;
        }
        if self.selected().is_some_and(|selected| selected != path) {
            self.doubt_selected(now);
        }
        if is_to_be_checked {
            self.next_timeout = earliest(self.next_timeout, Some(now));
        }
        if self.told == State::Disconnected {
            self.tell_state(now);
        }
        true
    }

    /// The peer sends by another way than we do: it may have lost ours.
    fn doubt_selected(&mut self, now: Instant) {
        let selected = self.selected().and_then(|selected| self.checklist.get_mut(selected)?.consent_mut());
        if selected.is_some_and(|consent| consent.doubt(now)) {
            self.next_timeout = earliest(self.next_timeout, Some(now));
        }
    }

    /// Notes that datagrams of data were written for the selected path. Where nothing comes back, that is soon found out.
    pub fn data_sent(&mut self, now: Instant, datagrams: usize, len: usize) {
        let pair = self.selected_path().and_then(|path| self.pair_mut(path));
        let Some(pair) = pair else { return };
        pair.traffic.sent(now, datagrams as u64, len as u64);
        if pair.consent_mut().is_some_and(|consent| consent.sent(now)) {
            let due = pair.due();
            self.next_timeout = earliest(self.next_timeout, due);
        }
    }

    /// The pair of a path, that which carries data during a restart among them.
    fn pair_mut(&mut self, path: Path) -> Option<&mut Pair> {
        let former = self.former.as_mut().map(|former| &mut former.pair).filter(|pair| pair.path() == path);
        self.checklist.get_mut(path).or(former)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.turn(now, rng);
    }

    /// Takes the outcome of an action.
    pub fn handle_action(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        id: ActionId,
        outcome: ActionOutcome,
    ) {
        let Some(purpose) = self.actions.take(id) else { return };
        self.take_outcome(now, rng, purpose, outcome);
        self.turn(now, rng);
    }

    /// Takes the end of a stream: the peer or server closed it, or it broke.
    pub fn handle_stream_closed(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path) {
        self.disconnected(now, candidate::path(path));
        self.turn(now, rng);
    }

    /// What every input ends with: what has had its time ends, the best pair is chosen, checks that
    /// are due go out, and the next deadline is set.
    pub(crate) fn turn(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if self.phase == Phase::Closed {
            self.relay_what_is_due(now, rng);
            self.next_timeout = self.servers.deadline();
            return;
        }
        self.expire(now);
        self.ask_servers(now);
        self.gather_what_is_due(now, rng);
        self.prepare_pairs(now, rng);
        self.close_idle_streams();
        self.select(now);
        self.bind_channel(now, rng);
        let before = self.told;
        self.tell_state(now);
        if self.told != before && matches!(self.told, State::Disconnected | State::Failed) {
            self.servers.relays.look_after(now, rng);
        }
        self.check_what_is_due(now, rng);
        self.next_timeout = self.deadline(now);
    }

    /// Tells the state if it is another.
    fn tell_state(&mut self, now: Instant) {
        let state = self.state_at(now);
        if self.phase == Phase::Closed || core::mem::replace(&mut self.told, state) == state {
            return;
        }
        self.tell(Event::StateChanged(state));
        if state == State::Disconnected {
            // What did not work may have come to do so.
            self.checklist.iter_mut().for_each(Pair::revive);
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
            self.counters.overflow += 1;
        }
        self.events.push_back(event);
    }

    /// Another role makes other priorities, and nominations of no worth.
    pub(crate) fn take_role(&mut self, role: Role) {
        if core::mem::replace(&mut self.role, role) != role {
            self.checklist.iter_mut().for_each(|pair| pair.nomination = Nomination::None);
        }
    }
}

/// # What the composer does next
impl Agent {
    /// Appends one STUN message to `buf`.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.write_next(now, buf)
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            // They are rare once there is a pair that works.
            self.events = VecDeque::new();
        }
        event
    }

    /// The next effect that the agent needs of its caller.
    pub fn poll_action(&mut self) -> Option<(ActionId, Action)> {
        self.actions.poll()
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
        match self.phase {
            Phase::Closed => State::Closed,
            _ => self.told,
        }
    }

    /// How far gathering has come.
    pub const fn gathering_state(&self) -> GatheringState {
        self.locals.state
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

    /// Our candidates that are to be signalled, once gathering has begun.
    pub fn local_candidates(&self) -> &[Candidate] {
        self.locals.candidates()
    }

    /// Our addresses behind NATs, as checks have brought them to light; they are not signalled (RFC 8445 §7.2.5.3.1).
    pub fn peer_reflexive_candidates(&self) -> &[Candidate] {
        self.locals.learnt()
    }

    /// Where to send data: the nominated pair, else the best one that works; nowhere without consent.
    pub fn selected_path(&self) -> Option<Path> {
        self.selected().or_else(|| self.carrier().map(|former| former.pair.path()))
    }

    /// The last round trip of a check on the selected path.
    pub fn round_trip_time(&self) -> Option<Duration> {
        match self.selected() {
            Some(selected) => self.checklist.get(selected)?.round_trip_time(),
            None => self.carrier()?.pair.round_trip_time(),
        }
    }

    /// What was counted.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Every pair.
    pub fn pairs(&self) -> impl Iterator<Item = PairStats> {
        self.checklist.iter().map(|pair| pair.stats(self.role, self.selected()))
    }

    /// The generation before a restart, while it carries the data.
    pub(crate) fn carrier(&self) -> Option<&Former> {
        self.former.as_ref().filter(|former| former.duty == Duty::Carries)
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("role", &self.role)
            .field("state", &self.state())
            .field("selected", &self.selected_path())
            .finish_non_exhaustive()
    }
}
