//! W3C's objects, made of what the layers have counted.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pavane_base::{Instant, Path};
use pavane_crypto::{Fingerprint, HashAlgorithm};

use super::PeerConnection;
use super::candidate::untold;
use super::names::Names;
use crate::media::{CodecParameters, MediaKind, Transceiver};
use crate::rtp::frame::FrameBuffer;
use crate::rtp::{PayloadType, ReceiverKey, receive, send};
use crate::stats::{
    CertificateStats, CodecStats, DataChannelStats, DtlsRole, IceCandidatePairStats, IceCandidateStats,
    InboundRtpStats, MediaSourceStats, OutboundRtpStats, PeerConnectionStats, RemoteInboundRtpStats,
    RemoteOutboundRtpStats, StatsEntry, StatsId, StatsObject, StatsReport, TransportStats, UnixTime,
};
use crate::{dtls, ice, srtp};

impl PeerConnection {
    pub(super) fn report(&self, now: Instant) -> StatsReport {
        let mut reporter = Reporter { peer: self, now, entries: Vec::new() };
        reporter.connection();
        reporter.transport();
        reporter.certificates();
        reporter.pairs();
        reporter.media();
        reporter.channels();
        StatsReport { entries: reporter.entries }
    }
}

/// Collects the objects of one report.
struct Reporter<'p> {
    peer: &'p PeerConnection,
    now: Instant,
    entries: Vec<StatsEntry>,
}

/// What the codec's ids of a stream have between the transport's and the number.
#[derive(Clone, Copy)]
enum Way {
    Send,
    Receive,
}

impl Reporter<'_> {
    fn unix(&self, at: Instant) -> UnixTime {
        UnixTime(self.peer.epoch.unix_at(at))
    }

    fn push(&mut self, id: StatsId, object: StatsObject) {
        self.push_at(id, self.now, object);
    }

    fn push_at(&mut self, id: StatsId, at: Instant, object: StatsObject) {
        self.entries.push(StatsEntry { id, timestamp: self.unix(at), object });
    }

    fn connection(&mut self) {
        let (data_channels_opened, data_channels_closed) = self.peer.data.channels.totals();
        let object = PeerConnectionStats { data_channels_opened, data_channels_closed };
        self.push(StatsId("peer-connection".into()), StatsObject::PeerConnection(object));
    }

    fn transport(&mut self) {
        let PeerConnection { transport, traffic, .. } = self.peer;
        let dtls = transport.dtls();
        let selected = transport.ice.pairs().find(|pair| pair.selected);
        let object = TransportStats {
            packets_sent: traffic.datagrams_sent,
            packets_received: traffic.datagrams_received,
            bytes_sent: traffic.bytes_sent,
            bytes_received: traffic.bytes_received,
            ice_role: transport.ice.role(),
            ice_local_username_fragment: transport.ice.local_credentials().ufrag.clone(),
            dtls_state: dtls.map_or(dtls::State::New, dtls::Connection::state),
            ice_state: transport.ice.state(),
            selected_candidate_pair_id: selected.map(|pair| self.pair_id(&pair)),
            local_certificate_id: certificate_id(Side::Local),
            remote_certificate_id: dtls
                .and_then(dtls::Connection::remote_certificate)
                .map(|_| certificate_id(Side::Remote)),
            tls_version: dtls
                .and_then(dtls::Connection::version)
                .map(|version| format!("{:04X}", version.code())),
            dtls_cipher: dtls.and_then(dtls::Connection::cipher_suite).map(|suite| suite.name().to_string()),
            dtls_role: match dtls.map(dtls::Connection::role) {
                Some(dtls::Role::Client) => DtlsRole::Client,
                Some(dtls::Role::Server) => DtlsRole::Server,
                None => DtlsRole::Unknown,
            },
            srtp_cipher: dtls
                .and_then(dtls::Connection::srtp_profile)
                .and_then(srtp::Profile::from_id)
                .map(|profile| profile.name().to_string()),
            selected_candidate_pair_changes: self.peer.path_changes,
        };
        self.push(transport_id(), StatsObject::Transport(object));
    }

    fn certificates(&mut self) {
        self.certificate(Side::Local, self.peer.config.certificate.der());
        if let Some(der) = self.peer.transport.dtls().and_then(dtls::Connection::remote_certificate) {
            self.certificate(Side::Remote, der);
        }
    }

    fn certificate(&mut self, side: Side, der: &[u8]) {
        let fingerprint = Fingerprint::of(&*self.peer.config.provider, HashAlgorithm::Sha256, der);
        let bytes: Vec<_> = fingerprint.value.iter().map(|byte| format!("{byte:02X}")).collect();
        let object = CertificateStats {
            fingerprint: bytes.join(":"),
            fingerprint_algorithm: fingerprint.algorithm.name().to_string(),
            base64_certificate: STANDARD.encode(der),
        };
        self.push(certificate_id(side), StatsObject::Certificate(object));
    }

    /// Candidates of ours are told whether or not they are part of a pair, those of the peer's as parts of pairs.
    fn pairs(&mut self) {
        let ice = &self.peer.transport.ice;
        for candidate in ice.local_candidates().iter().chain(ice.peer_reflexive_candidates()) {
            let object = local_candidate(candidate, &ice.local_credentials().ufrag, &self.peer.names);
            let id = self.local_candidate_id(candidate.kind, candidate.address);
            self.push(id, StatsObject::LocalCandidate(object));
        }
        for pair in ice.pairs() {
            let remote = remote_candidate_id(&pair);
            if !self.entries.iter().any(|entry| entry.id == remote) {
                let object = remote_candidate(&pair, ice.remote_credentials());
                self.push(remote, StatsObject::RemoteCandidate(object));
            }
            let object = self.pair(&pair);
            self.push(self.pair_id(&pair), StatsObject::CandidatePair(object));
        }
    }

    fn local_candidate_id(&self, kind: ice::CandidateKind, address: SocketAddr) -> StatsId {
        StatsId(format!("candidate/{}/{kind:?}/{}", Side::Local.name(), self.peer.names.shown(address)))
    }

    fn pair_id(&self, pair: &ice::PairStats) -> StatsId {
        let Path { local, remote, .. } = pair.path;
        StatsId(format!("pair/{}/{remote}", self.peer.names.shown(local)))
    }

    fn pair(&self, pair: &ice::PairStats) -> IceCandidatePairStats {
        IceCandidatePairStats {
            transport_id: transport_id(),
            local_candidate_id: self.local_candidate_id(pair.local_kind, local_address(pair)),
            remote_candidate_id: remote_candidate_id(pair),
            state: pair.state,
            nominated: pair.nominated,
            packets_sent: pair.traffic.packets_sent,
            packets_received: pair.traffic.packets_received,
            bytes_sent: pair.traffic.bytes_sent,
            bytes_received: pair.traffic.bytes_received,
            last_packet_sent_timestamp: pair.traffic.last_sent.map(|at| self.unix(at)),
            last_packet_received_timestamp: pair.traffic.last_received.map(|at| self.unix(at)),
            total_round_trip_time: pair.total_round_trip_time,
            current_round_trip_time: pair.round_trip_time,
            requests_received: pair.requests_received,
            requests_sent: pair.checks_sent,
            responses_received: pair.responses_received,
            responses_sent: pair.responses_sent,
        }
    }

    fn media(&mut self) {
        let peer = self.peer;
        for (_, transceiver) in peer.media.iter() {
            self.source(transceiver);
            self.outbound(transceiver);
            let Some(index) = transceiver.index() else { continue };
            let streams = peer.transport.media.rtp().into_iter().flat_map(crate::rtp::Session::receivers);
            for (key, _, stream) in streams.filter(|(_, section, _)| usize::from(section.0) == index) {
                self.inbound(transceiver, key, stream);
            }
        }
    }

    fn source(&mut self, transceiver: &Transceiver) {
        let Some(track) = &transceiver.track else { return };
        let object = MediaSourceStats { track_identifier: track.id.clone(), kind: track.kind };
        self.push(source_id(transceiver), StatsObject::MediaSource(object));
    }

    fn outbound(&mut self, transceiver: &Transceiver) {
        let rtp = self.peer.transport.media.rtp();
        let Some(stream) = transceiver.sending.and_then(|key| rtp?.sender(key)) else { return };
        let statistics = *stream.statistics();
        let id = stream_id("outbound-rtp", stream.ssrc().0);
        let remote_id = stream_id("remote-inbound-rtp", stream.ssrc().0);
        let agreed = transceiver.agreement.as_ref().map_or(&[][..], |agreement| &agreement.send);
        let codec_id = self.codec(Way::Send, agreed, statistics.payload_type);
        let video = transceiver.kind == MediaKind::Video;
        let object = OutboundRtpStats {
            ssrc: stream.ssrc(),
            kind: transceiver.kind,
            transport_id: transport_id(),
            codec_id: codec_id.clone(),
            mid: mid(transceiver),
            media_source_id: transceiver.track.as_ref().map(|_| source_id(transceiver)),
            remote_id: statistics.remote_report_at.map(|_| remote_id.clone()),
            packets_sent: with_repairs(
                stream,
                statistics.packets_sent,
                statistics.retransmitted_packets_sent,
            ),
            bytes_sent: with_repairs(stream, statistics.bytes_sent, statistics.retransmitted_bytes_sent),
            header_bytes_sent: statistics.header_bytes_sent,
            retransmitted_packets_sent: statistics.retransmitted_packets_sent,
            retransmitted_bytes_sent: statistics.retransmitted_bytes_sent,
            rtx_ssrc: stream.retransmission_ssrc(),
            frames_sent: video.then_some(statistics.frames_sent),
            total_packet_send_delay: statistics.total_send_delay,
            nack_count: statistics.nacks_received,
            fir_count: video.then_some(statistics.firs_received),
            pli_count: video.then_some(statistics.plis_received),
            active: transceiver.sends(),
        };
        self.push(id.clone(), StatsObject::OutboundRtp(object));
        if let Some(at) = statistics.remote_report_at {
            let object = remote_inbound(transceiver.kind, stream, codec_id, id);
            self.push_at(remote_id, at, StatsObject::RemoteInboundRtp(object));
        }
    }

    fn inbound(&mut self, transceiver: &Transceiver, key: ReceiverKey, stream: &receive::Stream) {
        let statistics = *stream.statistics();
        let inbox = transceiver.frames.as_ref();
        let frames =
            inbox.map(|inbox| inbox.buffer(key).map(FrameBuffer::statistics).copied().unwrap_or_default());
        let id = stream_id("inbound-rtp", stream.ssrc().0);
        let remote_id = stream_id("remote-outbound-rtp", stream.ssrc().0);
        let Some(agreement) = &transceiver.agreement else { return };
        let codec_id = self.codec(Way::Receive, &agreement.receive, statistics.payload_type);
        let video = transceiver.kind == MediaKind::Video;
        let track = agreement.theirs.track.clone().or_else(|| mid(transceiver));
        let object = InboundRtpStats {
            ssrc: stream.ssrc(),
            kind: transceiver.kind,
            transport_id: transport_id(),
            codec_id: codec_id.clone(),
            track_identifier: track.unwrap_or_default(),
            mid: mid(transceiver),
            remote_id: stream.sender_report_at().map(|_| remote_id.clone()),
            packets_received: statistics.packets_received,
            packets_lost: stream.packets_lost(),
            jitter: stream.jitter(),
            last_packet_received_timestamp: statistics.last_packet_at.map(|at| self.unix(at)),
            header_bytes_received: statistics.header_bytes_received,
            bytes_received: statistics.bytes_received,
            packets_discarded: statistics.packets_discarded,
            retransmitted_packets_received: statistics.retransmitted_packets_received,
            retransmitted_bytes_received: statistics.retransmitted_bytes_received,
            rtx_ssrc: stream.retransmission_ssrc(),
            nack_count: statistics.nacks_sent,
            fir_count: video.then_some(statistics.firs_sent),
            pli_count: video.then_some(statistics.plis_sent),
            frames_received: frames.map(|frames| frames.frames),
            frames_dropped: frames.map(|frames| frames.frames_dropped),
        };
        self.push(id.clone(), StatsObject::InboundRtp(object));
        if let Some(at) = stream.sender_report_at() {
            let object = RemoteOutboundRtpStats {
                ssrc: stream.ssrc(),
                kind: transceiver.kind,
                transport_id: transport_id(),
                codec_id,
                local_id: id,
                packets_sent: statistics.remote_packets_sent.into(),
                bytes_sent: statistics.remote_bytes_sent.into(),
                remote_timestamp: statistics.remote_timestamp.map(|at| UnixTime(at.to_unix())),
                reports_sent: statistics.reports_received,
            };
            self.push_at(remote_id, at, StatsObject::RemoteOutboundRtp(object));
        }
    }

    /// The id of a payload type's object, which is made where a stream is the first to use it.
    fn codec(&mut self, way: Way, agreed: &[CodecParameters], used: Option<PayloadType>) -> Option<StatsId> {
        let used = used?.get();
        let codec = &agreed.iter().find(|codec| codec.payload_type == used)?.codec;
        let id = StatsId(match way {
            Way::Send => format!("codec/send/{used}"),
            Way::Receive => format!("codec/receive/{used}"),
        });
        if !self.entries.iter().any(|entry| entry.id == id) {
            let object = CodecStats {
                payload_type: used,
                transport_id: transport_id(),
                mime_type: codec.media_type(),
                clock_rate: codec.clock_rate,
                channels: codec.channels,
                sdp_fmtp_line: (!codec.parameters.is_empty()).then(|| codec.parameters.to_string()),
            };
            self.push(id.clone(), StatsObject::Codec(object));
        }
        Some(id)
    }

    fn channels(&mut self) {
        for (id, info) in self.peer.data.channels.iter() {
            let object = DataChannelStats {
                label: info.label.to_string(),
                protocol: info.init.protocol.clone(),
                data_channel_identifier: info.stream.map(|stream| stream.0),
                state: info.state,
                messages_sent: info.traffic.messages_sent,
                bytes_sent: info.traffic.bytes_sent,
                messages_received: info.traffic.messages_received,
                bytes_received: info.traffic.bytes_received,
            };
            self.push(StatsId(format!("data-channel/{id}")), StatsObject::DataChannel(object));
        }
    }
}

/// W3C counts retransmissions among the packets of the stream, in whichever stream they travel.
fn with_repairs(stream: &send::Stream, media: u64, repairs: u64) -> u64 {
    if stream.retransmission_ssrc().is_some() { media + repairs } else { media }
}

fn remote_inbound(
    kind: MediaKind,
    stream: &send::Stream,
    codec_id: Option<StatsId>,
    local_id: StatsId,
) -> RemoteInboundRtpStats {
    let statistics = stream.statistics();
    let jitter = u64::from(statistics.remote_jitter) * 1_000_000_000 / u64::from(stream.clock_rate());
    RemoteInboundRtpStats {
        ssrc: stream.ssrc(),
        kind,
        transport_id: transport_id(),
        codec_id,
        local_id,
        packets_lost: statistics.remote_packets_lost.into(),
        jitter: core::time::Duration::from_nanos(jitter),
        fraction_lost: f64::from(statistics.remote_fraction_lost) / 256.0,
        round_trip_time: statistics.round_trip_time,
        total_round_trip_time: statistics.total_round_trip_time,
        round_trip_time_measurements: statistics.round_trip_measurements,
    }
}

/// An address that hides is shown nowhere.
fn local_candidate(candidate: &ice::Candidate, ufrag: &str, names: &Names) -> IceCandidateStats {
    let ip = candidate.address.ip();
    let related = candidate.related.map(|related| if names.is_empty() { related } else { untold(related) });
    IceCandidateStats {
        transport_id: transport_id(),
        address: names.of(ip).map_or_else(|| ip.to_string(), String::from),
        port: candidate.address.port(),
        protocol: protocol(candidate.transport),
        candidate_type: candidate.kind,
        priority: Some(candidate.priority),
        foundation: Some(candidate.foundation.clone()),
        related_address: related.map(|related| related.ip().to_string()),
        related_port: related.map(|related| related.port()),
        username_fragment: Some(ufrag.to_string()),
    }
}

fn remote_candidate(pair: &ice::PairStats, credentials: Option<&ice::Credentials>) -> IceCandidateStats {
    IceCandidateStats {
        transport_id: transport_id(),
        address: pair.path.remote.ip().to_string(),
        port: pair.path.remote.port(),
        protocol: protocol(pair.path.transport),
        candidate_type: pair.remote_kind,
        priority: Some(pair.remote_priority),
        foundation: None,
        related_address: None,
        related_port: None,
        username_fragment: credentials.map(|credentials| credentials.ufrag.clone()),
    }
}

fn protocol(transport: pavane_base::Transport) -> String {
    match transport {
        pavane_base::Transport::Udp => "udp".into(),
        pavane_base::Transport::Tcp => "tcp".into(),
    }
}

#[derive(Clone, Copy)]
enum Side {
    Local,
    Remote,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

fn mid(transceiver: &Transceiver) -> Option<String> {
    transceiver.section.as_ref().map(|section| section.mid.clone())
}

fn transport_id() -> StatsId {
    StatsId("transport".into())
}

fn certificate_id(side: Side) -> StatsId {
    StatsId(format!("certificate/{}", side.name()))
}

/// The address of a pair's local candidate: one that only the peer sees is not the one that is sent from.
fn local_address(pair: &ice::PairStats) -> SocketAddr {
    match pair.local_kind {
        ice::CandidateKind::PeerReflexive | ice::CandidateKind::ServerReflexive => {
            pair.mapped.unwrap_or(pair.path.local)
        }
        _ => pair.path.local,
    }
}

fn remote_candidate_id(pair: &ice::PairStats) -> StatsId {
    StatsId(format!("candidate/{}/{:?}/{}", Side::Remote.name(), pair.remote_kind, pair.path.remote))
}

fn source_id(transceiver: &Transceiver) -> StatsId {
    StatsId(format!("media-source/{}", transceiver.ssrc))
}

fn stream_id(what: &str, ssrc: u32) -> StatsId {
    StatsId(format!("{what}/{ssrc}"))
}
