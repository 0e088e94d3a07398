//! What every runtime adapter of Pavane shares: sockets, time, one bounded turn of work, and asynchronous handles.
//!
//! A [`Driver`] turns: it receives, fires timeouts, sends, and says what to wait for; whoever owns it waits for that, and
//! turns again. On an asynchronous runtime [`Task`] does so, and an adapter is an implementation of [`Runtime`]: sockets
//! that tell when they are ready, a timer, a way to spawn. In a loop of another kind the loop does so. The handles belong
//! to the application; they are made of a `Mutex` and of [`Waker`](core::task::Waker)s alone, so that the same ones serve
//! every runtime, and a thread that has none ([`block_on`]).
//!
//! ```text
//!   application ── PeerConnection, DataChannel ──┐ lock                 lock ┌── Driver::turn ── Socket ── network
//!                                                └──> pavane::PeerConnection <┘        │
//!                  <── wakers of waiting handles ─────────── events        waker ──────┘ of the task that turns
//! ```
//!
//! The lock is never held over a system call, nor while a waker is woken. A panic of the application inside one of its
//! own wakers or messages leaves nothing half done: the lock does not poison.
//!
//! A [`Driver`] serves one connection on sockets of its own, a [`Demux`] as many as there are behind the same sockets.

#![forbid(unsafe_code)]

mod batch;
mod block;
mod builder;
mod byte_stream;
mod channel;
mod clock;
mod demux;
mod driver;
mod event;
mod interfaces;
mod lookup;
mod mdns;
mod multicast;
mod peer;
#[cfg(any(feature = "rustls", feature = "openssl"))]
mod provider;
mod random;
mod runtime;
mod socket;
mod sockets;
mod state;
mod streams;
mod sync;
mod task;
mod track;
mod wait;

pub use batch::BatchedIo;
pub use block::{block_on, thread_waker};
pub use builder::{BuildError, Builder};
pub use byte_stream::ByteStream;
pub use channel::{DataChannel, Messages};
pub use clock::Clock;
pub use demux::{Demux, Demuxes, Port, PortCounters};
pub use driver::{Driver, Turn};
pub use event::{ConnectError, Event};
pub use lookup::{LookupId, look_up};
pub use mdns::MdnsMode;
pub use peer::{Events, PeerConnection};
#[cfg(any(feature = "rustls", feature = "openssl"))]
pub use provider::default_provider;
pub use random::{seeded_rng, system_rng};
pub use runtime::{Host, Readiness, Runtime, Timer};
pub use socket::{ReceiveMeta, Socket, Std, StdSocket};
pub use state::Counters;
pub use streams::{Listener, NoStream, StdListener, Stream, StreamSource, StreamTable, TlsConnector};
pub use task::{Drive, DriverTask, Task};
pub use track::{LocalTrack, Packets, RemoteTrack, RtpPacket, TransceiverState};
