//! SCTP over DTLS without I/O (RFC 9260, RFC 8261), with partial reliability (RFC 3758, RFC 7496), packets without
//! checksums (RFC 9653), loss recovery by time (RFC 8985), paced sending, three congestion controllers, message
//! interleaving and fair queueing (RFC 8260), path MTU discovery (RFC 8899), and stream reconfiguration (RFC 6525).
//!
//! An [`Association`] is handed packets and moments and hands out packets, events and deadlines. It knows nothing of what
//! carries its packets, except that it keeps strangers out: DTLS does.
//!
//! Reading order: [`Association`] (`association/mod.rs`), its states (`association/state.rs`), the way in
//! (`association/input.rs`), the way out (`association/output.rs`), then the two halves that do the work, `send` and
//! `receive`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod association;
mod chunk;
mod config;
mod congestion;
mod cookie;
mod counters;
mod crc32c;
mod error;
mod event;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod introduction;
mod packet;
mod receive;
mod rtt;
mod send;
mod siphash;
mod stream_map;
mod types;

pub use association::{Association, State, Stats};
pub use config::{Config, Timing};
pub use congestion::CongestionAlgorithm;
pub use counters::{Counters, Dropped};
pub use error::SendError;
pub use event::{CauseCode, CloseReason, Event, Message, Misbehaved};
pub use introduction::{Introduction, InvalidIntroduction};
pub use send::{Reliability, SendOptions};
pub use types::{Ppid, StreamId};
