//! SDP's grammar, from text to typed lines and back (RFC 8866, 8839, 8841, 8842, 9143).
//!
//! No semantics live here: what a description means is its reader's business. Everything that is not known is kept and
//! written back in its place, so that a description that is read and written is the same, line ends aside.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attribute;
mod candidate;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod line;
mod media;
mod rtp;
mod session;
mod simulcast;

pub use attribute::{Attribute, Setup};
pub use candidate::{
    Candidate, CandidateAddress, CandidateError, CandidateKind, CandidateTransport, TcpType,
};
pub use error::{ParseError, ParseErrorKind};
pub use line::{Bandwidth, BandwidthKind, Line};
pub use media::{MediaDescription, MediaKind};
pub use rtp::{
    Direction, Extmap, Fmtp, Msid, PayloadTypes, Rtcp, RtcpFeedback, Rtpmap, Ssrc, SsrcGroup, parameters,
};
pub use session::{Origin, SessionDescription};
pub use simulcast::{Rid, RidDirection, Simulcast, SimulcastList, SimulcastRid};
