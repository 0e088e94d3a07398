//! What header extensions say: their kinds, the ids that a session gave them, and their values.

use core::fmt;
use core::num::NonZeroU8;

mod kind;
mod map;
mod record;
mod values;

pub use kind::ExtensionKind;
pub use map::{ExtensionMap, ExtensionMapError};
pub use record::ExtensionValues;
pub use values::{
    AbsoluteCaptureTime, AbsoluteSendTime, AudioLevel, FeedbackRequest, PlayoutDelay, Rotation,
    TransportSequence, VideoOrientation,
};

/// The number that a session gave a header extension, 1 to 255 (RFC 8285 §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionId(NonZeroU8);

impl ExtensionId {
    /// The id of this number; 0 is padding.
    pub const fn new(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Debug for ExtensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionId({})", self.get())
    }
}
