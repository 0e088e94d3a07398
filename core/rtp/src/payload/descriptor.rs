//! What one payload says of the frame that it belongs to.

use core::fmt;

use pavane_base::Truncated;

/// Whether a frame begins with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// The payload says so.
    Yes,
    /// The payload goes on with what one before it began.
    No,
    /// The format does not tell: it does if the packet before it ended a frame.
    Perhaps,
}

/// A frame's place among temporal layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The temporal layer, 0 for the lowest.
    pub temporal: u8,
    /// Whether the frame depends on the lowest layer alone.
    pub sync: bool,
    /// The number of the newest frame of the lowest layer, this one's own if it is of that.
    pub base: u8,
}

/// What one payload says of the frame that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Whether a frame begins with it.
    pub begins: Begins,
    /// Whether it shows that the frame is a key frame; not every packet of one does. Every packet of audio is one.
    pub keyframe: bool,
    /// How many bytes it adds to the frame, or a few less than that (AV1).
    pub media_len: usize,
    /// The frame's place among temporal layers, if the payload tells it.
    pub layer: Option<Layer>,
}

impl Descriptor {
    /// A payload that is a frame.
    pub(super) const fn whole(media_len: usize) -> Self {
        Self { begins: Begins::Yes, keyframe: true, media_len, layer: None }
    }
}

/// A payload is not what its format prescribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload is not what its format prescribes")
    }
}

impl core::error::Error for Malformed {}

impl From<Truncated> for Malformed {
    fn from(_: Truncated) -> Self {
        Self
    }
}
