//! Which checks are due (RFC 8445 §6.1.4, §7.2), those of consent among them (RFC 7675).
//!
//! Deviation: a check that goes unanswered is not sent again as it was (RFC 8489 §6.2.1) but asked anew, with a transaction of
//! its own, so that each response tells which check it answers and every round trip is measured; all that were asked may
//! still be answered.

use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path};
use pavane_stun::TransactionId;

use crate::agent::Agent;
use crate::budget::{self, NOMINATION_LEN};
use crate::generation::Duty;
use crate::outbox::{Ask, Era};
use crate::outstanding::Check;
use crate::pair::{PATIENT_INTERVAL, Pair, URGENT_INTERVAL};
use crate::{CandidateKind, Mode, Role};

/// How many working pairs beside the one in use are kept alive, to fall back on.
const MAX_SPARES: usize = 3;

/// How much more rarely than the pair in use they are checked.
const SPARE_INTERVALS: u32 = 2;

/// How much more often one is checked that the peer may not know to work.
const EAGER_SHARE: u32 = 10;

/// For how many answers that is done, ten seconds or so: one that is lite never asks.
const MAX_EAGER: u64 = 20;

impl Agent {
    /// Sends the checks that are due: triggered ones at once, one ordinary one each Ta.
    pub(crate) fn check_what_is_due(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.check_former(now, rng);
        if !self.is_checking() || self.config.mode == Mode::Lite {
            return;
        }
        while let Some(path) = self.checklist.next_triggered() {
            self.check(now, rng, path);
        }
        while now >= self.paced_until {
            let Some(path) = self.checklist.next_due(now, self.role, self.check_len()) else { break };
            if self.is_superfluous(path) {
                if let Some(consent) = self.checklist.get_mut(path).and_then(Pair::consent_mut) {
                    consent.let_lapse();
                }
                continue;
            }
            self.check(now, rng, path);
            self.paced_until = now + self.config.timing.pacing;
        }
    }

    /// Whether a pair works and yet is not needed.
    fn is_superfluous(&self, path: Path) -> bool {
        self.selected().is_some_and(|selected| selected != path)
            && self.checklist.get(path).is_some_and(Pair::is_valid)
            && self.checklist.rank_among_valid(path, self.role) > MAX_SPARES
    }

    fn check(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path) {
        let (nominates, len) = (self.nominates(now, path), self.check_len());
        let measured = self.checklist.iter().find_map(Pair::round_trip_time);
        let (timing, role) = (self.config.timing, self.role);
        let longest = if self.is_spare(now, path) { PATIENT_INTERVAL } else { URGENT_INTERVAL };
        let can_be_asked =
            |pair: &&mut Pair| !(pair.is_closed() || pair.is_preparing()) && pair.budget.affords(len);
        let Some(pair) = self.checklist.get_mut(path).filter(can_be_asked) else { return };
        // A nomination that cannot be afforded comes with the next check.
        let nominates = nominates && pair.budget.affords(len + NOMINATION_LEN);
        pair.budget.spend_on_check(if nominates { len + NOMINATION_LEN } else { len });
        let timeout = pair.timeout(&timing, measured);
        let transaction = TransactionId::random(rng);
        pair.asked(Check { transaction, sent_at: now, nominates, role }, timeout, longest);
        self.outbox.ask(Ask { path, era: Era::Current, transaction, nominates });
    }

    /// How long a check is that does not nominate.
    pub(crate) fn check_len(&self) -> usize {
        let ours = &self.local.credentials;
        self.remote.as_ref().map_or(usize::MAX, |remote| budget::check_len(ours, &remote.credentials))
    }

    /// Asks for consent on the way that carries data during a restart.
    fn check_former(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        let (timing, role) = (self.config.timing, self.role);
        let Some(former) = self.former.as_mut().filter(|former| former.duty == Duty::Carries) else { return };
        if former.pair.due().is_some_and(|at| at <= now) {
            let path = former.pair.path();
            let timeout = former.pair.timeout(&timing, None);
            let transaction = TransactionId::random(rng);
            let check = Check { transaction, sent_at: now, nominates: false, role };
            former.pair.asked(check, timeout, PATIENT_INTERVAL);
            self.outbox.ask(Ask { path, era: Era::Former, transaction, nominates: false });
        }
    }

    /// How long after a check that was answered the next one comes.
    pub(crate) fn consent_interval(&self, path: Path, rng: &mut dyn CryptoRng) -> Duration {
        let interval = self.config.timing.consent_interval;
        let mean = match self.selected() {
            _ if self.is_eager(path) => interval / EAGER_SHARE,
            Some(selected) if selected != path => interval * SPARE_INTERVALS,
            _ => interval,
        };
        // RFC 7675 §5.1: 0.8 to 1.2 times the interval.
        let permille = 800 + rng.next_u32() % 401;
        mean * permille / 1000
    }

    /// Whether the peer may not know that a pair works which is to be used, so that our checks have to have it find out: it
    /// has not asked; or our address was never signalled to it, and it answers and checks there no more than we ask; or it
    /// would have nominated the pair.
    ///
    /// Deviation: RFC 7675 §5.1 has 4 s at least between two checks of consent. These are of connectivity as well, on the
    /// peer's account.
    fn is_eager(&self, path: Path) -> bool {
        let Some(pair) = self.checklist.get(path).filter(|pair| pair.responses_received() < MAX_EAGER) else {
            return false;
        };
        let is_unknown = pair.local.kind == CandidateKind::PeerReflexive;
        match self.selected() {
            None => is_unknown,
            Some(selected) if selected == path => is_unknown || pair.requests_received == 0,
            Some(selected) => {
                (is_unknown || self.role == Role::Controlled) && self.priority(path) > self.priority(selected)
            }
        }
    }

    /// Whether a pair would only be another to fall back on.
    fn is_spare(&self, now: Instant, path: Path) -> bool {
        let is_no_better = |selected| self.priority(path) <= self.priority(selected);
        !self.is_urgent(now) && self.selected().is_some_and(is_no_better)
    }

    fn priority(&self, path: Path) -> Option<u64> {
        self.checklist.get(path).map(|pair| pair.priority(self.role))
    }
}
