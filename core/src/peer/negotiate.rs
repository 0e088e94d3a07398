//! What an exchange of descriptions means for the transports.
//!
//! Checks come first and change nothing; what follows them cannot fail.

use alloc::vec::Vec;

use pavane_base::Instant;

use super::local::{self, Local};
use super::remote::{Content, DataSection, Remote, RemoteTransport};
use super::session::{self, Agreed, Side};
use super::{Life, PeerConnection, candidate};
use crate::error::{CandidateError, Required, SignalingError};
use crate::media::TransceiverId;
use crate::sdp::{SessionDescription, Setup};
use crate::{Description, Event, IceCandidate, SdpType, dtls, ice};

impl PeerConnection {
    pub(super) fn apply_local(
        &mut self,
        now: Instant,
        description: &Description,
    ) -> Result<(), SignalingError> {
        self.session.check_order(Side::Local, description.kind)?;
        if description.kind == SdpType::Rollback {
            self.roll_back();
            return Ok(());
        }
        let sdp = session::parse(description)?;
        self.check_ours(description.kind, &sdp)?;
        let local = Local { kind: description.kind, sdp: local::without_candidates(&sdp) };
        let first = !self.session.is_agreed();
        match description.kind {
            SdpType::Offer => {
                if first {
                    self.transport.ice.set_role(ice::Role::Controlling);
                }
                self.give_sections(&local.sdp);
                self.session.set_local(local);
            }
            _ => {
                let remote = self.session.pending_remote().expect("an answer's order was checked").clone();
                self.check_agreement(&local, &remote)?;
                self.session.set_local(local.clone());
                self.agree(now, &local, &remote);
            }
        }
        let has_transport =
            self.session.known().local().is_some_and(|local| local::transport_section(&local.sdp).is_some());
        if has_transport {
            self.transport.ice.start_gathering(now, &mut *self.rng);
        }
        Ok(())
    }

    pub(super) fn apply_remote(
        &mut self,
        now: Instant,
        description: &Description,
    ) -> Result<(), SignalingError> {
        self.session.check_order(Side::Remote, description.kind)?;
        if description.kind == SdpType::Rollback {
            self.roll_back();
            return Ok(());
        }
        let remote = Remote::read(description)?;
        match self.session.offer_awaiting_answer() {
            Some(offer) if description.kind != SdpType::Offer => {
                let local = offer.clone();
                check_sections(&local.sdp, &remote.sdp)?;
                check_bundle(&local.sdp, &remote)?;
                self.check_agreement(&local, &remote)?;
                self.session.set_remote(remote.clone());
                self.agree(now, &local, &remote);
            }
            _ => {
                self.check_kinds(&remote)?;
                self.take_offer(remote.clone());
            }
        }
        // W3C WebRTC §4.4.1.5: the signaling state's event comes before those of tracks.
        self.tell_states();
        self.tell_tracks(&remote);
        Ok(())
    }

    fn roll_back(&mut self) {
        self.session.roll_back();
        for key in self.media.roll_back() {
            self.events.push_back(Event::TransceiverStopped(TransceiverId(key)));
        }
    }

    /// Takes the peer's offer; a pending one of ours is taken back by that.
    fn take_offer(&mut self, remote: Remote) {
        if self.session.pending_local().is_some() {
            self.roll_back();
        }
        if let Some((_, transport)) = remote.transport() {
            if !self.session.is_agreed() {
                // RFC 8445 §6.1.1: the offerer controls, unless it is a lite agent.
                let role = if transport.lite { ice::Role::Controlling } else { ice::Role::Controlled };
                self.transport.ice.set_role(role);
            }
            let restarts = self.session.known().restarts(&remote);
            if restarts && !self.session.restart_wanted() {
                self.session.want_restart(ice::Credentials::generate(&mut *self.rng));
            }
        }
        self.find_transceivers(&remote);
        self.session.set_remote(remote);
    }

    /// Whether the local description is what we would say now, or what we would have said before the application asked
    /// for more.
    fn check_ours(&self, kind: SdpType, sdp: &SessionDescription) -> Result<(), SignalingError> {
        let expected: Vec<SessionDescription> = match kind {
            SdpType::Offer => {
                let maker = self.maker();
                let data = [self.data.wanted(), false].into_iter();
                let counts = 0..=self.media.waiting().count();
                data.flat_map(|data| {
                    counts.clone().rev().map(move |transceivers| local::Wish { data, transceivers })
                })
                .map(|wish| maker.offer(wish))
                .filter(|offer| offer.media.len() == sdp.media.len())
                .collect()
            }
            _ => self.answer().into_iter().collect(),
        };
        match session::is_ours(sdp, &expected) {
            true => Ok(()),
            false => Err(SignalingError::Modified),
        }
    }

    /// Whether the two descriptions can be in force together.
    fn check_agreement(&self, local: &Local, remote: &Remote) -> Result<(), SignalingError> {
        let Some((index, transport)) = session::agreed_transport(local, remote) else { return Ok(()) };
        if self.transport.dtls_role().is_none() {
            dtls_role(local, remote, index, transport)?;
        }
        match self.session.known().agreed().and_then(Agreed::transport) {
            Some((_, known)) if known.fingerprints != transport.fingerprints => {
                Err(SignalingError::FingerprintChanged)
            }
            _ => Ok(()),
        }
    }

    /// Puts two descriptions that agree into force.
    fn agree(&mut self, now: Instant, local: &Local, remote: &Remote) {
        self.agree_on_media(now, local, remote);
        let Some((index, transport)) = session::agreed_transport(local, remote) else { return };
        self.agree_on_ice(now, remote, index, transport);
        if let Ok(role) = dtls_role(local, remote, index, transport) {
            self.transport.decide_dtls(role, transport.fingerprints.clone());
        }
        if let Some(data) = agreed_data(local, remote) {
            self.data.negotiated(&self.config, data);
        }
        self.path_changed(now);
    }

    fn agree_on_ice(&mut self, now: Instant, remote: &Remote, index: usize, transport: &RemoteTransport) {
        let theirs = &transport.credentials;
        let former = self.transport.ice.remote_credentials();
        let (known, is_first) = (former.is_some_and(|former| former == theirs), former.is_none());
        let restart = if known || is_first { None } else { self.session.take_restart() };
        if restart.is_some() {
            self.forget_names();
        }
        let rng = &mut *self.rng;
        let ice = &mut self.transport.ice;
        if !known {
            if let Some(ours) = restart {
                ice.restart(now, rng, ours);
            }
            ice.set_remote_credentials(now, rng, theirs.clone());
        }
        for candidate in remote.candidates(index) {
            if let Some(candidate) = candidate::from_sdp(candidate) {
                // A description with more candidates than we take is not refused for it.
                let _ = ice.add_remote_candidate(now, rng, candidate);
            }
        }
        if remote.candidates_ended(index) {
            ice.end_of_remote_candidates(now);
        }
    }

    pub(super) fn apply_candidate(&mut self, now: Instant, told: IceCandidate) -> Result<(), CandidateError> {
        if self.life != Life::Open {
            return Err(CandidateError::Closed);
        }
        let known = self.session.known();
        let remote = known.remote().ok_or(CandidateError::NoRemoteDescription)?;
        let mid = told.sdp_mid.as_deref().filter(|mid| !mid.is_empty() || told.sdp_m_line_index.is_none());
        let ends = told.candidate.is_empty();
        // Until the exchange says which section's transport it is, the offered one counts.
        let in_force = known.agreed().and_then(Agreed::transport).map(|(index, _)| index);
        let tagged = in_force.or(remote.transport().map(|(index, _)| index));
        let section = match (mid, told.sdp_m_line_index) {
            (None, None) if ends => tagged,
            (None, None) => return Err(CandidateError::NoSection),
            (mid, index) => Some(remote.section(mid, index).ok_or(CandidateError::UnknownSection)?),
        };
        let found = section.and_then(|index| Some((index, remote.transport_at(index)?)));
        let Some((index, transport)) = found else { return Ok(()) };
        let theirs = &transport.credentials;
        let parsed = match ends {
            true => None,
            false => {
                Some(told.candidate.parse::<crate::sdp::Candidate>().map_err(|_| CandidateError::Syntax)?)
            }
        };
        let ufrag = told.username_fragment.as_deref().or(parsed.as_ref().and_then(candidate::ufrag));
        if ufrag.is_some_and(|ufrag| ufrag != theirs.ufrag) {
            return Err(CandidateError::UnknownUfrag);
        }
        // Before the exchange is completed ICE works with the generation before; the candidates wait in the description.
        let concerns_ice = Some(index) == tagged
            && self.transport.ice.remote_credentials().is_some_and(|known| known == theirs);
        if concerns_ice {
            self.give_to_ice(now, parsed.as_ref())?;
        }
        self.session.remember(index, parsed)
    }

    fn give_to_ice(
        &mut self,
        now: Instant,
        candidate: Option<&crate::sdp::Candidate>,
    ) -> Result<(), CandidateError> {
        match candidate {
            None => self.transport.ice.end_of_remote_candidates(now),
            Some(candidate) => {
                if let Some(candidate) = candidate::from_sdp(candidate) {
                    self.transport
                        .ice
                        .add_remote_candidate(now, &mut *self.rng, candidate)
                        .map_err(|_| CandidateError::TooMany)?;
                }
            }
        }
        Ok(())
    }
}

/// The remote data section, if the local description takes it.
pub(super) fn agreed_data<'r>(local: &Local, remote: &'r Remote) -> Option<&'r DataSection> {
    let (index, data) = remote.data()?;
    local.sdp.media.get(index).filter(|section| section.port != 0)?;
    Some(data)
}

/// Who is DTLS's client: the answer says it (RFC 8842 §5.3).
fn dtls_role(
    local: &Local,
    remote: &Remote,
    index: usize,
    transport: &RemoteTransport,
) -> Result<dtls::Role, SignalingError> {
    let ours = local.sdp.media[index].setup().unwrap_or(Setup::Actpass);
    match (remote.kind == SdpType::Offer, ours, transport.setup) {
        (true, Setup::Active, _) | (false, _, Setup::Passive) => Ok(dtls::Role::Client),
        (true, Setup::Passive, _) | (false, _, Setup::Active) => Ok(dtls::Role::Server),
        _ => Err(SignalingError::SetupConflict),
    }
}

/// An answer has the offer's sections, in their order (RFC 3264 §6).
fn check_sections(offer: &SessionDescription, answer: &SessionDescription) -> Result<(), SignalingError> {
    let same = offer.media.len() == answer.media.len()
        && offer.media.iter().zip(&answer.media).all(|(offered, answered)| {
            offered.kind == answered.kind && answered.mid().is_none_or(|mid| offered.mid() == Some(mid))
        });
    if same { Ok(()) } else { Err(SignalingError::SectionsDiffer) }
}

/// An answer takes no section that is rejected in the offer, and no section out of the one transport that there is; it
/// multiplexes RTP with RTCP (RFC 8829 §5.11).
fn check_bundle(offer: &SessionDescription, answer: &Remote) -> Result<(), SignalingError> {
    for (section, offered) in offer.media.iter().enumerate() {
        match (answer.content(section), answer.usable(section)) {
            (Content::None, _) => {}
            _ if offered.port == 0 => return Err(SignalingError::SectionsDiffer),
            (_, None) => return Err(SignalingError::NotBundled { section }),
            (Content::Media(media), _) if !media.multiplexed => {
                return Err(SignalingError::Missing { section, what: Required::RtcpMux });
            }
            _ => {}
        }
    }
    Ok(())
}
