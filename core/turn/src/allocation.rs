//! The allocation: what its composer calls.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transmit, Transport, earliest, random_array};
use pavane_stun::{AttributeType, Builder, Class, LongTerm, Method, TransactionId};

use crate::peers::Peers;
use crate::transactions::{Ask, Schedule, Transactions};
use crate::{Config, Counters, EndReason, Event, Family};

/// An address on a relay.
pub struct Allocation {
    pub(crate) config: Config,
    pub(crate) path: Path,
    pub(crate) state: State,
    /// Our answer to the server's last challenge.
    pub(crate) session: Option<LongTerm>,
    /// Whether the server has accepted an answer of ours.
    pub(crate) proved: bool,
    pub(crate) transactions: Transactions,
    pub(crate) peers: Peers,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: Counters,
    /// Numbers indications, which nobody answers: they have to be different, not secret.
    pub(crate) indications: u128,
    next_timeout: Option<Instant>,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has been asked for.
    Allocating(Attempt),
    /// It is there, and is refreshed at this moment, unless that has been asked for.
    Live { relayed: Relayed, refresh_at: Option<Instant> },
    /// The server has been told that it ends.
    Releasing,
    /// There is nothing (left).
    Over,
}

/// How an allocation has been asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// How often with credentials: the grant of any but the last may have been lost on its way.
    asked: u32,
    /// How often what the server held was given back, so that it could be asked for anew.
    reclaimed: u32,
}

/// How often an allocation whose grant was lost is given back and asked for anew.
const MAX_RECLAIMS: u32 = 3;

impl Attempt {
    /// What to do when the server says that it holds an allocation for our 5-tuple already (RFC 8656 §7.4): a server need
    /// not know a repeated request again, and what it granted the first time is then in our way. It is given back; its
    /// addresses are only told once. Where no grant can have been lost, it is somebody else's.
    pub(crate) fn reclaimed(self) -> Option<Self> {
        let is_ours = self.asked > 1 && self.reclaimed < MAX_RECLAIMS;
        is_ours.then_some(Self { asked: 0, reclaimed: self.reclaimed + 1 })
    }
}

/// The addresses on the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relayed {
    pub(crate) first: SocketAddr,
    pub(crate) additional: Option<SocketAddr>,
}

/// How long before its end an allocation is refreshed (RFC 8656 §8), where it lasts long enough.
const REFRESH_AHEAD: Duration = Duration::from_secs(60);

/// REQUESTED-TRANSPORT's UDP (RFC 8656 §18.8).
const UDP: [u8; 4] = [17, 0, 0, 0];

impl Allocation {
    /// Asks a server for an address. `path` is the way to it: from a bound UDP socket, or along a stream.
    pub fn new(now: Instant, rng: &mut dyn CryptoRng, config: Config, path: Path) -> Self {
        let schedule = match path.transport {
            Transport::Udp => Schedule::Datagrams(config.initial_timeout),
            Transport::Tcp => Schedule::Stream,
        };
        let mut allocation = Self {
            config,
            path,
            state: State::Allocating(Attempt::default()),
            session: None,
            proved: false,
            transactions: Transactions::new(schedule),
            peers: Peers::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
            indications: u128::from_be_bytes(random_array(rng)),
            next_timeout: None,
        };
        allocation.transactions.begin(now, rng, Ask::Allocate, false, 0);
        allocation.turn(now, rng);
        allocation
    }
}

/// # Commands
///
/// They do nothing unless the allocation is live.
impl Allocation {
    /// Asks that a peer may reach us, and we it. Once is enough: permissions are renewed for as long as the allocation lives.
    pub fn permit(&mut self, now: Instant, rng: &mut dyn CryptoRng, peer: IpAddr) {
        if self.is_live() && self.peers.want(peer) {
            self.ask(now, rng, Ask::Permit(peer));
            self.turn(now, rng);
        }
    }

    /// Asks for a channel to a peer that much will be sent to: its datagrams then take 4 bytes more, not 36 or so.
    pub fn bind_channel(&mut self, now: Instant, rng: &mut dyn CryptoRng, peer: SocketAddr) {
        if !self.is_live() {
            return;
        }
        if let Some(number) = self.peers.want_channel(peer) {
            self.ask(now, rng, Ask::Bind(number, peer));
            self.turn(now, rng);
        }
    }

    /// Has it refreshed at once: if the server has forgotten it, that is the way to know.
    pub fn refresh(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if let State::Live { relayed, refresh_at: Some(_) } = self.state {
            self.state = State::Live { relayed, refresh_at: Some(now) };
            self.turn(now, rng);
        }
    }

    /// Gives the address back. What tells the server so is still to be polled and sent.
    pub fn close(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        match self.state {
            State::Allocating(Attempt { asked: 0, .. }) => self.end(EndReason::Closed),
            // The grant may be on its way.
            State::Allocating(_) | State::Live { .. } => {
                self.transactions.clear();
                self.peers = Peers::default();
                self.state = State::Releasing;
                self.ask(now, rng, Ask::Release);
                self.turn(now, rng);
            }
            State::Releasing | State::Over => {}
        }
    }

    pub(crate) fn ask(&mut self, now: Instant, rng: &mut dyn CryptoRng, ask: Ask) {
        self.transactions.begin(now, rng, ask, self.session.is_some(), 0);
    }

    pub(crate) fn end(&mut self, reason: EndReason) {
        if self.state != State::Over {
            self.state = State::Over;
            self.transactions.clear();
            self.peers = Peers::default();
            self.next_timeout = None;
            self.events.push_back(Event::Ended(reason));
        }
    }
}

/// # What the composer does next
impl Allocation {
    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.turn(now, rng);
    }

    /// Appends one request to `buf`.
    pub fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        while let Some(id) = self.transactions.next_due() {
            let Some(ask) = self.transactions.get(id).map(|transaction| transaction.ask) else { continue };
            self.transactions.written(id, self.session.is_some());
            if let (State::Allocating(attempt), Ask::Allocate, Some(_)) =
                (&mut self.state, ask, &self.session)
            {
                attempt.asked += 1;
            }
            self.counters.requests_sent += 1;
            let len = self.write(id, ask, buf);
            return Some(Transmit { path: self.path, ecn: None, len, segment_size: None });
        }
        None
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.next_timeout
    }
}

/// # Getters
impl Allocation {
    /// The way to the server.
    pub const fn path(&self) -> Path {
        self.path
    }

    /// The address on the relay, while there is one.
    pub const fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            State::Live { relayed, .. } => Some(relayed.first),
            _ => None,
        }
    }

    /// The IPv6 address beside it, while there is one.
    pub const fn additional(&self) -> Option<SocketAddr> {
        match self.state {
            State::Live { relayed, .. } => relayed.additional,
            _ => None,
        }
    }

    /// Whether nothing more will come of it.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether this peer may reach us.
    pub fn is_permitted(&self, peer: IpAddr) -> bool {
        self.peers.is_permitted(peer)
    }

    /// Whether it has been asked that this peer may reach us, and not been answered.
    pub fn awaits_permission(&self, peer: IpAddr) -> bool {
        self.peers.is_asked(peer)
    }

    /// What was counted.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    const fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }
}

impl Allocation {
    /// What every input ends with: what is due is asked for, what has had its time ends, the next deadline is set.
    pub(crate) fn turn(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if let State::Live { relayed, refresh_at: Some(at) } = self.state
            && at <= now
        {
            self.state = State::Live { relayed, refresh_at: None };
            self.ask(now, rng, Ask::Refresh);
        }
        while let Some(ip) = self.peers.permission_due(now) {
            self.ask(now, rng, Ask::Permit(ip));
        }
        while let Some((number, peer)) = self.peers.channel_due(now) {
            self.ask(now, rng, Ask::Bind(number, peer));
        }
        while let Some(failed) = self.transactions.expire(now) {
            self.unanswered(failed.ask);
        }
        let refresh = match self.state {
            State::Live { refresh_at, .. } => refresh_at,
            _ => None,
        };
        self.next_timeout = earliest(earliest(refresh, self.peers.deadline()), self.transactions.deadline());
    }

    fn unanswered(&mut self, ask: Ask) {
        match ask {
            Ask::Allocate | Ask::Reclaim | Ask::Refresh => self.end(EndReason::Unreachable),
            Ask::Release => self.end(EndReason::Closed),
            Ask::Permit(ip) => self.not_permitted(ip),
            Ask::Bind(number, _) => self.peers.not_bound(number),
        }
    }

    pub(crate) fn not_permitted(&mut self, ip: IpAddr) {
        if self.peers.refused(ip) {
            self.events.push_back(Event::Refused(ip));
        }
    }

    /// Takes a lifetime that the server grants.
    pub(crate) fn granted(&mut self, now: Instant, relayed: Relayed, lifetime: u32) {
        let lifetime = Duration::from_secs(lifetime.into());
        let ahead = REFRESH_AHEAD.min(lifetime / 2);
        self.state = State::Live { relayed, refresh_at: Some(now + (lifetime - ahead).max(SHORTEST)) };
    }

    /// Writes a request (RFC 8656 §7.1, §8.1, §10.1, §12.1).
    fn write(&self, id: TransactionId, ask: Ask, buf: &mut Vec<u8>) -> usize {
        let method = match ask {
            Ask::Allocate => Method::ALLOCATE,
            Ask::Refresh | Ask::Release | Ask::Reclaim => Method::REFRESH,
            Ask::Permit(_) => Method::CREATE_PERMISSION,
            Ask::Bind(..) => Method::CHANNEL_BIND,
        };
        let family = [self.config.family.number(), 0, 0, 0];
        let message = Builder::new(buf, Class::Request, method, id);
        let message = match ask {
            Ask::Allocate => {
                let message = message.attribute(AttributeType::REQUESTED_TRANSPORT, &UDP);
                match self.config.family {
                    // Servers of RFC 5766 refuse what they do not know, and IPv4 is what there is without it.
                    Family::V4 => message,
                    Family::V6 => message.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &family),
                    Family::Both => {
                        let additional = [Family::V6.number(), 0, 0, 0];
                        message.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &additional)
                    }
                }
            }
            Ask::Refresh if self.config.family == Family::V6 => {
                message.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &family)
            }
            Ask::Refresh => message,
            Ask::Release | Ask::Reclaim => message.attribute(AttributeType::LIFETIME, &[0; 4]),
            Ask::Permit(ip) => {
                // RFC 8656 §10.1: the port says nothing.
                message.xor_address(AttributeType::XOR_PEER_ADDRESS, SocketAddr::new(ip, 0))
            }
            Ask::Bind(number, peer) => {
                let [high, low] = number.to_be_bytes();
                message
                    .attribute(AttributeType::CHANNEL_NUMBER, &[high, low, 0, 0])
                    .xor_address(AttributeType::XOR_PEER_ADDRESS, peer)
            }
        };
        match &self.session {
            Some(session) => session.seal(message),
            None => message.finish(),
        }
    }
}

/// How soon after a grant the next refresh comes at the earliest, however short the lifetime.
const SHORTEST: Duration = Duration::from_secs(1);

impl fmt::Debug for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allocation")
            .field("path", &self.path)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
