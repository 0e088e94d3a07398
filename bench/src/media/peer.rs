//! What the media benchmarks ask of a stack, the same of each.

use std::time::Duration;

pub use pavane::srtp::Profile;

/// A peer under a virtual clock that sends or receives one track of pictures, as whole packets of RTP.
///
/// A turn of its loop is [`receive`](Self::receive) for each datagram that has come, or packets that are written; then
/// [`handle_timeout`](Self::handle_timeout) if that is due; then [`transmit`](Self::transmit).
pub trait MediaPeer: Sized {
    /// The stack's name.
    const NAME: &'static str;

    /// A payload that is shared, not copied, by all who send it.
    type Payload: Clone;

    /// A packet that was received and is to be sent by others.
    type Packet;

    /// Two peers that have exchanged descriptions at time zero, the first of which sends to the other; none if the stack
    /// does not know the profile.
    fn pair(profile: Profile) -> Option<(Self, Self)>;

    /// Takes a datagram, and counts the packet that it brings.
    fn receive(&mut self, now: Duration, datagram: &mut [u8]);

    /// Takes a datagram, and hands over the packet that it brings.
    fn receive_packet(&mut self, now: Duration, datagram: &[u8]) -> Option<Self::Packet>;

    /// Does what is due.
    fn handle_timeout(&mut self, now: Duration);

    /// Hands every datagram that is to be sent to `out`.
    fn transmit(&mut self, now: Duration, out: &mut dyn FnMut(&mut [u8]));

    /// When it wants to be called again.
    fn timeout(&mut self) -> Option<Duration>;

    /// Whether media can be sent.
    fn is_connected(&self) -> bool;

    /// A payload to be written.
    fn payload(bytes: &[u8]) -> Self::Payload;

    /// Sends the packet of this number.
    fn write(&mut self, now: Duration, number: u64, payload: &Self::Payload);

    /// Sends a packet that another peer received.
    fn forward(&mut self, now: Duration, packet: &Self::Packet);

    /// How many packets were received so far.
    fn received(&self) -> u64;
}
