//! What a datagram brought that is for the application at once.

use crate::ReceiverId;
use crate::rtp::receive::{Place, Via};
use crate::rtp::{ExtensionValues, Packet};

/// What came out of a datagram, where it lies in that.
///
/// Only media comes this way. Messages of data channels wait until they are read, so that a slow reader slows nobody
/// else down.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is looked at where it is returned, and kept nowhere")]
pub enum Received<'d> {
    /// Nothing that the application is to see at once.
    Nothing,
    /// A packet of a track.
    Rtp(ReceivedRtp<'d>),
}

/// A packet of a track of the peer's: decrypted, checked, its place in the stream known; each once.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReceivedRtp<'d> {
    /// Whose it is.
    pub receiver: ReceiverId,
    /// The packet; of a retransmission, the original.
    pub packet: Packet<'d>,
    /// What its header extension says.
    pub values: ExtensionValues<'d>,
    /// Its place in its stream, in numbers that do not wrap.
    pub place: Place,
    /// How it came.
    pub via: Via,
}
