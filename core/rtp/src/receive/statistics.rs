//! What is counted of a received stream.

use pavane_base::Instant;

use super::{Rejected, Via};
use crate::{NtpTime, Packet, PayloadType};

/// What was counted of a received stream, as W3C's `inbound-rtp` and `remote-outbound-rtp` have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// What the last packet was.
    pub payload_type: Option<PayloadType>,
    /// Packets that came, retransmissions among them, duplicates not.
    pub packets_received: u64,
    /// Their payloads' bytes.
    pub bytes_received: u64,
    /// Their headers' and paddings' bytes.
    pub header_bytes_received: u64,
    /// Packets that came by retransmission.
    pub retransmitted_packets_received: u64,
    /// Their payloads' bytes.
    pub retransmitted_bytes_received: u64,
    /// Packets that came again.
    pub packets_duplicated: u64,
    /// Packets that were dropped for another reason.
    pub packets_discarded: u64,
    /// Missing packets that are no longer asked for.
    pub given_up: u64,
    /// When the last packet came.
    pub last_packet_at: Option<Instant>,
    /// Negative acknowledgements.
    pub nacks_sent: u64,
    /// Picture loss indications.
    pub plis_sent: u64,
    /// Full intra requests.
    pub firs_sent: u64,
    /// Sender reports.
    pub reports_received: u64,
    /// How many packets the sender says it has sent, modulo 2^32.
    pub remote_packets_sent: u32,
    /// How many bytes of payload the sender says it has sent, modulo 2^32.
    pub remote_bytes_sent: u32,
    /// When the sender said so, by its clock.
    pub remote_timestamp: Option<NtpTime>,
}

impl Statistics {
    pub(super) fn count(&mut self, now: Instant, packet: &Packet<'_>, via: Via) {
        let payload = packet.payload().len() as u64;
        self.payload_type = Some(packet.payload_type());
        self.packets_received += 1;
        self.bytes_received += payload;
        self.header_bytes_received += packet.header_len() as u64 + u64::from(packet.padding_len());
        self.last_packet_at = Some(now);
        if via == Via::Retransmission {
            self.retransmitted_packets_received += 1;
            self.retransmitted_bytes_received += payload;
        }
    }

    pub(super) fn reject(&mut self, rejected: Rejected) {
        match rejected {
            Rejected::Duplicate => self.packets_duplicated += 1,
            Rejected::TooOld | Rejected::Jump | Rejected::PayloadType => self.packets_discarded += 1,
        }
    }
}
