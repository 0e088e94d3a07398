//! The peer's checks (RFC 8445 §7.3).
//!
//! A request that is not authentic is counted and never answered, so that nobody can have datagrams sent to a third party;
//! and it changes nothing.

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path};
use pavane_stun::{Class, ErrorCode, Message, Method, TransactionId};

use crate::agent::Agent;
use crate::budget;
use crate::nomination::Nomination;
use crate::outbox::{Answer, Era, UnknownList, Verdict};
use crate::pair::Progress;
use crate::{Mode, Role};

/// Whether a message made a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It was authentic, and something may be due.
    Changed,
    /// It was counted, if that.
    Nothing,
}

impl Agent {
    pub(crate) fn take_message(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        path: Path,
        payload: &[u8],
    ) -> Effect {
        // RFC 8445 §7.1: every message of ICE has a fingerprint.
        let Some(message) = Message::parse(payload).ok().filter(Message::has_fingerprint) else {
            self.counters.malformed += 1;
            return Effect::Nothing;
        };
        match (message.method(), message.class()) {
            (Method::BINDING, Class::Request) => self.take_request(now, path, &message, payload.len()),
            (Method::BINDING, Class::Success | Class::Error) => self.take_response(now, rng, path, &message),
            // A keepalive (RFC 8445 §11) asks for nothing, and proves nothing.
            (Method::BINDING, Class::Indication) => Effect::Nothing,
            _ => {
                self.counters.unexpected += 1;
                Effect::Nothing
            }
        }
    }

    fn take_request(&mut self, now: Instant, path: Path, message: &Message<'_>, len: usize) -> Effect {
        if self.locals.base_of(path).is_none() {
            self.counters.unknown_local_address += 1;
            return Effect::Nothing;
        }
        let Some(era) = self.authenticate(message) else { return Effect::Nothing };
        self.counters.requests_received += 1;
        if let Some(verdict) = self.judge(now, era, path, message, len) {
            self.answer(Answer { path, era, transaction: message.transaction(), verdict });
        }
        Effect::Changed
    }

    pub(crate) fn answer(&mut self, answer: Answer) {
        if !self.outbox.answer(answer) {
            self.counters.overflow += 1;
        }
    }

    /// Whether a request is authentic; if so, which generation's credentials say so.
    fn authenticate(&mut self, message: &Message<'_>) -> Option<Era> {
        let username = message.username().unwrap_or_default();
        let former = self.former.as_ref().map(|former| &former.local);
        let (local, era) = match former {
            _ if self.local.is_addressed_by(username) => (&self.local, Era::Current),
            Some(former) if former.is_addressed_by(username) => (former, Era::Former),
            _ => {
                self.counters.unknown_username += 1;
                return None;
            }
        };
        if !message.verify_integrity(local) {
            self.counters.unauthentic += 1;
            return None;
        }
        Some(era)
    }

    /// Does what an authentic request asks for, and says what to answer, if anything. What is not a success is shorter than
    /// any authentic question.
    fn judge(
        &mut self,
        now: Instant,
        era: Era,
        path: Path,
        message: &Message<'_>,
        len: usize,
    ) -> Option<Verdict> {
        if let Some(list) = UnknownList::collect(message.unknown_required()) {
            return Some(Verdict::Unknown(list));
        }
        if era == Era::Former {
            let former = self.former.as_mut().filter(|former| former.pair.path() == path);
            former.into_iter().for_each(|former| former.pair.heard());
            return (budget::answer_len(path.remote) <= len).then_some(Verdict::Success);
        }
        let Some(priority) = message.priority() else {
            return Some(Verdict::Error(ErrorCode::BAD_REQUEST));
        };
        if !self.settle_roles(message) {
            return Some(Verdict::Error(ErrorCode::ROLE_CONFLICT));
        }
        if !self.learn(now, path, priority) {
            return None;
        }
        if self.checklist.get(path).is_some_and(|pair| pair.is_closed()) {
            // RFC 7675 §5.1: nothing is sent where consent has ended.
            self.counters.without_consent += 1;
            return None;
        }
        let nominates = match message.nomination() {
            None => message.use_candidate(),
            Some(number) => self.renominates(number),
        };
        let is_afforded = self.afford_answer(path, message.transaction(), len);
        self.heard_request(now, path, nominates);
        is_afforded.then_some(Verdict::Success)
    }

    /// Whether the answer to a request of this length is afforded; if so, it is paid for.
    ///
    /// Deviation: RFC 8445 §7.3.1 has every authentic request answered. Of an address that has proven nothing the latest is,
    /// when it has.
    fn afford_answer(&mut self, path: Path, transaction: TransactionId, len: usize) -> bool {
        let (is_full, price) = (self.config.mode == Mode::Full, budget::answer_len(path.remote));
        // Before the peer's credentials have come, the check that they will make possible is about as long as the peer's.
        let check_len = if self.remote.is_some() { self.check_len() } else { len };
        let Some(pair) = self.checklist.get_mut(path) else { return false };
        pair.budget.received(len);
        let check_len = if is_full && !pair.is_valid() { check_len } else { 0 };
        let is_afforded = pair.budget.afford_answer(price, check_len);
        pair.owed = (!is_afforded).then_some(transaction);
        is_afforded
    }

    /// Resolves a role conflict (RFC 8445 §7.3.1.1); false if it is the peer who has to change.
    fn settle_roles(&mut self, message: &Message<'_>) -> bool {
        match (self.role, message.controlling(), message.controlled()) {
            (Role::Controlling, Some(theirs), _) if self.tiebreaker >= theirs => false,
            (Role::Controlled, _, Some(theirs)) if self.tiebreaker < theirs => false,
            (Role::Controlling, Some(_), _) | (Role::Controlled, _, Some(_)) => {
                self.take_role(self.role.other());
                true
            }
            _ => true,
        }
    }

    /// Whether a numbered nomination is the latest; those before it are void then (draft-thatcher-ice-renomination §2.2).
    fn renominates(&mut self, number: u32) -> bool {
        let is_latest = self.renomination.is_none_or(|latest| number > latest);
        if is_latest && self.role == Role::Controlled {
            self.renomination = Some(number);
            self.checklist.iter_mut().for_each(|pair| pair.nomination = Nomination::None);
        }
        is_latest || self.renomination == Some(number)
    }

    /// To a lite agent a request is proof enough that its pair works (RFC 8445 §7.3.2), and that the peer consents. So data
    /// goes where a request says that it comes from, with no more proof and without a budget: it checks nothing, and would
    /// never know any better. Who must not have to trust the peer in this is not lite (RFC 8445 §2.5, appendix A).
    fn heard_as_lite(&mut self, now: Instant, path: Path, nominates: bool) {
        let Some(pair) = self.checklist.get_mut(path) else { return };
        pair.trusted(now);
        if nominates {
            pair.nomination = Nomination::Made(now);
        }
        self.hope(now);
    }

    /// A request is a sign of life, and has its pair checked in return (RFC 8445 §7.3.1.4).
    fn heard_request(&mut self, now: Instant, path: Path, nominates: bool) {
        let nominates = nominates && self.role == Role::Controlled;
        let Some(pair) = self.checklist.get_mut(path) else { return };
        pair.requests_received += 1;
        pair.heard();
        if self.config.mode == Mode::Lite {
            return self.heard_as_lite(now, path, nominates);
        }
        match pair.progress {
            Progress::Succeeded(_) if nominates => pair.nomination = Nomination::Made(now),
            Progress::Succeeded(_) => {}
            Progress::Preparing(_) | Progress::Waiting | Progress::Trying(_) | Progress::Failed(_) => {
                if nominates {
                    pair.nomination = Nomination::Wanted;
                }
                self.hope(now);
                self.checklist.trigger(path);
            }
        }
    }
}
