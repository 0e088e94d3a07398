//! Pavane on smol: a [`Builder`] makes a [`PeerConnection`] with sockets of its own and spawns the task that drives it.
//!
//! Two peers in one program, which need no network and no signalling service to find each other:
//!
//! ```
//! use pavane_smol::{Builder, ChannelInit, Event, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # smol::block_on(async {
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
//! # })
//! # }
//! ```
//!
//! Handles, events and errors are those of `pavane-drive` and `pavane`, whatever the runtime. What is here is smol's part
//! alone: readiness of sockets and a timer, which are async-io's, tasks, names.
//!
//! [`Builder::build`](pavane_drive::Builder::build) spawns on smol's global executor. async-io's reactor has a thread of
//! its own, so that the task which [`Builder::build_task`](pavane_drive::Builder::build_task) gives runs on any other
//! executor too.
//!
//! Cryptography is aws-lc-rs's by default (feature `rustls`), or OpenSSL's (`default-features = false` and feature
//! `openssl`), or the application's own ([`Builder::with_provider`](pavane_drive::Builder::with_provider)).

#![forbid(unsafe_code)]

mod socket;
mod stream;

use std::future::Future;
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};

use pavane_drive::{Host, Runtime, look_up};

pub use pavane;
pub use pavane::{
    CandidateError, ChannelInit, ChannelState, CloseReason, Config, ConnectionState, CreateChannelError,
    Description, IceCandidate, IceConnectionState, IceGatheringState, IceTiming, Message, SdpType, SendError,
    SignalingError, SignalingState, Stats,
};
pub use pavane_drive::{
    BuildError, ByteStream, Clock, ConnectError, Counters, DataChannel, Event, Events, LocalTrack, MdnsMode,
    Messages, Packets, PeerConnection, Port, PortCounters, RemoteTrack, RtpPacket, TlsConnector,
    TransceiverState, seeded_rng, system_rng,
};

pub use socket::{SmolSocket, SmolTimer};
pub use stream::{SmolListener, SmolStream};

/// Makes connections that smol drives; see [`pavane_drive::Builder`].
pub type Builder = pavane_drive::Builder<Smol>;

/// smol, as the drivers see it.
#[derive(Debug)]
pub enum Smol {}

impl Host for Smol {
    type Socket = SmolSocket;
    type Stream = SmolStream;
    type Listener = SmolListener;

    fn socket(socket: UdpSocket) -> io::Result<SmolSocket> {
        SmolSocket::new(socket)
    }

    fn stream(stream: TcpStream) -> io::Result<SmolStream> {
        SmolStream::new(stream)
    }

    fn listener(listener: TcpListener) -> io::Result<SmolListener> {
        SmolListener::new(listener)
    }
}

impl Runtime for Smol {
    type Timer = SmolTimer;

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }

    fn resolve(name: String) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static {
        blocking::unblock(move || Ok(look_up(&name)))
    }
}
