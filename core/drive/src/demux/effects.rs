//! What the peers of a port need of the world beside datagrams: names, and streams.

use std::net::IpAddr;

use pavane::base::Key;
use pavane::{Action, ActionId, ActionOutcome, Datagram, Instant};

use super::Demux;
use super::peers::enqueue;
use crate::streams::{News, Wanted};
use crate::{Host, LookupId};

impl<H: Host> Demux<H> {
    /// Brings about what a peer's core asks for.
    pub(super) fn serve_action(&mut self, now: Instant, key: Key, id: ActionId, action: Action) {
        let begun = match action {
            // Of these no outcome is waited for.
            Action::CloseStream { path } => return self.streams.close(now, path),
            Action::PublishMdns { name, address } => {
                return self.mdns.publish::<H>(now, &name, address, &mut self.sockets);
            }
            Action::WithdrawMdns { name } => return self.mdns.withdraw(&name),
            Action::ResolveMdns { name } => self.mdns.ask::<H>(now, &name, (key, id), &mut self.sockets),
            Action::Resolve { name } => {
                self.lookups.push_back((LookupId { peer: Some(key), action: id }, name));
                true
            }
            Action::OpenStream { local, remote, tls, framing } => {
                self.streams.open(now, key, id, &Wanted { local, remote, tls, framing })
            }
            _ => false,
        };
        if let Some(peer) = self.peers.get_mut(key) {
            peer.waits_for += 1;
        }
        if !begun {
            self.finish_action(now, key, id, ActionOutcome::Failed);
        }
    }

    /// Tells a peer's core what became of an action, if the peer is still there, and serves it soon.
    fn finish_action(&mut self, now: Instant, key: Key, id: ActionId, outcome: ActionOutcome) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.waits_for = peer.waits_for.saturating_sub(1);
        let mut state = peer.shared.lock();
        let now = state.not_before(now);
        state.peer.handle_action(now, id, outcome);
        drop(state);
        enqueue(&mut self.peers, &mut self.queue, key, false);
    }

    /// Asks and answers for names on behalf of all, and gives those who asked what came of it.
    pub(super) fn serve_names(&mut self) {
        let now = self.gate.clock.now();
        self.mdns.turn(now);
        while let Some(((key, id), address)) = self.mdns.poll_answer() {
            let outcome = address.map_or(ActionOutcome::Failed, |ip| ActionOutcome::Resolved(vec![ip]));
            self.finish_action(now, key, id, outcome);
        }
    }

    /// Tells whoever asked for it a name's addresses.
    pub(super) fn looked_up(&mut self, id: LookupId, addresses: Vec<IpAddr>) {
        let now = self.gate.clock.now();
        if let Some(key) = id.peer {
            self.finish_action(now, key, id.action, ActionOutcome::Resolved(addresses));
        }
    }

    /// Connects, accepts and reads, and gives each peer what is its; returns whether there is more.
    ///
    /// A stream that was accepted is whose user fragment its first request names; one that brings anything else is closed.
    pub(super) fn turn_streams(&mut self) -> bool {
        let now = self.gate.clock.now();
        let Self { streams, peers, table, queue, tally, .. } = self;
        let more = streams.turn(now, |owner, path, payload| {
            let Some(key) = owner.or_else(|| table.requested(payload)) else {
                tally.unknown += 1;
                return None;
            };
            enqueue(peers, queue, key, true);
            let mut state = peers.get(key)?.shared.lock();
            let now = state.not_before(now);
            state.handle_datagram(now, Datagram { path, ecn: None, payload });
            state.dispatch();
            Some(key)
        });
        while let Some(news) = self.streams.poll_news() {
            match news {
                News::Outcome { owner, action, local } => {
                    let opened = local.map(|local| ActionOutcome::StreamOpened { local });
                    self.finish_action(now, owner, action, opened.unwrap_or(ActionOutcome::Failed));
                }
                News::Closed { owner, path } => {
                    enqueue(&mut self.peers, &mut self.queue, owner, false);
                    let Some(peer) = self.peers.get(owner) else { continue };
                    let mut state = peer.shared.lock();
                    let now = state.not_before(now);
                    state.peer.handle_stream_closed(now, path);
                }
            }
        }
        more
    }
}
