//! RTCP packets: views of what was received, and functions that write behind what a buffer holds (RFC 3550 §6,
//! RFC 4585 §6).
//!
//! A datagram holds packets one behind the other, whether it is a compound or of reduced size (RFC 5506). Every packet
//! begins so:
//!
//! ```text
//!  2 bits  version 2     1 padding    5 count or format
//!  8 bits  packet type                16 length in words, less one
//!  32      SSRC of whoever sends it
//! ```

use alloc::vec::Vec;
use core::fmt;

use pavane_base::{Reader, Truncated, WriteExt};

use crate::Ssrc;
use crate::packet::{PADDING_BIT, VERSION};

mod app;
mod bit_rate;
mod bye;
mod congestion;
mod description;
mod extended;
mod intra;
mod nack;
mod remb;
mod report;
mod transport;

#[cfg(test)]
mod tests;

pub use app::{App, write_app};
pub use bit_rate::{BitRateBound, BitRateBounds, BitRateMessage, write_bit_rate_bounds};
pub use bye::{Bye, write_bye};
pub use congestion::{
    ArrivalOffset, CongestionFeedback, CongestionFeedbackWriter, PacketMetric, StreamMetrics,
};
pub use description::{Description, Item, ItemKind, write_cname, write_items};
pub use extended::{DelaySinceLastRr, ExtendedBlock, ExtendedReport, write_dlrr, write_rrtr};
pub use intra::{FullIntraRequest, IntraEntry, PictureLoss, write_fir, write_pli};
pub use nack::{Nack, write_nack};
pub use remb::{Remb, write_remb};
pub use report::{MAX_REPORT_BLOCKS, ReceiverReport, ReportBlock, ReportWriter, SenderInfo, SenderReport};
pub use transport::{
    Arrival, FeedbackHeader, MAX_STATUSES, Status, Statuses, TransportFeedback, write_transport_feedback,
};

/// The packet types that are known.
pub(crate) mod kind {
    pub(crate) const SR: u8 = 200;
    pub(crate) const RR: u8 = 201;
    pub(crate) const SDES: u8 = 202;
    pub(crate) const BYE: u8 = 203;
    pub(crate) const APP: u8 = 204;
    pub(crate) const RTPFB: u8 = 205;
    pub(crate) const PSFB: u8 = 206;
    pub(crate) const XR: u8 = 207;
}

/// The formats of feedback on the transport.
mod rtpfb {
    pub(super) const NACK: u8 = 1;
    pub(super) const TMMBR: u8 = 3;
    pub(super) const TMMBN: u8 = 4;
    pub(super) const CCFB: u8 = 11;
    pub(super) const TRANSPORT_WIDE: u8 = 15;
}

/// The formats of feedback on the payload.
mod psfb {
    pub(super) const PLI: u8 = 1;
    pub(super) const FIR: u8 = 4;
    pub(super) const APPLICATION: u8 = 15;
}

/// Whether a datagram that is RTP or RTCP is RTCP: its packet type, 192 to 223, lies where RTP has a marker and the
/// payload types 64 to 95 (RFC 5761 §4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram.get(1), Some(192..=223))
}

/// One packet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// What a sender sent, and what it received.
    SenderReport(SenderReport<'a>),
    /// What somebody received.
    ReceiverReport(ReceiverReport<'a>),
    /// Who is behind the sources.
    Description(Description<'a>),
    /// Sources leave.
    Bye(Bye<'a>),
    /// What only an application understands.
    App(App<'a>),
    /// Packets are missing.
    Nack(Nack<'a>),
    /// When packets of the transport arrived.
    TransportFeedback(TransportFeedback<'a>),
    /// When packets of streams arrived, and how marked.
    CongestionFeedback(CongestionFeedback<'a>),
    /// Pictures cannot be decoded.
    PictureLoss(PictureLoss),
    /// Key frames are wanted.
    FullIntraRequest(FullIntraRequest<'a>),
    /// How much may be sent.
    Remb(Remb<'a>),
    /// Bounds of bit rates.
    BitRateBounds(BitRateBounds<'a>),
    /// Further statistics.
    ExtendedReport(ExtendedReport<'a>),
    /// A packet of another type or format.
    Unknown(Raw<'a>),
    /// A packet that is not what its type says.
    Malformed(Raw<'a>),
}

/// A packet taken apart no further than its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a> {
    /// The five bits beside the version: a count or a format.
    pub count: u8,
    /// The packet type.
    pub kind: u8,
    /// What follows the first word, without padding.
    pub body: &'a [u8],
}

/// A datagram that is no sequence of RTCP packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// The lengths do not add up to the datagram.
    Length,
    /// A version is not 2.
    Version,
    /// Padding has no bytes, or more than its packet.
    Padding,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "the packets' lengths do not add up to the datagram",
            Self::Version => "the version is not 2",
            Self::Padding => "the padding does not fit its packet",
        })
    }
}

impl core::error::Error for ParseError {}

impl From<Truncated> for ParseError {
    fn from(_: Truncated) -> Self {
        Self::Length
    }
}

/// The packets of one datagram.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: Reader<'a>,
}

impl<'a> Packets<'a> {
    /// Checks that the datagram is a sequence of packets (RFC 3550 §A.2).
    ///
    /// # Errors
    /// If it is not; what is wrong inside a packet comes as [`Packet::Malformed`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        let rest = Reader::new(datagram);
        let mut ahead = rest;
        if ahead.is_empty() {
            return Err(ParseError::Length);
        }
        while !ahead.is_empty() {
            next_raw(&mut ahead)?;
        }
        Ok(Self { rest })
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        next_raw(&mut self.rest).ok().map(Raw::interpret)
    }
}

fn next_raw<'a>(reader: &mut Reader<'a>) -> Result<Raw<'a>, ParseError> {
    let first = reader.u8()?;
    if first & 0xc0 != VERSION {
        return Err(ParseError::Version);
    }
    let kind = reader.u8()?;
    let words = usize::from(reader.u16()?);
    let body = reader.take(words * 4)?;
    let body = match first & PADDING_BIT {
        0 => body,
        _ => {
            let padding = usize::from(*body.last().ok_or(ParseError::Padding)?);
            let len = body.len().checked_sub(padding).filter(|_| padding != 0);
            len.and_then(|len| body.get(..len)).ok_or(ParseError::Padding)?
        }
    };
    Ok(Raw { count: first & 0x1f, kind, body })
}

impl<'a> Raw<'a> {
    fn interpret(self) -> Packet<'a> {
        self.read().unwrap_or(Packet::Malformed(self))
    }

    fn read(self) -> Result<Packet<'a>, Truncated> {
        let mut reader = Reader::new(self.body);
        let body = &mut reader;
        Ok(match (self.kind, self.count) {
            (kind::SR, count) => Packet::SenderReport(SenderReport::read(count, body)?),
            (kind::RR, count) => Packet::ReceiverReport(ReceiverReport::read(count, body)?),
            (kind::SDES, count) => Packet::Description(Description::read(count, body)?),
            (kind::BYE, count) => Packet::Bye(Bye::read(count, body)?),
            (kind::APP, count) => Packet::App(App::read(count, body)?),
            (kind::RTPFB, rtpfb::NACK) => Packet::Nack(Nack::read(body)?),
            (kind::RTPFB, rtpfb::TMMBR) => {
                Packet::BitRateBounds(BitRateBounds::read(BitRateMessage::Request, body)?)
            }
            (kind::RTPFB, rtpfb::TMMBN) => {
                Packet::BitRateBounds(BitRateBounds::read(BitRateMessage::Notification, body)?)
            }
            (kind::RTPFB, rtpfb::CCFB) => Packet::CongestionFeedback(CongestionFeedback::read(body)?),
            (kind::RTPFB, rtpfb::TRANSPORT_WIDE) => Packet::TransportFeedback(TransportFeedback::read(body)?),
            (kind::PSFB, psfb::PLI) => Packet::PictureLoss(PictureLoss::read(body)?),
            (kind::PSFB, psfb::FIR) => Packet::FullIntraRequest(FullIntraRequest::read(body)?),
            (kind::PSFB, psfb::APPLICATION) if Remb::is_one(self.body) => Packet::Remb(Remb::read(body)?),
            (kind::XR, _) => Packet::ExtendedReport(ExtendedReport::read(body)?),
            _ => Packet::Unknown(self),
        })
    }
}

/// Writes one packet: `body` writes what follows the first word, and is padded with zeros to whole words.
fn write_packet(out: &mut Vec<u8>, kind: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = begin_packet(out, kind, count);
    body(out);
    end_packet(out, start);
}

/// Writes a packet's first word; returns where it lies.
fn begin_packet(out: &mut Vec<u8>, kind: u8, count: u8) -> usize {
    let start = out.len();
    out.put(&[VERSION | count & 0x1f, kind, 0, 0]);
    start
}

/// Fills the packet up to whole words, and has its first word count them.
fn end_packet(out: &mut Vec<u8>, start: usize) {
    let filling = (out.len() - start).wrapping_neg() % 4;
    out.resize(out.len() + filling, 0);
    let words = (out.len() - start) / 4 - 1;
    let words = u16::try_from(words).expect("a packet is shorter than a datagram");
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

/// The SSRCs that feedback begins with: who sends it, and about whom.
fn read_feedback_ssrcs(reader: &mut Reader<'_>) -> Result<(Ssrc, Ssrc), Truncated> {
    Ok((Ssrc(reader.u32()?), Ssrc(reader.u32()?)))
}

fn put_feedback_ssrcs(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc) {
    out.put_u32(sender.0);
    out.put_u32(media.0);
}

/// A rate of a mantissa and an exponent.
fn shift_or_saturate(mantissa: u64, exponent: u32) -> u64 {
    match mantissa {
        0 => 0,
        _ if mantissa.leading_zeros() >= exponent => mantissa << exponent,
        _ => u64::MAX,
    }
}

/// SSRCs as they lie one behind the other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct SsrcList<'a>(&'a [[u8; 4]]);

impl<'a> SsrcList<'a> {
    fn read(count: usize, reader: &mut Reader<'a>) -> Result<Self, Truncated> {
        Ok(Self(reader.take(count * 4)?.as_chunks().0))
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = Ssrc> + use<'a> {
        self.0.iter().map(|word| Ssrc(u32::from_be_bytes(*word)))
    }
}

impl fmt::Debug for SsrcList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
