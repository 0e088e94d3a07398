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
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use pavane_base::{Epoch, Instant};
//! use pavane_crypto::software::SoftwareProvider;
//! use pavane_crypto::{Certificate, HashAlgorithm};
//! use pavane_dtls::{Config, Connection, Event, Record, Role};
//! use rand_chacha::ChaCha8Rng;
//! use rand_chacha::rand_core::SeedableRng;
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(1);
//! let provider = Arc::new(SoftwareProvider);
//! let epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) };
//! // Two sides in one program, with one certificate for both; signaling carries its fingerprint.
//! let certificate = Certificate::generate(&*provider, &mut rng, &epoch);
//! let fingerprint = certificate.fingerprint(&*provider, HashAlgorithm::Sha256);
//! let config = Arc::new(Config::new(provider, certificate));
//! let mut client = Connection::new(Arc::clone(&config), Role::Client);
//! let mut server = Connection::new(config, Role::Server);
//! client.set_remote_fingerprints(vec![fingerprint.clone()]);
//! server.set_remote_fingerprints(vec![fingerprint]);
//!
//! let now = Instant::from_millis(10);
//! client.start(now, &mut rng);
//! for _ in 0..2 {
//!     for (from, to) in [(0, 1), (1, 0)] {
//!         let mut sides = [&mut client, &mut server];
//!         let mut datagram = Vec::new();
//!         while sides[from].poll_transmit(now, &mut datagram).is_some() {
//!             let mut rest = &mut datagram[..];
//!             while sides[to].handle_record(now, &mut rng, &mut rest).is_some() {}
//!             datagram.clear();
//!         }
//!     }
//! }
//! assert_eq!(client.poll_event(), Some(Event::Connected));
//!
//! let mut record = vec![0; client.headroom()];
//! record.extend_from_slice(b"hello");
//! client.seal(&mut record, 0)?;
//! let mut rest = &mut record[..];
//! match server.handle_record(now, &mut rng, &mut rest) {
//!     Some(Record::ApplicationData(data)) => assert_eq!(data, b"hello"),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), pavane_dtls::SealError>(())
//! ```

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
pub use record::Version;
pub use suite::CipherSuite;
