//! How a message is to be delivered.

use core::time::Duration;

/// How a message is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendOptions {
    /// Whether it is delivered after the ordered messages that were sent before it on the stream.
    pub ordered: bool,
    /// How much is done for it.
    pub reliability: Reliability,
    /// Whether its bytes count in [`Association::buffered_amount`](crate::Association::buffered_amount): those of protocols
    /// above us do not, and stay out of the application's sight.
    pub counted: bool,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self { ordered: true, reliability: Reliability::Reliable, counted: true }
    }
}

/// How much is done for a message before it is given up (RFC 3758, RFC 7496).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliability {
    /// Everything, until it has arrived.
    #[default]
    Reliable,
    /// Each part of it is sent this many times more after the first.
    MaxRetransmits(u16),
    /// It is given up after this time.
    MaxLifetime(Duration),
}
