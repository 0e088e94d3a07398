//! An ICE agent without I/O (RFC 8445, 8838, 7675, 6544), and what it gathers from STUN and TURN servers.
//!
//! One [`Agent`] is one component of one transport: it is told its own addresses, servers and the peer's candidates, finds
//! out by checks which pairs of them work, and says where to send. It never opens a socket, resolves a name or looks at a
//! clock: names and streams are [`Action`]s of the caller's.
//!
//! A datagram that comes in passes [`Agent::handle_arrival`], which takes what servers say and unwraps what came through
//! relays; then STUN goes to [`Agent::handle_datagram`], and of data [`Agent::handle_data`] says whether a known pair
//! brought it. Data goes out along [`Agent::route`].
//!
//! A pair goes through these states ([`PairState`]); one on a relay, or over TCP, waits until its way is ready before:
//!
//! ```text
//!   Waiting ── check ──▶ InProgress ── response ──▶ Succeeded ── no consent ──▶ Failed, for good
//!                         │  ▲   ▲                      │
//!            unanswered ──┘  │   │                      └─ not needed ──▶ Failed
//!             too long ──▶ Failed ── asked by the peer, or the search begins anew
//! ```
//!
//! and the search for a pair through these:
//!
//! ```text
//!   Idle ── peer's credentials ──▶ Searching ── a pair works ──▶ Found ── none works any more ──▶ Over
//!    ▲                                │  ▲                        │                                │
//!    └── restart, from any            │  └── our address is gone ─┘                                │
//!                                     └─────────────────── patience is at an end ──────────────────┤
//!                  Searching ◀── a new address, candidate or request gives hope ───────────────────┘
//! ```
//!
//! Deviation: there is no Frozen state (RFC 8445 §6.1.2.6). With one component and one stream, all that freezing would do is
//! to delay checks.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod action;
mod agent;
mod budget;
mod candidate;
mod checklist;
mod checks;
mod config;
mod consent;
mod counters;
mod credentials;
mod error;
mod event;
mod foundation;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gathering;
mod generation;
mod local_address;
mod locals;
mod nomination;
mod outbox;
mod outstanding;
mod pair;
mod priority;
mod probe;
mod purpose;
mod relays;
mod remote;
mod requests;
mod resolve;
mod responses;
mod route;
mod search;
mod selection;
mod server;
mod servers;
mod streams;
mod traffic;
mod transmit;

pub use action::{Action, ActionId, ActionOutcome, Framing};
pub use agent::Agent;
pub use candidate::{Candidate, CandidateKind, NamedCandidate, RemoteCandidate, TcpType};
pub use config::{CandidateFilter, Config, Mode, Origin, Prefetch, Role, TcpPolicy, Timing, TransportPolicy};
pub use counters::Counters;
pub use credentials::Credentials;
pub use error::{LocalAddressError, RemoteCandidateError};
pub use event::{Event, GatheringState, ServerFailure, State};
pub use local_address::LocalAddress;
pub use pair::{PairState, PairStats};
pub use pavane_stun::LongTermCredentials;
pub use route::{Arrival, Route};
pub use server::{Host, Server, ServerUrl, ServerUrlError, Service};
pub use traffic::PairTraffic;
