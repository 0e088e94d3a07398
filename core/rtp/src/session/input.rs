//! The way in.

use core::fmt;
use core::time::Duration;

use pavane_base::{Instant, Key, earliest};

use super::{DelaySinceLastRrAt, Event, MAX_REFERENCE_TIMES, Receiver, ReceiverKey, SenderKey, Session};
use crate::packet::Layout;
use crate::receive::{self, Place, Rejected, Via};
use crate::router::{Role, Route, SectionId, Unroutable};
use crate::rtcp::{self, DelaySinceLastRr, ExtendedBlock, ReportBlock};
use crate::{ExtensionValues, NtpTime, Packet, Ssrc};

/// A packet for the application.
#[derive(Clone, Copy, Debug)]
pub struct Received<'d> {
    /// The packet; of a retransmission, the original.
    pub packet: Packet<'d>,
    /// What its header extension says.
    pub values: ExtensionValues<'d>,
    /// Its stream.
    pub stream: ReceiverKey,
    /// Its media section.
    pub section: SectionId,
    /// Its place in the stream.
    pub place: Place,
    /// How it came.
    pub via: Via,
}

/// Why a packet is not for the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// It is no RTP.
    Malformed,
    /// It belongs nowhere.
    Unroutable(Unroutable),
    /// Its source is one of ours.
    Collision,
    /// It is a retransmission that carries no original.
    Probe,
    /// Its stream does not want it.
    Rejected(Rejected),
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the bytes are no RTP"),
            Self::Unroutable(reason) => reason.fmt(f),
            Self::Collision => f.write_str("the source is one of ours"),
            Self::Probe => f.write_str("the packet carries no media"),
            Self::Rejected(reason) => write!(f, "the stream does not want the packet: {reason:?}"),
        }
    }
}

impl core::error::Error for Dropped {}

/// A stream in which nothing came for so long makes room for another.
const SILENCE: Duration = Duration::from_secs(30);

impl Session {
    /// Takes a packet of RTP, decrypted. A retransmission is turned into its original in place.
    ///
    /// # Errors
    /// If it is not for the application, which is counted.
    pub fn handle_rtp<'d>(&mut self, now: Instant, bytes: &'d mut [u8]) -> Result<Received<'d>, Dropped> {
        let Ok(layout) = Layout::parse(bytes) else {
            self.counters.malformed_rtp += 1;
            return Err(Dropped::Malformed);
        };
        let route = self.route(now, &Packet::with_layout(bytes, layout))?;
        match route.role {
            Role::Media => {
                let packet = Packet::with_layout(bytes, layout);
                let key = self.receiver_for(packet.ssrc(), route.section);
                self.accept(now, key, route.section, packet, Via::Original)
            }
            Role::Retransmission { of } => self.handle_retransmission(now, of, route, bytes),
        }
    }

    fn handle_retransmission<'d>(
        &mut self,
        now: Instant,
        of: Ssrc,
        route: Route,
        bytes: &'d mut [u8],
    ) -> Result<Received<'d>, Dropped> {
        // Before a stream's first packet there is nothing to repair.
        let key = self.receivers_by_ssrc.get(&of).copied();
        let receiver = key.and_then(|key| Some((key, self.receivers.get_mut(key)?)));
        let original = receiver.and_then(|(key, r)| Some((key, r.stream.unwrap_retransmission(bytes)?)));
        let Some((key, original)) = original else {
            self.counters.probes += 1;
            return Err(Dropped::Probe);
        };
        let packet = Packet::parse(original).map_err(|_| Dropped::Malformed)?;
        self.accept(now, key, route.section, packet, Via::Retransmission)
    }

    fn route(&mut self, now: Instant, packet: &Packet<'_>) -> Result<Route, Dropped> {
        if let Some(key) = self.senders_by_ssrc.get(&packet.ssrc()).copied() {
            self.collide(key);
            return Err(Dropped::Collision);
        }
        let values = ExtensionValues::read_names(packet, &self.extensions);
        let mut route = self.router.route(&packet.header(), &values);
        if route == Err(Unroutable::Limit) && self.forget_silent(now) {
            route = self.router.route(&packet.header(), &values);
        }
        route.map_err(|reason| {
            self.counters.unroutable += 1;
            Dropped::Unroutable(reason)
        })
    }

    fn collide(&mut self, key: Key) {
        let new =
            self.senders.get_mut(key).is_some_and(|sender| !core::mem::replace(&mut sender.collided, true));
        if new {
            self.push_event(Event::SsrcCollision { stream: SenderKey(key) });
        }
    }

    /// Makes room for a source: forgets a stream that has ended or is silent.
    fn forget_silent(&mut self, now: Instant) -> bool {
        let silent = self.receivers.iter().find(|(_, receiver)| {
            let last = receiver.stream.statistics().last_packet_at;
            receiver.stream.has_ended() || last.is_none_or(|last| now - last > SILENCE)
        });
        let Some((key, ssrc)) = silent.map(|(key, receiver)| (key, receiver.stream.ssrc())) else {
            return false;
        };
        self.router.forget(ssrc);
        self.forget_receiver(key);
        true
    }

    /// The stream of a source, which is made if this is its first packet.
    fn receiver_for(&mut self, ssrc: Ssrc, section: SectionId) -> Key {
        let known = self.receivers_by_ssrc.get(&ssrc).copied();
        if let Some(key) = known
            && let Some(receiver) = self.receivers.get_mut(key)
        {
            if receiver.section == section {
                return key;
            }
            // The peer has moved the source to another section.
            self.forget_receiver(key);
            self.push_event(Event::StreamEnded { stream: ReceiverKey(key) });
        }
        let config = self.sections.iter().find(|entry| entry.id == section).map(|entry| &entry.config);
        let config = config.cloned().unwrap_or_default();
        let mut stream = receive::Stream::new(receive::Config {
            ssrc,
            formats: config.formats,
            nack: config.nack,
            keyframes: config.keyframes,
        });
        if let Some(time) = self.round_trip {
            stream.set_round_trip_time(time);
        }
        let key = self.receivers.insert(Receiver { stream, section });
        self.receivers_by_ssrc.insert(ssrc, key);
        let rid = self.router.rid(ssrc).map(Into::into);
        self.push_event(Event::StreamAdded { stream: ReceiverKey(key), section, ssrc, rid });
        key
    }

    fn accept<'d>(
        &mut self,
        now: Instant,
        key: Key,
        section: SectionId,
        packet: Packet<'d>,
        via: Via,
    ) -> Result<Received<'d>, Dropped> {
        let receiver = self.receivers.get_mut(key).ok_or(Dropped::Malformed)?;
        let place = receiver.stream.handle_packet(now, &packet, via).map_err(Dropped::Rejected)?;
        self.feedback |= receiver.stream.has_feedback();
        self.next = earliest(self.next, receiver.stream.poll_timeout());
        let values = ExtensionValues::read(&packet, &self.extensions);
        Ok(Received { packet, values, stream: ReceiverKey(key), section, place, via })
    }

    /// Takes a datagram of RTCP, decrypted.
    pub fn handle_rtcp(&mut self, now: Instant, datagram: &[u8]) {
        match rtcp::Packets::parse(datagram) {
            Ok(packets) => packets.for_each(|packet| self.handle_rtcp_packet(now, &packet)),
            Err(_) => self.counters.malformed_rtcp += 1,
        }
    }

    fn handle_rtcp_packet(&mut self, now: Instant, packet: &rtcp::Packet<'_>) {
        match packet {
            rtcp::Packet::SenderReport(report) => {
                let info = report.info();
                if let Some(receiver) = self.receiver_of(info.ssrc) {
                    receiver.stream.handle_sender_report(now, &info);
                }
                report.blocks().for_each(|block| self.handle_block(now, &block));
            }
            rtcp::Packet::ReceiverReport(report) => {
                report.blocks().for_each(|block| self.handle_block(now, &block))
            }
            rtcp::Packet::Bye(bye) => bye.sources().for_each(|ssrc| self.handle_bye(ssrc)),
            rtcp::Packet::Nack(nack) => {
                if let Some(key) = self.senders_by_ssrc.get(&nack.media()).copied()
                    && let Some(sender) = self.ready_sender(key)
                {
                    sender.stream.handle_nack(now, nack);
                }
            }
            rtcp::Packet::PictureLoss(loss) => {
                self.wish(loss.media, |stream| stream.handle_picture_loss(now));
            }
            rtcp::Packet::FullIntraRequest(request) => request.entries().for_each(|entry| {
                self.wish(entry.ssrc, |stream| {
                    stream.handle_full_intra_request(now, request.sender(), entry.number);
                });
            }),
            rtcp::Packet::ExtendedReport(report) => {
                report.blocks().for_each(|block| self.handle_extended(now, report.ssrc(), &block));
            }
            rtcp::Packet::Malformed(_) => self.counters.malformed_rtcp += 1,
            _ => {}
        }
    }

    fn receiver_of(&mut self, ssrc: Ssrc) -> Option<&mut Receiver> {
        self.receivers.get_mut(*self.receivers_by_ssrc.get(&ssrc)?)
    }

    fn handle_block(&mut self, now: Instant, block: &ReportBlock) {
        let Some(key) = self.senders_by_ssrc.get(&block.ssrc).copied() else { return };
        let Some(sender) = self.senders.get_mut(key) else { return };
        let before = sender.stream.statistics().round_trip_measurements;
        sender.stream.handle_report_block(now, &self.epoch, block);
        if sender.stream.statistics().round_trip_measurements > before {
            let time = sender.stream.round_trip_time();
            self.set_round_trip_time(time);
        }
    }

    fn handle_bye(&mut self, ssrc: Ssrc) {
        let Some(key) = self.receivers_by_ssrc.get(&ssrc).copied() else { return };
        let Some(receiver) = self.receivers.get_mut(key).filter(|receiver| !receiver.stream.has_ended())
        else {
            return;
        };
        receiver.stream.handle_bye();
        self.push_event(Event::StreamEnded { stream: ReceiverKey(key) });
    }

    /// Tells a sender of a wish for a key frame.
    fn wish(&mut self, ssrc: Ssrc, tell: impl FnOnce(&mut crate::send::Stream)) {
        let Some(key) = self.senders_by_ssrc.get(&ssrc).copied() else { return };
        if let Some(sender) = self.senders.get_mut(key) {
            tell(&mut sender.stream);
        }
        self.note_sender(key);
        self.wishes = true;
    }

    fn handle_extended(&mut self, now: Instant, from: Ssrc, block: &ExtendedBlock<'_>) {
        match block {
            ExtendedBlock::ReceiverReferenceTime(time) => self.remember_reference_time(now, from, *time),
            ExtendedBlock::DelaySinceLastRr(data) => {
                let now = self.ntp(now).middle();
                let own = self.reporting_ssrc();
                let ours =
                    DelaySinceLastRr::read_all(data).find(|entry| entry.ssrc == own && entry.last_rr.0 != 0);
                let since = ours.and_then(|entry| now.since(entry.last_rr)?.since(entry.delay));
                // RFC 3611 §4.5: the round trip, as from a report block.
                if let Some(time) = since {
                    self.set_round_trip_time(time.to_duration());
                }
            }
            ExtendedBlock::Other { .. } => {}
        }
    }

    fn remember_reference_time(&mut self, now: Instant, from: Ssrc, time: NtpTime) {
        self.reference_times.retain(|known| known.entry.ssrc != from);
        if self.reference_times.len() == MAX_REFERENCE_TIMES {
            self.reference_times.pop_front();
        }
        let entry = DelaySinceLastRr { ssrc: from, last_rr: time.middle(), delay: crate::NtpShort(0) };
        self.reference_times.push_back(DelaySinceLastRrAt { entry, at: now });
    }
}
