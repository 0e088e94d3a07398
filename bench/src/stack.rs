//! What the benchmarks ask of a stack, the same of each.

use std::net::SocketAddr;
use std::time::Duration;

/// A peer under a virtual clock, with one reliable, ordered channel.
///
/// A turn of its loop is [`receive`](Self::receive) for each datagram that has come, or
/// [`handle_timeout`](Self::handle_timeout); then [`attend`](Self::attend); then [`transmit`](Self::transmit).
pub trait Peer: Sized {
    /// The stack's name.
    const NAME: &'static str;

    /// Whether [`outstanding`](Self::outstanding) counts what is in flight.
    const COUNTS_IN_FLIGHT: bool = false;

    /// Two peers, the first with the channel's creation behind it, that have exchanged descriptions at time zero; each
    /// takes up to `buffer` bytes that the other has not acknowledged.
    fn pair(seed: u64, buffer: usize) -> (Self, Self);

    /// Takes a datagram.
    fn receive(&mut self, now: Duration, datagram: &mut [u8]);

    /// Does what is due.
    fn handle_timeout(&mut self, now: Duration);

    /// Sees what happened, and reads every message that has come.
    fn attend(&mut self, now: Duration);

    /// Hands every datagram that is to be sent to `out`.
    fn transmit(&mut self, now: Duration, out: &mut dyn FnMut(&[u8]));

    /// When it wants to be called again.
    fn timeout(&mut self) -> Option<Duration>;

    /// Whether its end of the channel is open.
    fn is_open(&self) -> bool;

    /// Bytes of messages that the other end has not acknowledged, sent or not.
    fn outstanding(&mut self, now: Duration) -> usize;

    /// Sends a message, copying it out of the application's hands; whether it was taken.
    fn send(&mut self, now: Duration, message: &[u8]) -> bool;

    /// How many messages were read so far.
    fn received(&self) -> u64;

    /// What it says of itself.
    fn note(&self) -> String {
        String::new()
    }
}

/// Where the two are.
pub fn addresses() -> [SocketAddr; 2] {
    ["192.0.2.1:4001".parse().unwrap(), "192.0.2.2:4002".parse().unwrap()]
}

/// The largest payload of a DATA chunk, of every stack: what the IPv6 minimum MTU leaves of 1280 bytes.
pub const FRAGMENT: usize = 1160;

/// The receive window of every stack.
pub const WINDOW: u32 = 8 << 20;
