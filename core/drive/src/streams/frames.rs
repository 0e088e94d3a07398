//! Messages in a stream: where they end on the way in, and what waits on the way out.

use pavane::Framing;
use pavane::turn::message_len;

/// Cuts what a stream brings into messages.
#[derive(Debug)]
pub(super) struct Deframer {
    framing: Framing,
    bytes: Vec<u8>,
    /// What is before has been handed out.
    start: usize,
}

/// What cannot be cut: the stream carries something else, and nothing behind it can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Garbled;

/// The length before each message (RFC 4571 §2).
const RFC4571_HEADER_LEN: usize = 2;

impl Deframer {
    pub(super) const fn new(framing: Framing) -> Self {
        Self { framing, bytes: Vec::new(), start: 0 }
    }

    /// Takes what was read. What stays is a part of a message, whose length has 16 bits.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Result<Option<&mut [u8]>, Garbled> {
        let pending = &self.bytes[self.start..];
        let header = header_len(self.framing);
        let len = match self.framing {
            Framing::Rfc4571 => pending.first_chunk().map(|len| usize::from(u16::from_be_bytes(*len))),
            Framing::Turn => message_len(pending).map_err(|_| Garbled)?,
        };
        let Some(len) = len else { return Ok(None) };
        if pending.len() < header + len {
            return Ok(None);
        }
        let message = self.start + header..self.start + header + len;
        self.start = message.end;
        Ok(Some(&mut self.bytes[message]))
    }
}

/// How many bytes of the length go before a message.
pub(super) const fn header_len(framing: Framing) -> usize {
    match framing {
        Framing::Rfc4571 => RFC4571_HEADER_LEN,
        Framing::Turn => 0,
    }
}

/// What the socket has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    bytes: Vec<u8>,
    start: usize,
}

/// Bytes that wait at most: 20 ms at 100 Mbit/s. A message more is dropped, as by a router whose queue is full.
const MAX_BACKLOG: usize = 256 * 1024;

/// Bytes beyond these for short messages: farewells, checks, and what acknowledges.
const RESERVE: usize = 16 * 1024;

/// The longest of them.
const SHORT: usize = 256;

impl Backlog {
    pub(super) const fn has_room_for(&self, len: usize) -> bool {
        let reserve = if len <= SHORT { RESERVE } else { 0 };
        self.len() + len <= MAX_BACKLOG + reserve
    }

    /// Where what is to be sent is appended.
    pub(super) fn tail(&mut self) -> &mut Vec<u8> {
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        &mut self.bytes
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Takes note of what was sent.
    pub(super) fn sent(&mut self, len: usize) {
        self.start += len;
        if self.start >= self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a stream in pieces of `step` bytes and collects what comes out.
    fn cut(framing: Framing, stream: &[u8], step: usize) -> Result<Vec<Vec<u8>>, Garbled> {
        let mut deframer = Deframer::new(framing);
        let mut messages = Vec::new();
        for piece in stream.chunks(step) {
            deframer.append(piece);
            while let Some(message) = deframer.next()? {
                messages.push(message.to_vec());
            }
        }
        Ok(messages)
    }

    #[test]
    fn framed_messages_come_out_as_they_went_in() {
        let messages = [vec![7; 1], vec![], vec![1; 1200], vec![9; usize::from(u16::MAX)], vec![3; 5]];
        let mut stream = Vec::new();
        for message in &messages {
            stream.extend((message.len() as u16).to_be_bytes());
            stream.extend_from_slice(message);
        }
        for step in [1, 2, 3, 1000, 16_384] {
            assert_eq!(cut(Framing::Rfc4571, &stream, step), Ok(messages.to_vec()));
        }
    }

    #[test]
    fn turn_messages_delimit_themselves() {
        let mut channel_data = vec![0x40, 0, 0, 5];
        channel_data.resize(4 + 8, 1);
        let mut binding = vec![0, 1, 0, 8];
        binding.resize(28, 2);
        let stream = [&channel_data[..], &binding, &channel_data].concat();
        for step in [1, 5, 100] {
            let messages = cut(Framing::Turn, &stream, step).expect("it is TURN");
            assert_eq!(messages, [channel_data.clone(), binding.clone(), channel_data.clone()]);
        }
        assert_eq!(cut(Framing::Turn, b"SSH-2.0-OpenSSH", 5), Err(Garbled));
    }

    #[test]
    fn what_waits_is_bounded_and_leaves_in_pieces() {
        let mut backlog = Backlog::default();
        while backlog.has_room_for(1000) {
            backlog.tail().extend_from_slice(&[5; 1000]);
        }
        let full = backlog.len();
        assert!(full <= MAX_BACKLOG && full > MAX_BACKLOG - 1000);
        backlog.sent(full / 2 + 1);
        assert!(backlog.has_room_for(1000));
        backlog.tail().push(7);
        assert_eq!(backlog.len(), full / 2);
        assert_eq!(backlog.pending().last(), Some(&7));
        backlog.sent(backlog.len());
        assert!(backlog.is_empty() && backlog.pending().is_empty());
    }
}
