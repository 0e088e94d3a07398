//! Datagrams to peers and from them (RFC 8656 §11, §12).

use alloc::vec::Vec;
use core::net::SocketAddr;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Transport, WriteExt};
use pavane_stun::{AttributeType, Builder, Class, Message, Method, TransactionId};

use crate::allocation::State;
use crate::framing;
use crate::{Allocation, NotPermitted, Received};

/// What is put around each datagram to a peer on its way to the server: room before it, which is filled once the datagram
/// is there, and, where messages have to be multiples of 4 bytes long, padding behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    wrapping: Wrapping,
    /// Whether padding follows (RFC 8656 §12.5: over a stream; RFC 8489 §14: behind an attribute).
    pads: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapping {
    /// ChannelData.
    Channel(u16),
    /// A Send indication, numbered from here on.
    Indication { peer: SocketAddr, number: u128 },
}

/// How many indications one envelope numbers at most before another one is asked for.
const NUMBERS: u128 = 1 << 32;

impl Envelope {
    /// How many bytes are to be left free before a datagram.
    pub const fn headroom(&self) -> usize {
        match self.wrapping {
            Wrapping::Channel(_) => framing::CHANNEL_HEADER_LEN,
            Wrapping::Indication { peer, .. } => indication_len(peer),
        }
    }

    /// How long a datagram of this length becomes.
    pub const fn enclosed_len(&self, len: usize) -> usize {
        self.headroom() + if self.pads { len.next_multiple_of(4) } else { len }
    }

    /// Closes around the datagram that reaches from [`headroom`](Self::headroom) bytes behind `start` to the end of `buf`.
    pub fn close(&mut self, buf: &mut Vec<u8>, start: usize) {
        let short = |len: usize| u16::try_from(len).unwrap_or(u16::MAX);
        let headroom = self.headroom();
        let len = buf.len().saturating_sub(start + headroom);
        let end = start + self.enclosed_len(len);
        buf.resize(end, 0);
        match &mut self.wrapping {
            Wrapping::Channel(number) => {
                buf[start..start + headroom].copy_from_slice(&framing::header(*number, short(len)));
            }
            Wrapping::Indication { peer, number } => {
                *number = number.wrapping_add(1);
                let [_, _, _, _, id @ ..] = number.to_be_bytes();
                // It is written where the buffer ends, and moved to its place.
                Builder::new(buf, Class::Indication, Method::SEND, TransactionId(id))
                    .xor_address(AttributeType::XOR_PEER_ADDRESS, *peer)
                    .finish();
                buf.put_u16(AttributeType::DATA.0);
                buf.put_u16(short(len));
                let body = headroom - STUN_HEADER_LEN + len.next_multiple_of(4);
                buf[end + 2..end + 4].copy_from_slice(&short(body).to_be_bytes());
                buf.copy_within(end.., start);
                buf.truncate(end);
            }
        }
    }
}

/// The bytes of a STUN message that its length does not count.
const STUN_HEADER_LEN: usize = 20;

/// The header of an indication and the peer's address, behind which the data come.
const fn indication_len(peer: SocketAddr) -> usize {
    const ATTRIBUTE: usize = 4;
    const PORT: usize = 4;
    let address = match peer {
        SocketAddr::V4(_) => 4,
        SocketAddr::V6(_) => 16,
    };
    STUN_HEADER_LEN + ATTRIBUTE + PORT + address + ATTRIBUTE
}

impl Allocation {
    /// Takes a datagram that came from the server, or a message cut out of its stream.
    pub fn handle_datagram(&mut self, now: Instant, rng: &mut dyn CryptoRng, payload: &[u8]) -> Received {
        if self.state == State::Over {
            return Received::Nothing;
        }
        if payload.first().is_some_and(|first| framing::is_channel_data(*first)) {
            return self.take_channel_data(payload);
        }
        let Ok(message) = Message::parse(payload) else {
            self.counters.malformed += 1;
            return Received::Nothing;
        };
        match (message.method(), message.class()) {
            (Method::DATA, Class::Indication) => return self.take_indication(&message),
            (_, Class::Success | Class::Error) => self.take_response(now, rng, &message),
            _ => self.counters.malformed += 1,
        }
        Received::Nothing
    }

    fn take_channel_data(&mut self, payload: &[u8]) -> Received {
        let Some((number, range)) = framing::read(payload) else {
            self.counters.malformed += 1;
            return Received::Nothing;
        };
        match self.peers.peer_of(number) {
            Some(peer) => Received::Data { peer, range },
            None => {
                self.counters.not_permitted += 1;
                Received::Nothing
            }
        }
    }

    /// RFC 8656 §11.4.
    fn take_indication(&mut self, message: &Message<'_>) -> Received {
        let peer = message.xor_address(AttributeType::XOR_PEER_ADDRESS);
        let (Some(peer), Some(range)) = (peer, message.range_of(AttributeType::DATA)) else {
            self.counters.malformed += 1;
            return Received::Nothing;
        };
        if !self.peers.is_permitted(peer.ip()) || message.unknown_required().next().is_some() {
            self.counters.not_permitted += 1;
            return Received::Nothing;
        }
        Received::Data { peer, range }
    }

    /// What is to be put around datagrams so that the server hands them to `peer`.
    ///
    /// # Errors
    /// If the peer may not be reached.
    pub fn envelope(&mut self, peer: SocketAddr) -> Result<Envelope, NotPermitted> {
        let wrapping = match self.peers.channel_of(peer) {
            Some(number) => Wrapping::Channel(number),
            None if self.peers.is_permitted(peer.ip()) => {
                self.indications = self.indications.wrapping_add(NUMBERS);
                Wrapping::Indication { peer, number: self.indications }
            }
            None => return Err(NotPermitted),
        };
        let pads = matches!(wrapping, Wrapping::Indication { .. }) || self.path.transport == Transport::Tcp;
        Ok(Envelope { wrapping, pads })
    }
}
