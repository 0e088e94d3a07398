//! RTP and RTCP without I/O: packets, header extensions, reports and feedback, streams (RFC 3550, RFC 8834).
//!
//! [`Packet`] is a view of bytes that have been checked, [`HeaderBuilder`] writes a header behind what a buffer holds;
//! [`rtcp`] does the same for compound packets. [`receive::Stream`] and [`send::Stream`] are the two ends of one SSRC,
//! [`Reporter`] says when reports are due, [`Router`] whose a packet is, and [`Session`] puts them together for one
//! transport. [`payload`] makes packets of a codec's frames, and [`frame`] frames of packets. Nothing here encrypts, paces
//! or estimates.
//!
//! ```
//! # use std::time::Duration;
//! # use pavane_base::{Epoch, Instant, rand_core::CryptoRng};
//! # use pavane_rtp::{receive::Format, send::{self, Outgoing}, *};
//! # fn example(rng: &mut dyn CryptoRng) -> Option<()> {
//! let opus = PayloadType::new(111)?;
//! let config = SessionConfig {
//!     cname: "fJ8pW0aX".into(),
//!     epoch: Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) },
//!     reduced_size: true,
//!     reference_time: false,
//!     timing: ReportTiming::default(),
//! };
//! let mut here = Session::new(config.clone(), Instant::ZERO, rng);
//! let mut there = Session::new(config, Instant::ZERO, rng);
//! let formats = vec![Format { payload_type: opus, clock_rate: 48_000, retransmission: None, payload: None }];
//! there.set_section(SectionId(0), SectionConfig { formats, ..SectionConfig::default() });
//!
//! let sender = here.add_sender(send::Config::new(Ssrc(1), 48_000, rng)).ok()?;
//! let now = Instant::from_millis(20);
//! let packet = Outgoing {
//!     payload_type: opus,
//!     marker: true,
//!     timestamp: RtpTimestamp(960),
//!     payload: b"twenty milliseconds".into(),
//!     extensions: send::MediaExtensions::default(),
//!     captured_at: None,
//! };
//! here.send(now, sender, packet).ok()?;
//!
//! let mut datagram = Vec::new();
//! while here.poll_rtp(now, None, &mut datagram).is_some() {
//!     // SRTP and a network in between.
//!     let received = there.handle_rtp(now, &mut datagram).ok()?;
//!     assert_eq!(received.packet.payload(), b"twenty milliseconds");
//!     datagram.clear();
//! }
//! let next = there.poll_timeout()?;
//! there.handle_timeout(next);
//! while there.poll_rtcp(next, 1200, &mut datagram, rng).is_some() {
//!     here.handle_rtcp(next, &datagram);
//!     datagram.clear();
//! }
//! assert!(here.sender(sender)?.statistics().remote_report_at.is_some());
//! # Some(())
//! # }
//! # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//! # example(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod extension;
pub mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod ntp;
mod packet;
pub mod payload;
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
