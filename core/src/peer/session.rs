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

use super::local::{self, Identity, Local, Terms};
use super::remote::{Remote, RemoteTransport};
use crate::dtls::Role;
use crate::error::SignalingError;
use crate::sdp::{SessionDescription, Setup};
use crate::{Description, SdpType, SignalingState, ice};

pub(super) struct Session {
    identity: Identity,
    exchange: Exchange,
    agreed: Option<Agreed>,
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

/// The two descriptions that are in force.
pub(super) struct Agreed {
    pub(super) local: Local,
    pub(super) remote: Remote,
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
        Self { identity, exchange: Exchange::Stable, agreed: None, version: 0, next_credentials: None }
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

    pub(super) const fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    pub(super) const fn pending_local(&self) -> Option<&Local> {
        match &self.exchange {
            Exchange::LocalOffer(local)
            | Exchange::LocalPranswer { answer: local, .. }
            | Exchange::RemotePranswer { offer: local, .. } => Some(local),
            _ => None,
        }
    }

    pub(super) const fn pending_remote(&self) -> Option<&Remote> {
        match &self.exchange {
            Exchange::RemoteOffer(remote)
            | Exchange::LocalPranswer { offer: remote, .. }
            | Exchange::RemotePranswer { answer: remote, .. } => Some(remote),
            _ => None,
        }
    }

    /// The local description that counts: the pending one, else the one in force.
    pub(super) fn local(&self) -> Option<&Local> {
        self.pending_local().or(self.agreed.as_ref().map(|agreed| &agreed.local))
    }

    /// The remote description that counts: the pending one, else the one in force.
    pub(super) fn remote(&self) -> Option<&Remote> {
        self.pending_remote().or(self.agreed.as_ref().map(|agreed| &agreed.remote))
    }

    /// The remote description that counts, for adding the candidates that follow it.
    pub(super) fn remote_mut(&mut self) -> Option<&mut Remote> {
        match &mut self.exchange {
            Exchange::RemoteOffer(remote)
            | Exchange::LocalPranswer { offer: remote, .. }
            | Exchange::RemotePranswer { answer: remote, .. } => Some(remote),
            _ => self.agreed.as_mut().map(|agreed| &mut agreed.remote),
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
        if !self.restarts(offer) {
            terms.credentials = current;
        }
        terms.setup = answering_setup(offer, role);
        Ok((terms, offer))
    }

    /// Whether a remote offer restarts ICE: its credentials are others than those in force (RFC 8839 §4.4.1.1.1).
    pub(super) fn restarts(&self, offer: &Remote) -> bool {
        let known = self.agreed.as_ref().and_then(Agreed::transport);
        let pair = known.zip(offer.transport());
        pair.is_some_and(|((_, known), (_, offered))| known.credentials != offered.credentials)
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
                self.agreed = Some(Agreed { local, remote: offer });
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
                self.agreed = Some(Agreed { local: offer, remote });
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
