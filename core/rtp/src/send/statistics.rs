//! What is counted of a stream that is sent.

use core::time::Duration;

use pavane_base::Instant;

use crate::PayloadType;

/// What was counted of a stream that is sent, as W3C's `outbound-rtp` and `remote-inbound-rtp` have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// What the last packet was.
    pub payload_type: Option<PayloadType>,
    /// Packets, retransmissions in a stream of their own not among them.
    pub packets_sent: u64,
    /// Their payloads' bytes.
    pub bytes_sent: u64,
    /// Packets with a marker, which ends a picture.
    pub frames_sent: u64,
    /// Their headers' bytes, and those of retransmissions and padding.
    pub header_bytes_sent: u64,
    /// Packets that were sent again.
    pub retransmitted_packets_sent: u64,
    /// Their payloads' bytes.
    pub retransmitted_bytes_sent: u64,
    /// Bytes that were sent for their number.
    pub padding_bytes_sent: u64,
    /// Retransmissions that would have cost too much.
    pub retransmissions_refused: u64,
    /// How long packets waited, in all.
    pub total_send_delay: Duration,
    /// Negative acknowledgements.
    pub nacks_received: u64,
    /// Picture loss indications.
    pub plis_received: u64,
    /// Full intra requests.
    pub firs_received: u64,
    /// When the receiver last reported.
    pub remote_report_at: Option<Instant>,
    /// How many packets it has lost in all.
    pub remote_packets_lost: i32,
    /// The part that it lost since its report before, in 1/256.
    pub remote_fraction_lost: u8,
    /// The jitter that it sees, in units of the media clock.
    pub remote_jitter: u32,
    /// The highest number that it has seen.
    pub remote_highest: u32,
    /// The last round trip that was measured.
    pub round_trip_time: Option<Duration>,
    /// All of them together.
    pub total_round_trip_time: Duration,
    /// How many there were.
    pub round_trip_measurements: u64,
}
