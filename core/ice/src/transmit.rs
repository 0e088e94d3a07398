//! The writing of messages, when they are asked for.

use alloc::vec::Vec;

use pavane_base::{Instant, Transmit};
use pavane_stun::{AttributeType, Builder, Class, ErrorCode, Method};

use crate::Role;
use crate::agent::Agent;
use crate::generation::Keyed;
use crate::outbox::{Answer, Ask, Era, Verdict};
use crate::priority;

impl Agent {
    /// Writes the next message: answers first, since somebody waits for them.
    pub(crate) fn write_next(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        while let Some(answer) = self.outbox.next_answer() {
            let write = |agent: &Self, buf: &mut Vec<u8>| agent.write_answer(&answer, buf);
            if let Some(transmit) = self.send_along(answer.path, buf, write) {
                self.counters.responses_sent += 1;
                if let Some(pair) = self.checklist.get_mut(answer.path) {
                    pair.responses_sent += 1;
                }
                return Some(transmit);
            }
        }
        if let Some(transmit) = self.servers.poll_transmit(buf) {
            return Some(transmit);
        }
        while let Some(ask) = self.outbox.next_ask() {
            let write = |agent: &Self, buf: &mut Vec<u8>| agent.write_check(&ask, buf);
            if let Some(transmit) = self.send_along(ask.path, buf, write) {
                self.left(now, &ask);
                return Some(transmit);
            }
        }
        None
    }

    /// RFC 8445 §7.1.
    fn write_check(&self, ask: &Ask, buf: &mut Vec<u8>) -> Option<()> {
        let (local, remote) = self.keys(ask.era)?;
        let remote = remote?;
        let priority = priority::of_check(self.locals.base_of(ask.path)?);
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
        message.integrity(remote).fingerprint();
        Some(())
    }

    /// RFC 8445 §7.3.1.2.
    fn write_answer(&self, answer: &Answer, buf: &mut Vec<u8>) -> Option<()> {
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
        message.integrity(local).fingerprint();
        Some(())
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
