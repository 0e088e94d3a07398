//! What an exchange of descriptions means for the transports.
//!
//! Checks come first and change nothing; what follows them cannot fail.

use alloc::vec::Vec;

use pavane_base::Instant;
use pavane_crypto::Fingerprint;

use super::local::{self, Local};
use super::remote::{DataSection, Remote};
use super::session::{self, Side};
use super::{Life, PeerConnection, candidate};
use crate::error::{CandidateError, SignalingError};
use crate::sdp::{SessionDescription, Setup};
use crate::{Description, IceCandidate, SdpType, dtls, ice};

impl PeerConnection {
    pub(super) fn apply_local(
        &mut self,
        now: Instant,
        description: &Description,
    ) -> Result<(), SignalingError> {
        self.session.check_order(Side::Local, description.kind)?;
        if description.kind == SdpType::Rollback {
            self.session.roll_back();
            return Ok(());
        }
        let sdp = session::parse(description)?;
        self.check_ours(description.kind, &sdp)?;
        let local = Local { kind: description.kind, sdp: local::without_candidates(&sdp) };
        let first = self.session.agreed().is_none();
        match description.kind {
            SdpType::Offer => {
                if first {
                    self.transport.ice.set_role(ice::Role::Controlling);
                }
                self.session.set_local(local);
            }
            _ => {
                let remote = self.session.pending_remote().expect("an answer's order was checked").clone();
                self.check_agreement(&local, &remote)?;
                self.session.set_local(local.clone());
                self.agree(now, &local, &remote);
            }
        }
        if self.session.local().is_some_and(|local| local::transport_section(&local.sdp).is_some()) {
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
            self.session.roll_back();
            return Ok(());
        }
        let remote = Remote::read(description)?;
        match self.session.offer_awaiting_answer() {
            Some(offer) if description.kind != SdpType::Offer => {
                let local = offer.clone();
                check_sections(&local.sdp, &remote.sdp)?;
                self.check_agreement(&local, &remote)?;
                self.session.set_remote(remote.clone());
                self.agree(now, &local, &remote);
            }
            _ => self.take_offer(remote),
        }
        Ok(())
    }

    /// Takes the peer's offer; a pending one of ours is taken back by that.
    fn take_offer(&mut self, remote: Remote) {
        if let Some(data) = &remote.data {
            let transport = &data.transport;
            if self.session.agreed().is_none() {
                // RFC 8445 §6.1.1: the offerer controls, unless it is a lite agent.
                let role = if transport.lite { ice::Role::Controlling } else { ice::Role::Controlled };
                self.transport.ice.set_role(role);
            }
            let restarts = self.session.restarts(&remote);
            if restarts && !self.session.restart_wanted() {
                self.session.want_restart(ice::Credentials::generate(&mut *self.rng));
            }
        }
        self.session.set_remote(remote);
    }

    /// Whether the local description is what we would say now, or what we would have said before the application asked
    /// for its first channel.
    fn check_ours(&self, kind: SdpType, sdp: &SessionDescription) -> Result<(), SignalingError> {
        let current = self.transport.ice.local_credentials();
        let expected: Vec<SessionDescription> = match kind {
            SdpType::Offer => [self.data.wanted(), false]
                .into_iter()
                .map(|data_wanted| self.session.offer(current, data_wanted))
                .collect(),
            _ => self.session.answer(current, self.transport.dtls_role()).into_iter().collect(),
        };
        match session::is_ours(sdp, &expected) {
            true => Ok(()),
            false => Err(SignalingError::Modified),
        }
    }

    /// Whether the two descriptions can be in force together.
    fn check_agreement(&self, local: &Local, remote: &Remote) -> Result<(), SignalingError> {
        let Some(data) = agreed_data(local, remote) else { return Ok(()) };
        if self.transport.dtls_role().is_none() {
            dtls_role(local, remote, data)?;
        }
        match self.remote_fingerprints() {
            Some(known) if *known != data.transport.fingerprints => Err(SignalingError::FingerprintChanged),
            _ => Ok(()),
        }
    }

    /// The fingerprints of the remote description in force.
    fn remote_fingerprints(&self) -> Option<&Vec<Fingerprint>> {
        let data = self.session.agreed()?.remote.data.as_ref()?;
        Some(&data.transport.fingerprints)
    }

    /// Puts two descriptions that agree into force.
    fn agree(&mut self, now: Instant, local: &Local, remote: &Remote) {
        let Some(data) = agreed_data(local, remote) else { return };
        self.agree_on_ice(now, remote, data);
        if let Ok(role) = dtls_role(local, remote, data) {
            self.transport.decide_dtls(role, data.transport.fingerprints.clone());
        }
        self.data.negotiated(&self.config, data, &mut *self.rng);
        self.path_changed(now);
    }

    fn agree_on_ice(&mut self, now: Instant, remote: &Remote, data: &DataSection) {
        let rng = &mut *self.rng;
        let ice = &mut self.transport.ice;
        let theirs = &data.transport.credentials;
        let known = ice.remote_credentials().is_some_and(|known| known == theirs);
        if !known {
            if ice.remote_credentials().is_some()
                && let Some(ours) = self.session.take_restart()
            {
                ice.restart(now, rng, ours);
            }
            ice.set_remote_credentials(now, rng, theirs.clone());
        }
        for candidate in remote.candidates() {
            if let Some(candidate) = candidate::from_sdp(candidate) {
                // A description with more candidates than we take is not refused for it.
                let _ = ice.add_remote_candidate(now, rng, candidate);
            }
        }
        if remote.candidates_ended() {
            ice.end_of_remote_candidates(now);
        }
    }

    pub(super) fn apply_candidate(&mut self, now: Instant, told: IceCandidate) -> Result<(), CandidateError> {
        if self.life != Life::Open {
            return Err(CandidateError::Closed);
        }
        let remote = self.session.remote().ok_or(CandidateError::NoRemoteDescription)?;
        let mid = told.sdp_mid.as_deref().filter(|mid| !mid.is_empty() || told.sdp_m_line_index.is_none());
        let ends = told.candidate.is_empty();
        let section = match (mid, told.sdp_m_line_index) {
            (None, None) if ends => remote.data.as_ref().map(|data| data.index),
            (None, None) => return Err(CandidateError::NoSection),
            (mid, index) => Some(remote.section(mid, index).ok_or(CandidateError::UnknownSection)?),
        };
        let Some(data) = remote.data.as_ref().filter(|data| Some(data.index) == section) else {
            return Ok(());
        };
        let theirs = &data.transport.credentials;
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
        let in_force = self.transport.ice.remote_credentials().is_some_and(|known| known == theirs);
        let index = data.index;
        if in_force {
            self.give_to_ice(now, parsed.as_ref())?;
        }
        let remote = self.session.remote_mut().expect("it was there a moment ago");
        candidate::remember(&mut remote.sdp.media[index], parsed)
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
fn agreed_data<'r>(local: &Local, remote: &'r Remote) -> Option<&'r DataSection> {
    let data = remote.data.as_ref()?;
    local.sdp.media.get(data.index).filter(|media| media.port != 0)?;
    Some(data)
}

/// Who is DTLS's client: the answer says it (RFC 8842 §5.3).
fn dtls_role(local: &Local, remote: &Remote, data: &DataSection) -> Result<dtls::Role, SignalingError> {
    let media = &local.sdp.media[data.index];
    let ours = media.setup().unwrap_or(Setup::Actpass);
    let theirs = data.transport.setup;
    match (remote.kind == SdpType::Offer, ours, theirs) {
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
