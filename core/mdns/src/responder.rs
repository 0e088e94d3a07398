//! Answering for names of our own on one link.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use pavane_base::{Instant, earliest};

use crate::limiter::Limiter;
use crate::message::{self, Answer, Message, Question, RecordType};
use crate::random_name::hides_an_address;
use crate::{Link, PORT};

/// Announces names, and answers whoever on the link asks for them.
///
/// All its names stand for the link's address. They are not probed for, since they are random
/// (draft-ietf-mmusic-mdns-ice-candidates §3.1.1), and not defended: who claims one of them as well means harm.
///
/// A question costs an answer of about its own size at most, within the bounds that RFC 6762 §6 sets for each name and one
/// for all of them together; strangers to the link get none.
///
/// Deviation: RFC 6762 §7.2 has a question that says that more known answers follow wait for those. To answer for one name
/// too often does no harm.
#[derive(Debug)]
pub struct Responder {
    link: Link,
    /// By name, in small letters.
    names: BTreeMap<Box<str>, Registration>,
    waiting: VecDeque<Outgoing>,
    limiter: Limiter,
}

/// A name of ours.
#[derive(Debug)]
struct Registration {
    announcements_left: u32,
    /// When the next announcement is due, if there are any left.
    announce_at: Instant,
    /// When all were told the address.
    told_all_at: Option<Instant>,
    /// When all were told that there is nothing else: another record, with a bound of its own. Who wants an address asks for
    /// both kinds, in whatever order.
    denied_all_at: Option<Instant>,
}

#[derive(Debug)]
struct Outgoing {
    to: Destination,
    name: Box<str>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// To one who speaks multicast DNS, or all.
    Response { answer: Answer, ttl: u32 },
    /// To one who knows plain DNS alone.
    Plain { id: u16, kind: RecordType },
}

/// Where a message is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Destination {
    /// To the link's group.
    Group,
    /// To this address alone.
    Address(SocketAddr),
}

/// Names of one link.
const MAX_NAMES: usize = 256;

/// Messages that wait for the rate's bound; what comes beyond is not answered.
const MAX_WAITING: usize = 256;

/// Questions of one message that are looked at.
const MAX_QUESTIONS: usize = 32;

/// How often a name is announced, and the time before each (RFC 6762 §8.3).
///
/// Deviation: the first time comes at once in the RFC. Whom a name is told asks for it within moments, and were all told just
/// before, the bound on answers to all would have him wait for a second.
const ANNOUNCEMENTS: u32 = 2;
const ANNOUNCEMENT_INTERVAL: Duration = Duration::from_secs(1);

/// How long others may remember an address, in seconds (RFC 6762 §10).
const TTL: u32 = 120;

/// The same for those who know plain DNS alone, and would not hear that it is gone (RFC 6762 §6.7).
const PLAIN_TTL: u32 = 10;

/// Time between two answers for a name that all hear (RFC 6762 §6).
const GROUP_INTERVAL: Duration = Duration::from_secs(1);

/// Within a quarter of the TTL all have heard of a name, and who asks to be answered alone is (RFC 6762 §5.4).
const HEARD_FOR: Duration = Duration::from_secs(TTL as u64 / 4);

impl Responder {
    /// A responder without names.
    pub const fn new(link: Link) -> Self {
        Self { link, names: BTreeMap::new(), waiting: VecDeque::new(), limiter: Limiter::new() }
    }

    /// The link.
    pub const fn link(&self) -> Link {
        self.link
    }

    /// Whether there is no name that it answers for.
    pub fn is_idle(&self) -> bool {
        self.names.is_empty()
    }

    /// Has a name stand for the link's address, and announces it in a while.
    ///
    /// # Errors
    /// If the name is none that hides an address, or there are too many.
    pub fn register(&mut self, now: Instant, name: &str) -> Result<(), RegisterError> {
        if !hides_an_address(name) {
            return Err(RegisterError::NotHiding);
        }
        if self.names.len() >= MAX_NAMES {
            return Err(RegisterError::TooMany { max: MAX_NAMES });
        }
        let registration = Registration {
            announcements_left: ANNOUNCEMENTS,
            announce_at: now + ANNOUNCEMENT_INTERVAL,
            told_all_at: None,
            denied_all_at: None,
        };
        self.names.insert(name.to_ascii_lowercase().into(), registration);
        Ok(())
    }

    /// Gives a name up, and says so to all (RFC 6762 §10.1).
    pub fn unregister(&mut self, name: &str) {
        let name: Box<str> = name.to_ascii_lowercase().into();
        if self.names.remove(&name).is_some() {
            self.waiting.retain(|outgoing| outgoing.name != name);
            let answer = Answer::Address(self.link.address());
            self.push(Destination::Group, name, Content::Response { answer, ttl: 0 });
        }
    }

    /// Takes a message that came from the link.
    pub fn handle_message(&mut self, now: Instant, from: SocketAddr, payload: &[u8]) {
        if self.names.is_empty() || !self.link.contains(from.ip()) {
            return;
        }
        let Some(message) = Message::read(payload).filter(|message| !message.is_response) else { return };
        for question in message.questions().take(MAX_QUESTIONS) {
            let ours = self.names.keys().find(|name| question.name.is(name)).cloned();
            if let Some(name) = ours.filter(|_| question.is_of_the_internet()) {
                self.answer(now, from, message, question, name);
            }
        }
    }

    /// Announces what is to be announced again.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut due = Vec::new();
        for (name, registration) in &mut self.names {
            if registration.announcements_left > 0 && registration.announce_at <= now {
                registration.announcements_left -= 1;
                registration.announce_at = now + ANNOUNCEMENT_INTERVAL;
                registration.told_all_at = Some(now);
                due.push(name.clone());
            }
        }
        let answer = Answer::Address(self.link.address());
        for name in due {
            self.push(Destination::Group, name, Content::Response { answer, ttl: TTL });
        }
    }

    /// Appends a message and says where it goes.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Destination> {
        if self.waiting.is_empty() || !self.limiter.admit(now) {
            return None;
        }
        let Outgoing { to, name, content } = self.waiting.pop_front()?;
        match content {
            Content::Response { answer, ttl } => message::write_response(&name, answer, ttl, out),
            Content::Plain { id, kind } => {
                message::write_plain_response(id, &name, kind, self.link.address(), PLAIN_TTL, out);
            }
        }
        Some(to)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let announced = |registration: &&Registration| registration.announcements_left > 0;
        let next = self.names.values().filter(announced).map(|registration| registration.announce_at).min();
        let opens = (!self.waiting.is_empty()).then(|| self.limiter.opens_at());
        earliest(next, opens)
    }

    fn answer(
        &mut self,
        now: Instant,
        from: SocketAddr,
        message: Message<'_>,
        question: Question<'_>,
        name: Box<str>,
    ) {
        let address = self.link.address();
        let has = RecordType::of(address);
        let is_asked_for = question.kind == has || question.kind == RecordType::ANY;
        if is_asked_for && is_known(message, &name, self.link) {
            return;
        }
        if from.port() != PORT {
            if is_asked_for {
                let content = Content::Plain { id: message.id, kind: question.kind };
                self.push(Destination::Address(from), name, content);
            }
            return;
        }
        let Some(registration) = self.names.get_mut(&name) else { return };
        let (answer, heard_at) = match is_asked_for {
            true => (Answer::Address(address), &mut registration.told_all_at),
            false => (Answer::Only(has), &mut registration.denied_all_at),
        };
        let since = heard_at.map(|at| now.saturating_duration_since(at));
        let to = match since {
            Some(since) if since < HEARD_FOR && question.wants_unicast() => Destination::Address(from),
            Some(since) if since < GROUP_INTERVAL => return,
            _ => {
                *heard_at = Some(now);
                Destination::Group
            }
        };
        if is_asked_for && to == Destination::Group {
            registration.announce_at = registration.announce_at.max(now + ANNOUNCEMENT_INTERVAL);
        }
        self.push(to, name, Content::Response { answer, ttl: TTL });
    }

    fn push(&mut self, to: Destination, name: Box<str>, content: Content) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(Outgoing { to, name, content });
        }
    }
}

/// Whether who asks says that it knows, and will for a while (RFC 6762 §7.1).
fn is_known(message: Message<'_>, name: &str, link: Link) -> bool {
    message.records().any(|record| {
        record.ttl >= TTL / 2 && record.address() == Some(link.address()) && record.name.is(name)
    })
}

/// A name that is not answered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// The name is not of the form of those that hide addresses.
    NotHiding,
    /// There are so many already.
    TooMany {
        /// The bound.
        max: usize,
    },
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHiding => f.write_str("the name is not of the form of those that hide addresses"),
            Self::TooMany { max } => write!(f, "{max} names are answered for already"),
        }
    }
}

impl core::error::Error for RegisterError {}

#[cfg(test)]
mod tests;
