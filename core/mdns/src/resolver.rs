//! Asking for the addresses of others' names.
//!
//! ```text
//! ask ── 1 s ── ask ── 2 s ── ask ── 4 s ── ask ── 8 s ── given up
//! ```

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use pavane_base::{Instant, earliest};

use crate::limiter::Limiter;
use crate::message::{self, Message, RecordType};
use crate::random_name::hides_an_address;

/// Asks for names until they are answered for, or for long enough.
///
/// Deviation: RFC 6762 §5.2 delays a first question by 20 to 120 ms, lest hosts that are switched on together all ask at
/// once. Candidates come one by one and at no common moment, and every delay here delays a conversation.
///
/// Deviation: draft-ietf-mmusic-mdns-ice-candidates §3.2.1 has the answer come to who asks alone. The port of multicast DNS
/// is shared by all on a machine who speak it, browsers and daemons among them, and of a datagram to one address one of them
/// gets it, any; what goes to the group comes to all.
#[derive(Debug)]
pub struct Resolver {
    /// By name, in small letters.
    queries: BTreeMap<Box<str>, Query>,
    due: VecDeque<(Box<str>, RecordType)>,
    resolutions: VecDeque<(Box<str>, Option<IpAddr>)>,
    limiter: Limiter,
}

#[derive(Debug)]
struct Query {
    asked: u32,
    next: Instant,
}

/// Names that are asked for at a time.
const MAX_QUERIES: usize = 128;

/// How often a name is asked for.
const MAX_ASKED: u32 = 4;

/// Time between the first two questions (RFC 6762 §5.2: one second at least); it doubles.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);

impl Resolver {
    /// A resolver that asks for nothing yet.
    pub const fn new() -> Self {
        Self {
            queries: BTreeMap::new(),
            due: VecDeque::new(),
            resolutions: VecDeque::new(),
            limiter: Limiter::new(),
        }
    }

    /// Begins to ask for a name, unless that is being done.
    ///
    /// # Errors
    /// If the name is none that hides an address, or too many are asked for.
    pub fn resolve(&mut self, now: Instant, name: &str) -> Result<(), ResolveError> {
        if !hides_an_address(name) {
            return Err(ResolveError::NotHiding);
        }
        let name: Box<str> = name.to_ascii_lowercase().into();
        if self.queries.contains_key(&name) {
            return Ok(());
        }
        if self.queries.len() >= MAX_QUERIES {
            return Err(ResolveError::TooMany { max: MAX_QUERIES });
        }
        self.queries.insert(name, Query { asked: 0, next: now });
        self.handle_timeout(now);
        Ok(())
    }

    /// Takes a message that came from the link.
    pub fn handle_message(&mut self, payload: &[u8]) {
        let Some(message) = Message::read(payload).filter(|message| message.is_response) else { return };
        let answered: Vec<_> =
            self.queries.keys().filter_map(|name| Some((name.clone(), answer(message, name)?))).collect();
        for (name, address) in answered {
            self.finish(name, address);
        }
    }

    /// Asks again for what is not answered for, and gives up what never was.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut given_up = Vec::new();
        for (name, query) in &mut self.queries {
            if query.next > now {
                continue;
            }
            if query.asked == MAX_ASKED {
                given_up.push(name.clone());
                continue;
            }
            query.next = now + FIRST_INTERVAL * (1 << query.asked);
            query.asked += 1;
            for kind in [RecordType::A, RecordType::AAAA] {
                let question = (name.clone(), kind);
                if !self.due.contains(&question) {
                    self.due.push_back(question);
                }
            }
        }
        for name in given_up {
            self.finish(name, None);
        }
    }

    /// Appends a question for all on each link; returns whether there was one.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        if self.due.is_empty() || !self.limiter.admit(now) {
            return false;
        }
        let question = self.due.pop_front();
        if let Some((name, kind)) = &question {
            message::write_query(name, *kind, out);
        }
        question.is_some()
    }

    /// The next name that was resolved, in small letters, and its address; none if nobody answered for it, or with more
    /// addresses than one.
    pub fn poll_resolution(&mut self) -> Option<(Box<str>, Option<IpAddr>)> {
        self.resolutions.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = self.queries.values().map(|query| query.next).min();
        let opens = (!self.due.is_empty()).then(|| self.limiter.opens_at());
        earliest(next, opens)
    }

    /// Whether nothing is asked for, and nothing left to be told.
    pub fn is_idle(&self) -> bool {
        self.queries.is_empty() && self.resolutions.is_empty()
    }

    fn finish(&mut self, name: Box<str>, address: Option<IpAddr>) {
        self.queries.remove(&name);
        self.due.retain(|(due, _)| *due != name);
        self.resolutions.push_back((name, address));
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

/// The address that a response gives a name, or none if it gives several (draft-ietf-mmusic-mdns-ice-candidates §3.2.2); none
/// at all if it gives none, or takes it back.
fn answer(message: Message<'_>, name: &str) -> Option<Option<IpAddr>> {
    let records = message.records().filter(|record| record.ttl > 0 && record.name.is(name));
    let mut addresses = records.filter_map(|record| record.address());
    let first = addresses.next()?;
    Some(Some(first).filter(|first| addresses.all(|other| other == *first)))
}

/// A name that is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name is not of the form of those that hide addresses.
    NotHiding,
    /// So many are asked for already.
    TooMany {
        /// The bound.
        max: usize,
    },
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHiding => f.write_str("the name is not of the form of those that hide addresses"),
            Self::TooMany { max } => write!(f, "{max} names are asked for already"),
        }
    }
}

impl core::error::Error for ResolveError {}

#[cfg(test)]
mod tests;
