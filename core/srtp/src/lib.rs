//! SRTP and SRTCP in place (RFC 3711, RFC 7714), keyed by DTLS (RFC 5764).
//!
//! ```text
//! RTP  ─▶ protect_rtp  ─▶ header | payload, encrypted              | tag
//! RTCP ─▶ protect_rtcp ─▶ header, sender | rest, encrypted | tag | E, index     (AEAD)
//!                                                          | E, index | tag     (counter mode with HMAC)
//! ```
//!
//! A [`Session`] holds both directions of one transport, with whatever sources they have. Packets are protected in the
//! buffer that they were written to and unprotected in the one that they came in; once a source is known nothing is
//! allocated for its packets. Header extensions stay readable (RFC 6904 is not used in WebRTC).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod derivation;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod index;
mod profile;
mod protection;
mod session;
mod sources;
#[cfg(test)]
mod vectors;

pub use error::{Counters, KeyingError, ProtectError, UnprotectError};
pub use profile::Profile;
pub use session::{Role, Session};
pub use sources::MAX_SOURCES;
