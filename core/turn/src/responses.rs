//! What the server answers (RFC 8656 §7.3, §7.4, §8.3, §10.3, §12.3).

use core::net::SocketAddr;

use pavane_base::Instant;
use pavane_base::rand_core::CryptoRng;
use pavane_stun::{AttributeType, Class, ErrorCode, LongTerm, Message};

use crate::allocation::{Relayed, State};
use crate::transactions::{Ask, Transaction};
use crate::{Allocation, EndReason, Event, Family};

/// How often a request is asked anew because of other credentials.
const MAX_RENEWALS: u32 = 4;

/// How long an allocation lasts where the server does not say (RFC 8656 §6).
const DEFAULT_LIFETIME: u32 = 600;

/// What follows from an error.
enum Verdict {
    /// The same is asked with other credentials.
    Again,
    /// It is not to be had.
    Refused(EndReason),
}

impl Allocation {
    pub(crate) fn take_response(&mut self, now: Instant, rng: &mut dyn CryptoRng, message: &Message<'_>) {
        let Some(transaction) = self.transactions.get(message.transaction()) else {
            self.counters.stray_responses += 1;
            return;
        };
        // RFC 8489 §9.2.5: what fails integrity is as if it had never come.
        if transaction.authenticated && !self.is_authentic(message) {
            self.counters.unauthentic += 1;
            return;
        }
        let Some(transaction) = self.transactions.take(message.transaction()) else { return };
        let is_understood = message.unknown_required().next().is_none();
        match message.class() {
            _ if !is_understood => self.refused(now, rng, transaction.ask, EndReason::Misunderstood),
            Class::Success => self.succeeded(now, rng, &transaction, message),
            _ => match self.judge(&transaction, message) {
                Verdict::Again => {
                    let renewals = transaction.renewals + 1;
                    self.transactions.begin(now, rng, transaction.ask, true, renewals);
                }
                Verdict::Refused(reason) => self.refused(now, rng, transaction.ask, reason),
            },
        }
        self.turn(now, rng);
    }

    /// Whether a response is the server's. An error may come without integrity: who does not know the key yet has nothing
    /// else, and servers in the field leave it out.
    ///
    /// Deviation: RFC 8489 §9.2.5 allows that for 401 and 438 alone. A response has to name a transaction of 96 random bits.
    fn is_authentic(&self, message: &Message<'_>) -> bool {
        let is_protected = [AttributeType::MESSAGE_INTEGRITY, AttributeType::MESSAGE_INTEGRITY_SHA256]
            .into_iter()
            .any(|kind| message.attribute(kind).is_some());
        let is_renewal =
            matches!(message.error_code(), Some(ErrorCode::UNAUTHENTICATED | ErrorCode::STALE_NONCE));
        match message.class() {
            Class::Error if !is_protected || is_renewal => true,
            _ => self.session.as_ref().is_some_and(|session| session.verify(message)),
        }
    }

    fn succeeded(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        transaction: &Transaction,
        message: &Message<'_>,
    ) {
        self.proved |= transaction.authenticated;
        let lifetime = message.lifetime().unwrap_or(DEFAULT_LIFETIME);
        match (transaction.ask, self.state) {
            (Ask::Allocate, State::Allocating(_)) => {
                let Some(relayed) = self.relayed_in(message) else {
                    return self.end(EndReason::Misunderstood);
                };
                self.granted(now, relayed, lifetime);
                let Relayed { first, additional } = relayed;
                let mapped = message.mapped_address();
                self.events.push_back(Event::Allocated { relayed: first, additional, mapped });
            }
            (Ask::Refresh, State::Live { relayed, .. }) => self.granted(now, relayed, lifetime),
            (Ask::Release, _) => self.end(EndReason::Closed),
            (Ask::Reclaim, _) => self.ask(now, rng, Ask::Allocate),
            (Ask::Permit(ip), _) if self.peers.granted(now, ip) => {
                self.events.push_back(Event::Permitted(ip))
            }
            (Ask::Bind(number, _), _) => self.peers.bound(now, number),
            _ => {}
        }
    }

    /// The addresses that were asked for, out of those that are there.
    fn relayed_in(&self, message: &Message<'_>) -> Option<Relayed> {
        let usable = |address: &SocketAddr| address.port() != 0 && !address.ip().is_unspecified();
        let addresses = || message.xor_addresses(AttributeType::XOR_RELAYED_ADDRESS).flatten().filter(usable);
        let v6 = addresses().find(SocketAddr::is_ipv6);
        let (first, additional) = match self.config.family {
            Family::V4 => (addresses().find(SocketAddr::is_ipv4)?, None),
            Family::V6 => (v6?, None),
            Family::Both => (addresses().find(SocketAddr::is_ipv4)?, v6),
        };
        Some(Relayed { first, additional })
    }

    fn judge(&mut self, transaction: &Transaction, message: &Message<'_>) -> Verdict {
        let Some(code) = message.error_code() else { return Verdict::Refused(EndReason::Misunderstood) };
        match code {
            ErrorCode::UNAUTHENTICATED | ErrorCode::STALE_NONCE => self.renew(transaction, message, code),
            ErrorCode::TRY_ALTERNATE => match message.alternate_server() {
                Some(server) if server != self.path.remote => Verdict::Refused(EndReason::Redirected(server)),
                _ => Verdict::Refused(EndReason::Misunderstood),
            },
            ErrorCode::ALLOCATION_MISMATCH => Verdict::Refused(EndReason::Mismatch),
            // What is somebody else's is not given back by us, and says nothing of who we are.
            ErrorCode::WRONG_CREDENTIALS if transaction.ask != Ask::Reclaim => {
                Verdict::Refused(EndReason::Unauthorized)
            }
            code => Verdict::Refused(EndReason::Refused(code)),
        }
    }

    /// Takes another challenge. The same credentials are not shown twice to a server that has refused them
    /// (RFC 8489 §9.2.5), unless it is the nonce or the realm that has changed since it took them.
    fn renew(&mut self, transaction: &Transaction, message: &Message<'_>, code: ErrorCode) -> Verdict {
        let renewed =
            LongTerm::answer(&*self.config.provider, &self.config.user, message, self.session.as_ref());
        let renewed = match renewed {
            Ok(renewed) => renewed,
            Err(error) => return Verdict::Refused(EndReason::Challenge(error)),
        };
        let is_new = match &self.session {
            _ if !transaction.authenticated || code == ErrorCode::STALE_NONCE => true,
            None => true,
            Some(session) => {
                session.realm() != renewed.realm() || (self.proved && session.nonce() != renewed.nonce())
            }
        };
        if !is_new || transaction.renewals >= MAX_RENEWALS {
            return Verdict::Refused(EndReason::Unauthorized);
        }
        self.session = Some(renewed);
        Verdict::Again
    }

    /// What is asked for is not to be had. What concerns the allocation ends it; so does that the server does not know it.
    fn refused(&mut self, now: Instant, rng: &mut dyn CryptoRng, ask: Ask, reason: EndReason) {
        if let (Ask::Allocate, EndReason::Mismatch, State::Allocating(attempt)) = (ask, reason, self.state)
            && let Some(attempt) = attempt.reclaimed()
        {
            self.state = State::Allocating(attempt);
            return self.ask(now, rng, Ask::Reclaim);
        }
        match (ask, reason) {
            // RFC 8656 §8.3: what is gone need not be given back.
            (Ask::Release, _) => self.end(EndReason::Closed),
            // It has ended by itself.
            (Ask::Reclaim, EndReason::Mismatch) => self.ask(now, rng, Ask::Allocate),
            (Ask::Allocate | Ask::Reclaim | Ask::Refresh, _)
            | (_, EndReason::Mismatch | EndReason::Unauthorized | EndReason::Challenge(_)) => {
                self.end(reason)
            }
            (Ask::Permit(ip), _) => self.not_permitted(ip),
            (Ask::Bind(number, _), _) => self.peers.not_bound(number),
        }
    }
}
