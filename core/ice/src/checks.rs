//! Checks on their way out (RFC 8445 §6.1.4, §7.2) and consent (RFC 7675).
//!
//! Deviation: a check that goes unanswered is not sent again as it was (RFC 8489 §6.2.1) but asked anew, with a transaction of
//! its own, so that each response tells which check it answers and every round trip is measured; all that were asked may
//! still be answered.

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transmit, earliest};
use pavane_stun::{AttributeType, Builder, Class, ErrorCode, Method, TransactionId};

use crate::agent::Agent;
use crate::candidate::{self, CandidateKind};
use crate::pair::Pair;
use crate::selection::Verdict;
use crate::{PairState, Role};

/// A message that is to be written when it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// A check.
    Check { path: Path, transaction: TransactionId, nominates: bool },
    /// A good answer.
    Success { path: Path, transaction: TransactionId, former: bool },
    /// A bad answer.
    Error { path: Path, transaction: TransactionId, code: ErrorCode, unknown: Vec<AttributeType> },
}

/// How many messages wait to be written.
pub(crate) const MAX_OUTGOING: usize = 128;

/// The time between checks of a working pair that does not answer.
///
/// Deviation: RFC 7675 §5.1 never checks consent more often than every 4 s. Here it is a liveness check, only while the peer
/// is silent, so that another path is found soon.
const RECHECK: Duration = Duration::from_secs(1);

impl Agent {
    /// Sends the checks that are due: triggered ones at once, one ordinary one each Ta.
    pub(crate) fn check_what_is_due(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if self.remote.is_none() || self.verdict != Verdict::Open {
            return;
        }
        while let Some(path) = self.triggered.pop_front() {
            self.check(now, rng, path);
        }
        while now >= self.paced_until {
            let Some(path) = self.next_due(now) else { break };
            self.check(now, rng, path);
            self.paced_until = now + self.config.timing.pacing;
        }
    }

    /// The best pair whose check is due.
    fn next_due(&self, now: Instant) -> Option<Path> {
        let due = |pair: &&Pair| match pair.state {
            PairState::Waiting => true,
            PairState::InProgress | PairState::Succeeded => pair.next_check.is_some_and(|at| at <= now),
            PairState::Failed => false,
        };
        // What has never been tried goes before what has.
        let rank = |pair: &&Pair| (pair.state == PairState::Waiting, pair.priority(self.role));
        self.pairs.iter().filter(due).max_by_key(rank).map(Pair::path)
    }

    fn check(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path) {
        if self.outgoing.len() >= MAX_OUTGOING {
            self.counters.overflow += 1;
            return;
        }
        let nominates = self.nominates(now, path);
        let measured = self.round_trip_time().or_else(|| self.pairs.iter().find_map(|p| p.round_trip_time));
        let timing = self.config.timing;
        let Some(pair) = self.pair_mut(path) else { return };
        let timeout = pair.timeout(&timing, measured);
        let transaction = TransactionId::random(rng);
        pair.check_sent(now, transaction, nominates, timeout);
        if pair.is_valid() {
            pair.next_check = Some(now + RECHECK.max(timeout));
        }
        self.outgoing.push_back(Outgoing::Check { path, transaction, nominates });
        self.counters.checks_sent += 1;
    }

    /// Has a pair checked before all others.
    pub(crate) fn trigger(&mut self, path: Path) {
        if !self.triggered.contains(&path) {
            self.triggered.push_back(path);
        }
    }

    /// When the consent of a pair that has just answered is to be checked again.
    pub(crate) fn next_consent(&self, now: Instant, path: Path, rng: &mut dyn CryptoRng) -> Instant {
        let mean = match self.selected == Some(path) {
            true => self.config.timing.consent_interval,
            false => self.config.timing.consent_interval * 2,
        };
        // RFC 7675 §5.1: 0.8 to 1.2 times the interval.
        let permille = 800 + rng.next_u32() % 401;
        now + mean * permille / 1000
    }

    /// The earliest moment at which anything is due.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        if self.verdict != Verdict::Open || self.remote.is_none() {
            return self.former.as_ref().map(|former| former.until);
        }
        let mut deadline = self.former.as_ref().map(|former| former.until);
        let mut due = None;
        for pair in &self.pairs {
            due = earliest(
                due,
                match pair.state {
                    PairState::Waiting => Some(now),
                    PairState::InProgress | PairState::Succeeded => pair.next_check,
                    PairState::Failed => None,
                },
            );
            if pair.is_valid() {
                deadline = earliest(deadline, self.consent_ends(pair));
                deadline = earliest(deadline, self.silence_counts(pair, now));
            }
        }
        deadline = earliest(deadline, due.map(|at| at.max(self.paced_until)));
        deadline = earliest(deadline, self.patience_ends());
        earliest(deadline, self.settles_at(now))
    }

    /// Writes a message.
    pub(crate) fn write(&mut self, outgoing: &Outgoing, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, len) = match outgoing {
            Outgoing::Check { path, transaction, nominates } => {
                (*path, self.write_check(*path, *transaction, *nominates, buf)?)
            }
            Outgoing::Success { path, transaction, former } => {
                let local = match former {
                    true => &self.former.as_ref()?.local,
                    false => &self.local,
                };
                let len = Builder::new(buf, Class::Success, Method::BINDING, *transaction)
                    .xor_mapped_address(path.remote)
                    .integrity(&*local.key)
                    .fingerprint();
                self.counters.responses_sent += 1;
                (*path, len)
            }
            Outgoing::Error { path, transaction, code, unknown } => {
                let mut message =
                    Builder::new(buf, Class::Error, Method::BINDING, *transaction).error_code(*code);
                if !unknown.is_empty() {
                    message = message.unknown_attributes(unknown.iter().copied());
                }
                self.counters.responses_sent += 1;
                (*path, message.integrity(&*self.local.key).fingerprint())
            }
        };
        Some(Transmit { path, ecn: None, len, segment_size: None })
    }

    /// RFC 8445 §7.1.
    fn write_check(
        &self,
        path: Path,
        transaction: TransactionId,
        nominates: bool,
        buf: &mut Vec<u8>,
    ) -> Option<usize> {
        let remote = self.remote.as_ref()?;
        let index = self.locals.iter().position(|local| local.address == path.local)?;
        let preference = candidate::local_preference(path.local, index);
        let priority = candidate::priority(CandidateKind::PeerReflexive, preference);
        let role = match self.role {
            Role::Controlling => AttributeType::ICE_CONTROLLING,
            Role::Controlled => AttributeType::ICE_CONTROLLED,
        };
        let mut message = Builder::new(buf, Class::Request, Method::BINDING, transaction)
            .username(&remote.credentials.ufrag, &self.local.credentials.ufrag)
            .attribute(role, &self.tiebreaker.to_be_bytes())
            .priority(priority);
        if nominates {
            message = message.attribute(AttributeType::USE_CANDIDATE, &[]);
        }
        Some(message.integrity(&*remote.key).fingerprint())
    }
}
