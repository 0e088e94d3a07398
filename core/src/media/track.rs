//! Tracks and the streams that they belong to.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use pavane_base::rand_core::CryptoRng;

use super::{MediaKind, random_name};

/// A source of media that is sent, by name; the media itself is written to its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MediaStreamTrack")]
pub struct Track {
    /// What it carries.
    pub kind: MediaKind,
    /// Its name, which the peer may see.
    pub id: String,
    /// The streams that it is part of; the peer plays tracks of one stream in step.
    pub streams: Vec<String>,
}

/// A track to be: its kind, and the names that it is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackInit {
    kind: MediaKind,
    id: Option<String>,
    streams: Vec<String>,
}

impl TrackInit {
    /// A track of this kind, with a random name and without streams.
    pub const fn new(kind: MediaKind) -> Self {
        Self { kind, id: None, streams: Vec::new() }
    }

    /// A track of sound.
    pub const fn audio() -> Self {
        Self::new(MediaKind::Audio)
    }

    /// A track of pictures.
    pub const fn video() -> Self {
        Self::new(MediaKind::Video)
    }

    /// Names the track.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Puts the track into one more stream.
    #[must_use]
    pub fn stream(mut self, stream: impl Into<String>) -> Self {
        self.streams.push(stream.into());
        self
    }

    /// What the track carries.
    pub const fn kind(&self) -> MediaKind {
        self.kind
    }

    pub(crate) fn into_track(self, rng: &mut dyn CryptoRng) -> Result<Track, InvalidName> {
        let Self { kind, id, streams } = self;
        check_names(id.iter().chain(&streams))?;
        Ok(Track { kind, id: id.unwrap_or_else(|| random_name(rng)), streams })
    }
}

/// A name that a description cannot carry: 1 to 64 characters of a token (RFC 8830 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidName;

pub(crate) fn check_names<'n>(mut names: impl Iterator<Item = &'n String>) -> Result<(), InvalidName> {
    let fits = |name: &String| {
        (1..=64).contains(&name.len())
            && name != "-"
            && name.bytes().all(|byte| byte.is_ascii_graphic() && !br#""(),/:;<=>?@[\]"#.contains(&byte))
    };
    match names.all(fits) {
        true => Ok(()),
        false => Err(InvalidName),
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a track or stream is not a token of 1 to 64 characters")
    }
}

impl core::error::Error for InvalidName {}
