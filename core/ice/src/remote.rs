//! The peer's candidates: signalled, hidden behind names, and learnt from checks.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use pavane_base::{Instant, Path, RoomForOne, Transport};

use crate::budget::Budget;
use crate::candidate::{self, Candidate, NamedCandidate, compatible};
use crate::checklist::Occasion;
use crate::pair::{Pair, Side};
use crate::priority;
use crate::{
    Agent, CandidateKind, GatheringState, Mode, Origin, RemoteCandidateError, TcpType, TransportPolicy,
    resolve,
};

/// A candidate of the peer that can be paired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote {
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) side: Side,
    disclosure: Disclosure,
}

/// Who may know of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disclosure {
    /// Whoever wants to.
    Open,
    /// Not those who are outside: it hid behind a name of multicast DNS.
    Hidden,
}

impl Remote {
    fn is_learnt(&self) -> bool {
        self.side.kind == CandidateKind::PeerReflexive
    }
}

/// What is known of the peer's candidates.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    known: Vec<Remote>,
    pub(crate) ended: bool,
}

/// How many signalled candidates are taken, names among them.
const MAX_SIGNALLED: usize = 100;

/// How many are learnt from authentic checks (RFC 8445 §7.3.1.3).
const MAX_LEARNT: usize = 32;

/// How long after its last answer a learnt address is kept when there is no room for another: two intervals of consent.
const FRESH: Duration = Duration::from_secs(10);

impl Remotes {
    pub(crate) const fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn get(&self, address: SocketAddr, transport: Transport) -> Option<&Remote> {
        self.known.iter().find(|remote| (remote.address, remote.transport) == (address, transport))
    }

    fn get_mut(&mut self, address: SocketAddr, transport: Transport) -> Option<&mut Remote> {
        self.known.iter_mut().find(|remote| (remote.address, remote.transport) == (address, transport))
    }

    fn signalled(&self) -> impl Iterator<Item = &Remote> {
        self.known.iter().filter(|remote| !remote.is_learnt())
    }
}

impl Agent {
    /// Takes a candidate that was signalled. What cannot work here is passed over.
    ///
    /// Deviation: RFC 8838 §14 ignores candidates that come after their end was told. Peers whose network changes send
    /// such, and they do no harm.
    pub(crate) fn signalled(
        &mut self,
        now: Instant,
        candidate: &Candidate,
        disclosure: Disclosure,
    ) -> Result<(), RemoteCandidateError> {
        let ip = candidate.address.ip();
        let is_usable = is_served(candidate.component, candidate.tcp_type)
            && candidate.address.port() != 0
            && !(ip.is_unspecified() || ip.is_multicast() || is_embedded(ip))
            && self.is_kept(Origin::Remote, candidate);
        if !is_usable {
            return Ok(());
        }
        let (address, transport) = (candidate.address, candidate.transport);
        let side = Side { kind: candidate.kind, priority: priority::in_range(candidate.priority) };
        match self.remotes.get_mut(address, transport) {
            Some(known) if known.is_learnt() && side.kind != CandidateKind::PeerReflexive => {
                // RFC 8838 §11: what was learnt from a check turns out to be this candidate.
                known.side = side;
                let is_its = |path: Path| {
                    let Path { remote, transport: by, .. } = path;
                    (remote.ip(), remote.port(), by) == (address.ip(), address.port(), transport)
                };
                let its = self.checklist.iter_mut().filter(|pair| is_its(pair.path()));
                its.for_each(|pair| {
                    pair.remote = side;
                    pair.budget.signalled();
                });
            }
            Some(_) => return Ok(()),
            None => {
                self.room_for_signalled()?;
                self.remotes.known.room_for_one();
                self.remotes.known.push(Remote { address, transport, side, disclosure });
            }
        }
        if self.locals.state != GatheringState::New {
            for n in 0..self.locals.bases().len() {
                let base = self.locals.bases()[n].clone();
                self.pair_up(&base, address, Occasion::Known);
            }
        }
        self.hope(now);
        Ok(())
    }

    /// Takes a candidate whose name has to be resolved first. Names that are not of multicast DNS are passed over.
    pub(crate) fn ask_for(&mut self, named: NamedCandidate) -> Result<(), RemoteCandidateError> {
        let is_usable = is_served(named.component, named.tcp_type)
            && named.port != 0
            && self.config.policy == TransportPolicy::All
            && resolve::is_multicast(&named.name);
        let is_same = |other: &NamedCandidate| (&other.name, other.port) == (&named.name, named.port);
        if is_usable && !self.actions.named().any(is_same) {
            self.room_for_signalled()?;
            self.actions.ask_for(named);
        }
        Ok(())
    }

    /// Takes what a name was resolved to. Names with more than one address are passed over, as
    /// draft-ietf-mmusic-mdns-ice-candidates has it.
    pub(crate) fn resolved(&mut self, now: Instant, named: NamedCandidate, addresses: &[IpAddr]) {
        if let [ip] = *addresses {
            // It was counted among the candidates when it came, so there is room.
            let _ = self.signalled(now, &named.at(ip), Disclosure::Hidden);
        }
    }

    fn room_for_signalled(&self) -> Result<(), RemoteCandidateError> {
        match self.remotes.signalled().count() + self.actions.named().count() < MAX_SIGNALLED {
            true => Ok(()),
            false => Err(RemoteCandidateError::TooMany { max: MAX_SIGNALLED }),
        }
    }

    /// Takes note of the way that an authentic request came by, its remote end known or not (RFC 8445 §7.3.1.3); says
    /// whether there is a pair for it.
    pub(crate) fn learn(&mut self, now: Instant, path: Path, priority: u32) -> bool {
        if self.checklist.get(path).is_some() {
            return true;
        }
        if self.remotes.get(path.remote, path.transport).is_none() {
            if !self.room_for_learnt(now) {
                return false;
            }
            let learnt = candidate::peer_reflexive(path, priority);
            if !self.is_kept(Origin::Remote, &learnt) {
                return false;
            }
            let side = Side { kind: learnt.kind, priority: learnt.priority };
            let Path { remote: address, transport, .. } = path;
            self.remotes.known.room_for_one();
            self.remotes.known.push(Remote { address, transport, side, disclosure: Disclosure::Open });
        }
        if let Some(base) = self.locals.base(path.local, path.transport).cloned() {
            self.pair_up(&base, path.remote, Occasion::Heard);
        }
        let paired = self.checklist.get(path).is_some();
        if !paired {
            self.counters.overflow += 1;
        }
        paired
    }

    /// Makes room among the learnt: peers move, and where they have been does not work any more.
    fn room_for_learnt(&mut self, now: Instant) -> bool {
        if self.remotes.known.iter().filter(|remote| remote.is_learnt()).count() < MAX_LEARNT {
            return true;
        }
        self.counters.overflow += 1;
        let works = |remote: &Remote| {
            let is_its = |path: Path| (path.remote, path.transport) == (remote.address, remote.transport);
            let is_fresh = |pair: &Pair| pair.consent().is_some_and(|consent| consent.age(now) < FRESH);
            self.checklist
                .iter()
                .any(|pair| is_its(pair.path()) && (is_fresh(pair) || self.selected() == Some(pair.path())))
        };
        let useless = self.remotes.known.iter().position(|remote| remote.is_learnt() && !works(remote));
        let Some(useless) = useless else { return false };
        let gone = self.remotes.known.remove(useless);
        self.checklist.retain(|path| (path.remote, path.transport) != (gone.address, gone.transport));
        true
    }

    /// Pairs a new base of ours with every candidate that was signalled.
    pub(crate) fn pair_local(&mut self, local: &Candidate) {
        let remotes: Vec<_> = self.remotes.signalled().map(|remote| remote.address).collect();
        for remote in remotes {
            self.pair_up(local, remote, Occasion::Known);
        }
    }

    /// Makes a pair of a base of ours and a known address, if it can work and is not there yet (RFC 8445 §6.1.2.2). One that
    /// listens is paired when the peer has connected to it (RFC 6544 §6.2), one of a lite agent when the peer has asked.
    fn pair_up(&mut self, local: &Candidate, remote: SocketAddr, occasion: Occasion) {
        let only_listens = self.config.mode == Mode::Lite || local.tcp_type == Some(TcpType::Passive);
        let waits = only_listens && occasion == Occasion::Known;
        if waits || !compatible(local.address, remote) {
            return;
        }
        let path = candidate::path(Path { local: local.address, remote, transport: local.transport });
        let Some(known) = self.remotes.get(remote, local.transport) else { return };
        // draft-ietf-mmusic-mdns-ice-candidates, "Interactions With TURN Servers": the server would learn the address.
        if local.kind == CandidateKind::Relayed
            && known.disclosure == Disclosure::Hidden
            && occasion == Occasion::Known
        {
            return;
        }
        if self.checklist.get(path).is_none() {
            let ours = Side { kind: local.kind, priority: local.priority };
            let budget = match (known.is_learnt(), path.transport) {
                (_, Transport::Tcp) => Budget::Proven,
                (true, _) => Budget::UNKNOWN,
                (false, _) => Budget::SIGNALLED,
            };
            let pair = Pair::new(path, ours, known.side, budget);
            self.checklist.insert(pair, self.role, occasion);
        }
    }
}

/// Component 1 is all that there is; and whoever only connects to us is not connected to.
fn is_served(component: u16, tcp_type: Option<TcpType>) -> bool {
    component == 1 && matches!(tcp_type, None | Some(TcpType::Passive))
}

/// Whether an IPv6 address stands for an IPv4 one (RFC 8445 §5.1.1.1).
const fn is_embedded(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.to_ipv4_mapped().is_some(),
    }
}
