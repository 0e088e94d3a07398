//! What the benchmarks ask of a stack, the same of each.

use std::net::SocketAddr;
use std::time::Duration;

/// A peer under a virtual clock, with one reliable, ordered channel.
pub trait Peer: Sized {
    /// The stack's name.
    const NAME: &'static str;

    /// Two peers, the first with the channel's creation behind it, that have exchanged descriptions at time zero; each
    /// holds up to `buffer` bytes of what is to be sent.
    fn pair(seed: u64, buffer: usize) -> (Self, Self);

    /// Hands every datagram that is to be sent to `out`.
    fn transmit(&mut self, now: Duration, out: &mut dyn FnMut(&[u8]));

    /// Takes a datagram.
    fn receive(&mut self, now: Duration, datagram: &mut [u8]);

    /// When it wants to be called again.
    fn timeout(&mut self) -> Option<Duration>;

    /// Does what is due.
    fn handle_timeout(&mut self, now: Duration);

    /// Whether its end of the channel is open.
    fn is_open(&mut self) -> bool;

    /// Sends a message if there is room.
    fn send(&mut self, now: Duration, message: &[u8]) -> bool;

    /// How many bytes of messages were received so far, and how many messages.
    fn received(&mut self, now: Duration) -> (u64, u64);
}

/// Where the two are.
pub fn addresses() -> [SocketAddr; 2] {
    ["192.0.2.1:4001".parse().unwrap(), "192.0.2.2:4002".parse().unwrap()]
}
