//! Pavane on mio: connections in a loop of the program's own ([`Reactor`]), or on a thread that has one ([`Loop`]).
//!
//! Two peers in one program, which need no network and no signalling service to find each other, on a loop that the
//! program owns:
//!
//! ```
//! use std::sync::Arc;
//!
//! use mio::{Events, Poll, Token, Waker};
//! use pavane_mio::{Builder, ChannelInit, Event, IceGatheringState, Message, Reactor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut poll = Poll::new()?;
//! let waker = Arc::new(Waker::new(poll.registry(), Token(0))?);
//! let mut reactor = Reactor::new(poll.registry(), waker, Token(1))?;
//! let alice = reactor.peer(Builder::new().include_loopback(true))?;
//! let bob = reactor.peer(Builder::new().include_loopback(true))?;
//!
//! let chat = alice.create_data_channel("chat", ChannelInit::default())?;
//! alice.set_local_description(None)?;
//! # assert_eq!(alice.ice_gathering_state(), IceGatheringState::Complete);
//! bob.set_remote_description(alice.local_description().expect("it was just set"))?;
//! bob.set_local_description(None)?;
//! alice.set_remote_description(bob.local_description().expect("it was just set"))?;
//!
//! let mut events = Events::with_capacity(64);
//! let (mut sent, mut channel) = (false, None);
//! loop {
//!     let timeout = reactor.turn();
//!     poll.poll(&mut events, timeout)?;
//!     for event in &events {
//!         reactor.handle_event(event);
//!     }
//!     // The program's own work between turns, with functions that do not wait.
//!     if !sent {
//!         sent = chat.try_send(Message::text("Shall we dance?")).is_ok();
//!     }
//!     while let Some(event) = bob.try_next_event() {
//!         if let Event::Channel(opened) = event {
//!             channel = Some(opened);
//!         }
//!     }
//!     if let Some(message) = channel.as_ref().and_then(|channel| channel.try_recv()) {
//!         assert_eq!(message, Message::text("Shall we dance?"));
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The same on a thread of its own, and with functions that block:
//!
//! ```
//! use pavane_mio::{Builder, Loop, block_on};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let peer = Loop::spawn()?.peer(Builder::new().include_loopback(true))?;
//! peer.create_data_channel("chat", Default::default())?;
//! peer.set_local_description(None)?;
//! block_on(peer.gathering_complete());
//! # Ok(())
//! # }
//! ```
//!
//! Handles, events and errors are those of `pavane-drive` and `pavane`, whatever the runtime. What is here is mio's part
//! alone: readiness, tokens, deadlines.
//!
//! Cryptography is aws-lc-rs's by default (feature `rustls`), or OpenSSL's (`default-features = false` and feature
//! `openssl`), or the application's own ([`Builder::with_provider`](pavane_drive::Builder::with_provider)).

#![forbid(unsafe_code)]

mod lookup;
mod reactor;
mod socket;
mod stream;
mod thread;

use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};

use pavane_drive::Host;

pub use pavane;
pub use pavane::{
    CandidateError, ChannelInit, ChannelState, CloseReason, Config, ConnectionState, CreateChannelError,
    Description, IceCandidate, IceConnectionState, IceGatheringState, IceTiming, Message, SdpType, SendError,
    SignalingError, SignalingState, Stats,
};
pub use pavane_drive::{
    BuildError, Clock, ConnectError, Counters, DataChannel, Event, Events, LocalTrack, MdnsMode, Messages,
    Packets, PeerConnection, Port, PortCounters, RemoteTrack, RtpPacket, TlsConnector, TransceiverState,
    block_on, seeded_rng, system_rng,
};

pub use reactor::Reactor;
pub use socket::MioSocket;
pub use stream::{MioListener, MioStream};
pub use thread::Loop;

/// Makes connections that a [`Reactor`] or a [`Loop`] drives; see [`pavane_drive::Builder`].
pub type Builder = pavane_drive::Builder<Mio>;

/// mio, as the drivers see it.
#[derive(Debug)]
pub enum Mio {}

impl Host for Mio {
    type Socket = MioSocket;
    type Stream = MioStream;
    type Listener = MioListener;

    fn socket(socket: UdpSocket) -> io::Result<MioSocket> {
        MioSocket::new(socket)
    }

    fn stream(stream: TcpStream) -> io::Result<MioStream> {
        Ok(MioStream::new(stream))
    }

    fn listener(listener: TcpListener) -> io::Result<MioListener> {
        MioListener::new(listener)
    }
}
