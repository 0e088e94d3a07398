//! Channels' names inside the program, and news of them.

use core::fmt;

use pavane_base::Key;

use crate::ChannelError;

/// A channel's name inside the program: it never means another channel, even after its stream has been used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub(crate) Key);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something happened to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The peer opened it; it is open.
    Announced(ChannelId),
    /// It was created here and is open.
    Opened(ChannelId),
    /// Messages wait, where none did.
    Readable(ChannelId),
    /// What waits to be sent is at the threshold or below.
    BufferedAmountLow(ChannelId),
    /// There is room again after [`SendError::Full`](crate::SendError::Full), for whichever channel.
    Writable,
    /// It broke; its end follows.
    Error(ChannelId, ChannelError),
    /// The peer closes it.
    Closing(ChannelId),
    /// It is closed. What was received and not read can still be read; then it is forgotten.
    Closed(ChannelId),
}
