//! How large packets may be: found out by sending larger ones that nobody would miss (RFC 8899).
//!
//! ```text
//!  Waiting     until there is enough to send that it matters
//!  Probing     a HEARTBEAT, padded to the size in question: its answer proves the size (RFC 8899 §6.2)
//!  Settled     until it is time to look whether the path has become wider
//! ```
//!
//! No chunk is larger than what a packet of the base size carries, so that all can be sent again whatever the path becomes.

use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::Instant;

use super::Association;
use super::state::Stage;
use super::timeout::Timer;
use crate::chunk::{Heartbeat, Pad};
use crate::config::Config;
use crate::packet::{COMMON_HEADER, PacketWriter};

/// The search for the largest packet.
#[derive(Debug)]
pub(super) struct PathMtu {
    /// What passes everywhere.
    base: usize,
    /// The most that the configuration allows.
    most: usize,
    /// The largest size that has been proven.
    proven: usize,
    /// The smallest size that has failed; one beyond the most while none has.
    failed: usize,
    search: Search,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    Waiting,
    Probing { size: usize, nonce: u64, attempts: u32, due: bool },
    Settled,
}

impl PathMtu {
    pub(super) fn new(config: &Config) -> Self {
        let base = config.effective_packet();
        let most = config.effective_probe();
        Self { base, most, proven: base, failed: most + 1, search: Search::Waiting }
    }

    /// The size of the largest packet that is known to pass.
    pub(super) const fn proven(&self) -> usize {
        self.proven
    }

    /// The next size worth a try: the most, and where that has failed, the middle of what is not known.
    fn candidate(&self) -> Option<usize> {
        if self.failed > self.most {
            return (self.proven < self.most).then_some(self.most);
        }
        let middle = usize::midpoint(self.proven, self.failed) & !3;
        (self.failed - self.proven >= FINE && middle > self.proven).then_some(middle)
    }

    fn begin_again(&mut self) {
        self.proven = self.base;
        self.failed = self.most + 1;
        self.search = Search::Waiting;
    }
}

impl Association {
    /// The path is another one: what is known of its packets and of congestion on it is forgotten (RFC 8261 §6.1).
    pub fn handle_path_change(&mut self, now: Instant) {
        self.path_mtu.begin_again();
        self.timers.stop(Timer::PathMtu);
        self.sender.begin_path(now, self.path_mtu.proven());
    }

    /// Appends a packet larger than all others, if it is time to find out whether it passes; its length.
    ///
    /// It is kept apart from [`poll_transmit`](Self::poll_transmit) for callers that batch packets of one size.
    pub fn poll_probe(&mut self, buf: &mut Vec<u8>) -> Option<usize> {
        let link = self.phase.link()?;
        let Search::Probing { size, nonce, due: true, attempts } = self.path_mtu.search else { return None };
        let unchecked = link.extensions.zero_checksum;
        let mut w = self.sized_writer(buf, link.peer_tag, size).unchecked(unchecked);
        write_probe(&mut w, size, nonce);
        self.path_mtu.search = Search::Probing { size, nonce, attempts, due: false };
        self.packets_sent += 1;
        w.finish()
    }

    /// Begins to search once there is much to send, and gives a size up that swallows everything.
    pub(super) fn watch_path_mtu(&mut self, now: Instant) {
        if self.path_mtu.proven > self.path_mtu.base && self.sender.take_black_hole() {
            // RFC 8899 §4.3: what passed does no more.
            self.path_mtu.begin_again();
            self.path_mtu.search = Search::Settled;
            self.sender.set_packet(self.path_mtu.proven());
            self.timers.set(Timer::PathMtu, now + RAISE_AFTER);
        }
        let established = matches!(self.phase.link().map(|link| &link.stage), Some(Stage::Established));
        if self.path_mtu.search == Search::Waiting && established && self.sender.counters().bytes > WORTH_IT {
            self.probe_next(now);
        }
    }

    /// Whether the answer to a heartbeat proves a size.
    pub(super) fn on_probe_answered(&mut self, now: Instant, info: &[u8]) -> bool {
        let Search::Probing { size, nonce, .. } = self.path_mtu.search else { return false };
        if info != nonce.to_be_bytes() {
            return false;
        }
        self.path_mtu.proven = size;
        self.sender.set_packet(size);
        self.probe_next(now);
        true
    }

    pub(super) fn on_path_mtu_timer(&mut self, now: Instant) {
        match self.path_mtu.search {
            Search::Probing { size, nonce, attempts, .. } if attempts + 1 < MAX_PROBES => {
                self.path_mtu.search = Search::Probing { size, nonce, attempts: attempts + 1, due: true };
                self.set_probe_timer(now);
            }
            Search::Probing { size, .. } => {
                self.path_mtu.failed = size;
                self.probe_next(now);
            }
            Search::Settled => {
                self.path_mtu.failed = self.path_mtu.most + 1;
                self.path_mtu.search = Search::Waiting;
                self.watch_path_mtu(now);
            }
            Search::Waiting => {}
        }
    }

    fn probe_next(&mut self, now: Instant) {
        let nonce = self.identity.draw();
        match self.path_mtu.candidate() {
            Some(size) => {
                self.path_mtu.search = Search::Probing { size, nonce, attempts: 0, due: true };
                self.set_probe_timer(now);
            }
            None => {
                self.path_mtu.search = Search::Settled;
                match self.path_mtu.proven < self.path_mtu.most {
                    true => self.timers.set(Timer::PathMtu, now + RAISE_AFTER),
                    false => self.timers.stop(Timer::PathMtu),
                }
            }
        }
    }

    fn set_probe_timer(&mut self, now: Instant) {
        self.timers.set(Timer::PathMtu, now + self.sender.rtt.timeout().max(PROBE_TIMER));
    }
}

/// A heartbeat, padded (RFC 8899 §6.2.1, RFC 4820 §3).
fn write_probe(w: &mut PacketWriter<'_>, size: usize, nonce: u64) {
    let info = nonce.to_be_bytes();
    Heartbeat { info: &info }.write(w);
    Pad { len: size - COMMON_HEADER - Heartbeat::size(info.len()) }.write(w);
}

/// A size is given up when so many probes of it stay unanswered (RFC 8899 §5.1.2).
const MAX_PROBES: u32 = 3;

/// How long an answer is waited for at least (RFC 8899 §5.1.1).
///
/// Deviation: its recommendation is 15 s; a retransmission timeout is known here, and a probe that is late costs nothing
/// but one more.
const PROBE_TIMER: Duration = Duration::from_secs(1);

/// When a narrow path is looked at again (RFC 8899 §5.1.1).
const RAISE_AFTER: Duration = Duration::from_secs(600);

/// The search ends when so few bytes are in question.
const FINE: usize = 32;

/// Whoever sends less than this has no use for larger packets.
const WORTH_IT: u64 = 128 << 10;
