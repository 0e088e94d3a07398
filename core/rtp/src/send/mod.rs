//! The sending end of one stream: numbers, history for retransmission, what receivers say of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::{Epoch, Instant};

use crate::payload::Packetizer;
use crate::rtcp::{Nack, ReportBlock, SenderInfo};
use crate::{NtpTime, PayloadType, RtpTimestamp, SequenceNumber, Ssrc};

mod config;
mod frame;
mod history;
mod keyframe;
mod output;
mod packet;
mod remote;
mod statistics;
#[cfg(test)]
mod tests;

pub use config::{Config, HistoryLimits, Retransmission, random_sequence_number};
pub use frame::{FrameError, OutgoingFrame};
use history::History;
use keyframe::KeyframeDemand;
pub use packet::{Hop, MediaExtensions, Outgoing, Pending, SendError, Sent, SentKind};
use remote::Remote;
pub use statistics::Statistics;

/// The moment of the wall clock that a timestamp belongs to.
#[derive(Clone, Copy, Debug)]
struct Clock {
    timestamp: RtpTimestamp,
    at: Instant,
}

/// The sending end of one stream.
///
/// [`push`](Self::push) queues a packet without writing it; [`poll_transmit`](Self::poll_transmit) writes the next one, its
/// payload copied once from where all who send it share it. What receivers say goes to the `handle_*` methods.
#[derive(Debug)]
pub struct Stream {
    config: Config,
    history: History,
    next: SequenceNumber,
    next_retransmission: SequenceNumber,
    /// Of frames, once one was sent.
    packetizer: Option<Packetizer>,
    clock: Option<Clock>,
    last_timestamp: RtpTimestamp,
    remote: Remote,
    keyframes: KeyframeDemand,
    identification: Identification,
    budget: output::Budget,
    statistics: Statistics,
    ended: bool,
}

/// Whether the receiver knows whose the two streams are.
#[derive(Clone, Copy, Debug, Default)]
struct Identification {
    media_known: bool,
    retransmission_known: bool,
}

impl Stream {
    /// A stream of which nothing was sent.
    pub fn new(config: Config) -> Self {
        let first = config.retransmission.as_ref().map(|rtx| rtx.first_sequence_number);
        Self {
            history: History::new(config.history),
            next: config.first_sequence_number,
            next_retransmission: first.unwrap_or_default(),
            packetizer: None,
            clock: None,
            last_timestamp: RtpTimestamp(config.timestamp_offset),
            remote: Remote::default(),
            keyframes: KeyframeDemand::default(),
            identification: Identification::default(),
            budget: output::Budget::default(),
            statistics: Statistics::default(),
            ended: false,
            config,
        }
    }

    /// The stream's source.
    pub const fn ssrc(&self) -> Ssrc {
        self.config.ssrc
    }

    /// The source of its retransmissions.
    pub fn retransmission_ssrc(&self) -> Option<Ssrc> {
        self.config.retransmission.as_ref().map(|rtx| rtx.ssrc)
    }

    /// Units of its timestamps in a second.
    pub const fn clock_rate(&self) -> u32 {
        self.config.clock_rate
    }

    /// What has been counted.
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Changes how packets are sent again: an exchange of descriptions has agreed on it.
    pub fn set_retransmission(&mut self, nack: bool, types: Vec<(PayloadType, PayloadType)>) {
        self.config.nack = nack;
        if let Some(retransmission) = &mut self.config.retransmission {
            retransmission.types = types;
        }
    }

    /// Names the media section and the layer anew, in every packet until a report follows.
    pub fn identify(&mut self, mid: Option<Box<str>>, rid: Option<Box<str>>) {
        self.config.mid = mid;
        self.config.rid = rid;
        self.identification = Identification::default();
        self.extensions_changed();
    }

    /// Tells that header extensions were agreed on anew. What is sent again under its own number must be as it was, which
    /// it could not be.
    pub fn extensions_changed(&mut self) {
        if self.config.retransmission.is_none() {
            self.history.forget_sent();
        }
    }

    /// Queues a packet under the next number; its timestamp gets the stream's random offset.
    ///
    /// # Errors
    /// If it is not taken.
    #[inline]
    pub fn push(&mut self, now: Instant, mut packet: Outgoing) -> Result<SequenceNumber, SendError> {
        let number = self.next;
        packet.timestamp = packet.timestamp.add(self.config.timestamp_offset);
        self.push_numbered(now, number, packet)?;
        Ok(number)
    }

    /// Queues a packet under a number of the caller's, with its timestamp as it is: a forwarding server keeps gaps and
    /// disorder, so that the receiver sees what was lost before.
    ///
    /// # Errors
    /// If it is not taken.
    #[inline]
    pub fn push_numbered(
        &mut self,
        now: Instant,
        number: SequenceNumber,
        packet: Outgoing,
    ) -> Result<(), SendError> {
        if self.ended {
            return Err(SendError::Ended);
        }
        let timestamp = packet.timestamp;
        let captured_at = packet.captured_at.unwrap_or(now);
        let newest = self.history.push(now, number, packet)?;
        if newest {
            self.next = number.next();
            self.clock = Some(Clock { timestamp, at: captured_at });
        }
        Ok(())
    }

    /// The number that the next packet of ours gets: one behind the newest.
    pub const fn next_sequence_number(&self) -> SequenceNumber {
        self.next
    }

    /// How many packets wait, retransmissions not among them.
    pub fn queued_packets(&self) -> usize {
        self.history.queued_packets()
    }

    /// How many bytes of payload wait.
    pub const fn queued_bytes(&self) -> usize {
        self.history.queued_bytes()
    }

    /// Drops what waits: the network is too slow for it.
    pub fn drop_queued(&mut self) {
        self.history.drop_queued();
    }

    /// Takes note of packets that a receiver misses; those that are remembered are sent again, each at most once in a round
    /// trip (RFC 4588 §6.3).
    pub fn handle_nack(&mut self, now: Instant, nack: &Nack<'_>) {
        self.statistics.nacks_received += 1;
        if self.config.nack && !self.ended {
            let pause = self.remote.round_trip().min(output::MAX_PAUSE);
            nack.missing()
                .take(output::MAX_NACKED)
                .for_each(|number| self.history.want_again(now, number, pause));
        }
    }

    /// Takes note of a receiver that has lost the pictures.
    pub fn handle_picture_loss(&mut self, now: Instant) {
        self.statistics.plis_received += 1;
        self.keyframes.demand(now);
    }

    /// Takes note of a receiver's request for a key frame; a repeated one is the same request (RFC 5104 §4.3.1.2).
    pub fn handle_full_intra_request(&mut self, now: Instant, from: Ssrc, number: u8) {
        self.statistics.firs_received += 1;
        if self.keyframes.is_new(from, number) {
            self.keyframes.demand(now);
        }
    }

    /// Takes note of what a receiver reports of this stream, or of its retransmissions.
    pub fn handle_report_block(&mut self, now: Instant, epoch: &Epoch, block: &ReportBlock) {
        if block.ssrc == self.config.ssrc {
            self.identification.media_known |= self.statistics.packets_sent > 0;
            self.remote.handle_report(NtpTime::at(now, epoch), block, &mut self.statistics);
            self.statistics.remote_report_at = Some(now);
        } else if Some(block.ssrc) == self.retransmission_ssrc() {
            self.identification.retransmission_known = true;
        }
    }

    /// How long a round trip takes, as reports or the caller had it.
    pub fn round_trip_time(&self) -> Duration {
        self.remote.round_trip()
    }

    /// Tells how long a round trip takes, where no report has.
    pub fn set_round_trip_time(&mut self, time: Duration) {
        self.remote.suppose(time);
    }

    /// Whether a receiver wants a key frame; to ask takes the wish away.
    pub fn take_keyframe_wanted(&mut self) -> bool {
        self.keyframes.take()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.keyframes.next()
    }

    /// Does what time brings.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.keyframes.handle_timeout(now);
    }

    /// What a sender report says; `None` before anything was sent (RFC 3550 §6.4.1).
    pub fn sender_info(&self, now: Instant, epoch: &Epoch) -> Option<SenderInfo> {
        let clock = self.clock.filter(|_| self.statistics.packets_sent > 0)?;
        let rate = u128::from(self.config.clock_rate);
        let units = ((now - clock.at).as_nanos() * rate / 1_000_000_000) as u32;
        Some(SenderInfo {
            ssrc: self.config.ssrc,
            ntp: NtpTime::at(now, epoch),
            rtp: clock.timestamp.add(units),
            packets: self.statistics.packets_sent as u32,
            octets: self.statistics.bytes_sent as u32,
        })
    }

    /// Ends the stream: what waits is dropped, and nothing is taken any more. Its goodbye is the session's to say.
    pub fn end(&mut self) {
        self.ended = true;
        self.history.clear();
    }
}
