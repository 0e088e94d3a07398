//! Candidates between their text, SDP's grammar and ICE, and the events that carry ours.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use pavane_base::Transport;

use super::local::{self, Local};
use super::names::Names;
use super::{PeerConnection, remote::Remote};
use crate::error::CandidateError;
use crate::event::Event;
use crate::sdp::{self, Attribute, CandidateAddress, CandidateTransport, SessionDescription};
use crate::{Description, IceCandidate, IceGatheringState, ice};

/// How many candidates a remote section may gather, those in its description included.
const MAX_CANDIDATES: usize = 100;

/// What ICE makes of a remote candidate; `None` for kinds of no use to us, which are passed over without an error
/// (RFC 8839 §5.1).
pub(super) fn from_sdp(candidate: &sdp::Candidate) -> Option<ice::RemoteCandidate> {
    if candidate.component != RTP_COMPONENT {
        return None;
    }
    let (transport, tcp_type) = match (&candidate.transport, candidate.tcp_type) {
        (CandidateTransport::Udp, _) => (Transport::Udp, None),
        (CandidateTransport::Tcp, Some(tcp_type)) => (Transport::Tcp, Some(tcp_type_from_sdp(tcp_type))),
        _ => return None,
    };
    let kind = match candidate.kind {
        sdp::CandidateKind::Host => ice::CandidateKind::Host,
        sdp::CandidateKind::ServerReflexive => ice::CandidateKind::ServerReflexive,
        sdp::CandidateKind::PeerReflexive => ice::CandidateKind::PeerReflexive,
        sdp::CandidateKind::Relayed => ice::CandidateKind::Relayed,
        _ => return None,
    };
    match &candidate.address {
        CandidateAddress::Ip(ip) => Some(ice::RemoteCandidate::Address(ice::Candidate {
            foundation: candidate.foundation.clone(),
            component: candidate.component,
            transport,
            tcp_type,
            priority: candidate.priority,
            address: SocketAddr::new(*ip, candidate.port),
            kind,
            related: None,
        })),
        CandidateAddress::Name(name) if name.ends_with(".local") => {
            Some(ice::RemoteCandidate::Name(ice::NamedCandidate {
                name: name.clone(),
                port: candidate.port,
                foundation: candidate.foundation.clone(),
                component: candidate.component,
                transport,
                tcp_type,
                priority: candidate.priority,
                kind,
            }))
        }
        CandidateAddress::Name(_) => None,
    }
}

/// Our candidate as SDP writes it. The address that it was found from is told only where `told` has it anyway, and no
/// address hides behind a name (RFC 8839 §5.1: 0.0.0.0 and port 9 stand for one that is not told).
fn to_sdp(candidate: &ice::Candidate, told: &[ice::Candidate], names: &Names) -> sdp::Candidate {
    let related = candidate.related.map(|related| {
        let is_told = |other: &ice::Candidate| other.address == related && other.transport == Transport::Udp;
        if names.is_empty() && told.iter().any(is_told) { related } else { untold(related) }
    });
    let address = match names.of(candidate.address.ip()) {
        Some(name) if candidate.kind == ice::CandidateKind::Host => CandidateAddress::Name(name.to_string()),
        _ => CandidateAddress::Ip(candidate.address.ip()),
    };
    sdp::Candidate {
        foundation: candidate.foundation.clone(),
        component: candidate.component,
        transport: match candidate.transport {
            Transport::Udp => CandidateTransport::Udp,
            Transport::Tcp => CandidateTransport::Tcp,
        },
        priority: candidate.priority,
        address,
        port: candidate.address.port(),
        kind: match candidate.kind {
            ice::CandidateKind::Host => sdp::CandidateKind::Host,
            ice::CandidateKind::ServerReflexive => sdp::CandidateKind::ServerReflexive,
            ice::CandidateKind::PeerReflexive => sdp::CandidateKind::PeerReflexive,
            ice::CandidateKind::Relayed => sdp::CandidateKind::Relayed,
        },
        related: related.map(|related| (CandidateAddress::Ip(related.ip()), related.port())),
        tcp_type: candidate.tcp_type.map(tcp_type_to_sdp),
        extensions: Vec::new(),
    }
}

/// What stands for an address that is not told.
pub(super) fn untold(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), DISCARD),
        SocketAddr::V6(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), DISCARD),
    }
}

const fn tcp_type_from_sdp(tcp_type: sdp::TcpType) -> ice::TcpType {
    match tcp_type {
        sdp::TcpType::Active => ice::TcpType::Active,
        sdp::TcpType::Passive => ice::TcpType::Passive,
        sdp::TcpType::SimultaneousOpen => ice::TcpType::SimultaneousOpen,
    }
}

const fn tcp_type_to_sdp(tcp_type: ice::TcpType) -> sdp::TcpType {
    match tcp_type {
        ice::TcpType::Active => sdp::TcpType::Active,
        ice::TcpType::Passive => sdp::TcpType::Passive,
        ice::TcpType::SimultaneousOpen => sdp::TcpType::SimultaneousOpen,
    }
}

/// The ufrag that browsers append to a candidate's line.
pub(super) fn ufrag(candidate: &sdp::Candidate) -> Option<&str> {
    candidate.extensions.iter().find(|(name, _)| name == "ufrag").map(|(_, value)| value.as_str())
}

/// Adds a signalled candidate, or their end, to the section that it belongs to.
pub(super) fn remember(
    description: &mut SessionDescription,
    section: usize,
    candidate: Option<sdp::Candidate>,
) -> Result<(), CandidateError> {
    let Some(media) = description.media.get_mut(section) else { return Ok(()) };
    let attribute =
        candidate.map_or(Attribute::EndOfCandidates, |candidate| Attribute::Candidate(Box::new(candidate)));
    if media.attributes.contains(&attribute) {
        return Ok(());
    }
    let candidates = media.attributes.iter().filter(|a| matches!(a, Attribute::Candidate(_))).count();
    if candidates >= MAX_CANDIDATES {
        return Err(CandidateError::TooMany);
    }
    media.attributes.push(attribute);
    Ok(())
}

/// The port that stands for none.
const DISCARD: u16 = 9;

/// The component of RTP, and of everything that shares its 5-tuple (RFC 8445 §13).
const RTP_COMPONENT: u16 = 1;

impl PeerConnection {
    pub(super) fn tell_candidate(&mut self, candidate: &ice::Candidate) {
        let line = to_sdp(candidate, self.transport.ice.local_candidates(), &self.names).to_string();
        self.tell(line);
    }

    pub(super) fn tell_end_of_candidates(&mut self) {
        self.tell(String::new());
    }

    fn tell(&mut self, line: String) {
        let known = self.session.known();
        let section = known.local().and_then(|local| local::transport_section(&local.sdp));
        let candidate = IceCandidate {
            candidate: line,
            sdp_mid: section.and_then(|(_, media)| media.mid()).map(String::from),
            sdp_m_line_index: section.and_then(|(index, _)| u16::try_from(index).ok()),
            username_fragment: Some(self.transport.ice.local_credentials().ufrag.clone()),
        };
        self.events.push_back(Event::LocalCandidate(candidate));
    }

    pub(super) fn with_candidates(&self, local: &Local) -> Description {
        Description { kind: local.kind, sdp: self.fill_in_candidates(&local.sdp).to_string() }
    }

    pub(super) fn fill_in_candidates(&self, sdp: &SessionDescription) -> SessionDescription {
        let told = self.transport.ice.local_candidates();
        let candidates: Vec<_> = told.iter().map(|candidate| to_sdp(candidate, told, &self.names)).collect();
        local::with_candidates(sdp, &candidates, self.ice_gathering_state() == IceGatheringState::Complete)
    }
}

impl Remote {
    /// The index of the section that a candidate belongs to; the mid decides where both are given
    /// (W3C WebRTC §4.4.2, `addIceCandidate`).
    pub(super) fn section(&self, mid: Option<&str>, index: Option<u16>) -> Option<usize> {
        match mid {
            Some(mid) => self.sdp.media.iter().position(|media| media.mid() == Some(mid)),
            None => index.map(usize::from).filter(|index| *index < self.sdp.media.len()),
        }
    }
}
