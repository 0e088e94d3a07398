//! WebRTC data channels: the map between channels and SCTP streams, and the protocol that opens them (RFC 8831, RFC 8832).
//!
//! [`Channels`] holds every channel of a connection. It keeps no association of its own: whoever composes the two hands the
//! association to each call and passes its events on. Channels may be created long before there is one.
//!
//! A channel goes through these states ([`ChannelState`]):
//!
//! ```text
//!   create ─▶ Connecting ── association connects ──▶ Open ── close, or the peer resets ──▶ Closing ── both reset ──▶ Closed
//!                                                     ▲
//!   peer's OPEN arrives ──────────────────────────────┘
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod channel;
mod channels;
mod dcep;
mod error;
mod event;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod ids;
mod incoming;
mod init;
mod message;
#[cfg(test)]
mod tests;

pub use channel::{ChannelState, ChannelTraffic};
pub use channels::{ChannelInfo, Channels};
pub use error::{ChannelError, CreateError, SendError};
pub use event::{ChannelId, Event};
pub use ids::Parity;
pub use init::{ChannelInit, Priority};
pub use message::{Message, Text};
