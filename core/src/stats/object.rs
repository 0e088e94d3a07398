//! The objects of a [`StatsReport`](super::StatsReport), by W3C's definitions (WebRTC Statistics §8).
//!
//! What concerns encoders and decoders is not there: they are the application's.

use alloc::borrow::Cow;
use alloc::string::String;
use core::time::Duration;

use super::member::{Member, StatsValue, member, names, object};
use super::{StatsId, UnixTime};
use crate::rtp::Ssrc;
use crate::{ChannelState, MediaKind, dtls, ice};

object! {
    /// A payload type that a stream uses.
    #[doc(alias = "RTCCodecStats")]
    pub struct CodecStats {
        /// The number in packets.
        payload_type: u8 = "payloadType",
        /// The transport that it has this number on.
        transport_id: StatsId = "transportId",
        /// The media type, such as `video/VP8`.
        mime_type: String = "mimeType",
        /// Ticks of its timestamps a second.
        clock_rate: u32 = "clockRate",
        /// How many channels, for audio that says so.
        channels: Option<u8> = "channels",
        /// Its parameters, as `a=fmtp` has them.
        sdp_fmtp_line: Option<String> = "sdpFmtpLine",
    }
}

object! {
    /// A stream of the peer's.
    #[doc(alias = "RTCInboundRtpStreamStats")]
    pub struct InboundRtpStats {
        /// Its source.
        ssrc: Ssrc = "ssrc",
        /// What it carries.
        kind: MediaKind = "kind",
        /// Its transport.
        transport_id: StatsId = "transportId",
        /// The codec of its last packet.
        codec_id: Option<StatsId> = "codecId",
        /// The track that it belongs to, as the peer names it, else its section's mid.
        track_identifier: String = "trackIdentifier",
        /// Its section.
        mid: Option<String> = "mid",
        /// What the peer says of it.
        remote_id: Option<StatsId> = "remoteId",
        /// Packets that came, duplicates not among them.
        packets_received: u64 = "packetsReceived",
        /// Packets that are missing (RFC 3550 §6.4.1).
        packets_lost: i64 = "packetsLost",
        /// How unevenly they come.
        jitter: Duration = "jitter",
        /// When the last came.
        last_packet_received_timestamp: Option<UnixTime> = "lastPacketReceivedTimestamp",
        /// Bytes of headers and padding.
        header_bytes_received: u64 = "headerBytesReceived",
        /// Bytes of payload.
        bytes_received: u64 = "bytesReceived",
        /// Packets that came too late or too early to be used.
        packets_discarded: u64 = "packetsDiscarded",
        /// Packets that were sent again, and came.
        retransmitted_packets_received: u64 = "retransmittedPacketsReceived",
        /// Their payloads' bytes.
        retransmitted_bytes_received: u64 = "retransmittedBytesReceived",
        /// The source of its retransmissions.
        rtx_ssrc: Option<Ssrc> = "rtxSsrc",
        /// Requests for missing packets.
        nack_count: u64 = "nackCount",
        /// Full intra requests; of video.
        fir_count: Option<u64> = "firCount",
        /// Picture loss indications; of video.
        pli_count: Option<u64> = "pliCount",
        /// Whole frames; where the receiver wants those.
        frames_received: Option<u64> = "framesReceived",
        /// Frames of which something came, and too little to be decoded.
        frames_dropped: Option<u64> = "framesDropped",
    }
}

object! {
    /// A stream of ours.
    #[doc(alias = "RTCOutboundRtpStreamStats")]
    pub struct OutboundRtpStats {
        /// Its source.
        ssrc: Ssrc = "ssrc",
        /// What it carries.
        kind: MediaKind = "kind",
        /// Its transport.
        transport_id: StatsId = "transportId",
        /// The codec of its last packet.
        codec_id: Option<StatsId> = "codecId",
        /// Its section.
        mid: Option<String> = "mid",
        /// Its track.
        media_source_id: Option<StatsId> = "mediaSourceId",
        /// What the peer says of it.
        remote_id: Option<StatsId> = "remoteId",
        /// Packets, retransmissions among them.
        packets_sent: u64 = "packetsSent",
        /// Bytes of their payloads.
        bytes_sent: u64 = "bytesSent",
        /// Bytes of headers and padding.
        header_bytes_sent: u64 = "headerBytesSent",
        /// Packets that were sent again.
        retransmitted_packets_sent: u64 = "retransmittedPacketsSent",
        /// Their payloads' bytes.
        retransmitted_bytes_sent: u64 = "retransmittedBytesSent",
        /// The source of its retransmissions.
        rtx_ssrc: Option<Ssrc> = "rtxSsrc",
        /// Pictures, by their last packets; of video.
        frames_sent: Option<u64> = "framesSent",
        /// How long packets waited, in all.
        total_packet_send_delay: Duration = "totalPacketSendDelay",
        /// Requests for missing packets.
        nack_count: u64 = "nackCount",
        /// Full intra requests; of video.
        fir_count: Option<u64> = "firCount",
        /// Picture loss indications; of video.
        pli_count: Option<u64> = "pliCount",
        /// Whether what is written is sent.
        active: bool = "active",
    }
}

object! {
    /// What the peer's receiver reports of a stream of ours.
    #[doc(alias = "RTCRemoteInboundRtpStreamStats")]
    pub struct RemoteInboundRtpStats {
        /// The stream's source.
        ssrc: Ssrc = "ssrc",
        /// What it carries.
        kind: MediaKind = "kind",
        /// Its transport.
        transport_id: StatsId = "transportId",
        /// The codec of its last packet.
        codec_id: Option<StatsId> = "codecId",
        /// Our own figures of the stream.
        local_id: StatsId = "localId",
        /// Packets that the peer misses.
        packets_lost: i64 = "packetsLost",
        /// How unevenly they come.
        jitter: Duration = "jitter",
        /// The part of the packets that it missed since its report before.
        fraction_lost: f64 = "fractionLost",
        /// The last round trip that reports measured.
        round_trip_time: Option<Duration> = "roundTripTime",
        /// All of them together.
        total_round_trip_time: Duration = "totalRoundTripTime",
        /// How many there were.
        round_trip_time_measurements: u64 = "roundTripTimeMeasurements",
    }
}

object! {
    /// What the peer's sender reports of a stream of its.
    #[doc(alias = "RTCRemoteOutboundRtpStreamStats")]
    pub struct RemoteOutboundRtpStats {
        /// The stream's source.
        ssrc: Ssrc = "ssrc",
        /// What it carries.
        kind: MediaKind = "kind",
        /// Its transport.
        transport_id: StatsId = "transportId",
        /// The codec of its last packet.
        codec_id: Option<StatsId> = "codecId",
        /// Our own figures of the stream.
        local_id: StatsId = "localId",
        /// Packets that the peer has sent, modulo 2^32.
        packets_sent: u64 = "packetsSent",
        /// Bytes of payload that it has sent, modulo 2^32.
        bytes_sent: u64 = "bytesSent",
        /// When it said so, by its clock.
        remote_timestamp: Option<UnixTime> = "remoteTimestamp",
        /// How many reports of it came.
        reports_sent: u64 = "reportsSent",
    }
}

object! {
    /// A track of ours.
    #[doc(alias = "RTCMediaSourceStats")]
    pub struct MediaSourceStats {
        /// Its name.
        track_identifier: String = "trackIdentifier",
        /// What it carries.
        kind: MediaKind = "kind",
    }
}

object! {
    /// The connection.
    #[doc(alias = "RTCPeerConnectionStats")]
    pub struct PeerConnectionStats {
        /// Channels that were opened since the beginning.
        data_channels_opened: u64 = "dataChannelsOpened",
        /// Channels that were closed since the beginning.
        data_channels_closed: u64 = "dataChannelsClosed",
    }
}

object! {
    /// A data channel.
    #[doc(alias = "RTCDataChannelStats")]
    pub struct DataChannelStats {
        /// Its label.
        label: String = "label",
        /// Its subprotocol, empty for none.
        protocol: String = "protocol",
        /// Its stream, once it has one.
        data_channel_identifier: Option<u16> = "dataChannelIdentifier",
        /// Where it is in its life.
        state: ChannelState = "state",
        /// Messages that were taken to be sent.
        messages_sent: u64 = "messagesSent",
        /// Their bytes.
        bytes_sent: u64 = "bytesSent",
        /// Messages that came.
        messages_received: u64 = "messagesReceived",
        /// Their bytes.
        bytes_received: u64 = "bytesReceived",
    }
}

object! {
    /// What carries everything: ICE and DTLS.
    #[doc(alias = "RTCTransportStats")]
    pub struct TransportStats {
        /// Datagrams that were handed out to be sent.
        packets_sent: u64 = "packetsSent",
        /// Datagrams that came.
        packets_received: u64 = "packetsReceived",
        /// Bytes that were handed out.
        bytes_sent: u64 = "bytesSent",
        /// Bytes that came.
        bytes_received: u64 = "bytesReceived",
        /// Who nominates.
        ice_role: ice::Role = "iceRole",
        /// Our user fragment.
        ice_local_username_fragment: String = "iceLocalUsernameFragment",
        /// Where DTLS stands.
        dtls_state: dtls::State = "dtlsState",
        /// Where ICE stands.
        ice_state: ice::State = "iceState",
        /// The pair that data takes.
        selected_candidate_pair_id: Option<StatsId> = "selectedCandidatePairId",
        /// Our certificate.
        local_certificate_id: StatsId = "localCertificateId",
        /// The peer's certificate.
        remote_certificate_id: Option<StatsId> = "remoteCertificateId",
        /// The version that DTLS agreed on, as four hexadecimal digits.
        tls_version: Option<String> = "tlsVersion",
        /// The cipher suite that it agreed on.
        dtls_cipher: Option<String> = "dtlsCipher",
        /// Which side of the handshake we are; unknown before a description says.
        dtls_role: DtlsRole = "dtlsRole",
        /// The profile that SRTP has.
        srtp_cipher: Option<String> = "srtpCipher",
        /// How often data took another pair, the first among them.
        selected_candidate_pair_changes: u64 = "selectedCandidatePairChanges",
    }
}

object! {
    /// A candidate, of either side.
    #[doc(alias = "RTCIceCandidateStats")]
    pub struct IceCandidateStats {
        /// Its transport.
        transport_id: StatsId = "transportId",
        /// Where it is.
        address: String = "address",
        /// At which port.
        port: u16 = "port",
        /// What carries its datagrams: `udp` or `tcp`.
        protocol: String = "protocol",
        /// How it was found.
        candidate_type: ice::CandidateKind = "candidateType",
        /// How good it is.
        priority: Option<u32> = "priority",
        /// Equal for candidates of one kind, base and server.
        foundation: Option<String> = "foundation",
        /// The address that it was found from.
        related_address: Option<String> = "relatedAddress",
        /// The port that it was found from.
        related_port: Option<u16> = "relatedPort",
        /// The user fragment of its side.
        username_fragment: Option<String> = "usernameFragment",
    }
}

object! {
    /// A candidate of ours and one of the peer's.
    #[doc(alias = "RTCIceCandidatePairStats")]
    pub struct IceCandidatePairStats {
        /// Its transport.
        transport_id: StatsId = "transportId",
        /// Our candidate.
        local_candidate_id: StatsId = "localCandidateId",
        /// The peer's.
        remote_candidate_id: StatsId = "remoteCandidateId",
        /// Where it stands.
        state: ice::PairState = "state",
        /// Whether it was nominated.
        nominated: bool = "nominated",
        /// Datagrams of data that left by it.
        packets_sent: u64 = "packetsSent",
        /// Datagrams of data that came by it.
        packets_received: u64 = "packetsReceived",
        /// Their bytes, of those that left.
        bytes_sent: u64 = "bytesSent",
        /// Their bytes, of those that came.
        bytes_received: u64 = "bytesReceived",
        /// When data last left by it.
        last_packet_sent_timestamp: Option<UnixTime> = "lastPacketSentTimestamp",
        /// When data last came by it.
        last_packet_received_timestamp: Option<UnixTime> = "lastPacketReceivedTimestamp",
        /// The round trips of all checks together.
        total_round_trip_time: Duration = "totalRoundTripTime",
        /// That of the last.
        current_round_trip_time: Option<Duration> = "currentRoundTripTime",
        /// Checks of the peer's.
        requests_received: u64 = "requestsReceived",
        /// Checks of ours, those of consent among them.
        requests_sent: u64 = "requestsSent",
        /// Answers to ours.
        responses_received: u64 = "responsesReceived",
        /// Answers to the peer's.
        responses_sent: u64 = "responsesSent",
    }
}

object! {
    /// A certificate, of either side.
    #[doc(alias = "RTCCertificateStats")]
    pub struct CertificateStats {
        /// Its hash, as descriptions write it.
        fingerprint: String = "fingerprint",
        /// The hash's algorithm.
        fingerprint_algorithm: String = "fingerprintAlgorithm",
        /// The certificate itself, DER in base64.
        base64_certificate: String = "base64Certificate",
    }
}

/// Which side of DTLS's handshake we are, as W3C says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtlsRole {
    /// We send the ClientHello.
    Client,
    /// We wait for it.
    Server,
    /// No description has said.
    Unknown,
}

names! { DtlsRole { Self::Client => "client", Self::Server => "server", Self::Unknown => "unknown", } }

/// Implements [`Member`] for enums of other layers by W3C's names for their values.
macro_rules! name {
    ($($kind:ty { $($variant:pat => $name:literal,)* })*) => {
        member! {
            $($kind: this => StatsValue::Text(Cow::Borrowed(match this { $($variant => $name,)* }));)*
        }
    };
}

name! {
    ice::Role {
        ice::Role::Controlling => "controlling",
        ice::Role::Controlled => "controlled",
    }
    ice::State {
        ice::State::New => "new",
        ice::State::Checking => "checking",
        ice::State::Connected => "connected",
        ice::State::Completed => "completed",
        ice::State::Disconnected => "disconnected",
        ice::State::Failed => "failed",
        ice::State::Closed => "closed",
    }
    ice::CandidateKind {
        ice::CandidateKind::Host => "host",
        ice::CandidateKind::ServerReflexive => "srflx",
        ice::CandidateKind::PeerReflexive => "prflx",
        ice::CandidateKind::Relayed => "relay",
    }
    ice::PairState {
        ice::PairState::Waiting => "waiting",
        ice::PairState::InProgress => "in-progress",
        ice::PairState::Succeeded => "succeeded",
        ice::PairState::Failed => "failed",
    }
    dtls::State {
        dtls::State::New => "new",
        dtls::State::Connecting => "connecting",
        dtls::State::Connected => "connected",
        dtls::State::Closed => "closed",
        dtls::State::Failed => "failed",
    }
}

member! {
    ChannelState: this => StatsValue::Text(Cow::Borrowed(this.as_str()));
    StatsId: this => StatsValue::Text(Cow::Borrowed(this.as_str()));
}
