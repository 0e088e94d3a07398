//! What a remote description says, as far as it concerns us.

use alloc::string::String;
use alloc::vec::Vec;

use pavane_crypto::{Fingerprint, HashAlgorithm};

use super::local;
use crate::error::{Required, SignalingError};
use crate::media::RemoteMedia;
use crate::sdp::{Attribute, MediaDescription, MediaKind, SessionDescription, Setup};
use crate::{Description, SdpType, ice};

/// A remote description that can be applied.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) kind: SdpType,
    pub(super) sdp: SessionDescription,
    sections: Vec<RemoteSection>,
}

/// What a section says; there is no transport where it is rejected or not understood.
#[derive(Clone, Debug)]
struct RemoteSection {
    content: Content,
    transport: Option<RemoteTransport>,
}

/// What a section is for.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Data(DataSection),
    Media(RemoteMedia),
    /// Something that we do not know, or nothing as it is rejected.
    None,
}

/// What data channels need to know.
#[derive(Clone, Debug)]
pub(super) struct DataSection {
    pub(super) sctp_port: u16,
    /// `None`: the peer takes messages of any size.
    pub(super) max_message_size: Option<u64>,
    /// The INIT chunk of the peer's association, if it says it beforehand.
    pub(super) init: Option<Vec<u8>>,
}

/// ICE's and DTLS's part of a section.
#[derive(Clone, Debug)]
pub(super) struct RemoteTransport {
    pub(super) credentials: ice::Credentials,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) setup: Setup,
    pub(super) lite: bool,
}

/// How many sections a description may have.
const MAX_SECTIONS: usize = 512;

impl Remote {
    /// Reads a description.
    pub(super) fn read(description: &Description) -> Result<Self, SignalingError> {
        Self::of(description.kind, description.sdp.parse().map_err(SignalingError::Syntax)?)
    }

    /// What a description says.
    pub(super) fn of(kind: SdpType, sdp: SessionDescription) -> Result<Self, SignalingError> {
        if sdp.media.len() > MAX_SECTIONS {
            return Err(SignalingError::TooManySections { max: MAX_SECTIONS });
        }
        let sections = (0..sdp.media.len()).map(|index| RemoteSection::read(&sdp, index, kind));
        let sections = sections.collect::<Result<_, _>>()?;
        Ok(Self { kind, sdp, sections })
    }

    /// The description as an application sees it.
    pub(super) fn description(&self) -> Description {
        Description { kind: self.kind, sdp: alloc::format!("{}", self.sdp) }
    }

    /// The mids of the bundle.
    pub(super) fn bundle(&self) -> Option<&Vec<String>> {
        local::bundle(&self.sdp)
    }

    /// The transport that all that is bundled uses, with the index of its section: the group's first section that is not
    /// rejected (RFC 9143 §7.3.1), or without a group the first of all.
    pub(super) fn transport(&self) -> Option<(usize, &RemoteTransport)> {
        let index = match self.bundle() {
            Some(mids) => mids.iter().find_map(|mid| {
                let index = self.sdp.media.iter().position(|section| section.mid() == Some(mid))?;
                self.transport_at(index).map(|_| index)
            }),
            None => self.sections.iter().position(|section| section.transport.is_some()),
        }?;
        Some((index, self.transport_at(index)?))
    }

    /// The transport that a section speaks of.
    pub(super) fn transport_at(&self, index: usize) -> Option<&RemoteTransport> {
        self.sections.get(index)?.transport.as_ref()
    }

    /// What a section is for, unless it is rejected.
    pub(super) fn content(&self, index: usize) -> &Content {
        self.sections.get(index).map_or(&Content::None, |section| &section.content)
    }

    /// What a section is for, unless it is rejected or not bundled with the others.
    pub(super) fn usable(&self, index: usize) -> Option<&Content> {
        let (tag, _) = self.transport()?;
        let mid = self.sdp.media.get(index)?.mid();
        let bundled = self.bundle().is_some_and(|mids| mids.iter().any(|known| mid == Some(known)));
        (index == tag || bundled).then(|| self.content(index))
    }

    /// The section for data channels, with its index.
    pub(super) fn data(&self) -> Option<(usize, &DataSection)> {
        (0..self.sections.len()).find_map(|index| match self.usable(index) {
            Some(Content::Data(data)) => Some((index, data)),
            _ => None,
        })
    }

    /// The sections with media that are not rejected, by index.
    pub(super) fn media(&self) -> impl Iterator<Item = (usize, &RemoteMedia)> {
        self.sections.iter().enumerate().filter_map(|(index, section)| match &section.content {
            Content::Media(media) => Some((index, media)),
            _ => None,
        })
    }

    /// The candidates in a section.
    pub(super) fn candidates(&self, index: usize) -> impl Iterator<Item = &crate::sdp::Candidate> {
        self.sdp.media.get(index).into_iter().flat_map(MediaDescription::candidates)
    }

    /// Whether the description says that no candidate follows in a section.
    pub(super) fn candidates_ended(&self, index: usize) -> bool {
        let media = self.sdp.media.get(index);
        let ends = |attribute: &Attribute| matches!(attribute, Attribute::EndOfCandidates);
        media.is_some_and(|media| media.attributes.iter().any(ends)) || self.sdp.attributes.iter().any(ends)
    }
}

impl RemoteSection {
    fn read(sdp: &SessionDescription, index: usize, kind: SdpType) -> Result<Self, SignalingError> {
        let section = &sdp.media[index];
        let content = match is_live(section) {
            false => Content::None,
            true if is_data_section(section) => Content::Data(DataSection::read(section, index)?),
            true => RemoteMedia::read(sdp, section).map_or(Content::None, |mut media| {
                // Multiplexing may stand in the tagged section alone (RFC 9143 §7.1.3).
                media.multiplexed |= find(sdp, index, |a| (*a == Attribute::RtcpMux).then_some(())).is_some();
                Content::Media(media)
            }),
        };
        let transport = match content {
            Content::None => None,
            _ => Some(RemoteTransport::read(sdp, index, kind)?),
        };
        Ok(Self { content, transport })
    }
}

impl DataSection {
    fn read(section: &MediaDescription, index: usize) -> Result<Self, SignalingError> {
        let sctp_port = section
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                Attribute::SctpPort(port) => Some(*port),
                Attribute::Sctpmap { port, .. } => Some(*port),
                _ => None,
            })
            .ok_or(SignalingError::Missing { section: index, what: Required::SctpPort })?;
        let max_message_size = section.attributes.iter().find_map(|attribute| match attribute {
            Attribute::MaxMessageSize(size) => Some(*size),
            _ => None,
        });
        let init = section.attributes.iter().find_map(|attribute| match attribute {
            Attribute::SctpInit(chunk) => Some(chunk.clone()),
            _ => None,
        });
        Ok(Self {
            init,
            sctp_port,
            max_message_size: match max_message_size {
                None => Some(MESSAGE_SIZE_UNLESS_SAID),
                Some(0) => None,
                size => size,
            },
        })
    }
}

/// RFC 8841 §6.1.
const MESSAGE_SIZE_UNLESS_SAID: u64 = 65_536;

impl RemoteTransport {
    fn read(sdp: &SessionDescription, index: usize, kind: SdpType) -> Result<Self, SignalingError> {
        let missing = |what| SignalingError::Missing { section: index, what };
        let ufrag = find(sdp, index, |a| match a {
            Attribute::IceUfrag(ufrag) => Some(ufrag.clone()),
            _ => None,
        });
        let pwd = find(sdp, index, |a| match a {
            Attribute::IcePwd(pwd) => Some(pwd.clone()),
            _ => None,
        });
        let credentials = usable_credentials(ufrag, pwd).ok_or(missing(Required::IceCredentials))?;
        let fingerprints = fingerprints(sdp, index);
        if fingerprints.is_empty() {
            return Err(missing(Required::Fingerprint));
        }
        let setup = find(sdp, index, |a| match a {
            Attribute::Setup(setup) => Some(*setup),
            _ => None,
        });
        let setup = usable_setup(setup, kind).ok_or(missing(Required::Setup))?;
        let lite = sdp.attributes.iter().any(|a| matches!(a, Attribute::IceLite));
        Ok(Self { credentials, fingerprints, setup, lite })
    }
}

/// Whether a section is not rejected (RFC 9143 §6).
fn is_live(section: &MediaDescription) -> bool {
    section.port != 0 || section.attributes.contains(&Attribute::BundleOnly)
}

/// Whether a section is for data channels (RFC 8841 §4, and the form before it).
pub(super) fn is_data_section(media: &MediaDescription) -> bool {
    media.kind == MediaKind::Application && media.protocol.ends_with("DTLS/SCTP")
}

/// Looks a transport attribute up: in the section, in the section that its group is tagged by, in the session
/// (RFC 9143 §7.1.1, RFC 8839 §5.4).
fn find<T>(sdp: &SessionDescription, index: usize, pick: impl Fn(&Attribute) -> Option<T>) -> Option<T> {
    levels(sdp, index).into_iter().flatten().find_map(|attributes| attributes.iter().find_map(&pick))
}

fn levels(sdp: &SessionDescription, index: usize) -> [Option<&[Attribute]>; 3] {
    let section = &sdp.media[index];
    let tagged = local::bundle(sdp)
        .filter(|mids| section.mid().is_some_and(|mid| mids.iter().any(|m| m == mid)))
        .and_then(|mids| mids.first())
        .and_then(|tag| sdp.media.iter().find(|media| media.mid() == Some(tag)));
    [Some(&section.attributes), tagged.map(|media| &*media.attributes), Some(&sdp.attributes)]
}

/// The fingerprints with a hash that we know, from the first level that has any (RFC 8122 §5).
fn fingerprints(sdp: &SessionDescription, index: usize) -> Vec<Fingerprint> {
    let usable = |attribute: &Attribute| match attribute {
        Attribute::Fingerprint { hash, value } => HashAlgorithm::from_name(hash)
            .filter(|algorithm| algorithm.output_len() == value.len())
            .map(|algorithm| Fingerprint { algorithm, value: value.clone() }),
        _ => None,
    };
    levels(sdp, index)
        .into_iter()
        .flatten()
        .map(|attributes| attributes.iter().filter_map(usable).collect::<Vec<_>>())
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// RFC 8839 §5.4 gives the lengths; the characters may be any that SDP can carry, as some stacks use more than it allows.
fn usable_credentials(ufrag: Option<String>, pwd: Option<String>) -> Option<ice::Credentials> {
    let (ufrag, pwd) = (ufrag?, pwd?);
    let fits = (4..=256).contains(&ufrag.len()) && (22..=256).contains(&pwd.len());
    let printable = ufrag.bytes().chain(pwd.bytes()).all(|byte| byte.is_ascii_graphic());
    (fits && printable).then_some(ice::Credentials { ufrag, pwd })
}

/// An offer without a role leaves it open; an answer has to choose (RFC 8842 §5.3).
fn usable_setup(setup: Option<Setup>, kind: SdpType) -> Option<Setup> {
    match (kind, setup) {
        (_, Some(Setup::Holdconn)) => None,
        (SdpType::Offer, setup) => Some(setup.unwrap_or(Setup::Actpass)),
        (_, Some(setup @ (Setup::Active | Setup::Passive))) => Some(setup),
        _ => None,
    }
}
