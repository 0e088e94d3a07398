//! RTP and RTCP without I/O: packets, header extensions, reports and feedback, streams (RFC 3550, RFC 8834).
//!
//! [`Packet`] is a view of bytes that have been checked, [`HeaderBuilder`] writes a header behind what a buffer holds;
//! [`rtcp`] does the same for compound packets. [`receive::Stream`] and [`send::Stream`] are the two ends of one SSRC,
//! [`Reporter`] says when reports are due, [`Router`] whose a packet is, and [`Session`] puts them together for one
//! transport. Nothing here encrypts, paces or estimates.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod extension;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod ntp;
mod packet;
pub mod receive;
mod reporter;
mod router;
pub mod rtcp;
pub mod send;
mod session;
mod types;

pub use extension::{
    AbsoluteCaptureTime, AbsoluteSendTime, AudioLevel, ExtensionId, ExtensionKind, ExtensionMap,
    ExtensionMapError, ExtensionValues, FeedbackRequest, PlayoutDelay, Rotation, TransportSequence,
    VideoOrientation,
};
pub use ntp::{NtpShort, NtpTime};
pub use packet::{Extensions, Header, HeaderBuilder, Packet, PacketMut, ParseError};
pub use reporter::{ReportKind, ReportTiming, Reporter};
pub use router::{DeclaredSource, MAX_SOURCES, Role, Route, Router, SectionId, SectionRules, Unroutable};
pub use session::{
    Counters, Dropped, Event, MAX_EVENTS, Received, ReceiverKey, SectionConfig, SenderKey, Session,
    SessionConfig, SsrcTaken,
};
pub use types::{PayloadType, RtpTimestamp, SequenceNumber, Ssrc};
