//! What a connection counts.

/// Counts of what a connection received, dropped and sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Records whose header was readable.
    pub records_received: u64,
    /// Datagram rests dropped because no record could be made out in them.
    pub malformed: u64,
    /// Records dropped for a content type that does not exist or has no place there.
    pub unexpected_type: u64,
    /// Records dropped for an epoch that does not exist.
    pub unexpected_epoch: u64,
    /// Records dropped because their number was seen before, or is too old to tell.
    pub replayed: u64,
    /// Records dropped because they were not authentic.
    pub forged: u64,
    /// Records dropped because they came before their time and the place for such was full.
    pub overflowed: u64,
    /// Alerts dropped because anybody could have sent them.
    pub unauthenticated_alerts: u64,
    /// Handshake fragments dropped because their header, size or place made no sense.
    pub bad_fragments: u64,
    /// Handshake fragments of messages that had been processed before.
    pub old_fragments: u64,
    /// Handshake flights sent again.
    pub retransmissions: u64,
}
