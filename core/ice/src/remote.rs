//! The peer's candidates: signalled, hidden behind names, and learnt from checks.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use pavane_base::{Instant, Path, Transport};

use crate::candidate::{self, Candidate, NamedCandidate, compatible};
use crate::checklist::Occasion;
use crate::pair::{Pair, Side};
use crate::{Agent, CandidateKind, RemoteCandidateError, ResolveId, resolve};

/// A candidate of the peer that can be paired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote {
    pub(crate) address: SocketAddr,
    pub(crate) side: Side,
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

impl Remotes {
    pub(crate) const fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn get_mut(&mut self, address: SocketAddr) -> Option<&mut Remote> {
        self.known.iter_mut().find(|remote| remote.address == address)
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
    ) -> Result<(), RemoteCandidateError> {
        let ip = candidate.address.ip();
        let is_usable = is_served(candidate.transport, candidate.component)
            && candidate.address.port() != 0
            && !(ip.is_unspecified() || ip.is_multicast() || is_embedded(ip));
        if !is_usable {
            return Ok(());
        }
        let address = candidate.address;
        let side = Side { kind: candidate.kind, priority: candidate::in_range(candidate.priority) };
        match self.remotes.get_mut(address) {
            Some(known) if known.is_learnt() && side.kind != CandidateKind::PeerReflexive => {
                // RFC 8838 §11: what was learnt from a check turns out to be this candidate.
                known.side = side;
                let its = self.checklist.iter_mut().filter(|pair| pair.path().remote.ip() == address.ip());
                its.filter(|pair| pair.path().remote.port() == address.port())
                    .for_each(|pair| pair.remote = side);
            }
            Some(_) => return Ok(()),
            None => {
                self.room_for_signalled()?;
                self.remotes.known.push(Remote { address, side });
            }
        }
        for n in 0..self.locals.candidates().len() {
            let local = self.locals.candidates()[n].address;
            self.pair_up(local, address, Occasion::Known);
        }
        self.hope(now);
        Ok(())
    }

    /// Takes a candidate whose name has to be resolved first. Names that are not of multicast DNS are passed over.
    pub(crate) fn ask_for(&mut self, named: NamedCandidate) -> Result<(), RemoteCandidateError> {
        let is_usable = is_served(named.transport, named.component)
            && named.port != 0
            && resolve::is_multicast(&named.name);
        if is_usable && !self.names.contains(&named) {
            self.room_for_signalled()?;
            self.names.ask(named);
        }
        Ok(())
    }

    /// Takes what a name was resolved to.
    pub(crate) fn resolved(&mut self, now: Instant, id: ResolveId, address: Option<IpAddr>) {
        if let (Some(named), Some(ip)) = (self.names.take(id), address) {
            // It was counted among the candidates when it came, so there is room.
            let _ = self.signalled(now, &named.at(ip));
        }
    }

    fn room_for_signalled(&self) -> Result<(), RemoteCandidateError> {
        match self.remotes.signalled().count() + self.names.len() < MAX_SIGNALLED {
            true => Ok(()),
            false => Err(RemoteCandidateError::TooMany { max: MAX_SIGNALLED }),
        }
    }

    /// Takes note of the way that an authentic request came by, its remote end known or not (RFC 8445 §7.3.1.3); says
    /// whether there is a pair for it.
    pub(crate) fn learn(&mut self, path: Path, priority: u32) -> bool {
        if self.checklist.get(path).is_some() {
            return true;
        }
        if self.remotes.get_mut(path.remote).is_none() {
            if !self.room_for_learnt() {
                return false;
            }
            let kind = CandidateKind::PeerReflexive;
            let side = Side { kind, priority: candidate::in_range(priority) };
            self.remotes.known.push(Remote { address: path.remote, side });
        }
        self.pair_up(path.local, path.remote, Occasion::Heard);
        let paired = self.checklist.get(path).is_some();
        if !paired {
            self.counters.overflow += 1;
        }
        paired
    }

    /// Makes room among the learnt: peers move, and where they have been does not work any more.
    fn room_for_learnt(&mut self) -> bool {
        if self.remotes.known.iter().filter(|remote| remote.is_learnt()).count() < MAX_LEARNT {
            return true;
        }
        self.counters.overflow += 1;
        let works = |remote: &Remote| {
            self.checklist.iter().any(|pair| pair.is_valid() && pair.path().remote == remote.address)
        };
        let useless = self.remotes.known.iter().position(|remote| remote.is_learnt() && !works(remote));
        let Some(useless) = useless else { return false };
        let gone = self.remotes.known.remove(useless);
        self.checklist.remove_remote(gone.address);
        true
    }

    /// Pairs a new local address with every candidate that was signalled.
    pub(crate) fn pair_local(&mut self, local: SocketAddr) {
        let remotes: Vec<_> = self.remotes.signalled().map(|remote| remote.address).collect();
        for remote in remotes {
            self.pair_up(local, remote, Occasion::Known);
        }
    }

    /// Makes a pair of two known addresses, if it can work and is not there yet (RFC 8445 §6.1.2.2).
    fn pair_up(&mut self, local: SocketAddr, remote: SocketAddr, occasion: Occasion) {
        let path = candidate::path(local, remote);
        let Some(host) = self.locals.get(local) else { return };
        let Some(known) = self.remotes.known.iter().find(|known| known.address == remote) else { return };
        if compatible(local, remote) && self.checklist.get(path).is_none() {
            let ours = Side { kind: CandidateKind::Host, priority: host.priority };
            let pair = Pair::new(path, ours, known.side);
            self.checklist.insert(pair, self.role, occasion);
        }
    }
}

/// Component 1 over UDP is all that there is; other candidates are passed over.
fn is_served(transport: Transport, component: u16) -> bool {
    transport == Transport::Udp && component == 1
}

/// Whether an IPv6 address stands for an IPv4 one (RFC 8445 §5.1.1.1).
const fn is_embedded(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.to_ipv4_mapped().is_some(),
    }
}
