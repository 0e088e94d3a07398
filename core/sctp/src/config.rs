//! What an association can be told before it begins.

use core::time::Duration;

use crate::congestion::CongestionAlgorithm;

/// The configuration of an [`Association`](crate::Association).
#[derive(Clone, Debug)]
pub struct Config {
    /// Our port: what our `a=sctp-port` says.
    pub local_port: u16,
    /// The peer's port: what its `a=sctp-port` says.
    pub remote_port: u16,
    /// The length in bytes of the largest SCTP packet that passes everywhere.
    pub max_packet: usize,
    /// Up to which length larger packets are tried, and sent once it is proven that they pass (RFC 8899); no more than
    /// `max_packet` for none.
    pub max_probe: usize,
    /// How many bytes may have arrived and not been read, at first. It is raised where it could not hold two messages of
    /// `max_message_size`, which would never be complete otherwise.
    pub receive_window: u32,
    /// Up to how many bytes the receive window grows where the path is so fast and long that it would hold the peer back.
    pub max_receive_window: u32,
    /// The size in bytes of the largest message to accept; a peer that sends a larger one loses the association.
    pub max_message_size: usize,
    /// How many bytes may wait for their first transmission; beyond it [`SendError::Full`](crate::SendError::Full).
    pub max_buffered_send: usize,
    /// How many streams to ask for.
    pub outgoing_streams: u16,
    /// How many streams the peer may have.
    pub incoming_streams: u16,
    /// Whether to offer packets without a checksum (RFC 9653): right where DTLS, which has a better one, carries them.
    pub zero_checksum: bool,
    /// Whether to offer that fragments of messages of different streams alternate (RFC 8260): a large message then keeps
    /// nobody waiting.
    pub interleaving: bool,
    /// Who decides how much may be in flight.
    pub congestion: CongestionAlgorithm,
    /// How long everything takes.
    pub timing: Timing,
    /// After how many retransmissions in a row without an answer the association is lost.
    ///
    /// Deviation: no limit by default, where RFC 9260 §16 has 10 for data and 8 for INIT. Below the association there is
    /// a path whose life ICE watches with consent checks; a second opinion would end connections that ICE revives.
    pub max_retransmissions: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            local_port: WEBRTC_PORT,
            remote_port: WEBRTC_PORT,
            max_packet: DEFAULT_MAX_PACKET,
            max_probe: DEFAULT_MAX_PROBE,
            receive_window: 8 << 20,
            max_receive_window: 64 << 20,
            max_message_size: 256 << 10,
            max_buffered_send: 16 << 20,
            outgoing_streams: u16::MAX,
            incoming_streams: u16::MAX,
            zero_checksum: true,
            interleaving: true,
            congestion: CongestionAlgorithm::default(),
            timing: Timing::default(),
            max_retransmissions: None,
        }
    }
}

impl Config {
    /// The window that can hold what `max_message_size` promises.
    pub(crate) fn effective_window(&self) -> usize {
        let two_messages = self.max_message_size.saturating_mul(2);
        (self.receive_window as usize).max(two_messages).clamp(MIN_WINDOW, u32::MAX as usize)
    }

    /// A packet size that headers and some data fit into, whatever was asked for.
    pub(crate) fn effective_packet(&self) -> usize {
        self.max_packet.clamp(MIN_PACKET, MAX_PACKET)
    }

    /// The largest packet to try; chunks are padded to four bytes.
    pub(crate) fn effective_probe(&self) -> usize {
        (self.max_probe.min(MAX_PACKET) & !3).max(self.effective_packet())
    }
}

/// The periods of an [`Association`](crate::Association)'s timers.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The retransmission timeout before any round trip was measured.
    ///
    /// Deviation: RFC 9260 §16 has 1 s; DTLS and ICE have exchanged packets on this path before the first INIT.
    pub rto_initial: Duration,
    /// The least retransmission timeout.
    ///
    /// Deviation: RFC 9260 §16 has 1 s. Peers delay a SACK by up to 200 ms; our chunks ask for an immediate one
    /// wherever nothing follows that would bring it about (RFC 7053), and `rto_margin` covers the peers that do not listen.
    pub rto_min: Duration,
    /// Up to which timeout the doubling goes; a round trip that is measured to be longer is respected.
    ///
    /// Deviation: RFC 9260 §16 has 60 s. On a path that comes back after a long silence a user would wait that long for the
    /// next attempt; ICE decides whether the path is dead, and one small packet in that time loads no network.
    pub rto_max: Duration,
    /// The least distance of the retransmission timeout from the smoothed round trip.
    pub rto_margin: Duration,
    /// How long an acknowledgement may wait for a second packet (RFC 9260 §6.2).
    pub sack_delay: Duration,
    /// How long a path may be idle before a heartbeat asks for a sign of life.
    pub heartbeat_interval: Duration,
    /// How long a state cookie is valid (RFC 9260 §5.1.3).
    pub cookie_life: Duration,
    /// How long a graceful shutdown may take.
    pub shutdown_guard: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            rto_initial: Duration::from_millis(400),
            rto_min: Duration::from_millis(200),
            rto_max: Duration::from_millis(1500),
            rto_margin: Duration::from_millis(100),
            sack_delay: Duration::from_millis(100),
            heartbeat_interval: Duration::from_secs(30),
            cookie_life: Duration::from_secs(60),
            shutdown_guard: Duration::from_secs(15),
        }
    }
}

/// The port that both ends have by custom.
const WEBRTC_PORT: u16 = 5000;

/// The IPv6 minimum MTU 1280, less IPv6 40, UDP 8, a TURN channel's header and padding 4, DTLS 1.2 with an AEAD 13 + 24.
const DEFAULT_MAX_PACKET: usize = 1280 - 40 - 8 - 4 - 13 - 24;

/// Ethernet's 1500, less IPv4 20, UDP 8, and the same of DTLS.
const DEFAULT_MAX_PROBE: usize = 1500 - 20 - 8 - 13 - 24;

/// The bounds of `max_packet`: the least still holds an INIT ACK with its cookie, the greatest fits a DTLS record.
const MIN_PACKET: usize = 512;
const MAX_PACKET: usize = 16_000;

/// RFC 9260 §3.3.2 forbids to announce less than 1500; two packets of slack make it useful.
const MIN_WINDOW: usize = 4096;
