//! The ways that datagrams take in truth: a pair on a relay is wrapped on its way to the server, and unwrapped when it
//! comes from there.

use alloc::vec::Vec;
use core::ops::Range;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transmit};
use pavane_stun::{Class, Message, Method};
use pavane_turn::{Envelope, Received};

use crate::Agent;

/// How a datagram is sent: what way it takes, and what is put around it.
///
/// ```text
/// start ─▶ room of headroom() bytes ─▶ the datagram ─▶ end of the buffer;  then close(buf, start)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    path: Path,
    envelope: Option<Envelope>,
}

impl Route {
    /// The way as the caller's sockets have it.
    pub const fn path(&self) -> Path {
        self.path
    }

    /// How many bytes are to be left free before a datagram.
    pub fn headroom(&self) -> usize {
        self.envelope.map_or(0, |envelope| envelope.headroom())
    }

    /// How long a datagram of this length is when it is sent.
    pub fn enclosed_len(&self, len: usize) -> usize {
        self.envelope.map_or(len, |envelope| envelope.enclosed_len(len))
    }

    /// Leaves room for what comes before a datagram, and says where that begins.
    pub fn open(&self, buf: &mut Vec<u8>) -> usize {
        let start = buf.len();
        buf.resize(start + self.headroom(), 0);
        start
    }

    /// Closes around the datagram that reaches from behind the room at `start` to the end of the buffer.
    pub fn close(&mut self, buf: &mut Vec<u8>, start: usize) {
        if let Some(envelope) = &mut self.envelope {
            envelope.close(buf, start);
        }
    }
}

/// What a datagram turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It came by the way that it says.
    Direct,
    /// It came through a relay.
    Relayed {
        /// The pair's way.
        path: Path,
        /// Where the datagram lies in what arrived.
        range: Range<usize>,
    },
    /// It was a server's, and has been taken.
    Taken,
}

impl Agent {
    /// Takes what servers say, and unwraps what came through relays. Every datagram comes here first, whatever it is.
    pub fn handle_arrival(
        &mut self,
        now: Instant,
        rng: &mut dyn CryptoRng,
        path: Path,
        payload: &[u8],
    ) -> Arrival {
        if self.servers.probes.ask_along(path)
            && let Some(message) = Message::parse(payload).ok().filter(is_binding_answer)
            && self.take_server_answer(now, path, &message)
        {
            self.turn(now, rng);
            return Arrival::Taken;
        }
        let Some(relay) = self.servers.relays.at(path) else { return Arrival::Direct };
        match relay.allocation.handle_datagram(now, rng, payload) {
            Received::Data { peer, range } => {
                let local = relay.address_for(peer);
                local.map_or(Arrival::Taken, |local| {
                    let path = Path { local, remote: peer, transport: pavane_base::Transport::Udp };
                    Arrival::Relayed { path, range }
                })
            }
            Received::Nothing => {
                self.turn(now, rng);
                Arrival::Taken
            }
        }
    }

    /// How data is sent: by the way of the nominated pair, else of the best one that works; not at all without consent.
    pub fn route(&mut self) -> Option<Route> {
        let path = self.selected_path()?;
        self.route_along(path)
    }

    /// Whether there is a route.
    pub fn can_send(&self) -> bool {
        self.selected_path().is_some_and(|path| self.servers.relays.let_through(path))
    }

    /// How datagrams of a pair are sent; not at all where the relay does not let them through.
    pub(crate) fn route_along(&mut self, path: Path) -> Option<Route> {
        if self.servers.relays.is_empty() {
            return Some(Route { path, envelope: None });
        }
        match self.servers.relays.lending(path.local) {
            None => Some(Route { path, envelope: None }),
            Some(relay) => {
                let envelope = relay.allocation.envelope(path.remote).ok()?;
                Some(Route { path: relay.allocation.path(), envelope: Some(envelope) })
            }
        }
    }

    /// Appends a message for the other end of a pair, as `write` writes it.
    pub(crate) fn send_along(
        &mut self,
        path: Path,
        buf: &mut Vec<u8>,
        write: impl FnOnce(&Self, &mut Vec<u8>) -> Option<()>,
    ) -> Option<Transmit> {
        let mut route = self.route_along(path)?;
        let start = route.open(buf);
        if write(self, buf).is_none() {
            buf.truncate(start);
            return None;
        }
        route.close(buf, start);
        Some(Transmit { path: route.path, ecn: None, len: buf.len() - start, segment_size: None })
    }
}

fn is_binding_answer(message: &Message<'_>) -> bool {
    message.method() == Method::BINDING && matches!(message.class(), Class::Success | Class::Error)
}
