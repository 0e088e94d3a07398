//! What every adapter is held to: whole peers over real sockets of the loopback interface.
//!
//! Each adapter's tests include this module and give it `Builder`, `build`, and the name of a `stdio` example if there is
//! one. The tests themselves run on tokio, whichever runtime drives the peers: the handles belong to none.

mod bytes;
mod closing;
pub(crate) mod common;
mod messages;
mod signaling;
mod waiting;

use super::{Builder, build};
