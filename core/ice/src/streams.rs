//! Pairs over TCP (RFC 6544): an active candidate connects, a passive one listens.
//!
//! Deviation: there are no simultaneous-open candidates (RFC 6544 §4.1); what operating systems and NATs make of two SYNs
//! that cross is too uncertain, and browsers do not offer it.

use core::net::SocketAddr;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Instant, Path, Transport};
use pavane_turn::EndReason;

use crate::Agent;
use crate::action::{Action, Framing};
use crate::candidate::DISCARD;
use crate::pair::{Failure, Preparation, Progress};
use crate::purpose::Purpose;

/// How many streams of pairs are open or being opened.
const MAX_STREAMS: usize = 16;

/// The way of a pair whose stream is not open: nobody knows yet what port it will have.
const fn unopened(path: Path) -> Path {
    Path { local: SocketAddr::new(path.local.ip(), DISCARD), ..path }
}

impl Agent {
    /// Makes ready the ways of pairs that cannot be checked as they are: permissions at relays, streams.
    pub(crate) fn prepare_pairs(&mut self, now: Instant, rng: &mut dyn CryptoRng) {
        if !self.is_checking() {
            return;
        }
        while let Some(path) = self.checklist.next_unprepared() {
            match path.transport {
                Transport::Udp => self.permit(now, rng, path),
                Transport::Tcp => self.connect(path),
            }
        }
    }

    /// Opens the stream of a pair.
    fn connect(&mut self, path: Path) {
        let asked = self.actions.purposes().filter(|purpose| matches!(purpose, Purpose::PairStream(_)));
        let is_full = asked.count() + self.streams.len() >= MAX_STREAMS;
        let Some(pair) = self.checklist.get_mut(path) else { return };
        if is_full {
            pair.fail(Failure::Unanswered);
            return;
        }
        pair.progress = Progress::Preparing(Preparation::Asked);
        let (local, remote) = (Some(path.local.ip()), path.remote);
        let action = Action::OpenStream { local, remote, tls: None, framing: Framing::Rfc4571 };
        self.actions.ask(action, Purpose::PairStream(path));
    }

    /// A pair's stream is open, from this address of ours.
    pub(crate) fn connected(&mut self, path: Path, local: SocketAddr) {
        let opened = Path { local, ..path };
        self.streams.push(opened);
        // Where nobody wants it any more, it is closed as idle.
        let is_free = self.checklist.get(opened).is_none();
        if let Some(pair) = self.checklist.get_mut(path).filter(|pair| pair.is_preparing())
            && is_free
        {
            pair.move_to(opened);
            pair.progress = Progress::Waiting;
            self.checklist.trigger(opened);
        }
    }

    /// A pair's stream cannot be opened.
    pub(crate) fn not_connected(&mut self, path: Path) {
        if let Some(pair) = self.checklist.get_mut(path).filter(|pair| pair.is_preparing()) {
            pair.fail(Failure::Unanswered);
        }
    }

    /// A stream has ended, and with it what stood on it.
    pub(crate) fn disconnected(&mut self, now: Instant, path: Path) {
        self.streams.retain(|stream| *stream != path);
        self.relay_ended(now, path, EndReason::Unreachable);
        self.former = self.former.take().filter(|former| former.pair.path() != path);
        let is_ours = self.locals.base(path.local, path.transport).is_none();
        let Some(pair) = self.checklist.get_mut(path) else { return };
        if is_ours {
            // It can be opened again.
            pair.fail(Failure::Unanswered);
            pair.move_to(unopened(path));
        } else {
            self.checklist.remove(path);
        }
        self.search_again_if_lost(now);
    }

    /// Closes the streams that nothing stands on.
    pub(crate) fn close_idle_streams(&mut self) {
        let mut n = 0;
        while let Some(path) = self.streams.get(n).copied() {
            let pair = self.checklist.get_mut(path);
            if let Some(pair) = pair.filter(|pair| pair.has_failed()) {
                pair.move_to(unopened(path));
            }
            let is_used = self.servers.relays.at(path).is_some()
                || self.checklist.get(path).is_some()
                || self.former.as_ref().is_some_and(|former| former.pair.path() == path);
            match is_used {
                true => n += 1,
                false => {
                    self.streams.remove(n);
                    self.actions.tell(Action::CloseStream { path });
                }
            }
        }
    }
}
