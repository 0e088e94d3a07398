//! A temporal unit on its way into packets.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;
use pavane_base::WriteExt;

use super::obu::{FRAME, FRAME_HEADER, Unit, is_dropped, is_key_frame, leb128, leb128_len};
use super::{MAX_COUNTED, SEQUENCE_HEADER};
use crate::payload::bytes::{Payload, Prefix};
use crate::payload::packetizer::{PacketizeError, Part};

/// A temporal unit on its way into packets.
#[derive(Clone, Debug)]
pub(in crate::payload) struct Parts {
    frame: Bytes,
    /// The unit whose turn it is.
    unit: Option<Unit>,
    /// How much of it went into packets.
    sent: usize,
    /// Where the one behind it begins.
    behind: usize,
    max_len: usize,
    /// Whether a coded video sequence begins with the next packet.
    begins_sequence: bool,
}

/// A unit, or a part of one, as it goes into a packet: bytes of its header, and bytes of the frame.
#[derive(Clone, Debug, Default)]
struct Piece {
    head: Prefix,
    body: Range<usize>,
}

impl Piece {
    fn len(&self) -> usize {
        self.head.as_slice().len() + self.body.len()
    }
}

/// What goes into one packet.
#[derive(Debug, Default)]
struct Packet {
    pieces: [Piece; MAX_COUNTED],
    count: usize,
    /// How many bytes the elements before the last take, with their lengths.
    used: usize,
    layer: Option<u8>,
    continues: bool,
    will_continue: bool,
}

impl Packet {
    fn push(&mut self, piece: Piece) {
        self.pieces[self.count] = piece;
        self.count += 1;
    }
}

impl Parts {
    pub(in crate::payload) fn new(frame: Bytes, max_len: usize) -> Result<Self, PacketizeError> {
        let begins_sequence = check(&frame)?;
        let mut parts = Self { frame, unit: None, sent: 0, behind: 0, max_len, begins_sequence };
        parts.advance();
        Ok(parts)
    }

    /// Turns to the next unit that is to be sent.
    fn advance(&mut self) {
        self.sent = 0;
        self.unit = None;
        while self.unit.is_none()
            && self.behind < self.frame.len()
            && let Ok((unit, behind)) = Unit::at(&self.frame, self.behind)
        {
            self.behind = behind;
            self.unit = Some(unit).filter(|unit| !is_dropped(unit.head.kind()));
        }
    }

    /// The next `len` bytes of the unit.
    fn take(&mut self, unit: &Unit, len: usize) -> Piece {
        let range = self.sent..self.sent + len;
        self.sent = range.end;
        let head_len = unit.head.len();
        let head = &unit.head.as_slice()[range.start.min(head_len)..range.end.min(head_len)];
        let body = |at: usize| unit.body.start + at.saturating_sub(head_len);
        Piece { head: Prefix::default().with(head), body: body(range.start)..body(range.end) }
    }

    /// Whether the unit whose turn it is goes into the packet too, behind `used` bytes: if all of it fits, or a good part.
    fn joins(&self, packet: &Packet, used: usize, room: usize) -> bool {
        self.unit.as_ref().is_some_and(|unit| {
            let layers = packet.layer.zip(unit.head.layer());
            packet.count < MAX_COUNTED
                && (used + unit.len() <= room || used * 3 <= room)
                && layers.is_none_or(|(before, own)| before == own)
                && unit.head.kind() != SEQUENCE_HEADER
        })
    }

    /// Chooses what goes into the next packet.
    fn fill(&mut self) -> Option<Packet> {
        self.unit.as_ref()?;
        let room = self.max_len - 1;
        let mut packet = Packet { continues: self.sent > 0, ..Packet::default() };
        while let Some(unit) = self.unit.clone() {
            packet.layer = packet.layer.or(unit.head.layer());
            let left = unit.len() - self.sent;
            if packet.used + left > room {
                // Balanced over this packet and those that follow.
                let more = (packet.used + left - room).div_ceil(room);
                let each = (packet.used + left).div_ceil(more + 1);
                let piece = self.take(&unit, each - packet.used);
                packet.push(piece);
                packet.will_continue = true;
                break;
            }
            let piece = self.take(&unit, left);
            packet.push(piece);
            self.advance();
            let used = packet.used + leb128_len(left) + left;
            if !self.joins(&packet, used, room) {
                break;
            }
            packet.used = used;
        }
        Some(packet)
    }

    fn write(&mut self, packet: &Packet) -> Payload {
        let begins_sequence = core::mem::replace(&mut self.begins_sequence, false);
        let flag = |set, bit| if set { bit } else { 0 };
        let header = flag(packet.continues, 0x80)
            | flag(packet.will_continue, 0x40)
            | (packet.count as u8) << 4
            | flag(begins_sequence, 0x08);
        let pieces = &packet.pieces[..packet.count];
        let Some((last, others)) = pieces.split_last() else { return Payload::default() };
        let prefix_len = 1 + packet.used + last.head.as_slice().len();
        if prefix_len <= Prefix::CAPACITY {
            let mut prefix = Prefix::default().with(&[header]);
            for piece in others {
                prefix = leb128(piece.len()).fold(prefix, |prefix, byte| prefix.with(&[byte]));
                prefix = prefix.with(piece.head.as_slice()).with(&self.frame[piece.body.clone()]);
            }
            let prefix = prefix.with(last.head.as_slice());
            return Payload::new(prefix, self.frame.slice(last.body.clone()));
        }
        let mut out = Vec::with_capacity(prefix_len + last.body.len());
        out.put_u8(header);
        for piece in others {
            out.extend(leb128(piece.len()));
            out.put(piece.head.as_slice());
            out.put(&self.frame[piece.body.clone()]);
        }
        out.put(last.head.as_slice());
        out.put(&self.frame[last.body.clone()]);
        out.into()
    }
}

/// Whether a coded video sequence begins with a frame.
///
/// # Errors
/// If the frame has no units that can be sent.
fn check(frame: &[u8]) -> Result<bool, PacketizeError> {
    let (mut at, mut any) = (0, false);
    let (mut has_sequence_header, mut key_frame) = (false, None);
    while at < frame.len() {
        let (unit, behind) = Unit::at(frame, at).map_err(|_| PacketizeError::Malformed)?;
        let kind = unit.head.kind();
        any |= !is_dropped(kind);
        has_sequence_header |= kind == SEQUENCE_HEADER;
        if matches!(kind, FRAME | FRAME_HEADER) && key_frame.is_none() {
            key_frame = is_key_frame(&frame[unit.body]);
        }
        at = behind;
    }
    if any { Ok(has_sequence_header && key_frame == Some(true)) } else { Err(PacketizeError::Malformed) }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let packet = self.fill()?;
        let payload = self.write(&packet);
        Some(Part { payload, marker: self.unit.is_none() })
    }
}
