//! The peer's checks (RFC 8445 §7.3).
//!
//! A request that is not authentic is counted and never answered, so that nobody can have datagrams sent to a third party.

use alloc::vec::Vec;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path};
use pavane_stun::{AttributeType, Class, ErrorCode, Message, Method};

use crate::agent::Agent;
use crate::checks::{MAX_OUTGOING, Outgoing};
use crate::{PairState, Role};

/// How many attributes an error response lists.
const MAX_UNKNOWN_LISTED: usize = 8;

impl Agent {
    pub(crate) fn take_message(&mut self, now: Instant, rng: &mut dyn CryptoRng, path: Path, payload: &[u8]) {
        // RFC 8445 §7.1: every message of ICE has a fingerprint.
        let Some(message) = Message::parse(payload).ok().filter(Message::has_fingerprint) else {
            self.counters.malformed += 1;
            return;
        };
        if message.method() != Method::BINDING {
            self.counters.unexpected += 1;
            return;
        }
        match message.class() {
            Class::Request => self.take_request(now, path, &message),
            Class::Success | Class::Error => self.take_response(now, rng, path, &message),
            // A keepalive (RFC 8445 §11) asks for nothing, and proves nothing.
            Class::Indication => {}
        }
    }

    fn take_request(&mut self, now: Instant, path: Path, message: &Message<'_>) {
        if !self.locals.iter().any(|local| local.address == path.local) {
            self.counters.unknown_local_address += 1;
            return;
        }
        let Some(former) = self.authenticate(message) else { return };
        self.counters.requests_received += 1;
        let unknown: Vec<AttributeType> = message.unknown_required().take(MAX_UNKNOWN_LISTED).collect();
        if !unknown.is_empty() {
            self.refuse(path, message, ErrorCode::UNKNOWN_ATTRIBUTE, unknown);
            return;
        }
        if former {
            self.answer(Outgoing::Success { path, transaction: message.transaction(), former });
            return;
        }
        let Some(priority) = message.priority() else {
            self.refuse(path, message, ErrorCode::BAD_REQUEST, Vec::new());
            return;
        };
        if !self.settle_roles(message) {
            self.refuse(path, message, ErrorCode::ROLE_CONFLICT, Vec::new());
            return;
        }
        self.answer(Outgoing::Success { path, transaction: message.transaction(), former });
        if self.learn(path.remote, priority) {
            self.pair_heard(path);
            self.heard_request(now, path, message.use_candidate());
        }
    }

    /// Whether a request is authentic; if so, whether it belongs to the generation before.
    fn authenticate(&mut self, message: &Message<'_>) -> Option<bool> {
        let username = message.username().unwrap_or_default();
        let former = self.former.as_ref().map(|former| &former.local);
        let (local, is_former) = match former {
            _ if self.local.is_addressed_by(username) => (&self.local, false),
            Some(former) if former.is_addressed_by(username) => (former, true),
            _ => {
                self.counters.unknown_username += 1;
                return None;
            }
        };
        if !message.verify_integrity(&*local.key) {
            self.counters.unauthentic += 1;
            return None;
        }
        Some(is_former)
    }

    /// Resolves a role conflict (RFC 8445 §7.3.1.1); false if it is the peer who has to change.
    fn settle_roles(&mut self, message: &Message<'_>) -> bool {
        match (self.role, message.controlling(), message.controlled()) {
            (Role::Controlling, Some(theirs), _) if self.tiebreaker >= theirs => false,
            (Role::Controlled, _, Some(theirs)) if self.tiebreaker < theirs => false,
            (Role::Controlling, Some(_), _) | (Role::Controlled, _, Some(_)) => {
                self.set_role(self.role.other());
                true
            }
            _ => true,
        }
    }

    /// A request is a sign of life, and has its pair checked in return (RFC 8445 §7.3.1.4).
    fn heard_request(&mut self, now: Instant, path: Path, nominates: bool) {
        let controlled = self.role == Role::Controlled;
        let Some(pair) = self.pair_mut(path) else { return };
        pair.heard(now);
        match pair.state {
            PairState::Succeeded if nominates && controlled => pair.nominated_at = Some(now),
            PairState::Succeeded => {}
            PairState::Waiting | PairState::InProgress | PairState::Failed => {
                pair.nominated_early |= nominates && controlled;
                self.trigger(path);
            }
        }
    }

    fn refuse(&mut self, path: Path, message: &Message<'_>, code: ErrorCode, unknown: Vec<AttributeType>) {
        self.answer(Outgoing::Error { path, transaction: message.transaction(), code, unknown });
    }

    fn answer(&mut self, answer: Outgoing) {
        match self.outgoing.len() < MAX_OUTGOING {
            true => self.outgoing.push_back(answer),
            false => self.counters.overflow += 1,
        }
    }
}
