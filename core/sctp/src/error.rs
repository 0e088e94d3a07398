//! What the caller got wrong.

use core::fmt;

/// Why a message was not accepted for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The association is closing or closed.
    Closed,
    /// The peer accepts fewer streams.
    NoSuchStream,
    /// The stream is being reset; it can be used again after [`Event::StreamsReset`](crate::Event::StreamsReset).
    Resetting,
    /// A message has at least one byte on the wire.
    Empty,
    /// The message has more bytes than any message can have.
    TooLarge,
    /// The send buffer is full; [`Event::Writable`](crate::Event::Writable) tells when there is room.
    Full,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the association is closed",
            Self::NoSuchStream => "the peer does not accept that many streams",
            Self::Resetting => "the stream is being reset",
            Self::Empty => "a message cannot be empty",
            Self::TooLarge => "the message is too large",
            Self::Full => "the send buffer is full",
        })
    }
}

impl core::error::Error for SendError {}
