//! The SCTP packet: a common header, then chunks (RFC 9260 §3).
//!
//! ```text
//!  0               1               2               3
//! +---------------+---------------+---------------+---------------+
//! |         source port           |       destination port        |
//! +---------------+---------------+---------------+---------------+
//! |                       verification tag                        |
//! +---------------+---------------+---------------+---------------+
//! |                  CRC32c, least significant byte first         |
//! +---------------+---------------+---------------+---------------+
//! |  chunks, each padded to a multiple of four bytes              |
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use crate::chunk::RawChunk;
use crate::crc32c;
use crate::types::VerificationTag;

/// The common header, without the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) tag: VerificationTag,
}

/// A received packet whose chunks' lengths add up, and whose checksum is right or left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'p> {
    pub(crate) header: Header,
    /// Whether it has no checksum (RFC 9653).
    pub(crate) unchecked: bool,
    chunks: &'p [u8],
}

/// Why a packet is dropped as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PacketError {
    Malformed,
    Checksum,
}

impl From<Truncated> for PacketError {
    fn from(_: Truncated) -> Self {
        Self::Malformed
    }
}

impl<'p> Packet<'p> {
    /// Takes a packet apart, with a checksum or without.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn parse(packet: &'p [u8]) -> Result<Self, PacketError> {
        Self::parse_with(packet, true)
    }

    /// Takes a packet apart that may have zero for a checksum, if it `may_lack` one.
    pub(crate) fn parse_with(packet: &'p [u8], may_lack: bool) -> Result<Self, PacketError> {
        let mut r = Reader::new(packet);
        let head: [u8; 8] = r.array()?;
        let found: [u8; 4] = r.array()?;
        let chunks = r.rest();
        if !lengths_add_up(chunks) {
            return Err(PacketError::Malformed);
        }
        let unchecked = may_lack && found == [0; 4];
        if !unchecked && crc32c::checksum_around_field(head, chunks) != found {
            return Err(PacketError::Checksum);
        }
        let mut r = Reader::new(&head);
        let header =
            Header { source_port: r.u16()?, destination_port: r.u16()?, tag: VerificationTag(r.u32()?) };
        Ok(Self { header, unchecked, chunks })
    }

    /// The chunks in their order.
    pub(crate) fn chunks(&self) -> Chunks<'p> {
        Chunks { rest: Reader::new(self.chunks) }
    }
}

/// A packet is dropped before anything of it is processed if the last chunk is a part only, or if there is none.
fn lengths_add_up(chunks: &[u8]) -> bool {
    let mut rest = Chunks { rest: Reader::new(chunks) };
    if rest.next().is_none() {
        return false;
    }
    while rest.next().is_some() {}
    rest.rest.is_empty()
}

/// Walks over the chunks of a packet; ends at the first one whose length is impossible.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<'p> {
    rest: Reader<'p>,
}

impl<'p> Iterator for Chunks<'p> {
    type Item = RawChunk<'p>;

    fn next(&mut self) -> Option<RawChunk<'p>> {
        let mut r = self.rest;
        let (kind, flags, len) = (r.u8().ok()?, r.u8().ok()?, usize::from(r.u16().ok()?));
        let value = r.take(len.checked_sub(CHUNK_HEADER)?).ok()?;
        // The padding of the last chunk may be missing (RFC 9260 §3.2).
        let padding = padding(len).min(r.remaining());
        r.take(padding).ok()?;
        self.rest = r;
        Some(RawChunk { kind, flags, value })
    }
}

/// The chunks of bytes that are nothing but chunks.
pub(crate) const fn chunks(bytes: &[u8]) -> Chunks<'_> {
    Chunks { rest: Reader::new(bytes) }
}

/// How many bytes of padding follow `len` bytes.
pub(crate) const fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}

/// The length of `len` bytes with their padding.
pub(crate) const fn padded(len: usize) -> usize {
    len + padding(len)
}

/// Where a chunk of a packet that is being built begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkAt(usize);

/// Builds one packet at the end of a buffer, and never more than `limit` bytes of it.
#[derive(Debug)]
pub(crate) struct PacketWriter<'b> {
    buf: &'b mut Vec<u8>,
    start: usize,
    limit: usize,
    checksum: bool,
}

impl<'b> PacketWriter<'b> {
    pub(crate) fn new(buf: &'b mut Vec<u8>, header: Header, limit: usize) -> Self {
        let start = buf.len();
        buf.put_u16(header.source_port);
        buf.put_u16(header.destination_port);
        buf.put_u32(header.tag.0);
        buf.put_u32(0);
        Self { buf, start, limit, checksum: true }
    }

    /// Leaves the checksum out, if `unchecked` (RFC 9653).
    pub(crate) const fn unchecked(self, unchecked: bool) -> Self {
        Self { checksum: !unchecked, ..self }
    }

    /// How many bytes are left for chunks, their headers included.
    pub(crate) fn room(&self) -> usize {
        // Chunks are padded, so what is left below a multiple of four is no room.
        (self.limit & !3).saturating_sub(self.buf.len() - self.start)
    }

    /// Whether no chunk has been written.
    pub(crate) fn is_empty(&self) -> bool {
        self.buf.len() - self.start == COMMON_HEADER
    }

    /// Appends a chunk whose value `body` writes.
    ///
    /// # Panics
    /// If the body is longer than a chunk's length can say: the writer's own sizes are wrong.
    pub(crate) fn chunk(&mut self, kind: u8, flags: u8, body: impl FnOnce(&mut Vec<u8>)) -> ChunkAt {
        let at = self.buf.len();
        self.buf.put(&[kind, flags, 0, 0]);
        body(self.buf);
        let len = self.buf.len() - at;
        let encoded = u16::try_from(len).expect("chunks are bounded by the packet").to_be_bytes();
        self.buf[at + 2..at + 4].copy_from_slice(&encoded);
        self.buf.put(&[0; 3][..padding(len)]);
        ChunkAt(at)
    }

    /// Sets flags of a chunk that was written before.
    pub(crate) fn add_flags(&mut self, chunk: ChunkAt, flags: u8) {
        self.buf[chunk.0 + 1] |= flags;
    }

    /// Fills the checksum in; the length of the packet, or nothing if there is no chunk in it.
    pub(crate) fn finish(self) -> Option<usize> {
        if self.is_empty() {
            self.buf.truncate(self.start);
            return None;
        }
        let packet = &mut self.buf[self.start..];
        if !self.checksum {
            return Some(packet.len());
        }
        let checksum = crc32c::checksum(packet);
        packet[8..12].copy_from_slice(&checksum);
        Some(packet.len())
    }
}

/// The length of the common header.
pub(crate) const COMMON_HEADER: usize = 12;

/// The length of a chunk's type, flags and length.
pub(crate) const CHUNK_HEADER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { source_port: 5000, destination_port: 5001, tag: VerificationTag(0x1234_5678) };

    fn packet() -> Vec<u8> {
        let mut buf = b"what was there before".to_vec();
        let start = buf.len();
        let mut w = PacketWriter::new(&mut buf, HEADER, 100);
        assert_eq!(w.room(), 88);
        w.chunk(10, 0, |out| out.put(b"cookie"));
        w.chunk(3, 1, |out| out.put(b"1234"));
        assert_eq!(w.room(), 88 - 12 - 8);
        assert_eq!(w.finish(), Some(32));
        buf.split_off(start)
    }

    #[test]
    fn what_is_built_is_parsed_back() {
        let bytes = packet();
        let parsed = Packet::parse(&bytes).unwrap();
        assert_eq!(parsed.header, HEADER);
        let chunks: Vec<_> = parsed.chunks().collect();
        assert_eq!(
            chunks,
            [
                RawChunk { kind: 10, flags: 0, value: b"cookie" },
                RawChunk { kind: 3, flags: 1, value: b"1234" }
            ]
        );
    }

    #[test]
    fn a_packet_without_chunks_is_not_sent() {
        let mut buf = alloc::vec![7];
        assert_eq!(PacketWriter::new(&mut buf, HEADER, 100).finish(), None);
        assert_eq!(buf, [7]);
    }

    #[test]
    fn every_cut_and_every_flip_is_noticed() {
        let bytes = packet();
        for len in 0..bytes.len() {
            assert!(Packet::parse(&bytes[..len]).is_err(), "cut to {len}");
        }
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 0x40;
            assert!(Packet::parse(&bent).is_err(), "bent at {at}");
        }
    }

    #[test]
    fn the_last_padding_may_be_missing() {
        let mut buf = Vec::new();
        let mut w = PacketWriter::new(&mut buf, HEADER, 100);
        w.chunk(10, 0, |out| out.put(b"x"));
        w.finish().unwrap();
        buf.truncate(buf.len() - 3);
        buf[8..12].fill(0);
        let checksum = crc32c::checksum(&buf);
        buf[8..12].copy_from_slice(&checksum);
        assert_eq!(Packet::parse(&buf).unwrap().chunks().count(), 1);
    }
}
