//! The figures that [`PeerConnection::stats`] gives.

use pavane_base::Instant;

use super::PeerConnection;
use crate::stats::{DtlsStats, Stats};
use crate::{dtls, sctp};

impl PeerConnection {
    pub(super) fn figures(&self, now: Instant) -> Stats {
        let (transport, data) = (&self.transport, &self.data);
        let (channels_opened, channels_closed) = data.channels.totals();
        Stats {
            at: now,
            traffic: self.traffic,
            drops: self.drops,
            selected_path: transport.path(),
            round_trip_time: transport.ice.round_trip_time(),
            pairs: transport.ice.pairs().collect(),
            ice: *transport.ice.counters(),
            dtls: transport.dtls().map(dtls_figures),
            sctp: data.association().map(sctp::Association::stats),
            channels_opened,
            channels_closed,
        }
    }
}

fn dtls_figures(connection: &dtls::Connection) -> DtlsStats {
    DtlsStats {
        state: connection.state(),
        role: connection.role(),
        version: connection.version(),
        cipher_suite: connection.cipher_suite(),
        counters: *connection.counters(),
    }
}
