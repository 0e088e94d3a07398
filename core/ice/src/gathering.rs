//! The gathering of our candidates (RFC 8445 §5.1).

use pavane_base::{Instant, Path, Transport};

use crate::search::Phase;
use crate::{
    Agent, Candidate, CandidateKind, Event, GatheringState, LocalAddress, LocalAddressError, Mode, Origin,
    TcpPolicy, TransportPolicy,
};

impl Agent {
    pub(crate) fn add_host(&mut self, now: Instant, bound: LocalAddress) -> Result<(), LocalAddressError> {
        if !self.locals.add_socket(bound)? {
            return Ok(());
        }
        let socket = self.locals.sockets().last().cloned().expect("one was added");
        let host = self.locals.host(&socket);
        self.gathered(now, host);
        if bound.transport == Transport::Udp {
            if self.config.mode == Mode::Full
                && self.config.tcp == TcpPolicy::Active
                && let Some(active) = self.locals.new_active(bound.address.ip())
            {
                self.gathered(now, active);
            }
            self.ask_servers_from(bound.address);
        }
        Ok(())
    }

    /// Takes a candidate of ours: pairs are made of it or its base, and it is told of once gathering has begun.
    pub(crate) fn gathered(&mut self, now: Instant, candidate: Candidate) {
        let is_wanted =
            self.config.policy == TransportPolicy::All || candidate.kind == CandidateKind::Relayed;
        if !is_wanted || !self.is_kept(Origin::Local, &candidate) {
            return;
        }
        let Some(candidate) = self.locals.add(candidate) else { return };
        let base = match candidate.is_base() {
            true => Some(candidate.clone()),
            // The socket itself may be one that the peer is not told of.
            false => {
                let socket = self.locals.socket(candidate.base(), candidate.transport).cloned();
                socket.map(|socket| self.locals.host(&socket))
            }
        };
        let new_base = base.filter(|base| self.locals.add_base(base.clone()));
        if self.locals.state == GatheringState::New {
            return;
        }
        if let Some(base) = new_base {
            self.pair_local(&base);
        }
        self.tell(Event::LocalCandidate(candidate));
        self.hope(now);
    }

    /// Whether the caller lets a candidate be used.
    pub(crate) fn is_kept(&self, origin: Origin, candidate: &Candidate) -> bool {
        self.config.filter.as_ref().is_none_or(|filter| filter.keeps(origin, candidate))
    }

    pub(crate) fn remove_host(&mut self, now: Instant, bound: LocalAddress) {
        self.locals.remove_socket(bound);
        let LocalAddress { address, transport } = bound;
        let streams_end = !self.locals.has_sockets(address.ip());
        let is_gone = |path: Path| {
            (path.local, path.transport) == (address, transport)
                || (streams_end && path.transport == Transport::Tcp && path.local.ip() == address.ip())
        };
        self.servers.remove_socket(address);
        self.remove_relays(now, is_gone);
        self.checklist.retain(|path| !is_gone(path));
        self.former = self.former.take().filter(|former| !is_gone(former.pair.path()));
        self.search_again_if_lost(now);
    }

    /// Begins the search anew where the pairs that worked are gone.
    pub(crate) fn search_again_if_lost(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Found { .. }) && !self.checklist.has_valid() {
            self.search_again(now);
        }
    }

    /// Begins to gather: tells of every candidate that there is.
    pub(crate) fn gather(&mut self) {
        if self.locals.state != GatheringState::New {
            return;
        }
        self.locals.state = GatheringState::Gathering;
        self.tell(Event::GatheringStateChanged(GatheringState::Gathering));
        for n in 0..self.locals.bases().len() {
            let base = self.locals.bases()[n].clone();
            self.pair_local(&base);
        }
        for n in 0..self.locals.candidates().len() {
            let candidate = self.locals.candidates()[n].clone();
            self.tell(Event::LocalCandidate(candidate));
        }
    }

    /// Gathers anew, if gathering had begun.
    pub(crate) fn gather_again(&mut self) {
        self.locals.forget_learnt();
        self.servers.ask_again();
        if self.locals.state != GatheringState::New {
            self.locals.state = GatheringState::New;
            self.gather();
        }
    }

    /// Ends gathering when the caller has named all its sockets, and all servers have answered or had their time.
    pub(crate) fn settle_gathering(&mut self, now: Instant) {
        let is_over = self.locals.ended
            && self.locals.state == GatheringState::Gathering
            && self.gathering_ends_at().is_none_or(|at| at <= now);
        if is_over {
            self.locals.state = GatheringState::Complete;
            self.tell(Event::GatheringStateChanged(GatheringState::Complete));
        }
    }
}
