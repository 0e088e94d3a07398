//! What is on its way out: the present flight, and alerts (RFC 6347 §4.2.4).
//!
//! Datagrams are made when they are asked for, so a flight is kept once, as messages; sending it again is going back to its
//! beginning. What of it the peer has, nothing in DTLS 1.2 tells: a repetition is always the whole flight.

use alloc::vec::Vec;

use crate::alert::Alert;
use crate::handshake::{self, FragmentHeader, HandshakeType};
use crate::record::{ContentType, wire_version};
use crate::record_layer::{Exhausted, PLAIN, RecordLayer};

/// A fragment shorter than this is not worth its headers, unless it ends its message.
const MIN_FRAGMENT: usize = 32;

/// Messages on their way out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    next_seq: u16,
    flight: Vec<Item>,
    awaited: bool,
    /// The flight answers the peer's messages below this number.
    answers: u16,
    /// The item, and the offset in it, that the next datagram begins with.
    position: (usize, usize),
    alert: Option<Alert>,
}

#[derive(Debug)]
enum Item {
    Handshake { epoch: u16, kind: HandshakeType, seq: u16, body: Vec<u8> },
    ChangeCipherSpec,
}

/// What a datagram ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The flight's last octet is in this datagram; `awaited` if the flight waits for an answer.
    FlightSent { awaited: bool },
    /// There is more, or there was none.
    Nothing,
}

impl Outbox {
    /// Begins a flight that answers the peer's messages below number `answers`, in the place of the one before it.
    pub(crate) fn begin(&mut self, awaited: bool, answers: u16) {
        self.clear();
        self.awaited = awaited;
        self.answers = answers;
    }

    /// Whether the flight answers this message of the peer's: its repetition shows that the answer is missing.
    ///
    /// A message of the flight that is coming in shows nothing: it is repeated for the sake of its neighbours, and to repeat
    /// ours for it would make two flights call for each other for ever.
    pub(crate) const fn answers(&self, seq: u16) -> bool {
        seq < self.answers
    }

    /// The number of the next message.
    pub(crate) const fn next_seq(&self) -> u16 {
        self.next_seq
    }

    /// Adds a message to the flight.
    pub(crate) fn push(&mut self, epoch: u16, kind: HandshakeType, body: Vec<u8>) {
        self.flight.push(Item::Handshake { epoch, kind, seq: self.next_seq, body });
        self.next_seq = self.next_seq.wrapping_add(1);
    }

    /// Adds the record that announces the protected epoch.
    pub(crate) fn push_change_cipher_spec(&mut self) {
        self.flight.push(Item::ChangeCipherSpec);
    }

    /// Forgets the flight: nothing will ask for it again.
    pub(crate) fn clear(&mut self) {
        self.flight.clear();
        self.position = (0, 0);
    }

    /// Goes back to the flight's beginning, if all of it has been sent; returns whether it did.
    pub(crate) fn rewind(&mut self) -> bool {
        let rewinds = !self.flight.is_empty() && !self.is_sending();
        if rewinds {
            self.position = (0, 0);
        }
        rewinds
    }

    /// Sends the alert behind what is left of the flight.
    pub(crate) const fn set_alert(&mut self, alert: Alert) {
        self.alert = Some(alert);
    }

    /// Whether there is anything to send.
    pub(crate) const fn is_idle(&self) -> bool {
        self.alert.is_none() && !self.is_sending()
    }

    const fn is_sending(&self) -> bool {
        self.position.0 < self.flight.len()
    }

    /// Appends one datagram of at most `limit` octets to `buf`.
    pub(crate) fn write_datagram(
        &mut self,
        records: &mut RecordLayer,
        limit: usize,
        buf: &mut Vec<u8>,
    ) -> Result<Progress, Exhausted> {
        let end = buf.len() + limit;
        let was_sending = self.is_sending();
        while let Some(item) = self.flight.get(self.position.0) {
            let Some(offset) = write_item(item, self.position.1, records, end, buf)? else { break };
            self.position =
                if offset < item.len() { (self.position.0, offset) } else { (self.position.0 + 1, 0) };
        }
        if self.is_sending() {
            return Ok(Progress::Nothing);
        }
        self.write_alert(records, end, buf)?;
        Ok(if was_sending { Progress::FlightSent { awaited: self.awaited } } else { Progress::Nothing })
    }

    fn write_alert(
        &mut self,
        records: &mut RecordLayer,
        end: usize,
        buf: &mut Vec<u8>,
    ) -> Result<(), Exhausted> {
        let epoch = records.sending_epoch();
        if buf.len() + records.overhead(epoch) + Alert::LEN > end {
            return Ok(());
        }
        let Some(alert) = self.alert.take() else { return Ok(()) };
        let start = buf.len();
        buf.resize(start + records.headroom(epoch), 0);
        buf.extend_from_slice(&alert.to_bytes());
        records.seal(epoch, ContentType::Alert, wire_version::DTLS_1_2, buf, start)
    }
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Handshake { body, .. } => body.len(),
            Self::ChangeCipherSpec => 0,
        }
    }
}

/// Appends as much of the item as fits, one record; returns how far it got, or `None` if nothing fits.
fn write_item(
    item: &Item,
    offset: usize,
    records: &mut RecordLayer,
    end: usize,
    buf: &mut Vec<u8>,
) -> Result<Option<usize>, Exhausted> {
    let start = buf.len();
    let room = end - start;
    match item {
        Item::ChangeCipherSpec => {
            if room < records.overhead(PLAIN) + 1 {
                return Ok(None);
            }
            buf.resize(start + records.headroom(PLAIN), 0);
            buf.push(1);
            records.seal(PLAIN, ContentType::ChangeCipherSpec, wire_version::DTLS_1_2, buf, start)?;
            Ok(Some(0))
        }
        Item::Handshake { epoch, kind, seq, body } => {
            let rest = body.len() - offset;
            let Some(room) = room.checked_sub(records.overhead(*epoch) + handshake::HEADER_LEN) else {
                return Ok(None);
            };
            if room < rest.min(MIN_FRAGMENT) {
                return Ok(None);
            }
            let len = rest.min(room);
            buf.resize(start + records.headroom(*epoch), 0);
            FragmentHeader { kind: *kind, length: body.len(), seq: *seq, offset, fragment_length: len }
                .write(buf);
            buf.extend_from_slice(&body[offset..offset + len]);
            records.seal(*epoch, ContentType::Handshake, record_version(*kind), buf, start)?;
            Ok(Some(offset + len))
        }
    }
}

/// A ClientHello goes out under the oldest version, which every server reads; everything else under the negotiated one.
fn record_version(kind: HandshakeType) -> u16 {
    match kind {
        HandshakeType::CLIENT_HELLO => wire_version::DTLS_1_0,
        _ => wire_version::DTLS_1_2,
    }
}
