//! What a remote description says, as far as it concerns us.

use alloc::string::String;
use alloc::vec::Vec;

use pavane_crypto::{Fingerprint, HashAlgorithm};

use crate::error::{Required, SignalingError};
use crate::sdp::{Attribute, MediaDescription, MediaKind, SessionDescription, Setup};
use crate::{Description, SdpType, ice};

/// A remote description that can be applied.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) kind: SdpType,
    pub(super) sdp: SessionDescription,
    pub(super) data: Option<DataSection>,
}

/// The one section that data channels use.
#[derive(Clone, Debug)]
pub(super) struct DataSection {
    pub(super) index: usize,
    pub(super) sctp_port: u16,
    /// `None`: the peer takes messages of any size.
    pub(super) max_message_size: Option<u64>,
    pub(super) transport: RemoteTransport,
}

/// ICE's and DTLS's part of a section.
#[derive(Clone, Debug)]
pub(super) struct RemoteTransport {
    pub(super) credentials: ice::Credentials,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) setup: Setup,
    pub(super) lite: bool,
}

impl Remote {
    /// Reads a description.
    pub(super) fn read(description: &Description) -> Result<Self, SignalingError> {
        let sdp: SessionDescription = description.sdp.parse().map_err(SignalingError::Syntax)?;
        let index = sdp.media.iter().position(is_live_data_section);
        let data = index.map(|index| DataSection::read(&sdp, index, description.kind)).transpose()?;
        Ok(Self { kind: description.kind, sdp, data })
    }

    /// The description as an application sees it.
    pub(super) fn description(&self) -> Description {
        Description { kind: self.kind, sdp: alloc::format!("{}", self.sdp) }
    }

    /// The candidates in the description, those of the transport's section alone.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &crate::sdp::Candidate> {
        let media = self.data.as_ref().and_then(|data| self.sdp.media.get(data.index));
        media.into_iter().flat_map(|media| &media.attributes).filter_map(|attribute| match attribute {
            Attribute::Candidate(candidate) => Some(candidate),
            _ => None,
        })
    }

    /// Whether the description says that no candidate follows.
    pub(super) fn candidates_ended(&self) -> bool {
        let media = self.data.as_ref().and_then(|data| self.sdp.media.get(data.index));
        let ends = |attribute: &Attribute| matches!(attribute, Attribute::EndOfCandidates);
        media.is_some_and(|media| media.attributes.iter().any(ends)) || self.sdp.attributes.iter().any(ends)
    }
}

impl DataSection {
    fn read(sdp: &SessionDescription, index: usize, kind: SdpType) -> Result<Self, SignalingError> {
        let missing = |what| SignalingError::Missing { section: index, what };
        let media = &sdp.media[index];
        let sctp_port = media
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                Attribute::SctpPort(port) => Some(*port),
                Attribute::Sctpmap { port, .. } => Some(*port),
                _ => None,
            })
            .ok_or(missing(Required::SctpPort))?;
        let max_message_size = media.attributes.iter().find_map(|attribute| match attribute {
            Attribute::MaxMessageSize(size) => Some(*size),
            _ => None,
        });
        Ok(Self {
            index,
            sctp_port,
            max_message_size: match max_message_size {
                None => Some(MESSAGE_SIZE_UNLESS_SAID),
                Some(0) => None,
                size => size,
            },
            transport: RemoteTransport::read(sdp, index, kind)?,
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

/// Whether this is a data section that is not rejected (RFC 8841 §4, and the form before it).
fn is_live_data_section(media: &MediaDescription) -> bool {
    let bundle_only = media.attributes.iter().any(|a| matches!(a, Attribute::BundleOnly));
    is_data_section(media) && (media.port != 0 || bundle_only)
}

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
    let tagged = sdp
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            Attribute::Group { semantics, mids } if semantics == "BUNDLE" => Some(mids),
            _ => None,
        })
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
