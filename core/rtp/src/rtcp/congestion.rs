//! Congestion control feedback (RFC 8888 §3.1).
//!
//! ```text
//! 32 SSRC of whoever sends it
//! for each stream: 32 SSRC, 16 first number, 16 how many, then for each packet
//!                  1 received, 2 ECN, 13 arrival before the report in 1/1024 s; filled to whole words
//! 32 the report's time: the middle of an NTP time
//! ```

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::{Ecn, Reader, Truncated, WriteExt};

use super::{begin_packet, end_packet, kind, rtpfb};
use crate::{NtpShort, SequenceNumber, Ssrc};

/// The most packets of one stream in one report (RFC 8888 §3.1).
const MAX_METRICS: u16 = 16384;

/// How long before a report a packet arrived: 13 bits of 1/1024 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrivalOffset {
    /// This long before.
    Known(u16),
    /// Longer before than the field can say.
    OverRange,
    /// It is not known, or it was after the report's time.
    Unknown,
}

impl ArrivalOffset {
    const OVER_RANGE: u16 = 0x1ffe;
    const UNKNOWN: u16 = 0x1fff;

    /// The offset of a packet that arrived this long before the report.
    pub fn from_duration(before: Duration) -> Self {
        match u16::try_from((before.as_nanos() << 10) / 1_000_000_000) {
            Ok(units) if units < Self::OVER_RANGE => Self::Known(units),
            _ => Self::OverRange,
        }
    }

    /// The length of time, if it is known.
    pub const fn to_duration(self) -> Option<Duration> {
        match self {
            Self::Known(units) => Some(Duration::from_nanos((units as u64 * 1_000_000_000) >> 10)),
            _ => None,
        }
    }

    const fn from_bits(bits: u16) -> Self {
        match bits & 0x1fff {
            Self::OVER_RANGE => Self::OverRange,
            Self::UNKNOWN => Self::Unknown,
            units => Self::Known(units),
        }
    }

    fn to_bits(self) -> u16 {
        match self {
            Self::Known(units) => units.min(Self::OVER_RANGE),
            Self::OverRange => Self::OVER_RANGE,
            Self::Unknown => Self::UNKNOWN,
        }
    }
}

/// How one packet arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketMetric {
    /// Its congestion mark.
    pub ecn: Option<Ecn>,
    /// How long before the report it arrived.
    pub offset: ArrivalOffset,
}

impl PacketMetric {
    fn from_bits(bits: u16) -> Option<Self> {
        let ecn = match bits >> 13 & 3 {
            1 => Some(Ecn::Ect1),
            2 => Some(Ecn::Ect0),
            3 => Some(Ecn::Ce),
            _ => None,
        };
        (bits & 0x8000 != 0).then_some(Self { ecn, offset: ArrivalOffset::from_bits(bits) })
    }

    fn to_bits(self) -> u16 {
        let ecn = match self.ecn {
            None => 0,
            Some(Ecn::Ect1) => 1,
            Some(Ecn::Ect0) => 2,
            Some(Ecn::Ce) => 3,
        };
        0x8000 | ecn << 13 | self.offset.to_bits()
    }
}

/// How the packets of streams arrived.
#[derive(Clone, Copy, Debug)]
pub struct CongestionFeedback<'a> {
    sender: Ssrc,
    streams: &'a [u8],
    time: NtpShort,
}

impl<'a> CongestionFeedback<'a> {
    pub(super) fn read(body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let sender = Ssrc(body.u32()?);
        let streams = body.take(body.remaining().checked_sub(4).ok_or(Truncated)?)?;
        let time = NtpShort(body.u32()?);
        let mut rest = Reader::new(streams);
        while !rest.is_empty() {
            StreamMetrics::read(&mut rest)?;
        }
        Ok(Self { sender, streams, time })
    }

    /// Who received them.
    pub const fn sender(&self) -> Ssrc {
        self.sender
    }

    /// The report's time, by its sender's clock.
    pub const fn time(&self) -> NtpShort {
        self.time
    }

    /// What arrived of each stream.
    pub fn streams(&self) -> impl Iterator<Item = StreamMetrics<'a>> + use<'a> {
        let mut rest = Reader::new(self.streams);
        core::iter::from_fn(move || StreamMetrics::read(&mut rest).ok())
    }
}

/// How the packets of one stream arrived.
#[derive(Clone, Copy, Debug)]
pub struct StreamMetrics<'a> {
    ssrc: Ssrc,
    first: SequenceNumber,
    metrics: &'a [[u8; 2]],
}

impl<'a> StreamMetrics<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Truncated> {
        let ssrc = Ssrc(reader.u32()?);
        let first = SequenceNumber(reader.u16()?);
        let count = reader.u16()?;
        if count > MAX_METRICS {
            return Err(Truncated);
        }
        let metrics = reader.take(usize::from(count) * 2)?.as_chunks().0;
        reader.take(usize::from(count % 2) * 2)?;
        Ok(Self { ssrc, first, metrics })
    }

    /// The stream.
    pub const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Each packet, and how it arrived if it did.
    pub fn packets(&self) -> impl ExactSizeIterator<Item = (SequenceNumber, Option<PacketMetric>)> + use<'a> {
        let first = self.first;
        self.metrics.iter().enumerate().map(move |(index, bits)| {
            (first.add(index as u16), PacketMetric::from_bits(u16::from_be_bytes(*bits)))
        })
    }
}

/// Writes one report, stream by stream.
#[derive(Debug)]
pub struct CongestionFeedbackWriter<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
}

impl<'b> CongestionFeedbackWriter<'b> {
    /// Begins a report.
    pub fn new(out: &'b mut Vec<u8>, sender: Ssrc) -> Self {
        let start = begin_packet(out, kind::RTPFB, rtpfb::CCFB);
        out.put_u32(sender.0);
        Self { out, start }
    }

    /// Adds the packets of a stream from number `first` on, each with how it arrived if it did.
    ///
    /// # Panics
    /// If there are more than 16384, the most that a report holds.
    pub fn stream(
        &mut self,
        ssrc: Ssrc,
        first: SequenceNumber,
        packets: impl ExactSizeIterator<Item = Option<PacketMetric>>,
    ) {
        let count = u16::try_from(packets.len()).ok().filter(|count| *count <= MAX_METRICS);
        let count = count.expect("a report holds at most 16384 packets of a stream");
        self.out.put_u32(ssrc.0);
        self.out.put_u16(first.0);
        self.out.put_u16(count);
        packets.for_each(|packet| self.out.put_u16(packet.map_or(0, PacketMetric::to_bits)));
        if count % 2 == 1 {
            self.out.put_u16(0);
        }
    }

    /// Ends the report with its time.
    pub fn finish(self, time: NtpShort) {
        self.out.put_u32(time.0);
        end_packet(self.out, self.start);
    }
}
