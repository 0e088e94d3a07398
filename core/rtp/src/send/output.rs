//! The way out: headers are written anew for each transmission, payloads copied behind them once.

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::{Instant, WriteExt};

use super::history::{FirstHop, Stored};
use super::{Config, Hop, Pending, Retransmission, Sent, SentKind, Stream};
use crate::packet::pad;
use crate::{ExtensionValues, Header, HeaderBuilder, SequenceNumber, Ssrc, TransportSequence};

/// How many packets one NACK may have sent again.
pub(super) const MAX_NACKED: usize = 1000;
/// A packet is sent again after this time, however long round trips are.
pub(super) const MAX_PAUSE: Duration = Duration::from_millis(500);
/// The longest padding: its length has eight bits.
const MAX_PADDING: usize = 255;

/// How many bytes may be sent again: as many as media has, and a burst. A receiver cannot have more sent than that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    bytes: usize,
}

impl Budget {
    const BURST: usize = 256 * 1024;

    fn earn(&mut self, media: usize) {
        self.bytes = (self.bytes + media).min(Self::BURST);
    }

    fn spend(&mut self, bytes: usize) -> bool {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => false,
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: Self::BURST }
    }
}

impl Stream {
    /// What [`poll_transmit`](Self::poll_transmit) would write.
    pub fn peek(&self) -> Option<Pending> {
        self.history.peek()
    }

    /// Writes the next packet behind what `out` holds: first those that are to be sent again, then those that wait.
    #[inline]
    pub fn poll_transmit(&mut self, now: Instant, hop: &Hop<'_>, out: &mut Vec<u8>) -> Option<Sent> {
        if self.history.has_wanted()
            && let Some(sent) = self.poll_again(now, hop, out)
        {
            return Some(sent);
        }
        self.poll_first(now, hop, out)
    }

    #[inline]
    fn poll_first(&mut self, now: Instant, hop: &Hop<'_>, out: &mut Vec<u8>) -> Option<Sent> {
        let names = Names::of(&self.config, self.identification.media_known);
        let first_hop = FirstHop {
            transport_sequence: hop.transport_sequence,
            absolute_send_time: hop.absolute_send_time,
            named: !self.identification.media_known,
        };
        let (sequence, stored) = self.history.take_waiting(now, first_hop)?;
        let start = out.len();
        let header = media_header(self.config.ssrc, sequence, stored);
        let header_len = write_header(&header, names.join(stored, hop).as_ref(), hop, out);
        stored.write_payload(out);
        let payload_len = stored.payload_len();
        self.last_timestamp = stored.timestamp;
        self.statistics.payload_type = Some(stored.payload_type);
        self.statistics.packets_sent += 1;
        self.statistics.frames_sent += u64::from(stored.marker);
        self.statistics.bytes_sent += payload_len as u64;
        self.statistics.header_bytes_sent += header_len as u64;
        self.statistics.total_send_delay += now - stored.pushed_at;
        self.budget.earn(payload_len);
        let (ssrc, len) = (header.ssrc, out.len() - start);
        let transport_sequence = hop.transport_sequence;
        Some(Sent { ssrc, sequence, kind: SentKind::Media, len, transport_sequence })
    }

    fn poll_again(&mut self, now: Instant, hop: &Hop<'_>, out: &mut Vec<u8>) -> Option<Sent> {
        loop {
            let payload_len = self.history.next_wanted()?.payload_len();
            if !self.budget.spend(payload_len) {
                self.statistics.retransmissions_refused += 1;
                self.history.skip_wanted();
                continue;
            }
            let start = out.len();
            let (sequence, stored) = self.history.take_wanted(now)?;
            let written = match &self.config.retransmission {
                None => Some(write_identical(&self.config, sequence, stored, hop, out)),
                Some(rtx) => {
                    let names = Names::of_repair(&self.config, self.identification.retransmission_known);
                    write_wrapped(
                        rtx,
                        self.next_retransmission,
                        sequence,
                        stored,
                        names.join(stored, hop).as_ref(),
                        hop,
                        out,
                    )
                }
            };
            // A payload type that has no retransmissions is passed over.
            let Some(written) = written else { continue };
            if self.config.retransmission.is_some() {
                self.next_retransmission = self.next_retransmission.next();
            }
            self.statistics.retransmitted_packets_sent += 1;
            self.statistics.retransmitted_bytes_sent += payload_len as u64;
            self.statistics.header_bytes_sent += written.header_len as u64;
            let (kind, len) = (SentKind::Retransmission, out.len() - start);
            let transport_sequence = written.transport_sequence;
            return Some(Sent { ssrc: written.ssrc, sequence, kind, len, transport_sequence });
        }
    }

    /// Writes a packet of about `len` bytes of payload for a probe: something that was sent before if there is one of that
    /// size, padding otherwise. Only a retransmission stream can carry it.
    pub fn poll_padding(&mut self, len: usize, hop: &Hop<'_>, out: &mut Vec<u8>) -> Option<Sent> {
        let rtx = self
            .config
            .retransmission
            .as_ref()
            .filter(|_| self.statistics.packets_sent > 0 && !self.ended)?;
        let start = out.len();
        let number = self.next_retransmission;
        let names = Names::of_repair(&self.config, self.identification.retransmission_known);
        let useful = self.history.newest_sent(len).filter(|(_, stored)| stored.payload_len() * 2 > len);
        let written = useful.and_then(|(sequence, stored)| {
            let values = names.join(stored, hop);
            Some((sequence, write_wrapped(rtx, number, sequence, stored, values.as_ref(), hop, out)?))
        });
        let sequence = match written {
            Some((sequence, _)) => sequence,
            None => {
                let (_, payload_type) = *rtx.types.first()?;
                let timestamp = self.last_timestamp;
                let header = Header {
                    marker: false,
                    payload_type,
                    sequence_number: number,
                    timestamp,
                    ssrc: rtx.ssrc,
                };
                write_header(&header, names.alone(hop).as_ref(), hop, out);
                pad(out, start, len.clamp(1, MAX_PADDING) as u8);
                0
            }
        };
        self.next_retransmission = number.next();
        let len = out.len() - start;
        self.statistics.padding_bytes_sent += len as u64;
        let (ssrc, transport_sequence) = (rtx.ssrc, hop.transport_sequence);
        Some(Sent { ssrc, sequence, kind: SentKind::Padding, len, transport_sequence })
    }
}

/// What tells a receiver whose a stream is.
#[derive(Clone, Copy)]
struct Names<'a> {
    mid: Option<&'a str>,
    rid: Option<&'a str>,
    repaired_rid: Option<&'a str>,
}

impl<'a> Names<'a> {
    fn of(config: &'a Config, known: bool) -> Self {
        let name = |name: &'a Option<_>| name.as_deref().filter(|_| !known);
        Self { mid: name(&config.mid), rid: name(&config.rid), repaired_rid: None }
    }

    fn of_repair(config: &'a Config, known: bool) -> Self {
        let Self { mid, rid, .. } = Self::of(config, known);
        Self { mid, rid: None, repaired_rid: rid }
    }

    /// The values of a packet's extensions; none if there is nothing to say.
    #[inline]
    fn join(self, stored: &'a Stored, hop: &Hop<'_>) -> Option<ExtensionValues<'a>> {
        self.with(stored.extensions(), hop)
    }

    /// The values of a packet without media.
    fn alone(self, hop: &Hop<'_>) -> Option<ExtensionValues<'a>> {
        self.with(None, hop)
    }

    fn with(self, media: Option<ExtensionValues<'a>>, hop: &Hop<'_>) -> Option<ExtensionValues<'a>> {
        let Self { mid, rid, repaired_rid } = self;
        let (transport_sequence, absolute_send_time) = (hop.transport_sequence, hop.absolute_send_time);
        let named = mid.is_some() || rid.is_some() || repaired_rid.is_some();
        if !named && media.is_none() && transport_sequence.is_none() && absolute_send_time.is_none() {
            return None;
        }
        Some(ExtensionValues {
            mid,
            rid,
            repaired_rid,
            transport_sequence,
            absolute_send_time,
            ..media.unwrap_or_default()
        })
    }
}

/// What was written again.
struct Again {
    ssrc: Ssrc,
    header_len: usize,
    transport_sequence: Option<TransportSequence>,
}

fn media_header(ssrc: Ssrc, sequence: u64, stored: &Stored) -> Header {
    Header {
        marker: stored.marker,
        payload_type: stored.payload_type,
        sequence_number: SequenceNumber(sequence as u16),
        timestamp: stored.timestamp,
        ssrc,
    }
}

fn write_header(
    header: &Header,
    values: Option<&ExtensionValues<'_>>,
    hop: &Hop<'_>,
    out: &mut Vec<u8>,
) -> usize {
    let mut builder = HeaderBuilder::new(out, header);
    if let Some(values) = values {
        values.write(hop.extensions, &mut builder);
    }
    builder.finish()
}

/// Writes a packet exactly as it was the first time: under its number SRTP uses the same key stream, which must never cover
/// anything else (RFC 7714 §5.2).
fn write_identical(
    config: &Config,
    sequence: u64,
    stored: &Stored,
    hop: &Hop<'_>,
    out: &mut Vec<u8>,
) -> Again {
    let first = stored.first_hop();
    let hop = Hop {
        extensions: hop.extensions,
        transport_sequence: first.transport_sequence,
        absolute_send_time: first.absolute_send_time,
    };
    let header = media_header(config.ssrc, sequence, stored);
    let values = Names::of(config, !first.named).join(stored, &hop);
    let header_len = write_header(&header, values.as_ref(), &hop, out);
    stored.write_payload(out);
    Again { ssrc: config.ssrc, header_len, transport_sequence: None }
}

/// Writes a packet into the retransmission stream: its own number goes before its payload (RFC 4588 §4).
fn write_wrapped(
    rtx: &Retransmission,
    number: SequenceNumber,
    sequence: u64,
    stored: &Stored,
    values: Option<&ExtensionValues<'_>>,
    hop: &Hop<'_>,
    out: &mut Vec<u8>,
) -> Option<Again> {
    let (_, payload_type) = *rtx.types.iter().find(|(media, _)| *media == stored.payload_type)?;
    let header = Header { payload_type, sequence_number: number, ..media_header(rtx.ssrc, sequence, stored) };
    let header_len = write_header(&header, values, hop, out);
    out.put_u16(sequence as u16);
    stored.write_payload(out);
    Some(Again { ssrc: rtx.ssrc, header_len, transport_sequence: hop.transport_sequence })
}
