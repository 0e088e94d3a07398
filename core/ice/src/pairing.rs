//! The making of pairs (RFC 8445 §6.1.2).

use core::cmp::Reverse;

use pavane_base::Path;

use crate::candidate::compatible;
use crate::pair::Pair;
use crate::{Agent, CandidateKind, PairState};

impl Agent {
    /// Makes the pairs that are still missing. Learnt candidates are paired only with what they were heard on.
    pub(crate) fn pair_up(&mut self) {
        if self.local_candidates().is_empty() {
            return;
        }
        for remote in self.remotes.clone() {
            if remote.kind == CandidateKind::PeerReflexive {
                continue;
            }
            for n in 0..self.locals.len() {
                let (local, priority) = (self.locals[n].address, self.locals[n].priority);
                let known =
                    self.pairs.iter().any(|pair| pair.local == local && pair.remote == remote.address);
                if !known && compatible(local, remote.address) {
                    self.pairs.push(Pair::new((local, priority), (remote.address, remote.priority)));
                }
            }
        }
        self.prune();
    }

    /// Makes the pair that a request came by, if there is none.
    pub(crate) fn pair_heard(&mut self, path: Path) {
        if self.pair(path).is_some() {
            return;
        }
        let local = self.locals.iter().find(|local| local.address == path.local);
        let remote = self.remotes.iter().find(|remote| remote.address == path.remote);
        if let (Some(local), Some(remote)) = (local, remote) {
            let pair = Pair::new((local.address, local.priority), (remote.address, remote.priority));
            self.pairs.push(pair);
            self.prune();
        }
    }

    /// Lets the worst pairs go where there are too many: failed ones first, working ones never (RFC 8838 §10).
    fn prune(&mut self) {
        let (role, max) = (self.role, self.config.max_pairs);
        if self.pairs.len() <= max {
            return;
        }
        self.pairs.sort_by_key(|pair| {
            let class = match pair.state {
                PairState::Succeeded => 0,
                PairState::InProgress | PairState::Waiting => 1,
                PairState::Failed => 2,
            };
            (class, Reverse(pair.priority(role)))
        });
        self.pairs.truncate(max);
    }
}
