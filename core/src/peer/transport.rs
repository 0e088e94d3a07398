//! The transport of a connection: ICE below, DTLS and SRTP above it.
//!
//! All sections are bundled, so there is one. It is there from the beginning and does nothing until both descriptions are
//! set: then ICE is given the peer's credentials and DTLS its role, and the DTLS client's first flight leaves on the first
//! pair that works.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, earliest};
use pavane_crypto::Fingerprint;

use super::media::MediaTransport;
use crate::{Config, dtls, ice};

pub(super) struct Transport {
    pub(super) ice: ice::Agent,
    pub(super) media: MediaTransport,
    dtls: Dtls,
    dtls_config: Arc<dtls::Config>,
}

enum Dtls {
    /// No description has said who is client. What the peer sends meanwhile waits: it may have our answer, and so its
    /// role, before we have its description.
    Undecided { early: Vec<Vec<u8>> },
    /// The role is known; the handshake begins once there is a path.
    Ready { connection: Box<dtls::Connection>, early: Vec<Vec<u8>> },
    /// The handshake runs or is over.
    Started(Box<dtls::Connection>),
}

/// How many datagrams of DTLS are kept before a description tells our role: a browser's ClientHello takes two, and one
/// retransmission of it may follow.
const MAX_EARLY_DATAGRAMS: usize = 4;

impl Transport {
    pub(super) fn new(config: &Config, credentials: ice::Credentials, rng: &mut dyn CryptoRng) -> Self {
        let mut ice_config = ice::Config::new(config.provider.clone());
        ice_config.timing = config.ice;
        ice_config.servers = config.servers.clone();
        ice_config.policy = config.transport_policy;
        ice_config.filter = config.candidate_filter.clone();
        ice_config.mode = config.ice_mode;
        ice_config.tcp = config.tcp;
        ice_config.prefetch = config.prefetch;
        let mut dtls_config = dtls::Config::new(config.provider.clone(), config.certificate.clone());
        dtls_config.srtp_profiles = config.srtp_profiles.iter().map(|profile| profile.id()).collect();
        Self {
            // The role is settled by the first description; controlling is what an offerer will be.
            ice: ice::Agent::new(ice_config, ice::Role::Controlling, credentials, rng),
            media: MediaTransport::default(),
            dtls: Dtls::Undecided { early: Vec::new() },
            dtls_config: Arc::new(dtls_config),
        }
    }

    /// Where to send data, if anywhere.
    pub(super) fn path(&self) -> Option<Path> {
        self.ice.selected_path()
    }

    /// The DTLS connection, once its role is known.
    pub(super) fn dtls(&self) -> Option<&dtls::Connection> {
        match &self.dtls {
            Dtls::Undecided { .. } => None,
            Dtls::Ready { connection, .. } | Dtls::Started(connection) => Some(connection),
        }
    }

    /// The DTLS connection, once its handshake may run.
    pub(super) fn dtls_mut(&mut self) -> Option<&mut dtls::Connection> {
        match &mut self.dtls {
            Dtls::Started(connection) => Some(connection),
            _ => None,
        }
    }

    /// The DTLS role, once a description has settled it.
    pub(super) fn dtls_role(&self) -> Option<dtls::Role> {
        self.dtls().map(dtls::Connection::role)
    }

    /// Settles DTLS's role, for good.
    pub(super) fn decide_dtls(&mut self, role: dtls::Role, fingerprints: Vec<Fingerprint>) {
        if let Dtls::Undecided { early } = &mut self.dtls {
            let mut connection = Box::new(dtls::Connection::new(self.dtls_config.clone(), role));
            connection.set_remote_fingerprints(fingerprints);
            self.dtls = Dtls::Ready { connection, early: core::mem::take(early) };
        }
    }

    /// Gives SRTP its keys, once DTLS is done and there is media.
    pub(super) fn key_media(&mut self, config: &Config) {
        if let Dtls::Started(connection) = &self.dtls {
            self.media.connect(config, connection);
        }
    }

    /// Tells DTLS what ICE knows of the path, and starts the handshake where the path is what it waited for.
    ///
    /// Returns the datagrams that came early, to be handled anew.
    pub(super) fn path_found(&mut self, now: Instant, rng: &mut dyn CryptoRng) -> Vec<Vec<u8>> {
        let round_trip_time = self.ice.round_trip_time();
        let waiting = Dtls::Undecided { early: Vec::new() };
        let (mut connection, early) = match core::mem::replace(&mut self.dtls, waiting) {
            Dtls::Ready { connection, early } if self.ice.selected_path().is_some() => (connection, early),
            other => {
                self.dtls = other;
                return Vec::new();
            }
        };
        if let Some(round_trip_time) = round_trip_time {
            connection.set_round_trip_time(round_trip_time);
        }
        connection.start(now, rng);
        self.dtls = Dtls::Started(connection);
        early
    }

    /// Keeps a datagram that came before its time; says whether there was room.
    pub(super) fn keep_early(&mut self, payload: &[u8]) -> bool {
        let early = match &mut self.dtls {
            Dtls::Undecided { early } | Dtls::Ready { early, .. } => early,
            Dtls::Started(_) => return false,
        };
        let room = early.len() < MAX_EARLY_DATAGRAMS;
        if room {
            early.push(payload.to_vec());
        }
        room
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        self.ice.handle_timeout(now, rng);
        if let Some(connection) = self.dtls_mut() {
            connection.handle_timeout(now, rng);
        }
        self.media.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let dtls = self.dtls().and_then(dtls::Connection::poll_timeout);
        earliest(earliest(self.ice.poll_timeout(), dtls), self.media.poll_timeout())
    }
}
