//! Whether an idle peer is still there (RFC 9260 §8.3).

use core::time::Duration;

use pavane_base::Instant;

use super::Association;
use super::state::Stage;
use super::timeout::Timer;
use crate::chunk::{Heartbeat, HeartbeatAck, RawChunk};
use crate::event::CloseReason;
use crate::packet::PacketWriter;

/// The heartbeat that is under way.
#[derive(Debug, Default)]
pub(super) enum HeartbeatState {
    #[default]
    None,
    Due {
        nonce: u64,
    },
    Sent {
        nonce: u64,
        at: Instant,
    },
}

impl Association {
    pub(super) fn schedule_heartbeat(&mut self, now: Instant) {
        // RFC 9260 §8.3: between half and one and a half RTO on top, so that peers do not fall into step.
        let timeout = self.sender.rtt.timeout();
        let jitter = (self.identity.draw() % 1024) as u32;
        let jittered = timeout / 2 + timeout * jitter / 1024;
        self.timers.set(Timer::Heartbeat, now + self.config.timing.heartbeat_interval + jittered);
    }

    pub(super) fn on_heartbeat_timer(&mut self, now: Instant) {
        let nonce = self.identity.draw();
        let idle = !self.sender.is_waiting();
        let Some(link) = self.link_mut() else { return };
        if matches!(link.heartbeat, HeartbeatState::Sent { .. }) && self.is_unreachable() {
            return self.close(CloseReason::Unreachable, None);
        }
        let Some(link) = self.link_mut() else { return };
        if idle && matches!(link.stage, Stage::Established) {
            link.heartbeat = HeartbeatState::Due { nonce };
        }
        self.schedule_heartbeat(now);
    }

    pub(super) fn on_heartbeat(&mut self, raw: RawChunk<'_>) {
        match (Heartbeat::parse(raw), self.link_mut()) {
            (Some(heartbeat), Some(link)) => link.control.answer_heartbeat(heartbeat.info),
            _ => self.dropped.chunks += 1,
        }
    }

    pub(super) fn on_heartbeat_ack(&mut self, now: Instant, raw: RawChunk<'_>) {
        let Some(ack) = HeartbeatAck::parse(raw) else {
            self.dropped.chunks += 1;
            return;
        };
        if self.on_probe_answered(now, ack.info) {
            return;
        }
        let Some(link) = self.link_mut() else { return };
        if let HeartbeatState::Sent { nonce, at } = link.heartbeat
            && ack.info == nonce.to_be_bytes()
        {
            link.heartbeat = HeartbeatState::None;
            link.unanswered = 0;
            self.sender.rtt.sample(now, (now - at).max(MIN_SAMPLE));
        }
    }
}

impl HeartbeatState {
    pub(super) fn write(&mut self, now: Instant, w: &mut PacketWriter<'_>) {
        if let Self::Due { nonce } = *self
            && w.room() >= Heartbeat::size(8)
        {
            Heartbeat { info: &nonce.to_be_bytes() }.write(w);
            *self = Self::Sent { nonce, at: now };
        }
    }

    pub(super) const fn is_due(&self) -> bool {
        matches!(self, Self::Due { .. })
    }
}

const MIN_SAMPLE: Duration = Duration::from_nanos(1);
