//! The graceful end (RFC 9260 §9.2).
//!
//! ```text
//!  ShutdownPending   (everything sent is acknowledged)
//!  ShutdownSent      SHUTDOWN ->                       ShutdownReceived (everything sent is acknowledged)
//!                    <- SHUTDOWN ACK                   ShutdownAckSent
//!  Closed            SHUTDOWN COMPLETE ->              Closed
//! ```

use pavane_base::Instant;

use super::Association;
use super::blue::Standalone;
use super::state::{Phase, Stage};
use super::timeout::Timer;
use crate::chunk::{Cause, RawChunk, Shutdown};
use crate::event::{CloseReason, Misbehaved};
use crate::receive::DataSeen;

impl Association {
    /// Ends the association after everything that was sent has arrived; nothing more can be sent.
    pub fn shutdown(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Closed | Phase::CookieWait { .. } => self.close(CloseReason::Shutdown, None),
            Phase::Linked(link) => match link.stage {
                // RFC 9260 §4: SHUTDOWN has no place before the peer has confirmed.
                Stage::CookieEchoed { .. } => {
                    self.close(CloseReason::Shutdown, Some(Cause::UserAbort(alloc::vec::Vec::new())));
                }
                Stage::Established => {
                    link.stage = Stage::ShutdownPending;
                    self.timers.set(Timer::ShutdownGuard, now + self.config.timing.shutdown_guard);
                    self.advance_shutdown(now);
                }
                _ => {}
            },
            Phase::Over { .. } => {}
        }
    }

    /// Goes on when everything that was sent has been acknowledged.
    pub(super) fn advance_shutdown(&mut self, now: Instant) {
        if !self.sender.is_done() {
            return;
        }
        let timeout = self.sender.rtt.timeout();
        let Some(link) = self.phase.link_mut() else { return };
        link.stage = match link.stage {
            Stage::ShutdownPending => Stage::ShutdownSent { due: true },
            Stage::ShutdownReceived => Stage::ShutdownAckSent { due: true },
            _ => return,
        };
        self.timers.set(Timer::Shutdown, now + timeout);
    }

    pub(super) fn on_shutdown(&mut self, now: Instant, raw: RawChunk<'_>) {
        let Ok(shutdown) = Shutdown::parse(raw) else {
            self.dropped.chunks += 1;
            return;
        };
        let Some(link) = self.phase.link_mut() else { return };
        match link.stage {
            Stage::CookieEchoed { .. } => {
                self.dropped.unexpected += 1;
                return;
            }
            Stage::Established | Stage::ShutdownPending => {
                link.stage = Stage::ShutdownReceived;
                self.timers.set(Timer::ShutdownGuard, now + self.config.timing.shutdown_guard);
            }
            Stage::ShutdownSent { .. } => {
                link.stage = Stage::ShutdownAckSent { due: true };
                self.timers.set(Timer::Shutdown, now + self.sender.rtt.timeout());
            }
            Stage::ShutdownReceived => {}
            Stage::ShutdownAckSent { ref mut due } => *due = true,
        }
        if self.sender.on_cumulative(now, shutdown.cumulative).is_err() {
            self.close(CloseReason::Misbehaved(Misbehaved::AckBeyondSent), Some(Cause::ProtocolViolation));
            return;
        }
        self.advance_shutdown(now);
    }

    pub(super) fn on_shutdown_ack(&mut self) {
        let tag = self.peer_tag();
        match self.phase.link().map(|link| &link.stage) {
            Some(Stage::ShutdownSent { .. } | Stage::ShutdownAckSent { .. }) => {
                self.send_standalone(Standalone::ShutdownComplete { tag, reflected: false });
                self.close(CloseReason::Shutdown, None);
            }
            _ => self.dropped.unexpected += 1,
        }
    }

    pub(super) fn on_shutdown_complete(&mut self) {
        match self.phase.link().map(|link| &link.stage) {
            Some(Stage::ShutdownAckSent { .. }) => self.close(CloseReason::Shutdown, None),
            _ => self.dropped.unexpected += 1,
        }
    }

    /// RFC 9260 §9.2: data that arrives behind our SHUTDOWN is answered by another.
    pub(super) fn repeat_shutdown(&mut self, now: Instant, seen: DataSeen) {
        let timeout = self.sender.rtt.timeout();
        if let Some(link) = self.phase.link_mut()
            && let Stage::ShutdownSent { due } = &mut link.stage
            && seen.any
        {
            *due = true;
            self.timers.set(Timer::Shutdown, now + timeout);
        }
    }

    pub(super) fn on_shutdown_timer(&mut self, now: Instant) {
        let Some(link) = self.phase.link_mut() else { return };
        match &mut link.stage {
            Stage::ShutdownSent { due } | Stage::ShutdownAckSent { due } => *due = true,
            _ => return,
        }
        if self.is_unreachable() {
            return self.close(CloseReason::Unreachable, None);
        }
        self.sender.rtt.back_off();
        self.timers.set(Timer::Shutdown, now + self.sender.rtt.timeout());
    }
}
