//! Responses to our checks (RFC 8445 §7.2.5).

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path};
use pavane_stun::{Class, ErrorCode, Message};

use crate::agent::Agent;
use crate::{PairState, Role};

impl Agent {
    pub(crate) fn take_response(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        path: Path,
        message: &Message<'_>,
    ) {
        let transaction = message.transaction();
        // RFC 8445 §7.2.5.2.1: it comes from where the check went, to where the check came from.
        if !self.pair(path).is_some_and(|pair| pair.asked(transaction)) {
            self.counters.stray_responses += 1;
            return;
        }
        // An unauthentic response is as if it had never come (RFC 8489 §9.1.4).
        if !self.remote.as_ref().is_some_and(|remote| message.verify_integrity(&*remote.key)) {
            self.counters.unauthentic += 1;
            return;
        }
        let acceptable = message.unknown_required().next().is_none();
        match message.class() {
            Class::Success if acceptable && message.mapped_address().is_some() => {
                self.succeeded(now, rng, path, message);
            }
            Class::Error => self.refused(now, rng, path, message),
            _ => self.counters.unexpected += 1,
        }
    }

    fn succeeded(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path, message: &Message<'_>) {
        self.counters.responses_received += 1;
        let controlling = self.role == Role::Controlling;
        let next = self.next_consent(now, path, rng);
        let pair = self.pair_mut(path).expect("the pair was found a moment ago");
        let Some(nominated) = pair.answered(now, message.transaction()) else { return };
        pair.state = PairState::Succeeded;
        // The interval counts from one check to the next, whatever the round trip.
        pair.next_check = Some(next - pair.round_trip_time.unwrap_or_default());
        if core::mem::take(&mut pair.nominated_early) || (nominated && controlling) {
            pair.nominated_at = Some(now);
        }
    }

    fn refused(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path, message: &Message<'_>) {
        let pair = self.pair_mut(path).expect("the pair was found a moment ago");
        if pair.answered(now, message.transaction()).is_none() {
            return;
        }
        match message.error_code() {
            Some(ErrorCode::ROLE_CONFLICT) => {
                // RFC 8445 §7.2.5.1: the role changes, and the pair is checked again at once.
                self.tiebreaker = rng.next_u64();
                self.set_role(self.role.other());
                self.trigger(path);
            }
            // RFC 7675 §5.2: consent is revoked. Other errors are as final (RFC 8445 §7.2.5.2.4).
            _ => {
                pair.state = PairState::Failed;
                pair.next_check = None;
            }
        }
    }
}
