//! The writing of messages, when they are asked for.

use alloc::vec::Vec;

use pavane_base::{Instant, Path, Transmit};
use pavane_stun::{AttributeType, Builder, Class, ErrorCode, Method};

use crate::Role;
use crate::agent::Agent;
use crate::candidate;
use crate::generation::Keyed;
use crate::outbox::{Answer, Ask, Era, Verdict};

impl Agent {
    /// Writes the next message: answers first, since somebody waits for them.
    pub(crate) fn write_next(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        while let Some(answer) = self.outbox.next_answer() {
            if let Some(len) = self.write_answer(&answer, buf) {
                self.counters.responses_sent += 1;
                if let Some(pair) = self.checklist.get_mut(answer.path) {
                    pair.responses_sent += 1;
                }
                return Some(transmit(answer.path, len));
            }
        }
        while let Some(ask) = self.outbox.next_ask() {
            if let Some(len) = self.write_check(&ask, buf) {
                self.left(now, &ask);
                return Some(transmit(ask.path, len));
            }
        }
        None
    }

    /// RFC 8445 §7.1.
    fn write_check(&self, ask: &Ask, buf: &mut Vec<u8>) -> Option<usize> {
        let (local, remote) = self.keys(ask.era)?;
        let remote = remote?;
        let priority = candidate::peer_reflexive_priority(self.locals.get(ask.path.local)?);
        let role = match self.role {
            Role::Controlling => AttributeType::ICE_CONTROLLING,
            Role::Controlled => AttributeType::ICE_CONTROLLED,
        };
        let mut message = Builder::new(buf, Class::Request, Method::BINDING, ask.transaction)
            .username(&remote.credentials.ufrag, &local.credentials.ufrag)
            .attribute(role, &self.tiebreaker.to_be_bytes())
            .priority(priority);
        if ask.nominates && self.role == Role::Controlling {
            message = message.attribute(AttributeType::USE_CANDIDATE, &[]);
        }
        Some(message.integrity(&*remote.key).fingerprint())
    }

    /// RFC 8445 §7.3.1.2.
    fn write_answer(&self, answer: &Answer, buf: &mut Vec<u8>) -> Option<usize> {
        let (local, _) = self.keys(answer.era)?;
        let class = match answer.verdict {
            Verdict::Success => Class::Success,
            Verdict::Error(_) | Verdict::Unknown(_) => Class::Error,
        };
        let message = Builder::new(buf, class, Method::BINDING, answer.transaction);
        let message = match &answer.verdict {
            Verdict::Success => message.xor_mapped_address(answer.path.remote),
            Verdict::Error(code) => message.error_code(*code),
            Verdict::Unknown(list) => {
                message.error_code(ErrorCode::UNKNOWN_ATTRIBUTE).unknown_attributes(list.iter())
            }
        };
        Some(message.integrity(&*local.key).fingerprint())
    }

    /// Our credentials and the peer's, as far as there are any.
    fn keys(&self, era: Era) -> Option<(&Keyed, Option<&Keyed>)> {
        match era {
            Era::Current => Some((&self.local, self.remote.as_ref())),
            Era::Former => self.former.as_ref().map(|former| (&former.local, Some(&former.remote))),
        }
    }

    fn left(&mut self, now: Instant, ask: &Ask) {
        self.counters.checks_sent += 1;
        let pair = match ask.era {
            Era::Current => self.checklist.get_mut(ask.path),
            Era::Former => self.former.as_mut().map(|former| &mut former.pair),
        };
        if let Some(pair) = pair {
            pair.outstanding.left(ask.transaction, now);
        }
    }
}

const fn transmit(path: Path, len: usize) -> Transmit {
    Transmit { path, ecn: None, len, segment_size: None }
}
