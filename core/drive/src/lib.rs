//! What every runtime adapter of Pavane shares: sockets, time, one bounded turn of work, and asynchronous handles.
//!
//! An adapter makes a [`Driver`] and a [`PeerConnection`] with [`Driver::new`], gives the driver its sockets, and then
//! does for ever the same three things: call [`Driver::turn`], wait for what the turn says, repeat. The handles belong to
//! the application; they are made of a `Mutex` and of [`Waker`](core::task::Waker)s alone, so that the same ones serve
//! every runtime.
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
//! A driver serves one connection on sockets of its own. Serving many on one socket takes a table from 5-tuples and ICE
//! user fragments to connections in front of [`pavane::PeerConnection::handle_datagram`], and a heap of deadlines; the
//! [`Socket`] trait and the handles are made so that nothing in them would change.

#![forbid(unsafe_code)]

mod channel;
mod clock;
mod driver;
mod event;
mod peer;
mod random;
mod socket;
mod state;
mod wait;

pub use channel::{DataChannel, Messages};
pub use clock::Clock;
pub use driver::{Driver, Turn};
pub use event::{ConnectError, Event};
pub use peer::{Events, PeerConnection};
pub use random::{seeded_rng, system_rng};
pub use socket::{ReceiveMeta, Socket, StdSocket};
pub use state::Counters;
