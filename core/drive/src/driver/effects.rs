//! What a connection needs of the world beside datagrams: names, and streams.

use std::net::IpAddr;

use pavane::{Action, ActionOutcome, Datagram};

use super::Driver;
use crate::streams::{News, Wanted};
use crate::{Host, LookupId};

impl<H: Host> Driver<H> {
    /// The next name that the operating system is to be asked for; [`finish_lookup`](Self::finish_lookup) tells its addresses.
    pub fn poll_lookup(&mut self) -> Option<(LookupId, String)> {
        self.lookups.pop_front()
    }

    /// Tells a name's addresses, none if it has none.
    pub fn finish_lookup(&mut self, id: LookupId, addresses: Vec<IpAddr>) {
        self.shared
            .command(|peer, now| peer.handle_action(now, id.action, ActionOutcome::Resolved(addresses)));
    }

    /// Brings about what the core asks for.
    fn serve_actions(&mut self) {
        loop {
            let mut state = self.shared.lock();
            let now = state.now();
            let Some((id, action)) = state.peer.poll_action() else { return };
            drop(state);
            let begun = match action {
                Action::ResolveMdns { name } => self.mdns.ask::<H>(now, &name, id, &mut self.sockets),
                Action::Resolve { name } => {
                    self.lookups.push_back((LookupId { peer: None, action: id }, name));
                    true
                }
                Action::OpenStream { local, remote, tls, framing } => {
                    self.streams.open(now, (), id, &Wanted { local, remote, tls, framing })
                }
                Action::CloseStream { path } => {
                    self.streams.close(now, path);
                    true
                }
                Action::PublishMdns { name, address } => {
                    self.mdns.publish::<H>(now, &name, address, &mut self.sockets);
                    true
                }
                Action::WithdrawMdns { name } => {
                    self.mdns.withdraw(&name);
                    true
                }
                _ => false,
            };
            if !begun {
                self.shared.lock().peer.handle_action(now, id, ActionOutcome::Failed);
            }
        }
    }

    /// Asks and answers for names, and tells the core what came of it.
    pub(super) fn serve_names(&mut self) {
        self.serve_actions();
        let now = self.shared.lock().now();
        self.mdns.turn(now);
        while let Some((id, address)) = self.mdns.poll_answer() {
            let outcome = address.map_or(ActionOutcome::Failed, |ip| ActionOutcome::Resolved(vec![ip]));
            self.shared.lock().peer.handle_action(now, id, outcome);
        }
        self.serve_actions();
    }

    /// Connects, accepts and reads, and gives the core what came; returns whether there is more.
    pub(super) fn turn_streams(&mut self) -> bool {
        let now = self.shared.lock().now();
        let shared = &self.shared;
        let more = self.streams.turn(now, |_, path, payload| {
            let mut state = shared.lock();
            state.handle_datagram(now, Datagram { path, ecn: None, payload });
            state.dispatch();
            Some(())
        });
        while let Some(news) = self.streams.poll_news() {
            let mut state = self.shared.lock();
            match news {
                News::Outcome { action, local, .. } => {
                    let opened = local.map(|local| ActionOutcome::StreamOpened { local });
                    state.peer.handle_action(now, action, opened.unwrap_or(ActionOutcome::Failed));
                }
                News::Closed { path, .. } => state.peer.handle_stream_closed(now, path),
            }
            state.dispatch();
        }
        more
    }
}
