//! Our own candidates: one for each socket that the caller names, and what the peer's answers tell of NATs between.

use alloc::vec::Vec;
use core::net::SocketAddr;

use pavane_base::{Instant, Transport};

use crate::candidate::{self, Candidate};
use crate::search::Phase;
use crate::{Agent, CandidateKind, Event, GatheringState, LocalAddressError};

/// Our candidates.
#[derive(Debug)]
pub(crate) struct Locals {
    hosts: Vec<Candidate>,
    /// Addresses that we turned out to have (RFC 8445 §7.2.5.3.1), the latest last.
    learnt: Vec<Candidate>,
    pub(crate) state: GatheringState,
    /// The caller has named all its sockets.
    ended: bool,
}

/// How many sockets an agent takes.
const MAX_LOCAL_ADDRESSES: usize = 32;

/// How many addresses are learnt; the oldest gives way.
const MAX_LEARNT: usize = 16;

impl Locals {
    pub(crate) const fn new() -> Self {
        Self { hosts: Vec::new(), learnt: Vec::new(), state: GatheringState::New, ended: false }
    }

    /// What the peer may be told of: nothing before gathering has begun.
    pub(crate) fn candidates(&self) -> &[Candidate] {
        match self.state {
            GatheringState::New => &[],
            GatheringState::Gathering | GatheringState::Complete => &self.hosts,
        }
    }

    pub(crate) fn learnt(&self) -> &[Candidate] {
        &self.learnt
    }

    pub(crate) fn get(&self, address: SocketAddr) -> Option<&Candidate> {
        self.hosts.iter().find(|host| host.address == address)
    }

    /// Takes note of our address as the peer sees it, and says what it is: one of ours, or a new one.
    pub(crate) fn mapped(&mut self, base: SocketAddr, seen: SocketAddr) -> Option<(CandidateKind, u32)> {
        if let Some(host) = self.get(seen) {
            return Some((CandidateKind::Host, host.priority));
        }
        let priority = candidate::peer_reflexive_priority(self.get(base)?);
        let kind = CandidateKind::PeerReflexive;
        let known = |learnt: &Candidate| learnt.address == seen && learnt.related == Some(base);
        if !self.learnt.iter().any(known) {
            if self.learnt.len() == MAX_LEARNT {
                self.learnt.remove(0);
            }
            self.learnt.push(Candidate {
                foundation: "prflx".into(),
                component: 1,
                transport: Transport::Udp,
                tcp_type: None,
                priority,
                address: seen,
                kind,
                related: Some(base),
            });
        }
        Some((kind, priority))
    }
}

impl Agent {
    pub(crate) fn add_host(&mut self, now: Instant, address: SocketAddr) -> Result<(), LocalAddressError> {
        if address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(LocalAddressError::NotUnicast);
        }
        if address.port() == 0 {
            return Err(LocalAddressError::NoPort);
        }
        if self.locals.get(address).is_some() {
            return Ok(());
        }
        if self.locals.hosts.len() == MAX_LOCAL_ADDRESSES {
            return Err(LocalAddressError::TooMany { max: MAX_LOCAL_ADDRESSES });
        }
        let host = candidate::host(address, &self.locals.hosts);
        self.locals.hosts.push(host.clone());
        if self.locals.state != GatheringState::New {
            self.tell(Event::LocalCandidate(host));
            self.pair_local(address);
            self.hope(now);
        }
        Ok(())
    }

    pub(crate) fn remove_host(&mut self, now: Instant, address: SocketAddr) {
        self.locals.hosts.retain(|host| host.address != address);
        self.locals.learnt.retain(|learnt| learnt.related != Some(address));
        self.checklist.remove_local(address);
        if self.former.as_ref().is_some_and(|former| former.pair.path().local == address) {
            self.former = None;
        }
        if matches!(self.phase, Phase::Found { .. }) && !self.checklist.has_valid() {
            self.search_again(now);
        }
    }

    pub(crate) fn end_hosts(&mut self) {
        self.locals.ended = true;
        self.settle_gathering();
    }

    /// Tells every candidate that there is.
    pub(crate) fn gather(&mut self) {
        if self.locals.state != GatheringState::New {
            return;
        }
        self.locals.state = GatheringState::Gathering;
        self.tell(Event::GatheringStateChanged(GatheringState::Gathering));
        for n in 0..self.locals.hosts.len() {
            let host = self.locals.hosts[n].clone();
            self.pair_local(host.address);
            self.tell(Event::LocalCandidate(host));
        }
        self.settle_gathering();
    }

    /// Gathers anew, if gathering had begun.
    pub(crate) fn gather_again(&mut self) {
        self.locals.learnt.clear();
        if self.locals.state != GatheringState::New {
            self.locals.state = GatheringState::New;
            self.gather();
        }
    }

    fn settle_gathering(&mut self) {
        if self.locals.ended && self.locals.state == GatheringState::Gathering {
            self.locals.state = GatheringState::Complete;
            self.tell(Event::GatheringStateChanged(GatheringState::Complete));
        }
    }
}
