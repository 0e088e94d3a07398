//! Pavane on tokio: a [`Builder`] makes a [`PeerConnection`] with sockets of its own and spawns the task that drives it.
//!
//! Two peers in one program, which need no network and no signalling service to find each other:
//!
//! ```
//! use pavane_tokio::{Builder, ChannelInit, Event, Message};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let alice = Builder::new().include_loopback(true).build()?;
//! let bob = Builder::new().include_loopback(true).build()?;
//!
//! // Alice wants a channel, and offers one. Gathering takes moments: with the candidates inside, two descriptions are
//! // all that has to be exchanged.
//! let chat = alice.create_data_channel("chat", ChannelInit::default())?;
//! alice.set_local_description(None)?;
//! alice.gathering_complete().await;
//! bob.set_remote_description(alice.local_description().expect("it was just set"))?;
//! bob.set_local_description(None)?;
//! bob.gathering_complete().await;
//! alice.set_remote_description(bob.local_description().expect("it was just set"))?;
//!
//! chat.send(Message::text("Shall we dance?")).await?;
//!
//! while let Some(event) = bob.next_event().await {
//!     if let Event::Channel(channel) = event {
//!         assert_eq!(channel.label(), "chat");
//!         assert_eq!(channel.recv().await, Some(Message::text("Shall we dance?")));
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Handles, events and errors are those of `pavane-drive` and `pavane`, whatever the runtime. What is here is tokio's part
//! alone: readiness of sockets, a timer, a task.

#![forbid(unsafe_code)]

mod builder;
mod interfaces;
mod socket;
mod task;

pub use pavane;
pub use pavane::{
    CandidateError, ChannelInit, ChannelState, CloseReason, Config, ConnectionState, CreateChannelError,
    Description, IceCandidate, IceConnectionState, IceGatheringState, IceTiming, Message, SdpType, SendError,
    SignalingError, SignalingState, Stats,
};
pub use pavane_drive::{
    Clock, ConnectError, Counters, DataChannel, Event, Events, Messages, PeerConnection, seeded_rng,
    system_rng,
};

pub use builder::{BuildError, Builder};
