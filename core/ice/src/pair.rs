//! One candidate pair and its checks.

use alloc::collections::VecDeque;
use core::net::SocketAddr;
use core::time::Duration;

use pavane_base::{Instant, Path, Transport};
use pavane_stun::TransactionId;

use crate::{Role, Timing};

/// A local address together with a remote one.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) local_priority: u32,
    pub(crate) remote_priority: u32,
    pub(crate) state: PairState,
    /// When the peer last nominated it, or last confirmed that we did.
    pub(crate) nominated_at: Option<Instant>,
    /// The peer has asked for it by USE-CANDIDATE before it worked.
    pub(crate) nominated_early: bool,
    /// Checks on their way, the oldest first.
    outstanding: VecDeque<Check>,
    /// When the next check is due.
    pub(crate) next_check: Option<Instant>,
    /// How many checks in a row went unanswered.
    unanswered: u32,
    /// The first check since the last sign of life.
    waiting_since: Option<Instant>,
    pub(crate) last_response: Option<Instant>,
    pub(crate) last_heard: Option<Instant>,
    pub(crate) round_trip_time: Option<Duration>,
    checks_sent: u64,
    responses_received: u64,
}

/// A check that waits for its response.
#[derive(Clone, Copy, Debug)]
struct Check {
    transaction: TransactionId,
    sent_at: Instant,
    nominates: bool,
}

/// Where a pair stands (RFC 8445 §6.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairState {
    /// It has not been checked.
    Waiting,
    /// It is being checked.
    InProgress,
    /// It works.
    Succeeded,
    /// It does not work, or no longer does.
    Failed,
}

/// What is known of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairStats {
    /// The way.
    pub path: Path,
    /// Where it stands.
    pub state: PairState,
    /// Its priority.
    pub priority: u64,
    /// Whether it is nominated.
    pub nominated: bool,
    /// Whether data goes this way.
    pub selected: bool,
    /// The last measured round trip.
    pub round_trip_time: Option<Duration>,
    /// Checks that were sent.
    pub checks_sent: u64,
    /// Successful responses to them.
    pub responses_received: u64,
}

/// How many checks of a pair may still be answered; the response to an older one is stray.
const MAX_OUTSTANDING: usize = 8;

/// The longest time between two checks of a pair that has not worked yet.
const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time that a response is waited for.
const MIN_TIMEOUT: Duration = Duration::from_millis(50);

impl Pair {
    pub(crate) fn new(
        (local, local_priority): (SocketAddr, u32),
        (remote, remote_priority): (SocketAddr, u32),
    ) -> Self {
        Self {
            local,
            remote,
            local_priority,
            remote_priority,
            state: PairState::Waiting,
            nominated_at: None,
            nominated_early: false,
            outstanding: VecDeque::new(),
            next_check: None,
            unanswered: 0,
            waiting_since: None,
            last_response: None,
            last_heard: None,
            round_trip_time: None,
            checks_sent: 0,
            responses_received: 0,
        }
    }

    pub(crate) const fn path(&self) -> Path {
        Path { local: self.local, remote: self.remote, transport: Transport::Udp }
    }

    /// RFC 8445 §6.1.2.3.
    pub(crate) fn priority(&self, role: Role) -> u64 {
        let (g, d) = match role {
            Role::Controlling => (self.local_priority, self.remote_priority),
            Role::Controlled => (self.remote_priority, self.local_priority),
        };
        u64::from(g.min(d)) << 32 | u64::from(g.max(d)) << 1 | u64::from(g > d)
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.state == PairState::Succeeded
    }

    /// Notes that a check goes out, and says nothing before its response is due.
    pub(crate) fn check_sent(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        nominates: bool,
        timeout: Duration,
    ) {
        if self.outstanding.len() == MAX_OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back(Check { transaction, sent_at: now, nominates });
        self.waiting_since.get_or_insert(now);
        self.checks_sent += 1;
        if self.state != PairState::Succeeded {
            self.state = PairState::InProgress;
            let backed_off = timeout.saturating_mul(1 << self.unanswered.min(4));
            self.next_check = Some(now + backed_off.min(MAX_INTERVAL.max(timeout)));
        }
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// Takes the check that a response answers; says whether it nominated.
    pub(crate) fn answered(&mut self, now: Instant, transaction: TransactionId) -> Option<bool> {
        let at = self.outstanding.iter().position(|check| check.transaction == transaction)?;
        let check = self.outstanding[at];
        self.outstanding.drain(..=at);
        self.round_trip_time = Some(now - check.sent_at);
        self.responses_received += 1;
        self.last_response = Some(now);
        self.heard(now);
        Some(check.nominates)
    }

    /// Gives up what is on its way, because it was meant for another role or generation.
    pub(crate) fn forget_checks(&mut self) {
        self.outstanding.clear();
        self.waiting_since = None;
        self.unanswered = 0;
    }

    /// Whether this transaction is one of the pair's.
    pub(crate) fn asked(&self, transaction: TransactionId) -> bool {
        self.outstanding.iter().any(|check| check.transaction == transaction)
    }

    /// Whether a check that nominates may still be answered.
    pub(crate) fn is_being_nominated(&self) -> bool {
        self.outstanding.iter().any(|check| check.nominates)
    }

    /// Something authentic, or data, came this way.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.last_heard = Some(now);
        self.waiting_since = None;
        self.unanswered = 0;
    }

    /// Since when the peer owes a sign of life.
    pub(crate) const fn silent_since(&self) -> Option<Instant> {
        self.waiting_since
    }

    /// How long to wait for a response on this pair.
    pub(crate) fn timeout(&self, timing: &Timing, measured: Option<Duration>) -> Duration {
        match self.round_trip_time.or(measured) {
            Some(rtt) => (rtt.saturating_mul(3) / 2).max(MIN_TIMEOUT),
            None => timing.initial_timeout,
        }
    }

    pub(crate) fn stats(&self, role: Role, selected: bool) -> PairStats {
        PairStats {
            path: self.path(),
            state: self.state,
            priority: self.priority(role),
            nominated: self.nominated_at.is_some(),
            selected,
            round_trip_time: self.round_trip_time,
            checks_sent: self.checks_sent,
            responses_received: self.responses_received,
        }
    }
}
