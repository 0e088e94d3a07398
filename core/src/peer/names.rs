//! The names that our addresses hide behind (draft-ietf-mmusic-mdns-ice-candidates §3.1).
//!
//! One name for each address, for as long as a generation of candidates lasts. The agent knows addresses alone; whatever
//! leaves for the application or the peer passes here.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::PeerConnection;
use crate::{HostAddresses, ice, mdns};

/// The names in force.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(IpAddr, String)>);

impl Names {
    pub(super) fn of(&self, address: IpAddr) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == address).map(|(_, name)| name.as_str())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An address of ours, with its name in its place where it hides behind one.
    pub(super) fn shown(&self, address: SocketAddr) -> String {
        match self.of(address.ip()) {
            Some(name) => alloc::format!("{name}:{}", address.port()),
            None => address.to_string(),
        }
    }
}

impl PeerConnection {
    /// Draws a name for a candidate's address, if it is to hide and has none.
    pub(super) fn name(&mut self, candidate: &ice::Candidate) {
        let ip = candidate.address.ip();
        let hides = self.config.host_addresses == HostAddresses::Hidden
            && candidate.kind == ice::CandidateKind::Host
            && self.names.of(ip).is_none();
        if hides {
            let name = mdns::random_name(&mut *self.rng);
            self.transport.ice.publish(name.clone(), ip);
            self.names.0.push((ip, name));
        }
    }

    /// Has nobody answer for the names any more. They still stand for the addresses in what is shown.
    pub(super) fn withdraw_names(&mut self) {
        for (_, name) in &self.names.0 {
            self.transport.ice.withdraw(name.clone());
        }
    }

    /// Gives all names up: the candidates to come get others.
    pub(super) fn forget_names(&mut self) {
        self.withdraw_names();
        self.names = Names::default();
    }
}
