//! Responses to our checks (RFC 8445 §7.2.5).

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path};
use pavane_stun::{Class, ErrorCode, Message};

use crate::Role;
use crate::agent::Agent;
use crate::nomination::Nomination;
use crate::outbox::{Answer, Era, Verdict};
use crate::outstanding::Check;
use crate::pair::{Failure, Side};
use crate::requests::Effect;

impl Agent {
    /// Deviation: RFC 8445 §7.2.5.2.1 fails a pair whose check is answered from another address than was asked. Such a
    /// response is as if it had never come; the pair fails if no other comes.
    pub(crate) fn take_response(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        path: Path,
        message: &Message<'_>,
    ) -> Effect {
        let transaction = message.transaction();
        let former = self.former.as_ref().filter(|former| former.pair.path() == path);
        let (era, remote) = if self.checklist.get(path).is_some_and(|pair| pair.awaits(transaction)) {
            (Era::Current, self.remote.as_ref())
        } else if let Some(former) = former.filter(|former| former.pair.awaits(transaction)) {
            (Era::Former, Some(&former.remote))
        } else {
            self.counters.stray_responses += 1;
            return Effect::Nothing;
        };
        // An unauthentic response is as if it had never come (RFC 8489 §9.1.4).
        if !remote.is_some_and(|remote| message.verify_integrity(remote)) {
            self.counters.unauthentic += 1;
            return Effect::Nothing;
        }
        let is_understood = message.unknown_required().next().is_none();
        match (message.class(), message.mapped_address()) {
            (Class::Success, Some(mapped)) if is_understood => {
                self.counters.responses_received += 1;
                self.succeeded(now, rng, era, path, message, mapped);
            }
            (Class::Error, _) => self.refused(rng, era, path, message),
            _ => {
                self.counters.unexpected += 1;
                return Effect::Nothing;
            }
        }
        Effect::Changed
    }

    fn succeeded(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        era: Era,
        path: Path,
        message: &Message<'_>,
        mapped: core::net::SocketAddr,
    ) {
        if era == Era::Former {
            let interval = self.consent_interval(path, rng);
            let Some(former) = &mut self.former else { return };
            if let Some(check) = former.pair.outstanding.take(message.transaction()) {
                former.pair.answered(now, &check, interval, Some(mapped));
            }
            return;
        }
        // RFC 8445 §7.2.5.3.2: the pair that works is that of the address which the peer sees.
        if mapped != path.local
            && let Some(base) = self.locals.base_of(path).cloned()
            && let Some(pair) = self.checklist.get_mut(path)
        {
            let (kind, priority) = self.locals.mapped(&base, mapped);
            pair.local = Side { kind, priority };
        }
        let interval = self.consent_interval(path, rng);
        let Some(pair) = self.checklist.get_mut(path) else { return };
        let Some(check) = pair.outstanding.take(message.transaction()) else { return };
        pair.answered(now, &check, interval, Some(mapped));
        let owed = pair.owed.take();
        pair.nomination = match (self.role, pair.nomination) {
            (Role::Controlled, Nomination::Wanted) => Nomination::Made(now),
            (Role::Controlling, Nomination::None | Nomination::Wanted) if confirms(&check) => {
                Nomination::Made(now)
            }
            (_, nomination) => nomination,
        };
        if let Some(transaction) = owed {
            self.answer(Answer { path, era, transaction, verdict: Verdict::Success });
        }
    }

    fn refused(&mut self, rng: &mut dyn CryptoRng, era: Era, path: Path, message: &Message<'_>) {
        if era == Era::Former {
            // RFC 7675 §5.2: consent is revoked.
            self.former = None;
            return;
        }
        let Some(pair) = self.checklist.get_mut(path) else { return };
        let Some(check) = pair.outstanding.take(message.transaction()) else { return };
        match message.error_code() {
            Some(ErrorCode::ROLE_CONFLICT) => {
                // RFC 8445 §7.2.5.1: the role changes, and the pair is checked again at once. A check of the other role
                // tells nothing about this one.
                if check.role == self.role {
                    self.tiebreaker = rng.next_u64();
                    self.take_role(self.role.other());
                }
                self.checklist.trigger(path);
            }
            // Consent is revoked (RFC 7675 §5.2). Other errors are as final (RFC 8445 §7.2.5.2.4).
            _ => pair.fail(Failure::Final),
        }
    }
}

/// Whether an answered check has told the peer that its pair is nominated.
fn confirms(check: &Check) -> bool {
    check.nominates && check.role == Role::Controlling
}
