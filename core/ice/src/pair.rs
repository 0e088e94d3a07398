//! One candidate pair and its checks.

use core::net::SocketAddr;
use core::time::Duration;

use pavane_base::{Instant, Path, Transport};
use pavane_stun::TransactionId;

use crate::budget::Budget;
use crate::candidate::DISCARD;
use crate::consent::Consent;
use crate::nomination::Nomination;
use crate::outstanding::{Check, Outstanding};
use crate::traffic::PairTraffic;
use crate::{CandidateKind, Role, Timing};

/// A local address together with a remote one.
#[derive(Debug)]
pub(crate) struct Pair {
    path: Path,
    /// What its datagrams leave from; `local` is what the peer sees.
    way: CandidateKind,
    pub(crate) local: Side,
    pub(crate) remote: Side,
    pub(crate) progress: Progress,
    pub(crate) nomination: Nomination,
    pub(crate) outstanding: Outstanding,
    pub(crate) budget: Budget,
    /// The latest request, if it is to be answered when the address has proven itself.
    pub(crate) owed: Option<TransactionId>,
    /// Our address as the peer sees it.
    mapped: Option<SocketAddr>,
    round_trip_time: Option<Duration>,
    total_round_trip_time: Duration,
    checks_sent: u64,
    responses_received: u64,
    pub(crate) requests_received: u64,
    pub(crate) responses_sent: u64,
    pub(crate) traffic: PairTraffic,
}

/// What a candidate brings into a pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) kind: CandidateKind,
    pub(crate) priority: u32,
}

/// Where a pair stands, with what there is to know of it there.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Its way has to be made ready: a permission at the relay, a stream.
    Preparing(Preparation),
    /// It has not been checked.
    Waiting,
    /// It is being checked.
    Trying(Trial),
    /// It works.
    Succeeded(Consent),
    /// It does not.
    Failed(Failure),
}

/// How far a pair's way is made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preparation {
    /// It has not been asked for.
    Needed,
    /// It has.
    Asked,
}

/// Checks that have had no answer yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial {
    since: Instant,
    asked: u32,
    next_check: Instant,
}

/// Why a pair does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing came back. It may be tried again.
    Unanswered,
    /// The peer refused, or consent to send data there ended: these credentials are not used there again (RFC 7675 §5.1).
    Final,
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
    /// What our candidate is.
    pub local_kind: CandidateKind,
    /// What the peer's candidate is.
    pub remote_kind: CandidateKind,
    /// How good the peer says that its candidate is.
    pub remote_priority: u32,
    /// Our address as the peer sees it.
    pub mapped: Option<SocketAddr>,
    /// Whether it is nominated.
    pub nominated: bool,
    /// Whether data goes this way.
    pub selected: bool,
    /// The last measured round trip.
    pub round_trip_time: Option<Duration>,
    /// All measured round trips together.
    pub total_round_trip_time: Duration,
    /// Checks that were sent.
    pub checks_sent: u64,
    /// Successful responses to them.
    pub responses_received: u64,
    /// Authentic requests that came this way.
    pub requests_received: u64,
    /// Responses to them.
    pub responses_sent: u64,
    /// Data that went this way.
    pub traffic: PairTraffic,
}

/// The longest time between two checks of a pair that would be better than what there is: while none works, any.
///
/// Deviation: RFC 8489 §6.2.1 goes on doubling. Somebody waits for this connection, and where datagrams are lost many have to
/// be tried; the pace of all checks together is the same.
pub(crate) const URGENT_INTERVAL: Duration = Duration::from_millis(400);

/// The same of one that would only be another to fall back on.
pub(crate) const PATIENT_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time that a response is waited for.
const MIN_TIMEOUT: Duration = Duration::from_millis(50);

/// For how long a pair is tried while another one works: it may turn out that the other one, through a relay maybe, is not
/// needed.
const MAX_TRIAL: Duration = Duration::from_secs(10);

impl Pair {
    pub(crate) fn new(path: Path, local: Side, remote: Side, budget: Budget) -> Self {
        let mut pair = Self {
            path,
            way: local.kind,
            local,
            remote,
            progress: Progress::Waiting,
            nomination: Nomination::None,
            outstanding: Outstanding::default(),
            budget,
            owed: None,
            mapped: None,
            round_trip_time: None,
            total_round_trip_time: Duration::ZERO,
            checks_sent: 0,
            responses_received: 0,
            requests_received: 0,
            responses_sent: 0,
            traffic: PairTraffic::default(),
        };
        pair.progress = pair.beginning();
        pair
    }

    pub(crate) const fn path(&self) -> Path {
        self.path
    }

    /// Gives it another way between the same candidates: a stream has another port each time.
    pub(crate) const fn move_to(&mut self, path: Path) {
        self.path = path;
    }

    /// Whether its way is being made ready.
    pub(crate) const fn is_preparing(&self) -> bool {
        matches!(self.progress, Progress::Preparing(_))
    }

    pub(crate) const fn has_failed(&self) -> bool {
        matches!(self.progress, Progress::Failed(_))
    }

    /// RFC 8445 §6.1.2.3.
    pub(crate) fn priority(&self, role: Role) -> u64 {
        let (g, d) = match role {
            Role::Controlling => (self.local.priority, self.remote.priority),
            Role::Controlled => (self.remote.priority, self.local.priority),
        };
        u64::from(g.min(d)) << 32 | u64::from(g.max(d)) << 1 | u64::from(g > d)
    }

    pub(crate) const fn is_valid(&self) -> bool {
        self.consent().is_some()
    }

    /// Whether it may work yet.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Preparing(_) | Progress::Waiting | Progress::Trying(_))
    }

    pub(crate) const fn consent(&self) -> Option<&Consent> {
        match &self.progress {
            Progress::Succeeded(consent) => Some(consent),
            _ => None,
        }
    }

    pub(crate) const fn consent_mut(&mut self) -> Option<&mut Consent> {
        match &mut self.progress {
            Progress::Succeeded(consent) => Some(consent),
            _ => None,
        }
    }

    /// When its next check is due; [`Instant::ZERO`] for one that has never been tried.
    pub(crate) fn due(&self) -> Option<Instant> {
        match &self.progress {
            Progress::Waiting => Some(Instant::ZERO),
            Progress::Trying(trial) => Some(trial.next_check),
            Progress::Succeeded(consent) => consent.next_check(),
            Progress::Preparing(_) | Progress::Failed(_) => None,
        }
    }

    /// Notes that a check goes out, for whose response `timeout` is long enough; if none comes the next one goes out after
    /// that time, doubled for each check before, or after `longest`.
    pub(crate) fn asked(&mut self, check: Check, timeout: Duration, longest: Duration) {
        let now = check.sent_at;
        self.outstanding.add(check);
        self.checks_sent += 1;
        let (since, asked) = match &mut self.progress {
            Progress::Succeeded(consent) => return consent.asked(now, timeout),
            Progress::Trying(trial) => (trial.since, trial.asked.saturating_add(1)),
            Progress::Preparing(_) | Progress::Waiting | Progress::Failed(_) => (now, 1),
        };
        let wait = timeout.saturating_mul(1 << (asked - 1).min(4));
        let next_check = now + wait.min(longest.max(timeout));
        self.progress = Progress::Trying(Trial { since, asked, next_check });
    }

    /// Takes the check that a good response answers: the pair works. Its next check comes an `interval` after that one.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        check: &Check,
        interval: Duration,
        mapped: Option<SocketAddr>,
    ) {
        self.round_trip_time = Some(now - check.sent_at);
        self.total_round_trip_time += now - check.sent_at;
        self.responses_received += 1;
        self.budget = Budget::Proven;
        self.mapped = mapped;
        let next_check = (check.sent_at + interval).max(now);
        match &mut self.progress {
            Progress::Succeeded(consent) => consent.confirmed(now, next_check),
            progress => *progress = Progress::Succeeded(Consent::given(now, next_check)),
        }
    }

    /// The peer has asked on it, and that is taken for an answer.
    pub(crate) fn trusted(&mut self, now: Instant) {
        let mut consent = match self.progress {
            Progress::Succeeded(consent) => consent,
            _ => Consent::given(now, now),
        };
        consent.confirmed(now, now);
        consent.let_lapse();
        self.progress = Progress::Succeeded(consent);
    }

    /// Something authentic, or data, came this way.
    pub(crate) const fn heard(&mut self) {
        if let Progress::Succeeded(consent) = &mut self.progress {
            consent.heard();
        }
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.progress = Progress::Failed(failure);
        self.nomination = Nomination::None;
        if failure == Failure::Final {
            self.outstanding.clear();
        }
    }

    /// Fails if it has been tried for long enough while another pair worked, the first since then.
    pub(crate) fn give_up_if_hopeless(&mut self, now: Instant, found: Instant) {
        if let Progress::Trying(trial) = self.progress
            && trial.since.max(found) + MAX_TRIAL <= now
            && trial.next_check <= now
        {
            self.fail(Failure::Unanswered);
        }
    }

    /// Lets it be tried again, if it failed for want of an answer.
    pub(crate) const fn revive(&mut self) {
        if matches!(self.progress, Progress::Failed(Failure::Unanswered)) {
            self.progress = self.beginning();
        }
    }

    /// What it begins with: a stream has to be opened, and a relay has to let the peer through.
    const fn beginning(&self) -> Progress {
        match (self.way, self.path.transport, self.path.local.port()) {
            (CandidateKind::Relayed, ..) | (_, Transport::Tcp, DISCARD) => {
                Progress::Preparing(Preparation::Needed)
            }
            _ => Progress::Waiting,
        }
    }

    /// Whether these credentials are not to be used on it again.
    pub(crate) const fn is_closed(&self) -> bool {
        matches!(self.progress, Progress::Failed(Failure::Final))
    }

    pub(crate) const fn responses_received(&self) -> u64 {
        self.responses_received
    }

    /// Whether a check's response is awaited on it.
    pub(crate) fn awaits(&self, transaction: TransactionId) -> bool {
        self.outstanding.contains(transaction)
    }

    pub(crate) const fn round_trip_time(&self) -> Option<Duration> {
        self.round_trip_time
    }

    /// How long to wait for a response on this pair, where others have `measured` a round trip.
    pub(crate) fn timeout(&self, timing: &Timing, measured: Option<Duration>) -> Duration {
        match self.round_trip_time.or(measured) {
            Some(rtt) => rtt.saturating_mul(3) / 2,
            None => timing.initial_timeout,
        }
        .max(MIN_TIMEOUT)
    }

    pub(crate) fn stats(&self, role: Role, selected: Option<Path>) -> PairStats {
        PairStats {
            path: self.path,
            state: match self.progress {
                Progress::Preparing(_) | Progress::Waiting => PairState::Waiting,
                Progress::Trying(_) => PairState::InProgress,
                Progress::Succeeded(_) => PairState::Succeeded,
                Progress::Failed(_) => PairState::Failed,
            },
            priority: self.priority(role),
            local_kind: self.local.kind,
            remote_kind: self.remote.kind,
            remote_priority: self.remote.priority,
            mapped: self.mapped,
            nominated: self.nomination.is_made(),
            selected: selected == Some(self.path),
            round_trip_time: self.round_trip_time,
            total_round_trip_time: self.total_round_trip_time,
            checks_sent: self.checks_sent,
            responses_received: self.responses_received,
            requests_received: self.requests_received,
            responses_sent: self.responses_sent,
            traffic: self.traffic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(local: u32, remote: u32) -> Pair {
        let address = "192.0.2.1:1".parse().unwrap();
        let side = |priority| Side { kind: CandidateKind::Host, priority };
        let path = Path { local: address, remote: address, transport: Transport::Udp };
        Pair::new(path, side(local), side(remote), Budget::SIGNALLED)
    }

    #[test]
    fn both_sides_compute_the_same_priority() {
        let highest = (1 << 31) - 1;
        for (a, b) in [(1, 2), (2, 1), (7, 7), (1, highest), (highest, highest)] {
            assert_eq!(pair(a, b).priority(Role::Controlling), pair(b, a).priority(Role::Controlled));
        }
        // RFC 8445 §6.1.2.3: 2^32 * min + 2 * max + (G > D).
        assert_eq!(pair(3, 2).priority(Role::Controlling), (2 << 32) + 6 + 1);
        assert_eq!(pair(3, 2).priority(Role::Controlled), (2 << 32) + 6);
    }
}
