//! WebRTC as a deterministic state machine without I/O.
//!
//! A [`PeerConnection`] is driven by a loop that the caller owns. The loop tells it what time it is and which datagrams
//! arrived, and asks it what to send, what happened, and when to come back:
//!
//! ```text
//!             ┌───────────────────────────────────────────────┐
//!  datagrams ─▶ handle_datagram                 poll_transmit ─▶ datagrams
//!       time ─▶ handle_timeout    PeerConnection poll_timeout ─▶ when to come back
//!   outcomes ─▶ handle_action                     poll_action ─▶ names to resolve
//!   commands ─▶ create_offer, channel, close …     poll_event ─▶ what happened
//!             └───────────────────────────────────────────────┘
//! ```
//!
//! There is no clock, no socket, no thread and no global state in here: the same configuration, seed and calls give the
//! same outputs, byte for byte. Adapters for runtimes drive the loop for those who do not want to; `pavane-tokio` is one.
//!
//! # The loop
//!
//! Two peers that exchange datagrams through memory, with a clock that moves from deadline to deadline:
//!
//! ```
//! use std::net::SocketAddr;
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use pavane::{Config, Datagram, Epoch, Event, Instant, Message, PeerConnection};
//! use rand_chacha::ChaCha20Rng;
//! use rand_core::SeedableRng;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut now = Instant::ZERO;
//! let epoch = Epoch { at: now, unix: Duration::from_secs(1_800_000_000) };
//! let provider = pavane_crypto_rustls::provider();
//!
//! let mut peer = |seed, address: &str| -> Result<PeerConnection, Box<dyn std::error::Error>> {
//!     let mut rng = ChaCha20Rng::seed_from_u64(seed); // in production: from the operating system
//!     let config = Config::new(provider.clone(), &mut rng, &epoch);
//!     let mut peer = PeerConnection::new(Arc::new(config), Box::new(rng), epoch)?;
//!     let address: SocketAddr = address.parse()?; // the address of a socket
//!     peer.add_local_address(now, address)?;
//!     peer.end_of_local_addresses(now);
//!     Ok(peer)
//! };
//! let mut alice = peer(1, "192.0.2.1:5000")?;
//! let mut bob = peer(2, "192.0.2.2:5000")?;
//!
//! // Signalling: an offer there, an answer back.
//! let chat = alice.create_data_channel(now, "chat", Default::default())?;
//! alice.set_local_description(now, None)?;
//! bob.set_remote_description(now, alice.local_description().unwrap())?;
//! bob.set_local_description(now, None)?;
//! alice.set_remote_description(now, bob.local_description().unwrap())?;
//!
//! let mut buf = Vec::new();
//! let mut heard = None;
//! while heard.is_none() {
//!     // Send what is to be sent: here, hand it to the other end.
//!     for turn in 0..2 {
//!         let (from, to) = if turn == 0 { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
//!         while let Some(transmit) = from.poll_transmit(now, 1, &mut buf) {
//!             let path = pavane::Path { local: transmit.path.remote, remote: transmit.path.local, ..transmit.path };
//!             to.handle_datagram(now, Datagram { path, ecn: transmit.ecn, payload: &mut buf });
//!             buf.clear();
//!         }
//!     }
//!     // See what happened.
//!     while let Some(event) = alice.poll_event() {
//!         if event == Event::ChannelOpened(chat) {
//!             alice.channel(chat).unwrap().send(now, Message::text("Shall we dance?"))?;
//!         }
//!     }
//!     while let Some(event) = bob.poll_event() {
//!         if let Event::ChannelReadable(id) = event {
//!             heard = bob.channel(id).and_then(|mut channel| channel.recv(now));
//!         }
//!     }
//!     // Come back when the first of the two has something to do.
//!     let next = [alice.poll_timeout(), bob.poll_timeout()].into_iter().flatten().min();
//!     now = now.max(next.unwrap_or(now));
//!     alice.handle_timeout(now);
//!     bob.handle_timeout(now);
//! }
//! assert_eq!(heard, Some(Message::text("Shall we dance?")));
//! # Ok(())
//! # }
//! ```
//!
//! # The layers
//!
//! Each protocol is a crate of its own and can be used alone: [`ice`], [`dtls`], [`sctp`], [`datachannel`], [`sdp`], on
//! [`base`] and [`crypto`].

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod config;
mod description;
mod error;
mod event;
mod ice_server;
mod media;
mod peer;
mod received;
mod state;
mod stats;

pub use pavane_base as base;
pub use pavane_crypto as crypto;
pub use pavane_datachannel as datachannel;
pub use pavane_dtls as dtls;
pub use pavane_ice as ice;
use pavane_mdns as mdns;
pub use pavane_rtp as rtp;
pub use pavane_sctp as sctp;
pub use pavane_sdp as sdp;
pub use pavane_srtp as srtp;
pub use pavane_turn as turn;

pub use pavane_base::{Datagram, Ecn, Epoch, Instant, Path, Transmit, Transport};
pub use pavane_datachannel::{
    ChannelError, ChannelId, ChannelInit, ChannelState, CreateError as CreateChannelError, Message, Priority,
    SendError,
};
pub use pavane_ice::{
    Action, ActionId, ActionOutcome, CandidateFilter, Framing, LocalAddress, Mode as IceMode,
    Origin as CandidateOrigin, ServerFailure, ServerUrlError, TcpPolicy as IceTcpPolicy,
    TransportPolicy as IceTransportPolicy,
};
pub use pavane_sctp::StreamId;
pub use pavane_sdp::Direction;

pub use config::{Config, ConfigError, HostAddresses, IceTiming};
pub use description::{Description, IceCandidate, SdpType};
pub use error::{CandidateError, Required, SignalingError, TrackError, WriteError};
pub use event::{CloseReason, Event, TrackEvent};
pub use ice_server::{IceServer, IceServerError};
pub use media::{
    Codec, CodecParameters, Feedback, FrameOptions, HeaderExtension, InvalidName, MediaKind, ReceiverId,
    SenderId, Track, TrackInit, TransceiverId, TransceiverInit, default_codecs, default_extensions,
};
pub use peer::{Channel, PeerConnection, RtpReceiver, RtpSender, RtpTransceiver};
pub use received::{Received, ReceivedRtp};
pub use state::{ConnectionState, IceConnectionState, IceGatheringState, SignalingState};
pub use stats::{
    CertificateStats, CodecStats, DataChannelStats, Drops, DtlsRole, DtlsStats, IceCandidatePairStats,
    IceCandidateStats, InboundRtpStats, MediaSourceStats, OutboundRtpStats, PeerConnectionStats,
    RemoteInboundRtpStats, RemoteOutboundRtpStats, Stats, StatsEntry, StatsId, StatsObject, StatsReport,
    StatsValue, Traffic, TransportStats, UnixTime,
};
