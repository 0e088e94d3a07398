//! The descriptions that we make.
//!
//! Pure functions from what is agreed and wanted to a description: making one changes nothing and draws nothing.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use pavane_crypto::Fingerprint;

use super::remote::{Content, Remote, is_data_section};
use super::session::Known;
use crate::media::{
    self, CodecParameters, ExtensionIds, Life, Media, PayloadTypes, RemoteMedia, Transceiver,
};
use crate::sdp::{Attribute, Direction, MediaDescription, MediaKind, Origin, SessionDescription, Setup};
use crate::{Config, SdpType, ice};

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
    /// The INIT chunk of our association, which exists as soon as both sides want it.
    pub(super) sctp_init: Vec<u8>,
}

/// What changes from one description to the next.
pub(super) struct Terms<'a> {
    pub(super) identity: &'a Identity,
    /// How many local descriptions have been set before.
    pub(super) version: u64,
    pub(super) credentials: &'a ice::Credentials,
    pub(super) setup: Setup,
}

/// What an offer is to have beyond what there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) data: bool,
    /// How many of the transceivers that wait for a section get one.
    pub(super) transceivers: usize,
}

/// What descriptions are made of.
pub(super) struct Maker<'a> {
    pub(super) terms: Terms<'a>,
    pub(super) config: &'a Config,
    pub(super) known: Known<'a>,
    pub(super) media: &'a Media,
}

/// The numbers that an offer gives, so that none means two things.
struct Numbers {
    payload_types: PayloadTypes,
    extensions: ExtensionIds,
}

impl Maker<'_> {
    /// Makes an offer: the sections that there are in their order, and new ones in the places of rejected ones or behind
    /// them (RFC 8829 §5.2.2).
    pub(super) fn offer(&self, wish: Wish) -> SessionDescription {
        let previous = self.known.local().map_or(&[][..], |local| &local.sdp.media);
        let mut numbers = self.numbers();
        let mut mids = Mids::of(previous);
        let mut waiting = self.media.waiting().take(wish.transceivers).map(|(_, transceiver)| transceiver);
        let mut sections = Vec::new();
        for (index, section) in previous.iter().enumerate() {
            let transceiver = match self.media.at(index) {
                Some((_, transceiver)) => {
                    Some(transceiver).filter(|transceiver| transceiver.life == Life::Live)
                }
                None if self.is_recyclable(index) => waiting.next(),
                None => None,
            };
            sections.push(match transceiver {
                Some(transceiver) => self.offered_media(transceiver, &mut mids, &mut numbers),
                None if is_data_section(section) && (section.port != 0 || wish.data) => {
                    data_section(&self.terms, section.mid(), section)
                }
                None => rejected(section),
            });
        }
        sections.extend(waiting.map(|transceiver| self.offered_media(transceiver, &mut mids, &mut numbers)));
        if wish.data && !sections.iter().any(is_data_section) {
            sections.push(data_section(&self.terms, Some(&mids.next()), &plain_data_section()));
        }
        let group = sections.iter().filter(|section| section.port != 0).filter_map(MediaDescription::mid);
        let group = group.map(String::from).collect();
        self.session_description(sections, group, true)
    }

    /// Answers an offer: what is bundled with its tagged section and known here is taken, all else is rejected.
    pub(super) fn answer(&self, offer: &Remote) -> SessionDescription {
        let sections: Vec<_> = offer
            .sdp
            .media
            .iter()
            .enumerate()
            .map(|(index, section)| self.answered(offer, index, section))
            .collect();
        let taken = |mid: &&String| sections.iter().any(|s| s.port != 0 && s.mid() == Some(mid.as_str()));
        let group = offer.bundle().map_or_else(Vec::new, |mids| mids.iter().filter(taken).cloned().collect());
        let mixed = offer.sdp.attributes.contains(&Attribute::ExtmapAllowMixed);
        self.session_description(sections, group, mixed)
    }

    fn answered(&self, offer: &Remote, index: usize, section: &MediaDescription) -> MediaDescription {
        match offer.usable(index) {
            Some(Content::Data(data)) if offer.data().is_some_and(|(known, _)| known == index) => {
                let mut made = data_section(&self.terms, section.mid(), section);
                if data.init.is_none() {
                    made.attributes.retain(|attribute| !matches!(attribute, Attribute::SctpInit(_)));
                }
                made
            }
            Some(Content::Media(remote)) => {
                let transceiver = self.media.at(index).map(|(_, transceiver)| transceiver);
                let answered =
                    transceiver.and_then(|transceiver| self.answered_media(transceiver, remote, section));
                answered.unwrap_or_else(|| rejected(section))
            }
            _ => rejected(section),
        }
    }

    fn offered_media(
        &self,
        transceiver: &Transceiver,
        mids: &mut Mids,
        numbers: &mut Numbers,
    ) -> MediaDescription {
        let mid = transceiver.section.as_ref().map_or_else(|| mids.next(), |section| section.mid.clone());
        let codecs = numbers.payload_types.number(&self.wanted_codecs(transceiver));
        let ours = &self.config.header_extensions;
        let mut extensions = ExtensionIds::numbered(ours, transceiver.kind, &numbers.extensions);
        if let Some(agreement) = &transceiver.agreement {
            extensions.retain(|uri| agreement.receive_extensions.id(uri).is_some());
        }
        let like = MediaDescription::new(transceiver.kind.sdp(), DISCARD_PORT, MEDIA_PROTOCOL, Vec::new());
        self.media_section(&like, Some(&mid), transceiver, transceiver.direction, &codecs, &extensions)
    }

    fn answered_media(
        &self,
        transceiver: &Transceiver,
        remote: &RemoteMedia,
        section: &MediaDescription,
    ) -> Option<MediaDescription> {
        let ours = self.wanted_codecs(transceiver);
        let mut codecs = CodecParameters::common(&remote.codecs, &ours);
        if transceiver.preferences.is_some() {
            let rank =
                |codec: &CodecParameters| ours.iter().position(|ours| ours.codec.matches(&codec.codec));
            codecs.sort_by_key(rank);
        }
        let known = codecs.iter().any(|codec| !codec.codec.is_auxiliary());
        if !known || transceiver.life != Life::Live || !remote.multiplexed {
            return None;
        }
        let direction = transceiver.direction.and(remote.direction.reversed());
        let extensions =
            ExtensionIds::common(&remote.extensions, &self.config.header_extensions, transceiver.kind);
        let mut made =
            self.media_section(section, section.mid(), transceiver, direction, &codecs, &extensions);
        if !remote.reduced_size {
            made.attributes.retain(|attribute| *attribute != Attribute::RtcpRsize);
        }
        Some(made)
    }

    fn media_section(
        &self,
        like: &MediaDescription,
        mid: Option<&str>,
        transceiver: &Transceiver,
        direction: Direction,
        codecs: &[CodecParameters],
        extensions: &ExtensionIds,
    ) -> MediaDescription {
        let mut attributes = transport_attributes(&self.terms, mid);
        attributes.extend(media::section_attributes(self.media, transceiver, direction, codecs, extensions));
        let formats = media::section_formats(codecs);
        MediaDescription {
            attributes,
            ..MediaDescription::new(like.kind.clone(), DISCARD_PORT, &like.protocol, formats)
        }
    }

    /// The codecs that a transceiver is to use: those it prefers, else those in force and then the rest of the configured.
    fn wanted_codecs(&self, transceiver: &Transceiver) -> Vec<CodecParameters> {
        let configured = self.config.codecs.iter().filter(|codec| codec.codec.kind == transceiver.kind);
        match (&transceiver.preferences, &transceiver.agreement) {
            (Some(preferences), _) => {
                let find = |codec: &crate::Codec| {
                    configured.clone().find(|known| known.codec.matches(codec)).cloned()
                };
                preferences.iter().filter_map(find).collect()
            }
            (None, Some(agreement)) => {
                let mut codecs: Vec<_> = configured.cloned().collect();
                let rank = |codec: &CodecParameters| {
                    let agreed = agreement.receive.iter().position(|known| known.codec.matches(&codec.codec));
                    agreed.unwrap_or(usize::MAX)
                };
                codecs.sort_by_key(rank);
                codecs
            }
            (None, None) => configured.cloned().collect(),
        }
    }

    /// The numbers that the descriptions in force and pending give.
    fn numbers(&self) -> Numbers {
        let known = || {
            let local = self.known.local().map(|local| &local.sdp.media);
            let remote = self.known.remote().map(|remote| &remote.sdp.media);
            local.into_iter().chain(remote).flatten().filter(|section| section.port != 0)
        };
        Numbers { payload_types: PayloadTypes::in_use(known()), extensions: ExtensionIds::in_use(known()) }
    }

    /// Whether a section that nobody uses may be given to another transceiver: both sides have it rejected
    /// (RFC 8829 §5.2.2).
    fn is_recyclable(&self, index: usize) -> bool {
        let rejected = |sdp: &SessionDescription| {
            sdp.media.get(index).is_some_and(|section| section.port == 0 && !is_data_section(section))
        };
        self.known.agreed().is_some_and(|agreed| rejected(&agreed.local.sdp) && rejected(&agreed.remote.sdp))
    }

    fn session_description(
        &self,
        media: Vec<MediaDescription>,
        group: Vec<String>,
        mixed_extensions: bool,
    ) -> SessionDescription {
        let mut attributes = Vec::new();
        if !group.is_empty() {
            attributes.push(Attribute::Group { semantics: "BUNDLE".into(), mids: group });
        }
        let carries_media = media.iter().any(|section| section.port != 0 && !is_data_section(section));
        if mixed_extensions && carries_media {
            attributes.push(Attribute::ExtmapAllowMixed);
        }
        if self.config.ice_mode == ice::Mode::Lite {
            attributes.push(Attribute::IceLite);
        }
        let mut options = vec!["trickle".into(), "ice2".into()];
        // draft-thatcher-ice-renomination §3: who nominates does it by numbers if both sides say so.
        if self.known.remote().is_some_and(|remote| has_ice_option(&remote.sdp, RENOMINATION)) {
            options.push(RENOMINATION.into());
        }
        attributes.push(Attribute::IceOptions(options));
        let origin = Origin::new(self.terms.identity.session_id, self.terms.version);
        SessionDescription { attributes, media, ..SessionDescription::new(origin) }
    }
}

/// Nominations with numbers.
const RENOMINATION: &str = "renomination";

/// Whether a description has an option, of the session or of any section.
fn has_ice_option(sdp: &SessionDescription, option: &str) -> bool {
    let sections = sdp.media.iter().flat_map(|section| &section.attributes);
    sdp.attributes.iter().chain(sections).any(|attribute| match attribute {
        Attribute::IceOptions(options) => options.iter().any(|known| known == option),
        _ => false,
    })
}

/// The names of sections: numbers, each used once.
struct Mids {
    taken: Vec<String>,
}

impl Mids {
    fn of(sections: &[MediaDescription]) -> Self {
        Self { taken: sections.iter().filter_map(MediaDescription::mid).map(String::from).collect() }
    }

    /// The lowest number that no section has.
    fn next(&mut self) -> String {
        let mid = (0..=self.taken.len())
            .map(|n| n.to_string())
            .find(|mid| !self.taken.contains(mid))
            .expect("one of n + 1 mids is free among n");
        self.taken.push(mid.clone());
        mid
    }
}

/// The description as an application sees it: with the candidates gathered so far in the section that has the transport.
pub(super) fn with_candidates(
    sdp: &SessionDescription,
    candidates: &[crate::sdp::Candidate],
    complete: bool,
) -> SessionDescription {
    let mut sdp = sdp.clone();
    if let Some((index, _)) = transport_section(&sdp) {
        let attributes = &mut sdp.media[index].attributes;
        attributes
            .extend(candidates.iter().cloned().map(|candidate| Attribute::Candidate(Box::new(candidate))));
        if complete {
            attributes.push(Attribute::EndOfCandidates);
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
    sdp.shrink_to_fit();
    sdp
}

/// The section of a description of ours that carries the transport, with its index: the group's first
/// (RFC 9143 §7.2.1), or where there is no group, the only one.
pub(super) fn transport_section(sdp: &SessionDescription) -> Option<(usize, &MediaDescription)> {
    let tag = bundle(sdp).and_then(|mids| mids.first());
    let carries =
        |section: &MediaDescription| section.port != 0 && tag.is_none_or(|tag| section.mid() == Some(tag));
    sdp.media.iter().enumerate().find(|(_, section)| carries(section))
}

/// The mids of a description's bundle.
pub(super) fn bundle(sdp: &SessionDescription) -> Option<&Vec<String>> {
    sdp.attributes.iter().find_map(|attribute| match attribute {
        Attribute::Group { semantics, mids } if semantics == "BUNDLE" => Some(mids),
        _ => None,
    })
}

/// A section's name and its part of the transport, which every section repeats: not all peers look for it in the tagged
/// one alone.
fn transport_attributes(terms: &Terms<'_>, mid: Option<&str>) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    attributes.extend(mid.map(|mid| Attribute::Mid(mid.into())));
    attributes.push(Attribute::IceUfrag(terms.credentials.ufrag.clone()));
    attributes.push(Attribute::IcePwd(terms.credentials.pwd.clone()));
    attributes.push(Attribute::Fingerprint {
        hash: terms.identity.fingerprint.algorithm.name().into(),
        value: terms.identity.fingerprint.value.clone(),
    });
    attributes.push(Attribute::Setup(terms.setup));
    attributes
}

fn data_section(terms: &Terms<'_>, mid: Option<&str>, like: &MediaDescription) -> MediaDescription {
    let mut attributes = transport_attributes(terms, mid);
    // The form before RFC 8841 names the port in the m= line and maps it by an attribute; it is answered in kind.
    let legacy = like.protocol == LEGACY_PROTOCOL;
    attributes.push(match legacy {
        true => Attribute::sctpmap(SCTP_PORT, LEGACY_STREAMS),
        false => Attribute::SctpPort(SCTP_PORT),
    });
    attributes.push(Attribute::MaxMessageSize(terms.identity.max_message_size));
    if !legacy {
        attributes.push(Attribute::SctpInit(terms.identity.sctp_init.clone()));
    }
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

/// "Discard", for as long as candidates say where we are (RFC 8840 §4.1.1).
const DISCARD_PORT: u16 = 9;

/// What sections of media are offered with (RFC 8829 §5.1.2).
const MEDIA_PROTOCOL: &str = "UDP/TLS/RTP/SAVPF";

/// The port of both ends of an SCTP association over DTLS, by custom.
pub(super) const SCTP_PORT: u16 = 5000;

const LEGACY_PROTOCOL: &str = "DTLS/SCTP";

/// How many streams the older form announces.
const LEGACY_STREAMS: u32 = 65_535;
