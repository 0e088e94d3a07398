//! What a pair has carried beside checks.

use pavane_base::Instant;

/// Datagrams of data by a candidate pair, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairTraffic {
    /// Datagrams that left.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Datagrams that came.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// When the last left.
    pub last_sent: Option<Instant>,
    /// When the last came.
    pub last_received: Option<Instant>,
}

impl PairTraffic {
    pub(crate) const fn sent(&mut self, now: Instant, packets: u64, bytes: u64) {
        self.packets_sent += packets;
        self.bytes_sent += bytes;
        self.last_sent = Some(now);
    }

    pub(crate) const fn received(&mut self, now: Instant, bytes: u64) {
        self.packets_received += 1;
        self.bytes_received += bytes;
        self.last_received = Some(now);
    }
}
