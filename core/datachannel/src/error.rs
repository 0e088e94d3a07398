//! What a caller can get wrong.

use core::fmt;

/// A channel that was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// The connection is closed.
    Closed,
    /// The label is longer than 65535 bytes.
    LabelTooLong,
    /// The protocol's name is longer than 65535 bytes.
    ProtocolTooLong,
    /// Lifetime and number of retransmissions are both limited.
    BothLimits,
    /// The id is 65535, which stands for none.
    InvalidId,
    /// The id is beyond the streams that the association has.
    IdOutOfRange,
    /// Another channel has the id.
    IdTaken,
    /// Every id is taken.
    NoIdLeft,
}

impl CreateError {
    /// The name of the exception that W3C's API throws.
    pub const fn dom_name(&self) -> &'static str {
        match self {
            Self::Closed => "InvalidStateError",
            Self::LabelTooLong | Self::ProtocolTooLong | Self::BothLimits | Self::InvalidId => "TypeError",
            Self::IdOutOfRange | Self::IdTaken | Self::NoIdLeft => "OperationError",
        }
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closed",
            Self::LabelTooLong => "the label is longer than 65535 bytes",
            Self::ProtocolTooLong => "the protocol is longer than 65535 bytes",
            Self::BothLimits => "lifetime and retransmissions cannot both be limited",
            Self::InvalidId => "65535 is no id",
            Self::IdOutOfRange => "the id is out of range",
            Self::IdTaken => "the id is taken",
            Self::NoIdLeft => "every id is taken",
        })
    }
}

impl core::error::Error for CreateError {}

/// A message that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is not open.
    NotOpen,
    /// The message is larger than the peer takes.
    TooLarge {
        /// How large it may be.
        max: u64,
    },
    /// Too much waits to be sent already.
    Full,
}

impl SendError {
    /// The name of the exception that W3C's API throws.
    pub const fn dom_name(&self) -> &'static str {
        match self {
            Self::NotOpen => "InvalidStateError",
            Self::TooLarge { .. } => "TypeError",
            Self::Full => "OperationError",
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("the channel is not open"),
            Self::TooLarge { max } => write!(f, "the peer takes messages of at most {max} bytes"),
            Self::Full => f.write_str("the send buffer is full"),
        }
    }
}

impl core::error::Error for SendError {}

/// Why a channel broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// The association below it ended, and not gracefully.
    AssociationLost,
    /// The peer began anew and knows nothing of the channel.
    Restarted,
    /// The peer sent what is no message.
    InvalidMessage,
    /// The association turned out to have too few streams.
    NoStream,
    /// Its opening could not be sent.
    NotAnnounced,
}

impl ChannelError {
    /// The name of the error that W3C's API reports.
    pub const fn dom_name(&self) -> &'static str {
        "OperationError"
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AssociationLost => "the association was lost",
            Self::Restarted => "the peer began anew",
            Self::InvalidMessage => "the peer sent what is no message",
            Self::NoStream => "the association has too few streams",
            Self::NotAnnounced => "the peer could not be told of the channel",
        })
    }
}

impl core::error::Error for ChannelError {}
