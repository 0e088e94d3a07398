//! A packet's way in.

use pavane_base::Instant;

use super::Association;
use super::blue::Standalone;
use super::state::{Phase, Stage};
use super::timeout::Timer;
use crate::chunk::{
    Abort, Cause, CookieAck, CookieEcho, Data, ForwardTsn, Heartbeat, HeartbeatAck, IData, IForwardTsn, Init,
    InitAck, OperationError, Pad, RawChunk, Reconfig, Sack, Shutdown, ShutdownAck, ShutdownComplete,
    UnknownRule,
};
use crate::event::{CloseReason, Misbehaved};
use crate::packet::{Packet, PacketError};
use crate::receive::DataSeen;
use crate::send::BadSack;
use crate::types::VerificationTag;

impl Association {
    /// Takes in a packet from the peer, whatever its bytes.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        self.packets_received += 1;
        let may_lack =
            self.config.zero_checksum && matches!(self.phase, Phase::Linked(_) | Phase::Over { .. });
        let packet = match Packet::parse_with(packet, may_lack) {
            // RFC 9653 §5.3: what sets an association up has a checksum always.
            Ok(packet)
                if packet.unchecked && packet.chunks().next().is_none_or(|c| SETS_UP.contains(&c.kind)) =>
            {
                self.dropped.checksum += 1;
                return;
            }
            Ok(packet) => packet,
            Err(PacketError::Malformed) => {
                self.dropped.malformed += 1;
                return;
            }
            Err(PacketError::Checksum) => {
                self.dropped.checksum += 1;
                return;
            }
        };
        let header = packet.header;
        if (header.destination_port, header.source_port) != (self.config.local_port, self.config.remote_port)
        {
            self.dropped.ports += 1;
            return;
        }
        if header.tag == VerificationTag::ZERO {
            self.handle_untagged(now, &packet);
        } else {
            self.handle_tagged(now, &packet);
        }
        self.after_packet(now);
    }

    /// RFC 9260 §8.5.1 A: without a tag there may be an INIT and nothing else.
    fn handle_untagged(&mut self, now: Instant, packet: &Packet<'_>) {
        let mut chunks = packet.chunks();
        match (chunks.next(), chunks.next()) {
            (Some(raw), None) if raw.kind == Init::TYPE => self.on_init(now, raw),
            _ => self.dropped.tag += 1,
        }
    }

    fn handle_tagged(&mut self, now: Instant, packet: &Packet<'_>) {
        let Some(first) = packet.chunks().next() else { return };
        let tag = packet.header.tag;
        if first.kind == CookieEcho::TYPE {
            // RFC 9260 §8.4 rule 4: its tag is that of the cookie.
            if self.on_cookie_echo(now, packet.header, first) {
                self.handle_chunks(now, packet, 1);
            }
            return;
        }
        if matches!(self.phase, Phase::Closed | Phase::Over { .. }) {
            return self.out_of_the_blue(packet);
        }
        if self.ends_it(packet) {
            return;
        }
        match &self.phase {
            _ if tag != self.identity.tag => self.dropped.tag += 1,
            Phase::CookieWait { .. } => match first.kind {
                InitAck::TYPE => self.on_init_ack(now, first),
                ShutdownAck::TYPE => self.out_of_the_blue(packet),
                _ => self.dropped.unexpected += 1,
            },
            Phase::Linked(link) => {
                let setting_up = matches!(link.stage, Stage::CookieEchoed { .. });
                if setting_up && first.kind == ShutdownAck::TYPE {
                    self.out_of_the_blue(packet);
                } else {
                    self.handle_chunks(now, packet, 0);
                }
            }
            Phase::Closed | Phase::Over { .. } => {}
        }
    }

    /// Whether the packet has an ABORT or a SHUTDOWN COMPLETE, whose tag may be ours or the peer's own (RFC 9260 §8.5.1 B
    /// and C), and ended the association, or was to be ignored.
    fn ends_it(&mut self, packet: &Packet<'_>) -> bool {
        let Some(raw) = packet.chunks().find(|c| matches!(c.kind, Abort::TYPE | ShutdownComplete::TYPE))
        else {
            return false;
        };
        let abort = Abort::parse(raw);
        let reflected = match raw.kind {
            Abort::TYPE => abort.reflected,
            _ => ShutdownComplete::parse(raw).reflected,
        };
        let expected = if reflected { self.peer_tag() } else { self.identity.tag };
        if packet.header.tag != expected || expected == VerificationTag::ZERO {
            self.dropped.tag += 1;
        } else if raw.kind == Abort::TYPE {
            // A peer that knows nothing of an association whose end both had agreed on has ended it.
            let agreed =
                matches!(self.phase.link().map(|link| &link.stage), Some(Stage::ShutdownAckSent { .. }));
            let reason = match agreed && abort.reflected {
                true => CloseReason::Shutdown,
                false => CloseReason::PeerAborted(abort.first_cause()),
            };
            self.close(reason, None);
        } else {
            self.on_shutdown_complete();
        }
        true
    }

    /// Processes the chunks behind the first `skip` ones, until one ends it.
    fn handle_chunks(&mut self, now: Instant, packet: &Packet<'_>, skip: usize) {
        let mut seen = DataSeen::default();
        for raw in packet.chunks().skip(skip) {
            if !self.handle_chunk(now, raw, &mut seen) {
                break;
            }
        }
        self.repeat_shutdown(now, seen);
        if let Phase::Linked(link) = &mut self.phase {
            let round_trip = self.sender.rtt.smoothed().unwrap_or(self.config.timing.rto_initial);
            link.receiver.after_packet(now, round_trip, seen);
            if seen.any {
                self.perform_deferred();
            }
        }
    }

    /// Processes one chunk; whether the next one is to be processed.
    fn handle_chunk(&mut self, now: Instant, raw: RawChunk<'_>, seen: &mut DataSeen) -> bool {
        match raw.kind {
            Data::TYPE | IData::TYPE => return self.on_data(now, raw, seen),
            Sack::TYPE => self.on_sack(now, raw),
            ForwardTsn::TYPE | IForwardTsn::TYPE => return self.on_forward_tsn(raw, seen),
            Heartbeat::TYPE => self.on_heartbeat(raw),
            HeartbeatAck::TYPE => self.on_heartbeat_ack(now, raw),
            CookieAck::TYPE => self.on_cookie_ack(now),
            Reconfig::TYPE => self.on_reconfig(now, raw),
            OperationError::TYPE => {
                if OperationError::parse(raw).has(Cause::STALE_COOKIE) {
                    self.on_stale_cookie(now);
                }
            }
            Pad::TYPE => {}
            Shutdown::TYPE => self.on_shutdown(now, raw),
            ShutdownAck::TYPE => self.on_shutdown_ack(),
            // RFC 9260 §5.2.3, §3.3.2: late, or not alone in its packet.
            Init::TYPE | InitAck::TYPE | CookieEcho::TYPE => self.dropped.unexpected += 1,
            _ => return self.on_unknown_chunk(raw),
        }
        matches!(self.phase, Phase::Linked(_))
    }

    /// Takes in DATA or, where that was agreed on, I-DATA; whether the next chunk is to be processed.
    fn on_data(&mut self, now: Instant, raw: RawChunk<'_>, seen: &mut DataSeen) -> bool {
        let interleaved = raw.kind == IData::TYPE;
        match self.phase.link() {
            Some(link) if link.extensions.interleaving == interleaved => {}
            // RFC 8260 §2.2.1: the two do not go together.
            Some(_) if !interleaved => {
                self.close(CloseReason::Misbehaved(Misbehaved::NotAgreed), Some(Cause::ProtocolViolation));
                return false;
            }
            _ => return self.on_unknown_chunk(raw),
        }
        let parsed = if interleaved { IData::parse(raw) } else { Data::parse(raw) };
        match parsed {
            Ok(data) => self.take_data(now, &data, seen),
            Err(_) => self.dropped.chunks += 1,
        }
        matches!(self.phase, Phase::Linked(_))
    }

    fn take_data(&mut self, now: Instant, data: &Data<'_>, seen: &mut DataSeen) {
        self.confirm(now);
        let Phase::Linked(link) = &mut self.phase else { return };
        if data.payload.is_empty() {
            // RFC 9260 §6.2: no data is no DATA.
            let cause = Cause::NoUserData(data.tsn);
            return self.close(CloseReason::Misbehaved(Misbehaved::NoUserData), Some(cause));
        }
        if data.stream.0 >= link.incoming {
            link.receiver.on_invalid_stream(data, seen);
            link.control.complain(Cause::InvalidStream(data.stream));
            self.dropped.invalid_streams += 1;
            return;
        }
        if let Err(how) = link.receiver.on_data(data, seen, &mut self.events) {
            self.close(CloseReason::Misbehaved(how), Some(Cause::ProtocolViolation));
        }
    }

    fn on_sack(&mut self, now: Instant, raw: RawChunk<'_>) {
        let Ok(sack) = Sack::parse(raw) else {
            self.dropped.chunks += 1;
            return;
        };
        self.confirm(now);
        match self.sender.on_sack(now, &sack, &mut self.events) {
            Ok(outcome) => {
                if outcome.progress {
                    // Deviation: RFC 9260 §6.3.2 R3 waits for the oldest chunk. While anything arrives, what is missing
                    // is found by time, and the timer would only throw away what is known.
                    self.timers.set(Timer::Retransmission, now + self.sender.rtt.timeout());
                    self.timers.stop(Timer::TailProbe);
                }
                if let Some(link) = self.phase.link_mut() {
                    link.unanswered = 0;
                    if outcome.window_open {
                        link.window_probes = 0;
                    }
                }
                self.watch_path_mtu(now);
                self.advance_shutdown(now);
            }
            Err(BadSack::Old) => {}
            Err(BadSack::BeyondSent) => {
                self.close(
                    CloseReason::Misbehaved(Misbehaved::AckBeyondSent),
                    Some(Cause::ProtocolViolation),
                );
            }
        }
    }

    /// Takes in FORWARD TSN or I-FORWARD-TSN; whether the next chunk is to be processed.
    fn on_forward_tsn(&mut self, raw: RawChunk<'_>, seen: &mut DataSeen) -> bool {
        let interleaved = raw.kind == IForwardTsn::TYPE;
        let Some(link) = self.phase.link_mut() else { return false };
        // RFC 3758 §3.3.1: nobody may skip who has not said so before.
        if !link.extensions.partial_reliability {
            self.dropped.unexpected += 1;
            return true;
        }
        // RFC 8260 §2.3.1: the one goes with DATA, the other with I-DATA.
        if link.extensions.interleaving != interleaved {
            self.close(CloseReason::Misbehaved(Misbehaved::NotAgreed), Some(Cause::ProtocolViolation));
            return false;
        }
        let Self { events, .. } = self;
        let taken = if interleaved {
            IForwardTsn::parse(raw).map(|f| link.receiver.on_forward(f.cumulative, f.skipped(), seen, events))
        } else {
            ForwardTsn::parse(raw).map(|f| link.receiver.on_forward(f.cumulative, f.skipped(), seen, events))
        };
        self.dropped.chunks += u64::from(taken.is_err());
        true
    }

    /// Deviation: data or a SACK with our tag stands for a lost COOKIE ACK, which RFC 9260 §5.1 E would have us wait for:
    /// only a peer that has taken our cookie can send them.
    fn confirm(&mut self, now: Instant) {
        if matches!(self.phase.link().map(|link| &link.stage), Some(Stage::CookieEchoed { .. })) {
            self.on_cookie_ack(now);
        }
    }

    fn on_unknown_chunk(&mut self, raw: RawChunk<'_>) -> bool {
        self.dropped.unknown_chunks += 1;
        let rule = UnknownRule::of_chunk(raw.kind);
        if rule.report
            && let Some(link) = self.phase.link_mut()
        {
            let excerpt = raw.value.get(..raw.value.len().min(MAX_EXCERPT)).unwrap_or_default();
            let len = (raw.value.len() + crate::packet::CHUNK_HEADER) as u16;
            let mut chunk = alloc::vec![raw.kind, raw.flags];
            chunk.extend_from_slice(&len.to_be_bytes());
            chunk.extend_from_slice(excerpt);
            link.control.complain(Cause::UnrecognizedChunk(chunk));
        }
        rule.go_on
    }

    /// What a packet may have made possible.
    fn after_packet(&mut self, now: Instant) {
        self.request_resets(now);
        self.refresh_timers(now);
    }

    pub(super) fn next_standalone(&mut self) -> Option<Standalone> {
        self.standalone.pop_front()
    }
}

/// The chunks that set an association up.
const SETS_UP: [u8; 3] = [Init::TYPE, InitAck::TYPE, CookieEcho::TYPE];

/// How much of an unknown chunk is sent back.
const MAX_EXCERPT: usize = 64;
