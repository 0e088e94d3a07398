//! What happened how often.

/// Counts of what an association sent, received and dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Packets built.
    pub packets_sent: u64,
    /// Packets that came in.
    pub packets_received: u64,
    /// Bytes of user messages sent, without repetitions.
    pub bytes_sent: u64,
    /// Bytes of user messages received, without repetitions.
    pub bytes_received: u64,
    /// DATA chunks sent more than once.
    pub retransmissions: u64,
    /// Times that the retransmission timer expired.
    pub timeouts: u64,
    /// Times that SACKs told of a loss.
    pub fast_recoveries: u64,
    /// Probes for the loss of the last packets.
    pub tail_probes: u64,
    /// Reductions of the congestion window that were taken back: nothing had been lost.
    pub spurious_recoveries: u64,
    /// Messages given up because their time or their number of retransmissions had run out.
    pub abandoned: u64,
    /// DATA chunks received that were known.
    pub duplicates: u64,
    /// What was dropped, by reason.
    pub dropped: Dropped,
}

/// Counts of what an association dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Packets whose lengths do not add up.
    pub malformed: u64,
    /// Packets with a wrong checksum.
    pub checksum: u64,
    /// Packets for other ports.
    pub ports: u64,
    /// Packets with a verification tag that is not ours.
    pub tag: u64,
    /// Chunks whose inside is malformed.
    pub chunks: u64,
    /// Chunks of types that we do not know.
    pub unknown_chunks: u64,
    /// Chunks that have no place in the state that they met.
    pub unexpected: u64,
    /// Cookies that are not ours, or too old.
    pub cookies: u64,
    /// DATA chunks beyond the window.
    pub beyond_window: u64,
    /// DATA chunks on streams that were not agreed on.
    pub invalid_streams: u64,
    /// SACKs older than what is known.
    pub old_sacks: u64,
}
