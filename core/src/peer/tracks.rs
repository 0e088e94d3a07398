//! What the application says of tracks: adding and removing them, and the transceivers that carry them.

use alloc::vec::Vec;

use pavane_base::Instant;

use super::{Life, PeerConnection};
use crate::error::TrackError;
use crate::event::Event;
use crate::media::{
    self, Codec, MediaKind, Origin, ReceiverId, SenderId, TrackInit, Transceiver, TransceiverId,
    TransceiverInit,
};
use crate::sdp::Direction;
use crate::{SdpType, Track};

/// # Tracks
impl PeerConnection {
    /// Adds a track that is to be sent. It has a random SSRC and a section of its own, or that of a transceiver which has
    /// not sent yet; an offer is due by it.
    ///
    /// # Errors
    /// If the connection is closed, a name is not allowed, or there are too many tracks.
    #[doc(alias = "addTrack")]
    pub fn add_track(&mut self, track: TrackInit) -> Result<SenderId, TrackError> {
        self.check_room()?;
        let kind = track.kind();
        let key = match self.media.reusable(kind) {
            Some(key) => {
                let track = track.into_track(&mut *self.rng)?;
                let transceiver = self.media.get_mut(key).ok_or(TrackError::Unknown)?;
                transceiver.streams.clone_from(&track.streams);
                transceiver.track_name.clone_from(&track.id);
                transceiver.track = Some(track);
                transceiver.set_sending(true);
                key
            }
            None => {
                let init = TransceiverInit::new(Direction::Sendrecv).track(track);
                self.media.add(kind, init, Origin::AddTrack, &mut *self.rng)?
            }
        };
        self.tell_if_negotiation_is_needed();
        Ok(SenderId(key))
    }

    /// Takes a track back. Its sender stops at once; the peer is told by the next offer.
    ///
    /// # Errors
    /// If the connection is closed or has no such sender.
    #[doc(alias = "removeTrack")]
    pub fn remove_track(&mut self, sender: SenderId) -> Result<(), TrackError> {
        if self.life != Life::Open {
            return Err(TrackError::Closed);
        }
        let transceiver = self.media.get_mut(sender.0).ok_or(TrackError::Unknown)?;
        if transceiver.track.take().is_some() {
            transceiver.set_sending(false);
            self.tell_if_negotiation_is_needed();
        }
        Ok(())
    }

    /// Adds a transceiver: a sender and a receiver that share a section of their own.
    ///
    /// # Errors
    /// If the connection is closed, a name is not allowed, or there are too many tracks.
    #[doc(alias = "addTransceiver")]
    pub fn add_transceiver(
        &mut self,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<TransceiverId, TrackError> {
        self.check_room()?;
        if init.track.as_ref().is_some_and(|track| track.kind() != kind) {
            return Err(TrackError::WrongKind);
        }
        let key = self.media.add(kind, init, Origin::AddTransceiver, &mut *self.rng)?;
        self.tell_if_negotiation_is_needed();
        Ok(TransceiverId(key))
    }

    /// The transceivers, in the order of their creation.
    #[doc(alias = "getTransceivers")]
    pub fn transceivers(&self) -> impl Iterator<Item = TransceiverId> {
        self.media.iter().map(|(key, _)| TransceiverId(key))
    }

    /// A view of a transceiver; `None` once it is stopped and forgotten.
    pub fn transceiver(&mut self, id: TransceiverId) -> Option<RtpTransceiver<'_>> {
        self.media.get(id.0).is_some().then_some(RtpTransceiver { peer: self, id })
    }

    fn check_room(&self) -> Result<(), TrackError> {
        match self.life {
            Life::Open if self.media.len() < MAX_TRANSCEIVERS => Ok(()),
            Life::Open => Err(TrackError::TooMany { max: MAX_TRANSCEIVERS }),
            _ => Err(TrackError::Closed),
        }
    }

    /// W3C WebRTC §4.7.3: whether transceivers and descriptions differ.
    pub(super) fn tracks_need_negotiation(&self) -> bool {
        self.media.iter().any(|(_, transceiver)| self.needs_negotiation(transceiver))
    }

    fn needs_negotiation(&self, transceiver: &Transceiver) -> bool {
        let offered = self.session.kind_in_force() == Some(SdpType::Offer);
        match (&transceiver.section, &transceiver.agreement) {
            (None, _) => transceiver.life == media::Life::Live,
            (Some(_), None) => true,
            (Some(_), Some(_)) if transceiver.life == media::Life::Stopping => true,
            (Some(_), Some(agreement)) => {
                let names_others = !agreement.ours.streams.iter().eq(transceiver.stream_names());
                let theirs = agreement.theirs.direction.reversed();
                let differs = match offered {
                    true => {
                        agreement.ours.direction != transceiver.direction && theirs != transceiver.direction
                    }
                    false => agreement.ours.direction != transceiver.direction.and(theirs),
                };
                differs || (transceiver.direction.sends() && names_others)
            }
        }
    }
}

/// How many transceivers the application may add.
const MAX_TRANSCEIVERS: usize = 512;

/// A view of one transceiver of a [`PeerConnection`].
#[doc(alias = "RTCRtpTransceiver")]
#[derive(Debug)]
pub struct RtpTransceiver<'p> {
    peer: &'p mut PeerConnection,
    id: TransceiverId,
}

impl RtpTransceiver<'_> {
    fn state(&self) -> &Transceiver {
        self.peer
            .media
            .get(self.id.0)
            .expect("the transceiver is there as long as the view borrows its connection")
    }

    fn state_mut(&mut self) -> &mut Transceiver {
        let state = self.peer.media.get_mut(self.id.0);
        state.expect("the transceiver is there as long as the view borrows its connection")
    }

    /// The handle that events name it by.
    pub const fn id(&self) -> TransceiverId {
        self.id
    }

    /// Its sender.
    pub const fn sender(&self) -> SenderId {
        self.id.sender()
    }

    /// Its receiver.
    pub const fn receiver(&self) -> ReceiverId {
        self.id.receiver()
    }

    /// What it carries.
    pub fn kind(&self) -> MediaKind {
        self.state().kind
    }

    /// The name of its section, once a description has been set that has one.
    pub fn mid(&self) -> Option<&str> {
        self.state().section.as_ref().map(|section| section.mid.as_str())
    }

    /// The track that it sends, if any.
    pub fn track(&self) -> Option<&Track> {
        self.state().track.as_ref()
    }

    /// The direction that the application wants.
    pub fn direction(&self) -> Direction {
        self.state().direction
    }

    /// The direction in force; `None` before an exchange has agreed on one.
    #[doc(alias = "currentDirection")]
    pub fn current_direction(&self) -> Option<Direction> {
        self.state().current_direction()
    }

    /// Wants another direction; an offer is due by it.
    pub fn set_direction(&mut self, direction: Direction) {
        self.state_mut().direction = direction;
        self.peer.tell_if_negotiation_is_needed();
    }

    /// Has descriptions list these codecs alone, in this order; with none, the configured ones again.
    ///
    /// # Errors
    /// If a codec is not one of the configured ones of the transceiver's kind.
    #[doc(alias = "setCodecPreferences")]
    pub fn set_codec_preferences(&mut self, codecs: &[Codec]) -> Result<(), TrackError> {
        let kind = self.kind();
        let configured =
            |codec: &Codec| self.peer.config.codecs.iter().any(|known| known.codec.matches(codec));
        if codecs.iter().any(|codec| codec.kind != kind || !configured(codec)) {
            return Err(TrackError::UnknownCodec);
        }
        let preferences: Vec<Codec> = codecs.to_vec();
        self.state_mut().preferences = Some(preferences).filter(|codecs| !codecs.is_empty());
        Ok(())
    }

    /// Stops it for good. What it sends and receives ends at once; the peer is told by the next offer, after which it is
    /// forgotten.
    pub fn stop(mut self, now: Instant) {
        let state = self.state_mut();
        state.life = media::Life::Stopping;
        state.direction = Direction::Inactive;
        state.track = None;
        if state.section.is_none() {
            self.peer.media.remove(self.id.0);
            self.peer.events.push_back(Event::TransceiverStopped(self.id));
        }
        self.peer.media_changed(now);
        self.peer.tell_if_negotiation_is_needed();
    }
}
