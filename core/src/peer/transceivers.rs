//! Which transceiver has which section, and what an exchange of descriptions means for it (RFC 8829 §5.9 to §5.11).

use alloc::string::String;
use alloc::vec::Vec;

use pavane_base::Instant;

use super::PeerConnection;
use super::local::Local;
use super::remote::{Content, Remote};
use crate::error::SignalingError;
use crate::event::{Event, TrackEvent};
use crate::media::{
    Agreement, CodecParameters, ExtensionIds, MediaKind, Origin, OurSection, RemoteMedia, Section,
    TheirSection, TransceiverId, TransceiverInit,
};
use crate::sdp::{Attribute, Direction, MediaDescription, SessionDescription};

impl PeerConnection {
    /// A local offer is set: transceivers that waited have the sections that were made for them.
    pub(super) fn give_sections(&mut self, offer: &SessionDescription) {
        for (index, section) in offer.media.iter().enumerate() {
            let made =
                MediaKind::of(section).is_some() && section.port != 0 && self.media.at(index).is_none();
            let Some((key, _)) = self.media.waiting().next().filter(|_| made) else { continue };
            let mid = section.mid().unwrap_or_default().into();
            if let Some(transceiver) = self.media.get_mut(key) {
                transceiver.section = Some(Section { index, mid, pending: true });
            }
        }
    }

    /// Whether no section of an offer has become one of another kind while it is in use.
    pub(super) fn check_kinds(&self, offer: &Remote) -> Result<(), SignalingError> {
        let differs = |(index, media): (usize, &RemoteMedia)| {
            self.media.at(index).is_some_and(|(_, transceiver)| {
                let pending = transceiver.section.as_ref().is_some_and(|section| section.pending);
                !pending && transceiver.kind != media.kind
            })
        };
        match offer.media().any(differs) {
            true => Err(SignalingError::SectionsDiffer),
            false => Ok(()),
        }
    }

    /// A remote offer is set: each of its sections gets a transceiver.
    pub(super) fn find_transceivers(&mut self, offer: &Remote) {
        for (index, media) in offer.media() {
            if self.media.at(index).is_some() {
                continue;
            }
            // RFC 8829 §5.10: those of `add_track` wait for a section of the peer's that would receive them.
            let waits = media.direction.receives().then(|| {
                let fits = self.media.waiting().find(|(_, transceiver)| {
                    transceiver.kind == media.kind && transceiver.origin == Origin::AddTrack
                });
                fits.map(|(key, _)| key)
            });
            let key = waits.flatten().unwrap_or_else(|| {
                let init = TransceiverInit::new(Direction::Recvonly);
                let added = self.media.add(media.kind, init, Origin::Peer, &mut *self.rng);
                added.expect("a transceiver without names has none that is wrong")
            });
            let mid = offer.sdp.media[index].mid().unwrap_or_default().into();
            if let Some(transceiver) = self.media.get_mut(key) {
                transceiver.section = Some(Section { index, mid, pending: true });
            }
        }
    }

    /// Tells what a remote description says of the peer's tracks (W3C WebRTC §4.4.1.5 and §5.1.1 to §5.1.3).
    pub(super) fn tell_tracks(&mut self, remote: &Remote) {
        for index in 0..remote.sdp.media.len() {
            let Some((key, _)) = self.media.at(index) else { continue };
            let Some(transceiver) = self.media.get_mut(key) else { continue };
            let media = match remote.content(index) {
                Content::Media(media) if media.direction.sends() => Some(media),
                _ => None,
            };
            let known = core::mem::replace(&mut transceiver.announced, media.is_some());
            let id = TransceiverId(key);
            match media {
                Some(media) if !known || media.streams != transceiver.remote_streams => {
                    transceiver.remote_streams.clone_from(&media.streams);
                    self.events.push_back(Event::Track(TrackEvent {
                        transceiver: id,
                        receiver: id.receiver(),
                        kind: transceiver.kind,
                        streams: media.streams.clone(),
                    }));
                }
                None if known => {
                    transceiver.remote_streams.clear();
                    self.events.push_back(Event::TrackMuted(id.receiver()));
                }
                _ => {}
            }
        }
    }

    /// Two descriptions are in force: directions, codecs and extensions follow from them.
    pub(super) fn agree_on_media(&mut self, now: Instant, local: &Local, remote: &Remote) {
        let keys: Vec<_> = self.media.iter().map(|(key, _)| key).collect();
        for key in keys {
            let Some(transceiver) = self.media.get_mut(key) else { continue };
            let Some(section) = transceiver.section.as_mut() else { continue };
            section.pending = false;
            let index = section.index;
            let ours = local.sdp.media.get(index).filter(|section| section.port != 0);
            match (ours, remote.usable(index)) {
                (Some(ours), Some(Content::Media(theirs))) => {
                    let agreement = agreement(ours, theirs, transceiver.kind);
                    transceiver.has_sent |= agreement.direction.sends();
                    transceiver.agreement = Some(agreement);
                }
                _ => {
                    if let Some(transceiver) = self.media.remove(key) {
                        self.transport.media.forget(&transceiver);
                    }
                    self.events.push_back(Event::TransceiverStopped(TransceiverId(key)));
                }
            }
        }
        self.media_changed(now);
    }
}

/// What a local and a remote section mean together; the direction is the same from whichever the answer is, as an answer
/// never goes beyond its offer.
fn agreement(ours: &MediaDescription, theirs: &RemoteMedia, kind: MediaKind) -> Agreement {
    let receive = CodecParameters::read(ours, kind);
    let receive_extensions = ExtensionIds::read(ours);
    let mut send_extensions = theirs.extensions.clone();
    send_extensions.retain(|uri| receive_extensions.id(uri).is_some());
    let wanted = ours.direction().unwrap_or(Direction::Sendrecv);
    Agreement {
        direction: wanted.and(theirs.direction.reversed()),
        send: CodecParameters::common(&theirs.codecs, &receive),
        receive,
        send_extensions,
        receive_extensions,
        ours: OurSection { direction: wanted, streams: stream_names(ours) },
        theirs: TheirSection {
            direction: theirs.direction,
            track: theirs.track.clone(),
            sources: theirs.sources.clone(),
            reduced_size: theirs.reduced_size,
        },
    }
}

/// The streams that a section names for its track, `-` for none among them.
fn stream_names(section: &MediaDescription) -> Vec<String> {
    let named = section.attributes.iter().filter_map(|attribute| match attribute {
        Attribute::Msid(msid) => Some(msid.stream.clone()),
        _ => None,
    });
    named.collect()
}
