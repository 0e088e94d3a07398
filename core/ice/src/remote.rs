//! The peer's candidates: signalled, hidden behind names, and learnt from checks.

use core::net::SocketAddr;

use pavane_base::{Instant, Transport};

use crate::candidate::{Candidate, NamedCandidate};
use crate::selection::Verdict;
use crate::{Agent, CandidateKind, RemoteCandidateError, ResolveId};

/// A candidate of the peer that can be paired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote {
    pub(crate) address: SocketAddr,
    pub(crate) priority: u32,
    pub(crate) kind: CandidateKind,
}

/// How many signalled candidates are taken, names among them.
const MAX_SIGNALLED: usize = 100;

/// How many are learnt from authentic checks (RFC 8445 §7.3.1.3).
const MAX_LEARNT: usize = 32;

impl Agent {
    /// Takes a candidate that was signalled. What cannot work here is passed over.
    pub(crate) fn signalled(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), RemoteCandidateError> {
        let address = candidate.address;
        let usable = candidate.transport == Transport::Udp
            && candidate.component == 1
            && address.port() != 0
            && !address.ip().is_unspecified()
            && !address.ip().is_multicast();
        if !usable {
            return Ok(());
        }
        let signalled = Remote { address, priority: candidate.priority, kind: candidate.kind };
        if let Some(known) = self.remotes.iter_mut().find(|known| known.address == address) {
            // RFC 8838 §11: what was learnt from a check turns out to be this candidate.
            if known.kind == CandidateKind::PeerReflexive {
                *known = signalled;
                let its = self.pairs.iter_mut().filter(|pair| pair.remote == address);
                its.for_each(|pair| pair.remote_priority = signalled.priority);
            }
            return Ok(());
        }
        self.room_for_signalled()?;
        self.remotes.push(signalled);
        if self.verdict == Verdict::OutOfPatience {
            self.verdict = Verdict::Open;
            self.searching_since = Some(now);
        }
        self.pair_up();
        Ok(())
    }

    /// Takes a candidate whose name has to be resolved first.
    pub(crate) fn ask_for(&mut self, named: NamedCandidate) -> Result<(), RemoteCandidateError> {
        if named.transport != Transport::Udp || named.component != 1 {
            return Ok(());
        }
        self.room_for_signalled()?;
        let id = ResolveId(self.next_resolve);
        self.next_resolve += 1;
        self.unresolved.push_back((id, named.name.clone()));
        self.names.insert(id, named);
        Ok(())
    }

    fn room_for_signalled(&self) -> Result<(), RemoteCandidateError> {
        let learnt = |remote: &&Remote| remote.kind == CandidateKind::PeerReflexive;
        let signalled = self.remotes.len() - self.remotes.iter().filter(learnt).count() + self.names.len();
        match signalled < MAX_SIGNALLED {
            true => Ok(()),
            false => Err(RemoteCandidateError::TooMany { max: MAX_SIGNALLED }),
        }
    }

    /// Takes note of the address that an authentic request came from; says whether there is room for it.
    pub(crate) fn learn(&mut self, address: SocketAddr, priority: u32) -> bool {
        if self.remotes.iter().any(|known| known.address == address) {
            return true;
        }
        let kind = CandidateKind::PeerReflexive;
        let room = self.remotes.iter().filter(|known| known.kind == kind).count() < MAX_LEARNT;
        if room {
            self.remotes.push(Remote { address, priority, kind });
        } else {
            self.counters.overflow += 1;
        }
        room
    }
}
