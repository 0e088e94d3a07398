//! Datagrams to peers and from them (RFC 8656 §11, §12).

use alloc::vec::Vec;
use core::net::SocketAddr;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Transport, WriteExt};
use pavane_stun::{AttributeType, Builder, Class, Message, Method, TransactionId};

use crate::allocation::State;
use crate::framing;
use crate::{Allocation, NotPermitted, Received};

/// What datagrams have become by [`Allocation::wrap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// How many bytes they are together.
    pub len: usize,
    /// How many bytes each but the last has, if there are several.
    pub segment_size: Option<usize>,
}

/// How a datagram is wrapped.
#[derive(Clone, Copy)]
enum Wrapping {
    Channel(u16),
    Indication,
}

/// The header of an indication and the peer's address, behind which the data come.
const fn indication_len(peer: SocketAddr) -> usize {
    const HEADER: usize = 20;
    const ATTRIBUTE: usize = 4;
    const PORT: usize = 4;
    let address = match peer {
        SocketAddr::V4(_) => 4,
        SocketAddr::V6(_) => 16,
    };
    HEADER + ATTRIBUTE + PORT + address + ATTRIBUTE
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

    /// Wraps the datagrams that lie in `buf` from `start` on, so that the server hands them to `peer`: one, or several of
    /// `segment_size` bytes each but the last.
    ///
    /// # Errors
    /// If the peer may not be reached; `buf` is then as it was.
    pub fn wrap(
        &mut self,
        peer: SocketAddr,
        buf: &mut Vec<u8>,
        start: usize,
        segment_size: Option<usize>,
    ) -> Result<Wrapped, NotPermitted> {
        let wrapping = match self.peers.channel_of(peer) {
            Some(number) => Wrapping::Channel(number),
            None if self.peers.is_permitted(peer.ip()) => Wrapping::Indication,
            None => return Err(NotPermitted),
        };
        let header = match wrapping {
            Wrapping::Channel(_) => framing::CHANNEL_HEADER_LEN,
            Wrapping::Indication => indication_len(peer),
        };
        let is_padded = matches!(wrapping, Wrapping::Indication) || self.path.transport == Transport::Tcp;
        let padded = |len: usize| if is_padded { len.next_multiple_of(4) } else { len };
        let len = buf.len().saturating_sub(start);
        let size = segment_size.unwrap_or(len).max(1);
        let count = len.div_ceil(size).max(1);
        let step = header + padded(size);
        let last = len - (count - 1) * size;
        let total = (count - 1) * step + header + padded(last);
        buf.resize(start + total, 0);
        // From the last to the first, so that none is overwritten before it has moved.
        for n in (0..count).rev() {
            let len = if n + 1 == count { last } else { size };
            let (from, to) = (start + n * size, start + n * step + header);
            buf.copy_within(from..from + len, to);
            buf[to + len..to + padded(len)].fill(0);
            self.write_header(wrapping, peer, len, padded(len));
            buf[to - header..to].copy_from_slice(&self.scratch);
        }
        Ok(Wrapped { len: total, segment_size: segment_size.filter(|_| count > 1).map(|_| step) })
    }

    /// Writes what comes before a datagram into the scratch buffer.
    fn write_header(&mut self, wrapping: Wrapping, peer: SocketAddr, len: usize, padded: usize) {
        let short = |len: usize| u16::try_from(len).unwrap_or(u16::MAX);
        self.scratch.clear();
        match wrapping {
            Wrapping::Channel(number) => self.scratch.put(&framing::header(number, short(len))),
            Wrapping::Indication => {
                self.indications = self.indications.wrapping_add(1);
                let [_, _, _, _, id @ ..] = self.indications.to_be_bytes();
                Builder::new(&mut self.scratch, Class::Indication, Method::SEND, TransactionId(id))
                    .xor_address(AttributeType::XOR_PEER_ADDRESS, peer)
                    .finish();
                self.scratch.put_u16(AttributeType::DATA.0);
                self.scratch.put_u16(short(len));
                let body = self.scratch.len() - STUN_HEADER_LEN + padded;
                self.scratch[2..4].copy_from_slice(&short(body).to_be_bytes());
            }
        }
    }
}

/// The bytes of a STUN message that its length does not count.
const STUN_HEADER_LEN: usize = 20;
