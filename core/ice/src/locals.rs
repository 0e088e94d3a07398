//! Our own candidates: the sockets that the caller names, what servers tell and lend, and what the peer's answers tell of
//! NATs between.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use pavane_base::{Path, RoomForOne, Transport};

use crate::candidate::{self, Candidate};
use crate::foundation::{Foundation, Foundations};
use crate::priority;
use crate::{CandidateKind, GatheringState, LocalAddress, LocalAddressError, TcpType};

/// Our candidates.
#[derive(Debug)]
pub(crate) struct Locals {
    /// What the caller has bound.
    sockets: Vec<Socket>,
    /// What pairs are made of.
    bases: Vec<Candidate>,
    /// What the peer is told of.
    candidates: Vec<Candidate>,
    /// Addresses that we turned out to have (RFC 8445 §7.2.5.3.1), the latest last.
    learnt: Vec<Candidate>,
    foundations: Foundations,
    pub(crate) state: GatheringState,
    /// The caller has named all its sockets.
    pub(crate) ended: bool,
}

/// A socket, and what it would be as a candidate.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) bound: LocalAddress,
    pub(crate) priority: u32,
}

/// How many sockets an agent takes.
pub(crate) const MAX_LOCAL_ADDRESSES: usize = 32;

/// How many candidates are gathered; what servers tell beyond that is passed over.
const MAX_CANDIDATES: usize = 100;

/// How many addresses are learnt; the oldest gives way.
const MAX_LEARNT: usize = 16;

impl Locals {
    pub(crate) const fn new() -> Self {
        Self {
            sockets: Vec::new(),
            bases: Vec::new(),
            candidates: Vec::new(),
            learnt: Vec::new(),
            foundations: Foundations::new(),
            state: GatheringState::New,
            ended: false,
        }
    }

    /// What the peer may be told of: nothing before gathering has begun.
    pub(crate) fn candidates(&self) -> &[Candidate] {
        match self.state {
            GatheringState::New => &[],
            GatheringState::Gathering | GatheringState::Complete => &self.candidates,
        }
    }

    pub(crate) fn learnt(&self) -> &[Candidate] {
        &self.learnt
    }

    pub(crate) fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// What pairs are made of.
    pub(crate) fn bases(&self) -> &[Candidate] {
        &self.bases
    }

    pub(crate) fn socket(&self, address: SocketAddr, transport: Transport) -> Option<&Socket> {
        self.sockets
            .iter()
            .find(|socket| (socket.bound.address, socket.bound.transport) == (address, transport))
    }

    /// The local preference of what is gathered from this address.
    pub(crate) fn preference(&self, ip: IpAddr) -> u16 {
        let its = self
            .sockets
            .iter()
            .filter(|socket| socket.bound.transport == Transport::Udp && socket.bound.address.ip() == ip);
        its.map(|socket| priority::local_preference(socket.priority)).max().unwrap_or(0)
    }

    /// The base with this address.
    pub(crate) fn base(&self, address: SocketAddr, transport: Transport) -> Option<&Candidate> {
        self.bases
            .iter()
            .find(|base| (base.address, base.transport) == (address, transport) && !base.is_active())
    }

    /// What datagrams on this way leave from: the base with its address, or the candidate that opened its stream.
    pub(crate) fn base_of(&self, path: Path) -> Option<&Candidate> {
        self.base(path.local, path.transport).or_else(|| match path.transport {
            Transport::Udp => None,
            Transport::Tcp => self.active(path.local.ip()),
        })
    }

    /// The candidate that opens streams from this address.
    fn active(&self, ip: IpAddr) -> Option<&Candidate> {
        self.bases.iter().find(|base| base.is_active() && base.address.ip() == ip)
    }

    /// Takes note of a socket; false if it is known.
    pub(crate) fn add_socket(&mut self, bound: LocalAddress) -> Result<bool, LocalAddressError> {
        let ip = bound.address.ip();
        if ip.is_unspecified() || ip.is_multicast() {
            return Err(LocalAddressError::NotUnicast);
        }
        if bound.address.port() == 0 {
            return Err(LocalAddressError::NoPort);
        }
        if self.sockets.iter().any(|socket| socket.bound == bound) {
            return Ok(false);
        }
        if self.sockets.len() == MAX_LOCAL_ADDRESSES {
            return Err(LocalAddressError::TooMany { max: MAX_LOCAL_ADDRESSES });
        }
        let taken: Vec<u32> = self.sockets.iter().map(|socket| socket.priority).collect();
        let priority = match bound.transport {
            Transport::Udp => priority::of_host(ip, &taken),
            Transport::Tcp => priority::of_tcp(ip, TcpType::Passive, &taken),
        };
        self.sockets.room_for_one();
        self.sockets.push(Socket { bound, priority });
        Ok(true)
    }

    /// The host candidate of a socket.
    pub(crate) fn host(&mut self, socket: &Socket) -> Candidate {
        let LocalAddress { address, transport } = socket.bound;
        let tcp_type = (transport == Transport::Tcp).then_some(TcpType::Passive);
        Candidate {
            foundation: self.foundation(CandidateKind::Host, address.ip(), None, transport),
            component: 1,
            transport,
            tcp_type,
            priority: socket.priority,
            address,
            kind: CandidateKind::Host,
            related: None,
        }
    }

    /// A candidate that opens streams from this address, unless there is one.
    pub(crate) fn new_active(&mut self, ip: IpAddr) -> Option<Candidate> {
        if self.active(ip).is_some() {
            return None;
        }
        let kind = CandidateKind::Host;
        let taken: Vec<u32> = self.bases.iter().map(|base| base.priority).collect();
        Some(Candidate {
            foundation: self.foundation(kind, ip, None, Transport::Tcp),
            component: 1,
            transport: Transport::Tcp,
            tcp_type: Some(TcpType::Active),
            priority: priority::of_tcp(ip, TcpType::Active, &taken),
            address: SocketAddr::new(ip, candidate::DISCARD),
            kind,
            related: None,
        })
    }

    /// The text that stands for what candidates have in common (RFC 8445 §5.1.1.3).
    pub(crate) fn foundation(
        &mut self,
        kind: CandidateKind,
        base: IpAddr,
        server: Option<(IpAddr, Transport)>,
        transport: Transport,
    ) -> alloc::string::String {
        self.foundations.of(Foundation { kind, base, server, transport }, &self.candidates)
    }

    /// Keeps a candidate, unless it is redundant (RFC 8445 §5.1.3) or one too many. Its priority becomes unique.
    pub(crate) fn add(&mut self, mut candidate: Candidate) -> Option<Candidate> {
        let is_same = |other: &Candidate| {
            (other.address, other.transport, other.tcp_type)
                == (candidate.address, candidate.transport, candidate.tcp_type)
                && (other.base() == candidate.base() || CandidateKind::Relayed == candidate.kind)
        };
        if self.candidates.len() == MAX_CANDIDATES || self.candidates.iter().any(is_same) {
            return None;
        }
        while self.candidates.iter().any(|other| other.priority == candidate.priority) {
            candidate.priority = priority::next_lower(candidate.priority);
        }
        self.candidates.room_for_one();
        self.candidates.push(candidate.clone());
        Some(candidate)
    }

    /// Has pairs made of a candidate; false if that is so already.
    pub(crate) fn add_base(&mut self, base: Candidate) -> bool {
        let is_new = !self.bases.iter().any(|other| {
            (other.address, other.transport, other.tcp_type) == (base.address, base.transport, base.tcp_type)
        });
        if is_new {
            self.bases.room_for_one();
            self.bases.push(base);
        }
        is_new
    }

    /// Forgets a socket and every candidate that stands on it.
    pub(crate) fn remove_socket(&mut self, bound: LocalAddress) {
        self.sockets.retain(|socket| socket.bound != bound);
        let LocalAddress { address, transport } = bound;
        let ip = address.ip();
        let is_there = self.has_sockets(ip);
        let stays = |other: &Candidate| match other.is_active() {
            true => other.address.ip() != ip || is_there,
            false => (other.base(), other.transport) != (address, transport),
        };
        self.bases.retain(stays);
        self.candidates.retain(stays);
        self.learnt.retain(stays);
    }

    /// Whether there are sockets with this address, whatever their ports.
    pub(crate) fn has_sockets(&self, ip: IpAddr) -> bool {
        self.sockets.iter().any(|socket| socket.bound.address.ip() == ip)
    }

    /// Forgets a relayed candidate.
    pub(crate) fn remove_relayed(&mut self, address: SocketAddr) {
        let stays = |other: &Candidate| other.kind != CandidateKind::Relayed || other.address != address;
        self.bases.retain(stays);
        self.candidates.retain(stays);
        self.learnt.retain(|learnt| learnt.base() != address);
    }

    /// Forgets what was learnt from the peer's answers.
    pub(crate) fn forget_learnt(&mut self) {
        self.learnt.clear();
    }

    /// Takes note of our address as the peer sees it, and says what it is: one of ours, or a new one.
    pub(crate) fn mapped(&mut self, base: &Candidate, seen: SocketAddr) -> (CandidateKind, u32) {
        let is_it = |other: &&Candidate| {
            other.address == seen && other.transport == base.transport && other.tcp_type == base.tcp_type
        };
        if let Some(known) = self.candidates.iter().chain(&self.bases).find(is_it) {
            return (known.kind, known.priority);
        }
        let priority = priority::of_check(base);
        let kind = CandidateKind::PeerReflexive;
        let known = |learnt: &Candidate| learnt.address == seen && learnt.related == Some(base.address);
        if !self.learnt.iter().any(known) {
            if self.learnt.len() == MAX_LEARNT {
                self.learnt.remove(0);
            }
            self.learnt.push(Candidate {
                foundation: "prflx".into(),
                address: seen,
                priority,
                kind,
                related: Some(base.address),
                ..base.clone()
            });
        }
        (kind, priority)
    }
}
