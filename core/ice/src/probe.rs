//! What a STUN server sees of us: server-reflexive candidates (RFC 8445 §5.1.1.2).

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transmit, Transport, earliest};
use pavane_stun::{Builder, Class, Due, Message, Method, Retransmission, TransactionId};

use crate::search::Phase;
use crate::{Agent, Candidate, CandidateKind, ServerFailure, priority};

/// All questions to STUN servers, each from one socket.
#[derive(Debug, Default)]
pub(crate) struct Probes(Vec<Probe>);

/// A question to a STUN server.
#[derive(Debug)]
struct Probe {
    base: SocketAddr,
    server: SocketAddr,
    /// The server's index.
    index: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is asked for the first time, or again to keep a NAT's mapping alive.
    Asking { id: TransactionId, schedule: Retransmission, is_due: bool },
    /// It was answered.
    Answered { again_at: Instant },
}

/// When a mapping is used again that nothing else may use yet (RFC 8445 §5.1.1.4): NATs are known to forget after 30 s.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// How long a server's answer is waited for at first (RFC 8489 §6.2.1: RTO).
const INITIAL_TIMEOUT: Duration = Duration::from_millis(500);

impl Probe {
    fn ask(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        let schedule = Retransmission::new(now, INITIAL_TIMEOUT);
        self.state = State::Asking { id: TransactionId::random(rng), schedule, is_due: false };
    }

    const fn path(&self) -> Path {
        Path { local: self.base, remote: self.server, transport: Transport::Udp }
    }
}

impl Probes {
    /// Begins to ask a server; false if it has been asked from there.
    pub(crate) fn begin(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        base: SocketAddr,
        server: SocketAddr,
        index: usize,
    ) -> bool {
        if self.0.iter().any(|probe| (probe.base, probe.server) == (base, server)) {
            return false;
        }
        let mut probe = Probe { base, server, index, state: State::Answered { again_at: now } };
        probe.ask(now, rng);
        self.0.push(probe);
        true
    }

    pub(crate) fn remove_base(&mut self, base: SocketAddr) {
        self.0.retain(|probe| probe.base != base);
    }

    /// Whether a first answer is waited for.
    pub(crate) fn are_pending(&self) -> bool {
        self.0.iter().any(|probe| matches!(probe.state, State::Asking { .. }))
    }

    /// Whether a server of ours is at the other end of this way.
    pub(crate) fn ask_along(&self, path: Path) -> bool {
        self.0.iter().any(|probe| probe.path() == path)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.iter().fold(None, |deadline, probe| match &probe.state {
            State::Asking { schedule, .. } => earliest(deadline, schedule.poll_timeout()),
            State::Answered { again_at } => earliest(deadline, Some(*again_at)),
        })
    }

    /// Writes the next question.
    pub(crate) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.0.iter_mut().find_map(|probe| {
            let path = probe.path();
            let State::Asking { id, is_due, .. } = &mut probe.state else { return None };
            if !core::mem::take(is_due) {
                return None;
            }
            let len = Builder::new(buf, Class::Request, Method::BINDING, *id).fingerprint();
            Some(Transmit { path, ecn: None, len, segment_size: None })
        })
    }
}

impl Agent {
    pub(crate) fn probe_what_is_due(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        // A mapping in use needs no keeping, and a search that is over has no use for one.
        let is_kept = !matches!(self.phase, Phase::Found { .. } | Phase::Over);
        let mut failed = Vec::new();
        self.servers.probes.0.retain_mut(|probe| {
            match &mut probe.state {
                State::Answered { again_at } if *again_at > now => return true,
                State::Answered { .. } if is_kept => probe.ask(now, rng),
                State::Answered { again_at } => *again_at = now + KEEPALIVE,
                State::Asking { .. } => {}
            }
            let State::Asking { schedule, is_due, .. } = &mut probe.state else { return true };
            match schedule.handle_timeout(now) {
                Some(Due::Send) => *is_due = true,
                Some(Due::Failed) => failed.push((probe.index, probe.server)),
                None => {}
            }
            schedule.poll_timeout().is_some()
        });
        for (index, server) in failed {
            self.server_failed(index, Some(server), ServerFailure::Unreachable);
        }
    }

    /// Takes a server's answer, if it is one. It is not protected by anything but its transaction's number.
    pub(crate) fn take_server_answer(&mut self, now: Instant, path: Path, message: &Message<'_>) -> bool {
        let transaction = message.transaction();
        let asked = self.servers.probes.0.iter_mut().find(|probe| {
            probe.path() == path && matches!(&probe.state, State::Asking { id, .. } if *id == transaction)
        });
        let Some(probe) = asked else { return false };
        let (index, server) = (probe.index, probe.server);
        probe.state = State::Answered { again_at: now + KEEPALIVE };
        let is_understood = message.unknown_required().next().is_none();
        match (message.class(), message.mapped_address()) {
            (Class::Success, Some(mapped)) if is_understood => {
                self.server_reflexive(now, path.local, mapped, (server, Transport::Udp));
            }
            _ => {
                self.servers.probes.0.retain(|probe| probe.path() != path);
                let failure =
                    message.error_code().map_or(ServerFailure::Misunderstood, ServerFailure::Refused);
                self.server_failed(index, Some(server), failure);
            }
        }
        true
    }

    /// Takes what a server sees of a socket of ours.
    pub(crate) fn server_reflexive(
        &mut self,
        now: Instant,
        base: SocketAddr,
        mapped: SocketAddr,
        (server, via): (SocketAddr, Transport),
    ) {
        let socket = self
            .locals
            .sockets()
            .iter()
            .find(|socket| (socket.bound.address, socket.bound.transport) == (base, Transport::Udp));
        let Some(local_preference) = socket.map(|socket| priority::local_preference(socket.priority)) else {
            return;
        };
        if mapped.port() == 0 || mapped.ip().is_unspecified() || (mapped.is_ipv6() && base.is_ipv4()) {
            return;
        }
        let kind = CandidateKind::ServerReflexive;
        let foundation = self.locals.foundation(kind, base.ip(), Some((server.ip(), via)), Transport::Udp);
        self.gathered(
            now,
            Candidate {
                foundation,
                component: 1,
                transport: Transport::Udp,
                tcp_type: None,
                priority: priority::of(priority::SERVER_REFLEXIVE, local_preference),
                address: mapped,
                kind,
                related: Some(base),
            },
        );
    }
}
