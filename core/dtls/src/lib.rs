//! DTLS for WebRTC, without I/O: handshake, record protection and keying material over a provider's primitives.
//!
//! [`Connection`] is one association, client or server, of DTLS 1.2 (RFC 6347). It is handed records and moments, and
//! gives back decrypted application data, datagrams to send, events and its next deadline. Both sides present a
//! certificate, and nothing in the peer's is checked but its fingerprint (RFC 8122 §5, RFC 8827 §6.5).
//!
//! What does not depend on the protocol's version lives at the crate's root: record framing, reassembly, flights and their
//! retransmission, the replay window, alerts, the peer's identity. The handshake itself is in `v12`, one state enum for
//! each role.
//!
//! It never looks at a clock, draws no randomness but from the generator that it is handed, and opens no socket; the same
//! inputs give the same bytes.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod alert;
mod config;
mod connection;
mod counters;
mod early;
mod error;
mod flight;
mod handshake;
mod identity;
mod messages;
mod reassembly;
mod record;
mod record_layer;
mod replay;
mod retransmission;
mod suite;
mod v12;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

pub use alert::AlertDescription;
pub use config::{Config, Role};
pub use connection::{Connection, Event, Record, State};
pub use counters::Counters;
pub use error::{CloseReason, ExportError, Incompatible, Misbehaved, SealError};
pub use record::ProtocolVersion;
pub use suite::CipherSuite;
