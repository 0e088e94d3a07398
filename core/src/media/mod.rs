//! Media as descriptions see it: codecs, header extensions, transceivers and their sections.
//!
//! Nothing in here sends or receives; [`crate::peer`] does, by what is agreed here.

mod codec;
mod extension;
mod formats;
mod inbox;
mod section;
mod track;
mod transceiver;

use alloc::string::String;
use core::fmt;

use pavane_base::rand_core::CryptoRng;

pub use codec::{Codec, CodecParameters, Feedback, default_codecs};
pub use extension::{HeaderExtension, default_extensions};
pub use inbox::FrameOptions;
pub use track::{InvalidName, Track, TrackInit};
pub use transceiver::{ReceiverId, SenderId, TransceiverId, TransceiverInit};

pub(crate) use extension::ExtensionIds;
pub(crate) use formats::PayloadTypes;
pub(crate) use inbox::{FrameInbox, Keyframe};
pub(crate) use section::{
    RemoteMedia, RemoteSource, attributes as section_attributes, formats as section_formats,
};
pub(crate) use transceiver::{
    Agreement, Life, Media, Origin, OurSection, Section, TheirSection, Transceiver,
};

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

impl MediaKind {
    /// Its name in descriptions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// The kind of a section that carries tracks.
    pub(crate) fn of(section: &crate::sdp::MediaDescription) -> Option<Self> {
        let secured = section
            .protocol
            .split('/')
            .any(|part| part == "SAVPF" || part == "SAVP" || part == "AVPF" || part == "AVP");
        match section.kind {
            crate::sdp::MediaKind::Audio if secured => Some(Self::Audio),
            crate::sdp::MediaKind::Video if secured => Some(Self::Video),
            _ => None,
        }
    }

    pub(crate) const fn sdp(self) -> crate::sdp::MediaKind {
        match self {
            Self::Audio => crate::sdp::MediaKind::Audio,
            Self::Video => crate::sdp::MediaKind::Video,
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Draws a name of 16 characters: 96 bits, enough that none is met twice (RFC 7022 §4.2).
pub(crate) fn random_name(rng: &mut dyn CryptoRng) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
}
