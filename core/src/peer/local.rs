//! The descriptions that we make.
//!
//! Pure functions from what is agreed and wanted to a description: making one changes nothing and draws nothing.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use pavane_crypto::Fingerprint;

use super::remote::{Remote, is_data_section};
use crate::sdp::{Attribute, MediaDescription, MediaKind, Origin, SessionDescription, Setup};
use crate::{SdpType, ice};

/// A local description that was set.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub(super) kind: SdpType,
    pub(super) sdp: SessionDescription,
}

/// What identifies us in every description of the session.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// The number in `o=`, 63 random bits (RFC 8829 §5.2.1).
    pub(super) session_id: u64,
    pub(super) fingerprint: Fingerprint,
    pub(super) max_message_size: u64,
}

/// What changes from one description to the next.
pub(super) struct Terms<'a> {
    /// How many local descriptions have been set before.
    pub(super) version: u64,
    pub(super) credentials: &'a ice::Credentials,
    pub(super) setup: Setup,
}

/// Makes an offer: the sections of `previous` in their order, and a data section if one is wanted and there is none.
pub(super) fn offer(
    identity: &Identity,
    terms: &Terms<'_>,
    previous: Option<&SessionDescription>,
    data_wanted: bool,
) -> SessionDescription {
    let mut media: Vec<_> = previous
        .into_iter()
        .flat_map(|previous| &previous.media)
        .map(|section| match is_data_section(section) && (section.port != 0 || data_wanted) {
            true => data_section(identity, terms, section.mid(), section),
            false => rejected(section),
        })
        .collect();
    if data_wanted && !media.iter().any(is_data_section) {
        let mid = unused_mid(&media);
        media.push(data_section(identity, terms, Some(&mid), &plain_data_section()));
    }
    session(identity, terms, media)
}

/// Answers an offer: its first data section is taken, all else is rejected.
pub(super) fn answer(identity: &Identity, terms: &Terms<'_>, offer: &Remote) -> SessionDescription {
    let taken = offer.data.as_ref().map(|data| data.index);
    let media = offer.sdp.media.iter().enumerate().map(|(index, section)| match Some(index) == taken {
        true => data_section(identity, terms, section.mid(), section),
        false => rejected(section),
    });
    session(identity, terms, media.collect())
}

/// The description as an application sees it: with the candidates gathered so far in the section that has the transport.
pub(super) fn with_candidates(
    sdp: &SessionDescription,
    candidates: &[crate::sdp::Candidate],
    complete: bool,
) -> SessionDescription {
    let mut sdp = sdp.clone();
    if let Some(media) = sdp.media.iter_mut().find(|media| media.port != 0 && is_data_section(media)) {
        media.attributes.extend(candidates.iter().cloned().map(Attribute::Candidate));
        if complete {
            media.attributes.push(Attribute::EndOfCandidates);
        }
    }
    sdp
}

/// The description without what gathering adds, for telling whether one is ours.
pub(super) fn without_candidates(sdp: &SessionDescription) -> SessionDescription {
    let mut sdp = sdp.clone();
    for media in &mut sdp.media {
        let gathered = |a: &Attribute| matches!(a, Attribute::Candidate(_) | Attribute::EndOfCandidates);
        media.attributes.retain(|attribute| !gathered(attribute));
    }
    sdp
}

/// The first section of a description that carries our transport, with its index.
pub(super) fn transport_section(sdp: &SessionDescription) -> Option<(usize, &MediaDescription)> {
    sdp.media.iter().enumerate().find(|(_, media)| media.port != 0 && is_data_section(media))
}

fn session(identity: &Identity, terms: &Terms<'_>, media: Vec<MediaDescription>) -> SessionDescription {
    let mids: Vec<String> = media
        .iter()
        .filter(|media| media.port != 0)
        .filter_map(|media| media.mid())
        .map(String::from)
        .collect();
    let mut attributes = Vec::new();
    if !mids.is_empty() {
        attributes.push(Attribute::Group { semantics: "BUNDLE".into(), mids });
    }
    attributes.push(Attribute::IceOptions(vec!["trickle".into(), "ice2".into()]));
    let origin = Origin::new(identity.session_id, terms.version);
    SessionDescription { attributes, media, ..SessionDescription::new(origin) }
}

fn data_section(
    identity: &Identity,
    terms: &Terms<'_>,
    mid: Option<&str>,
    like: &MediaDescription,
) -> MediaDescription {
    let mut attributes = Vec::new();
    attributes.extend(mid.map(|mid| Attribute::Mid(mid.into())));
    attributes.push(Attribute::IceUfrag(terms.credentials.ufrag.clone()));
    attributes.push(Attribute::IcePwd(terms.credentials.pwd.clone()));
    attributes.push(Attribute::Fingerprint {
        hash: identity.fingerprint.algorithm.name().into(),
        value: identity.fingerprint.value.clone(),
    });
    attributes.push(Attribute::Setup(terms.setup));
    // The form before RFC 8841 names the port in the m= line and maps it by an attribute; it is answered in kind.
    let legacy = like.protocol == LEGACY_PROTOCOL;
    attributes.push(match legacy {
        true => Attribute::sctpmap(SCTP_PORT, LEGACY_STREAMS),
        false => Attribute::SctpPort(SCTP_PORT),
    });
    attributes.push(Attribute::MaxMessageSize(identity.max_message_size));
    let formats = match legacy {
        true => vec![SCTP_PORT.to_string()],
        false => like.formats.clone(),
    };
    MediaDescription {
        attributes,
        ..MediaDescription::new(MediaKind::Application, DISCARD_PORT, &like.protocol, formats)
    }
}

fn plain_data_section() -> MediaDescription {
    MediaDescription::new(
        MediaKind::Application,
        DISCARD_PORT,
        "UDP/DTLS/SCTP",
        vec!["webrtc-datachannel".into()],
    )
}

fn rejected(section: &MediaDescription) -> MediaDescription {
    let mut attributes = Vec::new();
    attributes.extend(section.mid().map(|mid| Attribute::Mid(mid.into())));
    if !is_data_section(section) {
        attributes.push(Attribute::Inactive);
    }
    MediaDescription {
        attributes,
        ..MediaDescription::new(section.kind.clone(), 0, &section.protocol, section.formats.clone())
    }
}

/// The lowest number that no section uses.
fn unused_mid(media: &[MediaDescription]) -> String {
    let taken = |mid: &String| media.iter().any(|media| media.mid() == Some(mid));
    (0..=media.len())
        .map(|n| n.to_string())
        .find(|mid| !taken(mid))
        .expect("one of n + 1 mids is free among n")
}

/// "Discard", for as long as candidates say where we are (RFC 8840 §4.1.1).
const DISCARD_PORT: u16 = 9;

/// The port of both ends of an SCTP association over DTLS, by custom.
pub(super) const SCTP_PORT: u16 = 5000;

const LEGACY_PROTOCOL: &str = "DTLS/SCTP";

/// How many streams the older form announces.
const LEGACY_STREAMS: u32 = 65_535;
