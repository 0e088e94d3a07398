//! Media on the transport: SRTP around RTP and RTCP, and the senders and receivers that an exchange has agreed on.
//!
//! Nothing of it is there before a description has a track: the RTP session comes with the first agreement on one, SRTP
//! once there are that and DTLS's keys. A connection for data alone does without both.

use alloc::boxed::Box;
use alloc::vec::Vec;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Epoch, Instant, Key, Path, Transmit};

use super::PeerConnection;
use crate::event::Event;
use crate::ice::Route;
use crate::media::{Agreement, Media, ReceiverId, SenderId, Transceiver};
use crate::rtp::{
    self, DeclaredSource, ExtensionId, ExtensionKind, ExtensionMap, PayloadType, ReceiverKey, ReportTiming,
    SectionConfig, SectionId, SenderKey, Session, SessionConfig, Ssrc, receive, send,
};
use crate::{Config, Received, ReceivedRtp, dtls, srtp};

/// SRTP and RTP of a connection.
#[derive(Default)]
pub(super) struct MediaTransport {
    srtp: Option<Box<srtp::Session>>,
    rtp: Option<Box<Session>>,
    /// Whose the sections are, by their indices.
    receivers: Vec<Option<Key>>,
    /// A packet that is sealed and did not fit into the batch before; its room is kept.
    held: Vec<u8>,
}

impl MediaTransport {
    /// DTLS is done: its keys are SRTP's (RFC 5764 §4.2), if there is anything to protect.
    pub(super) fn connect(&mut self, config: &Config, dtls: &dtls::Connection) {
        if self.is_keyed() || self.rtp.is_none() {
            return;
        }
        let Some(profile) = dtls.srtp_profile().and_then(srtp::Profile::from_id) else { return };
        let mut material = alloc::vec![0; profile.keying_material_len()];
        let role = match dtls.role() {
            dtls::Role::Client => srtp::Role::Client,
            dtls::Role::Server => srtp::Role::Server,
        };
        if dtls.export(EXPORTER_LABEL, None, &mut material).is_ok() {
            let session = srtp::Session::new(&*config.provider, profile, role, &material);
            self.srtp = session.ok().map(Box::new);
        }
    }

    /// Whether packets can be sent: there are keys.
    pub(super) const fn is_keyed(&self) -> bool {
        self.srtp.is_some()
    }

    pub(super) fn rtp(&self) -> Option<&Session> {
        self.rtp.as_deref()
    }

    pub(super) fn rtp_mut(&mut self) -> Option<&mut Session> {
        self.rtp.as_deref_mut()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(rtp) = &mut self.rtp {
            rtp.handle_timeout(now);
        }
    }

    /// Before there are keys nothing can be said, and so nothing is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.rtp().filter(|_| self.is_keyed()).and_then(Session::poll_timeout)
    }

    /// A round trip was measured below.
    pub(super) fn set_round_trip_time(&mut self, time: Option<core::time::Duration>) {
        if let (Some(rtp), Some(time)) = (&mut self.rtp, time) {
            rtp.set_round_trip_time(time);
        }
    }

    /// A transceiver is gone: its section is nobody's, and its stream says goodbye.
    pub(super) fn forget(&mut self, transceiver: &Transceiver) {
        let Some(rtp) = &mut self.rtp else { return };
        if let Some(section) = transceiver.index() {
            rtp.remove_section(section_id(section));
        }
        if let Some(sender) = transceiver.sending {
            rtp.remove_sender(sender);
        }
    }

    /// Has every stream say goodbye.
    pub(super) fn leave(&mut self) {
        let Some(rtp) = &mut self.rtp else { return };
        let senders: Vec<_> = rtp.senders().map(|(key, _)| key).collect();
        senders.into_iter().for_each(|key| rtp.remove_sender(key));
    }

    /// Senders and receivers follow what is agreed.
    fn follow(&mut self, now: Instant, media: &mut Media, epoch: Epoch, rng: &mut dyn CryptoRng) {
        let rtp = self.rtp.get_or_insert_with(|| {
            let config = SessionConfig {
                cname: media.cname.clone().into(),
                epoch,
                reduced_size: false,
                reference_time: false,
                timing: ReportTiming::default(),
            };
            Box::new(Session::new(config, now, rng))
        });
        rtp.set_extensions(extension_map(media));
        let agreements = || media.iter().filter_map(|(_, transceiver)| transceiver.agreement.as_ref());
        rtp.set_rtcp(agreements().all(|agreement| agreement.theirs.reduced_size), false);
        self.receivers.clear();
        for (key, transceiver) in media.iter_mut() {
            let (Some(section), Some(agreement)) = (transceiver.index(), &transceiver.agreement) else {
                continue;
            };
            if self.receivers.len() <= section {
                self.receivers.resize(section + 1, None);
            }
            self.receivers[section] = Some(key);
            match transceiver.receives() {
                true => rtp.set_section(section_id(section), section_config(transceiver, agreement)),
                false => rtp.remove_section(section_id(section)),
            }
            if let Some(frames) = &mut transceiver.frames {
                frames.follow(transceiver.kind, agreement);
            }
            follow_sending(rtp, transceiver, rng);
        }
    }

    /// Takes a packet out of its protection and says whose it is.
    #[inline]
    fn handle_rtp<'d>(
        &mut self,
        now: Instant,
        packet: &'d mut [u8],
    ) -> Option<(ReceiverKey, ReceivedRtp<'d>)> {
        let (srtp, rtp) = self.srtp.as_mut().zip(self.rtp.as_mut())?;
        let packet = srtp.unprotect_rtp(packet).ok()?;
        let received = rtp.handle_rtp(now, packet).ok()?;
        let key = self.receivers.get(usize::from(received.section.0)).copied().flatten()?;
        let handed_over = ReceivedRtp {
            receiver: ReceiverId(key),
            packet: received.packet,
            values: received.values,
            place: received.place,
            via: received.via,
        };
        Some((received.stream, handed_over))
    }

    fn handle_rtcp(&mut self, now: Instant, packet: &mut [u8]) {
        let Some((srtp, rtp)) = self.srtp.as_mut().zip(self.rtp.as_mut()) else { return };
        if let Ok(packet) = srtp.unprotect_rtcp(packet) {
            rtp.handle_rtcp(now, packet);
        }
    }

    /// Appends a packet of RTCP, if one is due.
    fn rtcp_transmit(&mut self, now: Instant, buf: &mut Vec<u8>, rng: &mut dyn CryptoRng) -> Option<usize> {
        let (srtp, rtp) = self.srtp.as_mut().zip(self.rtp.as_mut())?;
        let start = buf.len();
        rtp.poll_rtcp(now, MAX_RTCP, buf, rng)?;
        if srtp.protect_rtcp(buf, start).is_err() {
            buf.truncate(start);
            return None;
        }
        Some(buf.len() - start)
    }

    /// Appends a packet of RTP, if one waits.
    fn rtp_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<usize> {
        let start = buf.len();
        if !self.held.is_empty() {
            buf.append(&mut self.held);
            return Some(buf.len() - start);
        }
        let (srtp, rtp) = self.srtp.as_mut().zip(self.rtp.as_mut())?;
        loop {
            rtp.poll_rtp(now, None, buf)?;
            match srtp.protect_rtp(buf, start) {
                Ok(()) => return Some(buf.len() - start),
                // The key is used up; what cannot be protected is not sent.
                Err(_) => buf.truncate(start),
            }
        }
    }

    /// A batch of packets of one size. A smaller one ends it; a larger one is held for the next.
    fn batch(
        &mut self,
        now: Instant,
        route: &mut Route,
        max_segments: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let start = buf.len();
        let mut size = None;
        let mut segments = 0;
        while segments < max_segments.max(1) {
            let envelope = route.open(buf);
            let at = buf.len();
            let len = self.rtp_transmit(now, buf);
            let largest = size.or(len).unwrap_or(0);
            let Some(len) = len.filter(|len| *len <= largest) else {
                // One that is larger is held for the next batch.
                self.held.extend_from_slice(&buf[at..]);
                buf.truncate(envelope);
                break;
            };
            route.close(buf, envelope);
            size = Some(largest);
            segments += 1;
            if len < largest {
                break;
            }
        }
        let segment_size = size.filter(|_| segments > 1).map(|size| route.enclosed_len(size));
        let len = buf.len() - start;
        size.map(|_| Transmit { path: route.path(), ecn: None, len, segment_size })
    }
}

/// The extensions of all sections by number: bundled sections share the numbers (RFC 9143 §9.1).
fn extension_map(media: &Media) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for (_, transceiver) in media.iter() {
        let Some(agreement) = &transceiver.agreement else { continue };
        for (id, uri) in agreement.receive_extensions.iter().chain(agreement.send_extensions.iter()) {
            if let (Some(id), Some(kind)) = (ExtensionId::new(id), ExtensionKind::from_uri(uri)) {
                // The first number that an extension got holds; a peer that gives it another is at odds with RFC 8285 §5.
                let _ = map.insert(id, kind);
            }
        }
    }
    map
}

fn section_config(transceiver: &Transceiver, agreement: &Agreement) -> SectionConfig {
    let formats = agreement.receive.iter().filter_map(|codec| {
        Some(receive::Format {
            payload_type: PayloadType::new(codec.payload_type)?,
            clock_rate: codec.codec.clock_rate,
            retransmission: codec.rtx.and_then(PayloadType::new),
            payload: codec.codec.payload_format(),
        })
    });
    let sources = agreement.theirs.sources.iter();
    let gives = |feedback: fn(&crate::Feedback) -> bool| {
        agreement.send.iter().any(|codec| feedback(&codec.codec.feedback))
    };
    SectionConfig {
        mid: transceiver.section.as_ref().map(|section| section.mid.as_str().into()),
        formats: formats.collect(),
        sources: sources
            .map(|source| DeclaredSource { ssrc: Ssrc(source.ssrc), retransmission: source.rtx.map(Ssrc) })
            .collect(),
        rids: Vec::new(),
        nack: gives(|feedback| feedback.nack),
        keyframes: match (gives(|feedback| feedback.pli), gives(|feedback| feedback.fir)) {
            (true, _) => receive::KeyframeMethod::Pli,
            (false, true) => receive::KeyframeMethod::Fir,
            (false, false) => receive::KeyframeMethod::None,
        },
    }
}

/// A stream is there from the first exchange that has it sent until its transceiver is stopped: its numbers go on where they
/// were, however often its direction changes, as SRTP needs them to (RFC 3711 §3.3.1).
fn follow_sending(rtp: &mut Session, transceiver: &mut Transceiver, rng: &mut dyn CryptoRng) {
    let sends = transceiver.sends();
    let Some(agreement) = &transceiver.agreement else { return };
    let nack = agreement.send.iter().any(|codec| codec.codec.feedback.nack);
    let types: Vec<_> = agreement
        .send
        .iter()
        .filter_map(|codec| Some((PayloadType::new(codec.payload_type)?, PayloadType::new(codec.rtx?)?)))
        .collect();
    match transceiver.sending.and_then(|key| rtp.sender_mut(key)) {
        Some(stream) => {
            stream.set_retransmission(nack, types);
            if !sends {
                stream.drop_queued();
            }
        }
        None if sends => transceiver.sending = add_sender(rtp, transceiver, agreement, nack, types, rng),
        None => {}
    }
}

fn add_sender(
    rtp: &mut Session,
    transceiver: &Transceiver,
    agreement: &Agreement,
    nack: bool,
    types: Vec<(PayloadType, PayloadType)>,
    rng: &mut dyn CryptoRng,
) -> Option<SenderKey> {
    let clock_rate = agreement.send.iter().find(|codec| !codec.codec.is_auxiliary())?.codec.clock_rate;
    let retransmission = (!types.is_empty()).then(|| send::Retransmission {
        ssrc: Ssrc(transceiver.rtx_ssrc),
        types,
        first_sequence_number: send::random_sequence_number(rng),
    });
    let mid = transceiver.section.as_ref().map(|section| section.mid.as_str().into());
    let config = send::Config::new(Ssrc(transceiver.ssrc), clock_rate, rng);
    rtp.add_sender(send::Config { nack, retransmission, mid, ..config }).ok()
}

const fn section_id(index: usize) -> SectionId {
    SectionId(index as u16)
}

/// RFC 5764 §4.2.
const EXPORTER_LABEL: &str = "EXTRACTOR-dtls_srtp";

/// The longest packet of RTCP before its protection: what fits through every path.
const MAX_RTCP: usize = 1152;

impl PeerConnection {
    /// An exchange has agreed on media, or a transceiver was stopped.
    pub(super) fn media_changed(&mut self, now: Instant) {
        let agreed = self.media.iter().any(|(_, transceiver)| transceiver.agreement.is_some());
        if agreed || self.transport.media.rtp().is_some() {
            self.transport.media.follow(now, &mut self.media, self.epoch, &mut *self.rng);
            self.transport.key_media(&self.config);
            self.settle_media();
        }
    }

    /// Takes a packet of RTP or RTCP.
    pub(super) fn take_media<'d>(&mut self, now: Instant, path: Path, packet: &'d mut [u8]) -> Received<'d> {
        if self.transport.media.rtp().is_none() {
            self.drops.media_not_negotiated += 1;
        } else if !self.transport.ice.handle_data(now, path, packet.len()) {
            self.drops.unknown_path += 1;
        } else if !self.transport.media.is_keyed() {
            self.drops.before_keys += 1;
        } else if rtp::rtcp::is_rtcp(packet) {
            self.transport.media.handle_rtcp(now, packet);
            self.settle_media();
        } else {
            let received = self.transport.media.handle_rtp(now, packet);
            self.settle_media();
            if let Some((stream, received)) = received {
                return self.deliver(now, stream, received);
            }
        }
        Received::Nothing
    }

    /// Passes on what senders and receivers have to tell.
    pub(super) fn settle_media(&mut self) {
        while let Some(event) = self.transport.media.rtp_mut().and_then(Session::poll_event) {
            match event {
                rtp::Event::StreamAdded { section, .. } => self.stream_added(section),
                rtp::Event::StreamEnded { stream } => self.stream_ended(stream),
                rtp::Event::KeyframeWanted { stream } => {
                    if let Some(key) = self.sender_of(stream) {
                        self.events.push_back(Event::KeyframeWanted(SenderId(key)));
                    }
                }
                rtp::Event::SsrcCollision { stream } => self.collided(stream),
                _ => {}
            }
        }
    }

    fn sender_of(&self, stream: SenderKey) -> Option<Key> {
        self.media.iter().find(|(_, transceiver)| transceiver.sending == Some(stream)).map(|(key, _)| key)
    }

    fn stream_added(&mut self, section: SectionId) {
        let key = self.transport.media.receivers.get(usize::from(section.0)).copied().flatten();
        let transceiver = key.and_then(|key| Some((key, self.media.get_mut(key)?)));
        if let Some((key, transceiver)) = transceiver
            && !core::mem::replace(&mut transceiver.hears, true)
        {
            self.events.push_back(Event::TrackUnmuted(ReceiverId(key)));
        }
    }

    fn stream_ended(&mut self, stream: ReceiverKey) {
        let Some(rtp) = self.transport.media.rtp() else { return };
        let Some((_, section, _)) = rtp.receivers().find(|(key, ..)| *key == stream) else { return };
        let goes_on = rtp.receivers().any(|(_, other, stream)| other == section && !stream.has_ended());
        let key = self.transport.media.receivers.get(usize::from(section.0)).copied().flatten();
        let Some((key, transceiver)) = key.and_then(|key| Some((key, self.media.get_mut(key)?))) else {
            return;
        };
        if !goes_on && core::mem::replace(&mut transceiver.hears, false) {
            self.events.push_back(Event::TrackMuted(ReceiverId(key)));
        }
    }

    /// The peer uses an SSRC of ours: the stream ends and goes on under others (RFC 3550 §8.2).
    fn collided(&mut self, stream: SenderKey) {
        let Some(key) = self.sender_of(stream) else { return };
        self.media.draw_ssrcs(key, &mut *self.rng);
        let (Some(rtp), Some(transceiver)) = (self.transport.media.rtp_mut(), self.media.get_mut(key)) else {
            return;
        };
        rtp.remove_sender(stream);
        transceiver.sending = None;
        follow_sending(rtp, transceiver, &mut *self.rng);
    }

    pub(super) fn media_transmit(
        &mut self,
        now: Instant,
        route: &mut Route,
        max_segments: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        if let Some(transmit) = self.rtcp_transmit(now, route, buf) {
            return Some(transmit);
        }
        self.transport.media.batch(now, route, max_segments, buf)
    }

    pub(super) fn rtcp_transmit(
        &mut self,
        now: Instant,
        route: &mut Route,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let start = route.open(buf);
        if self.transport.media.rtcp_transmit(now, buf, &mut *self.rng).is_none() {
            buf.truncate(start);
            return None;
        }
        route.close(buf, start);
        Some(Transmit { path: route.path(), ecn: None, len: buf.len() - start, segment_size: None })
    }
}
