//! The receiving end of one stream: what arrived, what is missing, what the sender is told of it.

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::{Instant, earliest};

use crate::packet::unwrap_retransmission;
use crate::payload::PayloadFormat;
use crate::rtcp::{ReportBlock, SenderInfo};
use crate::{NtpShort, NtpTime, Packet, PayloadType, RtpTimestamp, Ssrc};

mod keyframe;
mod missing;
mod reception;
mod statistics;
#[cfg(test)]
mod tests;
mod window;

pub use keyframe::KeyframeMethod;
use keyframe::KeyframeRequest;
pub(crate) use missing::MAX_TRIES;
use missing::Missing;
use reception::{Placed, Reception};
pub use statistics::Statistics;

/// A payload type that may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The payload type.
    pub payload_type: PayloadType,
    /// Units of its media clock in a second; not 0.
    pub clock_rate: u32,
    /// The payload type of its retransmissions (RFC 4588).
    pub retransmission: Option<PayloadType>,
    /// How frames lie in it, where that is known: it tells key frames.
    pub payload: Option<PayloadFormat>,
}

/// What one stream is to be received with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its source.
    pub ssrc: Ssrc,
    /// The payload types that may come.
    pub formats: Vec<Format>,
    /// Whether missing packets are asked for.
    pub nack: bool,
    /// How key frames are asked for.
    pub keyframes: KeyframeMethod,
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// On the stream itself.
    Original,
    /// Taken out of a retransmission stream.
    Retransmission,
}

/// A packet's place in its stream, in numbers that do not wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its sequence number. The first packet's is one circle on, so that what should have come before it has a number.
    pub sequence: u64,
    /// Its timestamp, likewise.
    pub timestamp: u64,
    /// Units of the timestamp in a second.
    pub clock_rate: u32,
}

/// Why a packet is not one of the stream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// It came before.
    Duplicate,
    /// It is so old that nobody knows whether it came.
    TooOld,
    /// Its number is far from the others; if the next one follows it, the sender has begun anew.
    Jump,
    /// Its payload type was not agreed on.
    PayloadType,
}

/// What the last sender report said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LastReport {
    info: SenderInfo,
    at: Instant,
}

/// What arrived of the retransmission stream.
#[derive(Clone, Debug)]
struct Repair {
    ssrc: Ssrc,
    reception: Reception,
}

impl Repair {
    fn new(ssrc: Ssrc) -> Self {
        Self { ssrc, reception: Reception::default() }
    }
}

/// How long a round trip is thought to be before one was measured.
pub(crate) const INITIAL_ROUND_TRIP: Duration = Duration::from_millis(100);

/// The receiving end of one stream.
///
/// Packets go to [`handle_packet`](Self::handle_packet), time to [`handle_timeout`](Self::handle_timeout); what there is to
/// say to the sender is written by [`write_feedback`](Self::write_feedback) when
/// [`has_feedback`](Self::has_feedback), and by [`report_block`](Self::report_block) when a report is due.
#[derive(Clone, Debug)]
pub struct Stream {
    config: Config,
    reception: Reception,
    repair: Option<Repair>,
    timestamp: Option<u64>,
    missing: Missing,
    keyframes: KeyframeRequest,
    report: Option<LastReport>,
    round_trip: Duration,
    statistics: Statistics,
    ended: bool,
}

impl Stream {
    /// A stream of which nothing has come.
    pub fn new(config: Config) -> Self {
        Self {
            reception: Reception::default(),
            repair: None,
            timestamp: None,
            missing: Missing::default(),
            keyframes: KeyframeRequest::new(config.keyframes),
            report: None,
            round_trip: INITIAL_ROUND_TRIP,
            statistics: Statistics::default(),
            ended: false,
            config,
        }
    }

    /// The stream's source.
    pub const fn ssrc(&self) -> Ssrc {
        self.config.ssrc
    }

    /// The source of its retransmissions, once one came.
    pub fn retransmission_ssrc(&self) -> Option<Ssrc> {
        self.repair.as_ref().map(|repair| repair.ssrc)
    }

    /// When its sender last reported.
    pub fn sender_report_at(&self) -> Option<Instant> {
        self.report.map(|report| report.at)
    }

    /// Whether its sender has said goodbye, and sent nothing since.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// What has been counted.
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The jitter of arrivals (RFC 3550 §6.4.1).
    pub fn jitter(&self) -> Duration {
        self.reception.jitter()
    }

    /// How many packets were lost in all; negative if duplicates of the sender outweigh losses.
    pub fn packets_lost(&self) -> i64 {
        self.reception.lost()
    }

    /// A moment of the sender's wall clock and the same moment of its media clock, as its last report had them.
    pub fn sender_clock(&self) -> Option<(NtpTime, RtpTimestamp)> {
        self.report.map(|report| (report.info.ntp, report.info.rtp))
    }

    /// Changes what may come: an exchange of descriptions has agreed on it.
    pub fn set_formats(&mut self, formats: Vec<Format>, nack: bool, keyframes: KeyframeMethod) {
        self.config.formats = formats;
        self.config.nack = nack;
        self.keyframes.set_method(keyframes);
        if !nack {
            self.missing.forget_all();
        }
    }

    /// Tells how long a round trip takes, by which requests are repeated.
    pub fn set_round_trip_time(&mut self, time: Duration) {
        self.round_trip = time;
    }

    /// Takes the original out of a packet of the retransmission stream, in place (RFC 4588 §4).
    ///
    /// `None` if its payload type is none of this stream's retransmissions, or if it carries no original: a probe.
    pub fn unwrap_retransmission<'d>(&mut self, bytes: &'d mut [u8]) -> Option<&'d mut [u8]> {
        let header = Packet::parse(bytes).ok()?.header();
        let is_its = |format: &&Format| format.retransmission == Some(header.payload_type);
        let format = self.config.formats.iter().find(is_its)?;
        let repair = self.repair.get_or_insert_with(|| Repair::new(header.ssrc));
        if repair.ssrc != header.ssrc {
            *repair = Repair::new(header.ssrc);
        }
        // A packet that came twice holds what came before, which the stream itself notices.
        let _ = repair.reception.place(header.sequence_number, Via::Original);
        unwrap_retransmission(bytes, self.config.ssrc, format.payload_type)
    }

    /// Takes note of a packet.
    ///
    /// # Errors
    /// If it is to be dropped, which is counted.
    #[inline]
    pub fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>, via: Via) -> Result<Place, Rejected> {
        let place = self.place(now, packet, via).inspect_err(|rejected| self.statistics.reject(*rejected))?;
        self.statistics.count(now, packet, via);
        self.ended = false;
        Ok(place)
    }

    #[inline]
    fn place(&mut self, now: Instant, packet: &Packet<'_>, via: Via) -> Result<Place, Rejected> {
        let formats = &self.config.formats;
        let format = formats.iter().find(|format| format.payload_type == packet.payload_type());
        let Format { clock_rate, payload, .. } = *format.ok_or(Rejected::PayloadType)?;
        let placed = self.reception.place(packet.sequence_number(), via)?;
        let sequence = placed.sequence();
        let timestamp = self.extend_timestamp(packet.timestamp(), &placed);
        match placed {
            Placed::Newest { gap, .. } => {
                if via == Via::Original {
                    self.reception.measure_jitter(now, packet.timestamp(), clock_rate);
                }
                self.missing.forget_before(self.reception.oldest_remembered());
                if self.config.nack {
                    self.missing.notice(now, gap);
                }
                if self.keyframes.is_pending() && payload.is_some_and(|p| p.is_keyframe(packet.payload())) {
                    self.keyframes.answered();
                }
            }
            Placed::Restart { .. } => self.missing.forget_all(),
            Placed::Late { .. } => self.missing.arrived(now, sequence, via, self.round_trip),
        }
        Ok(Place { sequence, timestamp, clock_rate })
    }

    /// The timestamp nearest to the newest packet's.
    fn extend_timestamp(&mut self, timestamp: RtpTimestamp, placed: &Placed) -> u64 {
        let near = self.timestamp.unwrap_or(1 << 32 | u64::from(timestamp.0));
        let distance = timestamp.since(RtpTimestamp(near as u32)) as i32;
        let extended = near.wrapping_add_signed(i64::from(distance));
        if self.timestamp.is_none() || !matches!(placed, Placed::Late { .. }) {
            self.timestamp = Some(extended);
        }
        extended
    }

    /// Takes note of a report of the sender's.
    pub fn handle_sender_report(&mut self, now: Instant, info: &SenderInfo) {
        self.report = Some(LastReport { info: *info, at: now });
        self.statistics.remote_packets_sent = info.packets;
        self.statistics.remote_bytes_sent = info.octets;
        self.statistics.remote_timestamp = Some(info.ntp);
        self.statistics.reports_received += 1;
    }

    /// Takes note of the sender's goodbye: nothing is asked for any more.
    pub fn handle_bye(&mut self) {
        self.ended = true;
        self.missing.forget_all();
        self.keyframes.answered();
    }

    /// Asks the sender for a key frame, again and again until one begins to come, where [`Format::payload`] tells that, or
    /// [`keyframe_received`](Self::keyframe_received) does.
    pub fn request_keyframe(&mut self, now: Instant) {
        self.keyframes.request(now);
    }

    /// Tells that a key frame has come.
    pub fn keyframe_received(&mut self) {
        self.keyframes.answered();
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.missing.next(), self.keyframes.next())
    }

    /// Does what time brings.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.missing.handle_timeout(now);
        self.keyframes.handle_timeout(now);
        self.statistics.given_up = self.missing.given_up();
    }

    /// Whether [`write_feedback`](Self::write_feedback) has something to write, unless what was missing has come since.
    pub const fn has_feedback(&self) -> bool {
        self.missing.is_ready() || self.keyframes.is_ready()
    }

    /// Writes what the sender is to be told at once: which packets are missing, and that a key frame is wanted.
    pub fn write_feedback(&mut self, now: Instant, local: Ssrc, out: &mut Vec<u8>) {
        let media = self.config.ssrc;
        if self.missing.is_ready() && self.missing.write(now, self.round_trip, local, media, out) {
            self.statistics.nacks_sent += 1;
        }
        match self.keyframes.write(now, self.round_trip, local, media, out) {
            Some(KeyframeMethod::Pli) => self.statistics.plis_sent += 1,
            Some(KeyframeMethod::Fir) => self.statistics.firs_sent += 1,
            _ => {}
        }
    }

    /// What a report says of this stream; each covers the time since the one before (RFC 3550 §6.4.1). `None` if nothing
    /// has come.
    pub fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        let mut block = self.reception.report(self.config.ssrc)?;
        if let Some(report) = self.report {
            block.last_sr = report.info.ntp.middle();
            block.delay_since_last_sr = NtpShort::from_duration(now - report.at);
        }
        Some(block)
    }

    /// How many blocks a report has for the stream and its retransmissions.
    pub(crate) fn sources_to_report(&self) -> usize {
        usize::from(self.reception.has_begun()) + usize::from(self.repair.is_some())
    }

    /// What a report says of the retransmission stream, likewise: it is a source of its own (RFC 4588 §6.3).
    pub fn repair_report_block(&mut self) -> Option<ReportBlock> {
        let repair = self.repair.as_mut()?;
        repair.reception.report(repair.ssrc)
    }
}
