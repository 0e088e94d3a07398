//! An allocation on a TURN server (RFC 8656; servers of RFC 5766 are served as well).
//!
//! An [`Allocation`] is an address on a relay, held by one 5-tuple between us and its server:
//!
//! ```text
//!   Allocating ── success ──▶ Live ── close ──▶ Releasing ── answer, or none ──▶ Over
//!        │                     │                                                  ▲
//!        └── refused ──────────┴── refused, or no answer ─────────────────────────┘
//! ```
//!
//! While it is live it refreshes itself, asks for permissions and channels, wraps what goes to peers
//! ([`Allocation::envelope`]) and unwraps what comes from them ([`Allocation::handle_datagram`]). It never opens a socket:
//! datagrams, or the messages of a stream as [`message_len`] cuts it, come in as slices and go out through
//! [`Allocation::poll_transmit`].

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod allocation;
mod config;
mod event;
mod framing;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod peers;
mod relaying;
mod responses;
mod transactions;

pub use allocation::Allocation;
pub use config::{Config, Family};
pub use event::{Counters, EndReason, Event, NotPermitted, Received};
pub use framing::{NotTurn, message_len};
pub use relaying::Envelope;
