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
//! alone: readiness of sockets, a timer, tasks, names.
//!
//! Cryptography is aws-lc-rs's by default (feature `rustls`), or OpenSSL's (`default-features = false` and feature
//! `openssl`), or the application's own ([`Builder::with_provider`](pavane_drive::Builder::with_provider)).

#![forbid(unsafe_code)]

mod byte_stream;
mod socket;
mod stream;

use std::future::Future;
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};

use pavane_drive::{Host, Runtime};

pub use pavane;
pub use pavane::{
    CandidateError, ChannelInit, ChannelState, CloseReason, Config, ConnectionState, CreateChannelError,
    Description, IceCandidate, IceConnectionState, IceGatheringState, IceTiming, Message, SdpType, SendError,
    SignalingError, SignalingState, Stats,
};
pub use pavane_drive::{
    BuildError, Clock, ConnectError, Counters, DataChannel, Event, Events, LocalTrack, MdnsMode, Messages,
    Packets, PeerConnection, Port, PortCounters, RemoteTrack, RtpPacket, TlsConnector, TransceiverState,
    seeded_rng, system_rng,
};

pub use byte_stream::ByteStream;
pub use socket::{TokioSocket, TokioTimer};
pub use stream::{TokioListener, TokioStream};

/// Makes connections that tokio drives; see [`pavane_drive::Builder`].
///
/// Connections have to be built in a tokio runtime with I/O and time.
pub type Builder = pavane_drive::Builder<Tokio>;

/// tokio, as the drivers see it.
#[derive(Debug)]
pub enum Tokio {}

impl Host for Tokio {
    type Socket = TokioSocket;
    type Stream = TokioStream;
    type Listener = TokioListener;

    fn socket(socket: UdpSocket) -> io::Result<TokioSocket> {
        TokioSocket::new(socket)
    }

    fn stream(stream: TcpStream) -> io::Result<TokioStream> {
        TokioStream::new(stream)
    }

    fn listener(listener: TcpListener) -> io::Result<TokioListener> {
        TokioListener::new(listener)
    }

    /// tokio's clock, which tests can pause.
    fn clock() -> Clock {
        Clock::new(|| tokio::time::Instant::now().into_std())
    }
}

impl Runtime for Tokio {
    type Timer = TokioTimer;

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    async fn resolve(name: String) -> io::Result<Vec<IpAddr>> {
        let addresses = tokio::net::lookup_host((name, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}
