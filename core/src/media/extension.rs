//! Header extensions and their numbers (RFC 8285 §5 and §6).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::MediaKind;
use crate::sdp::{self, Direction};

/// A header extension that packets may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RTCRtpHeaderExtensionCapability")]
pub struct HeaderExtension {
    /// What it is.
    pub uri: Cow<'static, str>,
    /// The sections in which it is used; `None` for all.
    pub kind: Option<MediaKind>,
    /// The number that it has in our offers, unless that is taken.
    pub id: u8,
}

/// The extensions that are offered unless others are configured, with the numbers that browsers like to give them.
pub fn default_extensions() -> Vec<HeaderExtension> {
    use MediaKind::{Audio, Video};
    let table = [
        ("urn:ietf:params:rtp-hdrext:ssrc-audio-level", Some(Audio), 1),
        ("urn:ietf:params:rtp-hdrext:sdes:mid", None, 4),
        ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", Some(Video), 10),
        ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", Some(Video), 11),
        ("urn:3gpp:video-orientation", Some(Video), 13),
    ];
    table.into_iter().map(|(uri, kind, id)| HeaderExtension { uri: Cow::Borrowed(uri), kind, id }).collect()
}

/// The extensions of a section by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionIds(Vec<(u8, String)>);

impl ExtensionIds {
    /// The numbers that all sections of these descriptions give; one URI has one number throughout (RFC 8285 §6).
    pub(crate) fn in_use<'s>(sections: impl Iterator<Item = &'s sdp::MediaDescription>) -> Self {
        let mut ids = Self::default();
        for (id, uri) in sections.flat_map(Self::read_lines) {
            if ids.id(uri).is_none() {
                ids.0.push((id, uri.into()));
            }
        }
        ids
    }

    /// Those of a section that the other side may send to whoever wrote it, or the other way round.
    pub(crate) fn read(section: &sdp::MediaDescription) -> Self {
        Self(Self::read_lines(section).map(|(id, uri)| (id, uri.into())).collect())
    }

    fn read_lines(section: &sdp::MediaDescription) -> impl Iterator<Item = (u8, &str)> {
        section.attributes.iter().filter_map(|attribute| match attribute {
            sdp::Attribute::Extmap(map) if map.direction != Some(Direction::Inactive) => {
                u8::try_from(map.id).ok().filter(|id| !matches!(id, 0 | 15)).map(|id| (id, map.uri.as_str()))
            }
            _ => None,
        })
    }

    /// The number of an extension.
    pub(crate) fn id(&self, uri: &str) -> Option<u8> {
        self.0.iter().find(|(_, known)| known == uri).map(|(id, _)| *id)
    }

    /// All of them, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &str)> {
        self.0.iter().map(|(id, uri)| (*id, uri.as_str()))
    }

    /// Our extensions for a section of a new offer, with numbers that collide with none in use.
    pub(crate) fn numbered(ours: &[HeaderExtension], kind: MediaKind, in_use: &Self) -> Self {
        let mut all = in_use.clone();
        let mut section = Self::default();
        for extension in ours {
            let id = all.id(&extension.uri).or_else(|| all.free(extension.id));
            let Some(id) = id else { continue };
            if all.id(&extension.uri).is_none() {
                all.0.push((id, extension.uri.clone().into_owned()));
            }
            if extension.kind.is_none_or(|only| only == kind) {
                section.0.push((id, extension.uri.clone().into_owned()));
            }
        }
        section
    }

    /// Those of `offered` that we have, for an answer.
    pub(crate) fn common(offered: &Self, ours: &[HeaderExtension], kind: MediaKind) -> Self {
        let known =
            |uri: &str| ours.iter().any(|ours| ours.uri == uri && ours.kind.is_none_or(|only| only == kind));
        Self(offered.0.iter().filter(|(_, uri)| known(uri)).cloned().collect())
    }

    /// Drops what the predicate refuses.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(_, uri)| keep(uri));
    }

    /// The wanted number if it is free, else the lowest; those of one-byte headers first.
    fn free(&self, wanted: u8) -> Option<u8> {
        let taken = |id: &u8| self.0.iter().any(|(known, _)| known == id);
        core::iter::once(wanted).chain((1..=255).filter(|id| *id != 15)).find(|id| !taken(id))
    }

    /// The lines of a section.
    pub(crate) fn lines(&self) -> impl Iterator<Item = sdp::Attribute> {
        self.iter().map(|(id, uri)| {
            sdp::Attribute::Extmap(sdp::Extmap {
                id: u16::from(id),
                direction: None,
                uri: uri.into(),
                attributes: None,
            })
        })
    }
}
