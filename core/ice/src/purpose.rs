//! What the outcome of an action is for.

use alloc::string::String;
use core::net::IpAddr;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path};

use crate::relays::Errand;
use crate::{ActionOutcome, Agent, NamedCandidate, ServerFailure};

/// What the outcome of an action is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// The address of a candidate of the peer's.
    Candidate(NamedCandidate),
    /// The addresses of servers.
    ServerName(String),
    /// The way to a relay.
    RelayStream {
        /// The address that it is opened from.
        from: IpAddr,
        /// What the relay is to do.
        errand: Errand,
    },
    /// The way of a pair.
    PairStream(Path),
}

impl Agent {
    pub(crate) fn take_outcome(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        purpose: Purpose,
        outcome: ActionOutcome,
    ) {
        match (purpose, outcome) {
            (Purpose::Candidate(named), ActionOutcome::Resolved(addresses)) => {
                self.resolved(now, named, &addresses);
            }
            (Purpose::Candidate(_), _) => {}
            (Purpose::ServerName(name), ActionOutcome::Resolved(addresses)) => {
                self.server_resolved(&name, &addresses);
            }
            (Purpose::ServerName(name), _) => self.server_resolved(&name, &[]),
            (Purpose::RelayStream { errand, .. }, ActionOutcome::StreamOpened { local }) => {
                self.begin_relay_on_stream(now, rng, local, errand);
            }
            (Purpose::RelayStream { errand, .. }, _) => {
                self.server_failed(errand.server(), Some(errand.address()), ServerFailure::Unreachable);
            }
            (Purpose::PairStream(path), ActionOutcome::StreamOpened { local }) => self.connected(path, local),
            (Purpose::PairStream(path), _) => self.not_connected(path),
        }
    }
}
