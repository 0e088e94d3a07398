//! A packet's way out: one packet at a time, built when there is somebody to take it.

use alloc::vec::Vec;

use pavane_base::Instant;

use super::Association;
use super::state::{Link, Phase, Stage};
use super::timeout::Timer;
use crate::chunk::{
    CookieAck, CookieEcho, Heartbeat, HeartbeatAck, Init, OperationError, Sack, Shutdown, ShutdownAck,
};
use crate::packet::{Header, PacketWriter};
use crate::types::VerificationTag;

impl Association {
    /// Appends one packet to `buf`, if there is something to send; its length.
    ///
    /// Control chunks come first, then a SACK, then what was lost, then what is new, until the packet is full.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<usize> {
        let len = match self.next_standalone() {
            Some(packet) => {
                let mut w = self.writer(buf, packet.tag());
                packet.write(&mut w);
                w.finish()
            }
            None => match &self.phase {
                Phase::CookieWait { init_due: true, .. } => self.write_init(now, buf),
                Phase::Linked(link) => match link.stage {
                    Stage::CookieEchoed { due: true, .. } => self.write_cookie_echo(now, buf),
                    Stage::CookieEchoed { .. } => None,
                    _ if self.is_idle(now) => None,
                    _ => self.write_packet(now, buf),
                },
                _ => None,
            },
        }?;
        self.packets_sent += 1;
        Some(len)
    }

    fn writer<'b>(&self, buf: &'b mut Vec<u8>, tag: VerificationTag) -> PacketWriter<'b> {
        self.sized_writer(buf, tag, self.max_packet())
    }

    pub(super) fn sized_writer<'b>(
        &self,
        buf: &'b mut Vec<u8>,
        tag: VerificationTag,
        size: usize,
    ) -> PacketWriter<'b> {
        let header =
            Header { source_port: self.config.local_port, destination_port: self.config.remote_port, tag };
        PacketWriter::new(buf, header, size)
    }

    fn write_init(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<usize> {
        let Phase::CookieWait { init_due, sent_at, attempts } = &mut self.phase else { return None };
        *init_due = false;
        *sent_at = now;
        let attempts = *attempts;
        let opening = self.init(attempts);
        let mut w = self.writer(buf, VerificationTag::ZERO);
        Init::write(&mut w, &opening);
        w.finish()
    }

    /// COOKIE ECHO, and as much data as fits behind it (RFC 9260 §5.1 C).
    fn write_cookie_echo(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<usize> {
        let mut w = self.writer(buf, self.peer_tag());
        let Phase::Linked(link) = &mut self.phase else { return None };
        let Stage::CookieEchoed { cookie, due, sent_at, .. } = &mut link.stage else { return None };
        *due = false;
        *sent_at = now;
        CookieEcho { cookie }.write(&mut w);
        self.sender.fill(now, &mut w, &mut self.events);
        w.finish()
    }

    /// Whether there is nothing to be said: asked far more often than not.
    fn is_idle(&self, now: Instant) -> bool {
        let Some(link) = self.phase.link() else { return true };
        let stage_due =
            matches!(link.stage, Stage::ShutdownSent { due: true } | Stage::ShutdownAckSent { due: true });
        !stage_due
            && !link.receiver.sack_due()
            && !self.sender.has_work(now)
            && !self.sender.forward_due()
            && link.control.is_empty()
            && !link.reconfig.is_due()
            && !link.heartbeat.is_due()
    }

    fn write_packet(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<usize> {
        let unchecked = self.phase.link().is_some_and(|link| link.extensions.zero_checksum);
        let mut w = self.writer(buf, self.peer_tag()).unchecked(unchecked);
        let Phase::Linked(link) = &mut self.phase else { return None };
        if core::mem::take(&mut link.control.cookie_ack) {
            CookieAck::write(&mut w);
        }
        let sends_data =
            matches!(link.stage, Stage::Established | Stage::ShutdownPending | Stage::ShutdownReceived);
        let company = sends_data && self.sender.has_work(now);
        if link.receiver.sack_due() || (company && link.receiver.sack_wanted()) {
            write_sack(link, &mut w);
        }
        write_control(link, now, &mut w);
        if link.reconfig.write(&mut w) {
            self.timers.set(Timer::Reconfig, now + self.sender.rtt.timeout());
        }
        let mut filled = false;
        if sends_data {
            if self.sender.forward_due() {
                self.sender.write_forward(now, &mut w);
            }
            filled = self.sender.fill(now, &mut w, &mut self.events);
            // What was given up on the way out is told at once.
            if self.sender.forward_due() {
                self.sender.write_forward(now, &mut w);
            }
        }
        let len = w.finish();
        self.request_resets(now);
        if filled || len.is_some() {
            self.advance_shutdown(now);
            self.refresh_timers(now);
        }
        len
    }
}

fn write_sack(link: &mut Link, w: &mut PacketWriter<'_>) {
    if w.room() >= Sack::MIN_SIZE {
        link.receiver.write_sack(w);
    }
}

/// Errors, answers to heartbeats, heartbeats, and what ends an association.
fn write_control(link: &mut Link, now: Instant, w: &mut PacketWriter<'_>) {
    while w.room() >= ERROR_ROOM
        && let Some(cause) = link.control.errors.pop_front()
    {
        OperationError::write(w, &cause);
    }
    while let Some(info) = link.control.heartbeat_acks.front() {
        if w.room() < Heartbeat::size(info.len()) {
            break;
        }
        HeartbeatAck { info }.write(w);
        link.control.heartbeat_acks.pop_front();
    }
    link.heartbeat.write(now, w);
    let cumulative = link.receiver.cumulative();
    match &mut link.stage {
        Stage::ShutdownSent { due: due @ true } => {
            *due = false;
            // RFC 9260 §9.2: what SHUTDOWN cannot say, a SACK does.
            if link.receiver.has_gaps() && w.room() >= Sack::MIN_SIZE + 8 {
                link.receiver.write_sack(w);
            }
            Shutdown { cumulative }.write(w);
        }
        Stage::ShutdownAckSent { due: due @ true } => {
            *due = false;
            ShutdownAck::write(w);
        }
        _ => {}
    }
}

/// The largest error that we send.
const ERROR_ROOM: usize = 80;
