//! What every layer of Pavane stands on: time that the caller gives, a table of timers, byte cursors, serial-number
//! arithmetic, generational slabs, and the datagrams that go in and out.
//!
//! Nothing here knows a protocol. There is no clock, no global state and no source of randomness: whoever embeds the
//! core hands in all three.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cursor;
mod datagram;
mod random;
mod serial;
mod slab;
mod sparing;
mod time;
mod timers;

pub use bytes;
pub use rand_core;

pub use cursor::{LengthPrefix, Reader, Truncated, WriteExt};
pub use datagram::{Datagram, Ecn, Path, Transmit, Transport};
pub use random::random_array;
pub use serial::extend_u16;
pub use slab::{Key, Slab};
pub use sparing::RoomForOne;
pub use time::{Epoch, Instant, earliest};
pub use timers::{TimerKind, Timers};
