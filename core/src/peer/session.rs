//! The exchange of offers and answers (RFC 8829 §3.2, §5.5 to §5.10).
//!
//! ```text
//!                  set local offer                      set remote answer
//!      Stable ─────────────────────▶ HaveLocalOffer ───────────────────────▶ Stable
//!        │  ▲                            │      ▲ │ set remote pranswer        ▲
//!        │  └────────── rollback ────────┘      └─┴──▶ HaveRemotePranswer ─────┘
//!        │         set remote offer                     set local answer
//!        └───────────────────────────▶ HaveRemoteOffer ──────────────────────▶ Stable
//! ```
//!
//! Everything here is data: what a change means for transports is carried out by the connection.

use core::cell::OnceCell;

use super::candidate;
use super::kept::Kept;
use super::local::{self, Identity, Local, Terms};
use super::negotiate;
use super::remote::{Remote, RemoteTransport};
use crate::dtls::Role;
use crate::error::{CandidateError, SignalingError};
use crate::sdp::{SessionDescription, Setup};
use crate::{Description, SdpType, SignalingState, ice};

pub(super) struct Session {
    identity: Identity,
    exchange: Exchange,
    in_force: Option<InForce>,
    /// How many local descriptions have been set.
    version: u64,
    /// The credentials that the next description carries, where ICE is to be restarted.
    next_credentials: Option<ice::Credentials>,
}

/// Where the exchange stands, with what is pending there.
enum Exchange {
    Stable,
    LocalOffer(Local),
    RemoteOffer(Remote),
    LocalPranswer { offer: Remote, answer: Local },
    RemotePranswer { offer: Local, answer: Remote },
    Closed,
}

/// The two descriptions that are in force, put away.
struct InForce {
    local: Kept,
    remote: Kept,
    /// Whether they agree on data channels.
    data: bool,
}

impl InForce {
    fn new(local: Local, remote: Remote) -> Self {
        let data = negotiate::agreed_data(&local, &remote).is_some();
        Self { local: Kept::new(local.kind, local.sdp), remote: Kept::new(remote.kind, remote.sdp), data }
    }

    fn read(&self) -> Agreed {
        let (kind, sdp) = self.local.read();
        Agreed { local: Local { kind, sdp }, remote: self.read_remote() }
    }

    fn read_remote(&self) -> Remote {
        let (kind, sdp) = self.remote.read();
        Remote::of(kind, sdp).expect("it could be applied when it was set")
    }
}

/// The two descriptions that are in force, read.
pub(super) struct Agreed {
    pub(super) local: Local,
    pub(super) remote: Remote,
}

/// What both sides have said, as far as it counts; what is in force is read when it is asked for.
pub(super) struct Known<'s> {
    exchange: &'s Exchange,
    in_force: Option<&'s InForce>,
    agreed: OnceCell<Agreed>,
}

impl Known<'_> {
    /// The two descriptions in force.
    pub(super) fn agreed(&self) -> Option<&Agreed> {
        self.in_force.map(|in_force| self.agreed.get_or_init(|| in_force.read()))
    }

    /// The local description that counts: the pending one, else the one in force.
    pub(super) fn local(&self) -> Option<&Local> {
        self.exchange.pending_local().or_else(|| self.agreed().map(|agreed| &agreed.local))
    }

    /// The remote description that counts: the pending one, else the one in force.
    pub(super) fn remote(&self) -> Option<&Remote> {
        self.exchange.pending_remote().or_else(|| self.agreed().map(|agreed| &agreed.remote))
    }

    /// Whether a remote offer restarts ICE: its credentials are others than those in force (RFC 8839 §4.4.1.1.1).
    pub(super) fn restarts(&self, offer: &Remote) -> bool {
        let known = self.agreed().and_then(Agreed::transport);
        let pair = known.zip(offer.transport());
        pair.is_some_and(|((_, known), (_, offered))| known.credentials != offered.credentials)
    }
}

impl Exchange {
    const fn pending_local(&self) -> Option<&Local> {
        match self {
            Self::LocalOffer(local)
            | Self::LocalPranswer { answer: local, .. }
            | Self::RemotePranswer { offer: local, .. } => Some(local),
            _ => None,
        }
    }

    const fn pending_remote(&self) -> Option<&Remote> {
        match self {
            Self::RemoteOffer(remote)
            | Self::LocalPranswer { offer: remote, .. }
            | Self::RemotePranswer { answer: remote, .. } => Some(remote),
            _ => None,
        }
    }
}

impl Agreed {
    /// The remote transport that both descriptions agree on, with the index of its section: the answer's tag tells it
    /// (RFC 9143 §7.3.1).
    pub(super) fn transport(&self) -> Option<(usize, &RemoteTransport)> {
        agreed_transport(&self.local, &self.remote)
    }
}

/// The remote transport that two descriptions agree on, with the index of its section.
pub(super) fn agreed_transport<'r>(
    local: &Local,
    remote: &'r Remote,
) -> Option<(usize, &'r RemoteTransport)> {
    let index = match remote.kind {
        SdpType::Offer => local::transport_section(&local.sdp)?.0,
        _ => remote.transport()?.0,
    };
    let taken = local.sdp.media.get(index).is_some_and(|section| section.port != 0);
    remote.transport_at(index).filter(|_| taken).map(|transport| (index, transport))
}

impl Session {
    pub(super) const fn new(identity: Identity) -> Self {
        Self { identity, exchange: Exchange::Stable, in_force: None, version: 0, next_credentials: None }
    }

    pub(super) const fn state(&self) -> SignalingState {
        match &self.exchange {
            Exchange::Stable => SignalingState::Stable,
            Exchange::LocalOffer(_) => SignalingState::HaveLocalOffer,
            Exchange::RemoteOffer(_) => SignalingState::HaveRemoteOffer,
            Exchange::LocalPranswer { .. } => SignalingState::HaveLocalPranswer,
            Exchange::RemotePranswer { .. } => SignalingState::HaveRemotePranswer,
            Exchange::Closed => SignalingState::Closed,
        }
    }

    /// What both sides have said.
    pub(super) const fn known(&self) -> Known<'_> {
        Known { exchange: &self.exchange, in_force: self.in_force.as_ref(), agreed: OnceCell::new() }
    }

    /// Whether an exchange has been completed.
    pub(super) const fn is_agreed(&self) -> bool {
        self.in_force.is_some()
    }

    /// What our description in force is.
    pub(super) fn kind_in_force(&self) -> Option<SdpType> {
        self.in_force.as_ref().map(|in_force| in_force.local.kind())
    }

    /// Whether the descriptions in force agree on data channels.
    pub(super) fn agrees_on_data(&self) -> bool {
        self.in_force.as_ref().is_some_and(|in_force| in_force.data)
    }

    /// Whether there is a local description.
    pub(super) const fn has_local(&self) -> bool {
        self.is_agreed() || self.pending_local().is_some()
    }

    pub(super) const fn pending_local(&self) -> Option<&Local> {
        self.exchange.pending_local()
    }

    pub(super) const fn pending_remote(&self) -> Option<&Remote> {
        self.exchange.pending_remote()
    }

    /// Adds a signalled candidate, or their end, to a section of the remote description that counts.
    pub(super) fn remember(
        &mut self,
        section: usize,
        told: Option<crate::sdp::Candidate>,
    ) -> Result<(), CandidateError> {
        match &mut self.exchange {
            Exchange::RemoteOffer(remote)
            | Exchange::LocalPranswer { offer: remote, .. }
            | Exchange::RemotePranswer { answer: remote, .. } => {
                candidate::remember(&mut remote.sdp, section, told)
            }
            _ => {
                let Some(InForce { remote, .. }) = &mut self.in_force else { return Ok(()) };
                let (kind, mut sdp) = remote.read();
                candidate::remember(&mut sdp, section, told)?;
                *remote = Kept::new(kind, sdp);
                Ok(())
            }
        }
    }

    /// Whether a restart waits for the next exchange.
    pub(super) const fn restart_wanted(&self) -> bool {
        self.next_credentials.is_some()
    }

    /// Has the next description carry these credentials.
    pub(super) fn want_restart(&mut self, credentials: ice::Credentials) {
        self.next_credentials = Some(credentials);
    }

    /// Takes the credentials of a restart that an exchange has completed.
    pub(super) const fn take_restart(&mut self) -> Option<ice::Credentials> {
        self.next_credentials.take()
    }

    /// What the next description says in our name.
    pub(super) fn terms<'a>(&'a self, current: &'a ice::Credentials) -> Terms<'a> {
        Terms {
            identity: &self.identity,
            version: self.version,
            credentials: self.next_credentials.as_ref().unwrap_or(current),
            setup: Setup::Actpass,
        }
    }

    /// The same for the answer to the pending offer, with that.
    pub(super) fn answering_terms<'a>(
        &'a self,
        current: &'a ice::Credentials,
        role: Option<Role>,
    ) -> Result<(Terms<'a>, &'a Remote), SignalingError> {
        let offer = match &self.exchange {
            Exchange::RemoteOffer(offer) | Exchange::LocalPranswer { offer, .. } => offer,
            Exchange::Closed => return Err(SignalingError::Closed),
            _ => return Err(SignalingError::WrongState(self.state())),
        };
        let mut terms = self.terms(current);
        // RFC 8829 §5.3.1: the answer to an offer that does not restart ICE does not either.
        if !self.known().restarts(offer) {
            terms.credentials = current;
        }
        terms.setup = answering_setup(offer, role);
        Ok((terms, offer))
    }

    /// Whether a description of this type may be set on this side, in this state.
    pub(super) const fn check_order(&self, side: Side, kind: SdpType) -> Result<(), SignalingError> {
        use SdpType::{Answer, Offer, Pranswer, Rollback};
        let fits = match (&self.exchange, side, kind) {
            (Exchange::Closed, ..) => return Err(SignalingError::Closed),
            (Exchange::Stable, _, Offer) => true,
            (Exchange::LocalOffer(_), Side::Local, Offer | Rollback) => true,
            (Exchange::LocalOffer(_), Side::Remote, Offer | Answer | Pranswer | Rollback) => true,
            (Exchange::RemoteOffer(_), Side::Local, Answer | Pranswer | Rollback) => true,
            (Exchange::RemoteOffer(_), Side::Remote, Offer | Rollback) => true,
            (Exchange::LocalPranswer { .. }, Side::Local, Answer | Pranswer | Rollback) => true,
            (Exchange::LocalPranswer { .. }, Side::Remote, Rollback) => true,
            (Exchange::RemotePranswer { .. }, Side::Local, Rollback) => true,
            (Exchange::RemotePranswer { .. }, Side::Remote, Answer | Pranswer | Rollback) => true,
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(SignalingError::WrongState(self.state())),
        }
    }

    /// The offer that a remote answer would complete.
    pub(super) const fn offer_awaiting_answer(&self) -> Option<&Local> {
        match &self.exchange {
            Exchange::LocalOffer(offer) | Exchange::RemotePranswer { offer, .. } => Some(offer),
            _ => None,
        }
    }

    /// Sets a local description whose order has been checked.
    pub(super) fn set_local(&mut self, local: Local) {
        self.version += 1;
        let before = core::mem::replace(&mut self.exchange, Exchange::Stable);
        self.exchange = match (before, local.kind) {
            (_, SdpType::Offer) => Exchange::LocalOffer(local),
            (Exchange::RemoteOffer(offer) | Exchange::LocalPranswer { offer, .. }, SdpType::Answer) => {
                self.in_force = Some(InForce::new(local, offer));
                Exchange::Stable
            }
            (Exchange::RemoteOffer(offer) | Exchange::LocalPranswer { offer, .. }, SdpType::Pranswer) => {
                Exchange::LocalPranswer { offer, answer: local }
            }
            (before, _) => before,
        };
    }

    /// Sets a remote description whose order has been checked; an offer takes a pending local one back.
    pub(super) fn set_remote(&mut self, remote: Remote) {
        let before = core::mem::replace(&mut self.exchange, Exchange::Stable);
        self.exchange = match (before, remote.kind) {
            (_, SdpType::Offer) => Exchange::RemoteOffer(remote),
            (Exchange::LocalOffer(offer) | Exchange::RemotePranswer { offer, .. }, SdpType::Answer) => {
                self.in_force = Some(InForce::new(offer, remote));
                Exchange::Stable
            }
            (Exchange::LocalOffer(offer) | Exchange::RemotePranswer { offer, .. }, SdpType::Pranswer) => {
                Exchange::RemotePranswer { offer, answer: remote }
            }
            (before, _) => before,
        };
    }

    /// Takes what is pending back.
    pub(super) fn roll_back(&mut self) {
        self.exchange = Exchange::Stable;
    }

    pub(super) fn close(&mut self) {
        self.exchange = Exchange::Closed;
    }
}

/// Whose description it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Local,
    Remote,
}

/// Our role in an answer: the one that we have, whatever is offered; else client, unless the peer insists on that
/// (RFC 8842 §5.3).
fn answering_setup(offer: &Remote, role: Option<Role>) -> Setup {
    match (role, offer.transport().map(|(_, transport)| transport.setup)) {
        (Some(Role::Client), _) => Setup::Active,
        (Some(Role::Server), _) => Setup::Passive,
        (None, Some(Setup::Active)) => Setup::Passive,
        (None, _) => Setup::Active,
    }
}

/// Whether `description` is what we would say, but for what gathering adds and for sections wanted since.
pub(super) fn is_ours(description: &SessionDescription, expected: &[SessionDescription]) -> bool {
    let bare = local::without_candidates(description);
    expected.iter().any(|expected| local::without_candidates(expected) == bare)
}

/// Reads a local description that the application hands back.
pub(super) fn parse(description: &Description) -> Result<SessionDescription, SignalingError> {
    description.sdp.parse().map_err(SignalingError::Syntax)
}
