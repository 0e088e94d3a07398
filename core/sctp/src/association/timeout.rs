//! The timers and what happens when they expire.

use core::time::Duration;

use pavane_base::{Instant, TimerKind};

use super::Association;
use super::state::{Phase, Stage};
use crate::chunk::Cause;
use crate::event::CloseReason;

/// The timers of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// T1-init: INIT is unanswered.
    Init,
    /// T1-cookie: COOKIE ECHO is unanswered.
    Cookie,
    /// T2-shutdown: SHUTDOWN or SHUTDOWN ACK is unanswered.
    Shutdown,
    /// T5-shutdown-guard: a graceful end takes too long.
    ShutdownGuard,
    /// T3-rtx: DATA or FORWARD TSN is unanswered.
    Retransmission,
    /// The last packets may be lost.
    TailProbe,
    /// Something that was overtaken has had its time.
    Overtaken,
    /// The pace allows more packets.
    Pace,
    /// The peer's window has been closed for a while.
    WindowProbe,
    /// A SACK has waited long enough for company.
    Sack,
    /// Our RE-CONFIG is unanswered.
    Reconfig,
    /// Nothing has been heard for a while.
    Heartbeat,
    /// A probe of a packet's size is unanswered, or it is time for another search.
    PathMtu,
}

/// How many timers there are.
pub(super) const TIMERS: usize = 13;

impl TimerKind for Timer {
    const ALL: &'static [Self] = &[
        Self::Init,
        Self::Cookie,
        Self::Shutdown,
        Self::ShutdownGuard,
        Self::Retransmission,
        Self::TailProbe,
        Self::Overtaken,
        Self::Pace,
        Self::WindowProbe,
        Self::Sack,
        Self::Reconfig,
        Self::Heartbeat,
        Self::PathMtu,
    ];

    fn index(self) -> usize {
        self as usize
    }
}

impl Association {
    /// Lets time pass; may be called early, late or repeatedly.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut fired = false;
        while let Some(timer) = self.timers.expire(now) {
            fired = true;
            match timer {
                Timer::Init => self.on_init_timer(now),
                Timer::Cookie => self.on_cookie_timer(now),
                Timer::Shutdown => self.on_shutdown_timer(now),
                Timer::ShutdownGuard => {
                    self.close(CloseReason::Unreachable, Some(Cause::UserAbort(alloc::vec![])))
                }
                Timer::Retransmission => self.on_retransmission_timer(now),
                Timer::TailProbe => self.on_tail_probe_timer(now),
                Timer::Overtaken => self.sender.detect_losses(now, &mut self.events),
                // Whoever calls this asks for packets afterwards.
                Timer::Pace => {}
                Timer::WindowProbe => self.on_window_probe_timer(),
                Timer::Sack => {
                    if let Some(link) = self.link_mut() {
                        link.receiver.sack_now();
                    }
                }
                Timer::Reconfig => self.on_reconfig_timer(now),
                Timer::Heartbeat => self.on_heartbeat_timer(now),
                Timer::PathMtu => self.on_path_mtu_timer(now),
            }
        }
        if fired {
            self.refresh_timers(now);
        }
    }

    /// Counts an expiry without a sign of the peer; whether it was the last that the configuration allows.
    pub(super) fn is_unreachable(&mut self) -> bool {
        let Some(max) = self.config.max_retransmissions else { return false };
        let Some(link) = self.phase.link_mut() else { return false };
        link.unanswered += 1;
        link.unanswered > max
    }

    /// Starts and stops the timers that follow from the state of the two halves.
    pub(super) fn refresh_timers(&mut self, now: Instant) {
        let Phase::Linked(link) = &self.phase else { return };
        // A peer on a short path waits a part of the round trip, not many of them.
        let patience = self.sender.rtt.smoothed().map_or(Duration::MAX, |rtt| (rtt / 2).max(MIN_SACK_DELAY));
        let delay = patience.min(self.config.timing.sack_delay);
        self.keep(Timer::Sack, link.receiver.owes_sack_later(), now + delay);
        let flowing = !matches!(self.phase.link().map(|l| &l.stage), Some(Stage::CookieEchoed { .. }) | None);
        let waiting = flowing && self.sender.is_waiting();
        self.keep(Timer::Retransmission, waiting, now + self.sender.rtt.timeout());
        let probe_at = self.sender.last_sent() + self.sender.rtt.probe_timeout();
        let in_time = self.timers.get(Timer::Retransmission).is_some_and(|at| probe_at < at);
        self.keep(Timer::TailProbe, waiting && in_time && self.sender.wants_tail_probe(), probe_at);
        match self.sender.loss_at() {
            Some(at) => self.timers.set(Timer::Overtaken, at),
            None => self.keep(Timer::Overtaken, false, now),
        }
        match self.sender.paced_until(now).filter(|_| flowing) {
            Some(at) => self.timers.set(Timer::Pace, at),
            None => self.keep(Timer::Pace, false, now),
        }
        self.keep_window_probe(now, flowing && self.sender.wants_window_probe());
    }

    fn keep_window_probe(&mut self, now: Instant, needed: bool) {
        if !needed {
            return self.keep(Timer::WindowProbe, false, now);
        }
        let probes = self.phase.link().map_or(0, |link| link.window_probes).min(MAX_PROBE_BACKOFF);
        let patience = self.sender.rtt.timeout().saturating_mul(1 << probes).min(self.config.timing.rto_max);
        self.keep(Timer::WindowProbe, true, now + patience);
    }

    /// A timer that has to run and does not begins; one that need not run stops.
    fn keep(&mut self, timer: Timer, needed: bool, at: Instant) {
        match (needed, self.timers.get(timer)) {
            (true, None) => self.timers.set(timer, at),
            (false, Some(_)) => self.timers.stop(timer),
            _ => {}
        }
    }

    fn on_init_timer(&mut self, now: Instant) {
        let Phase::CookieWait { init_due, attempts, .. } = &mut self.phase else { return };
        *init_due = true;
        *attempts += 1;
        if self.config.max_retransmissions.is_some_and(|max| *attempts > max) {
            return self.close(CloseReason::Unreachable, None);
        }
        self.sender.rtt.back_off();
        self.timers.set(Timer::Init, now + self.sender.rtt.timeout());
    }

    fn on_cookie_timer(&mut self, now: Instant) {
        let Some(link) = self.phase.link_mut() else { return };
        let Stage::CookieEchoed { due, attempts, .. } = &mut link.stage else { return };
        *due = true;
        *attempts += 1;
        if self.config.max_retransmissions.is_some_and(|max| *attempts > max) {
            return self.close(CloseReason::Unreachable, None);
        }
        // What rode with the cookie rides again.
        self.sender.repeat_all(now, &mut self.events);
        self.sender.rtt.back_off();
        self.timers.set(Timer::Cookie, now + self.sender.rtt.timeout());
    }

    fn on_retransmission_timer(&mut self, now: Instant) {
        if !self.sender.is_waiting() {
            return;
        }
        if self.is_unreachable() {
            return self.close(CloseReason::Unreachable, Some(Cause::UserAbort(alloc::vec![])));
        }
        self.timers.stop(Timer::TailProbe);
        self.sender.on_timeout(now, &mut self.events);
        self.watch_path_mtu(now);
    }

    fn on_tail_probe_timer(&mut self, now: Instant) {
        // What was sent in the meantime moves the moment; the timer is not touched for each packet.
        if self.sender.last_sent() + self.sender.rtt.probe_timeout() > now {
            return;
        }
        self.sender.on_tail_probe(now);
        self.timers.set(Timer::Retransmission, now + self.sender.rtt.timeout());
    }

    fn on_window_probe_timer(&mut self) {
        if self.sender.wants_window_probe() {
            self.sender.probe_window();
            if let Some(link) = self.link_mut() {
                link.window_probes += 1;
            }
        }
    }
}

/// Timers of the platforms below us are not finer than this.
const MIN_SACK_DELAY: Duration = Duration::from_millis(10);

/// After this many doublings any pause is at its longest.
const MAX_PROBE_BACKOFF: u32 = 10;
