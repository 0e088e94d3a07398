//! The connections of a demultiplexer: how they come, go, and go over to another.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use pavane::base::{Key, Slab};
use pavane::{Datagram, Instant, Path, Transport};

use super::Demux;
use super::crew::{Forwarded, Letter, Luggage, Mail, Member};
use super::port::PeerWaker;
use super::table::Way;
use crate::Host;
use crate::state::Shared;

/// A connection, and what leads to it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) shared: Arc<Shared>,
    pub(super) waker: Waker,
    /// It is in the queue.
    pub(super) queued: bool,
    /// Its entry among the deadlines, which may be earlier than there is anything to do.
    pub(super) deadline: Option<Instant>,
    /// Something came in or fell due since it was last served.
    pub(super) stirred: bool,
    pub(super) ufrag: Box<str>,
    pub(super) former_ufrag: Option<Box<str>>,
    /// Its ways, the last used last.
    pub(super) ways: Vec<Way>,
    /// Names that are looked up for it, and streams that are being opened.
    pub(super) waits_for: usize,
    /// The member that passed its last datagrams on, and how many in a row.
    pub(super) astray: (Member, u16),
}

/// After so many datagrams in a row that another member passed on, a peer goes over to that one: more than the checks of
/// a few candidates that are not chosen.
const MOVED_AFTER: u16 = 64;

impl<H: Host> Demux<H> {
    /// Takes in new connections and those that handles gave something to do; returns whether no handle is left.
    pub(super) fn admit(&mut self, waker: &Waker) -> bool {
        let mut gate = self.gate.lock();
        let retired = gate.sleep(waker);
        let (arrivals, ready) = (std::mem::take(&mut gate.arrivals), std::mem::take(&mut gate.ready));
        let mail = std::mem::take(&mut gate.mail);
        let abandoned = gate.abandoned;
        gate.counters.add(&std::mem::take(&mut self.tally));
        gate.counters.peers = self.peers.len() + arrivals.len();
        gate.counters.table = self.table.len();
        drop(gate);
        drop(retired);
        arrivals.into_iter().for_each(|shared| self.insert(Luggage::of(shared)));
        mail.into_iter().for_each(|mail| self.open(mail));
        ready.into_iter().for_each(|key| enqueue(&mut self.peers, &mut self.queue, key, false));
        abandoned
    }

    /// Takes what another member has for this one.
    fn open(&mut self, mail: Mail) {
        match mail {
            Mail::Datagram(letter) => self.deliver_letter(letter),
            Mail::Peer(luggage) => self.insert(*luggage),
            Mail::WayLost(way) => {
                if let Some(peer) = self.table.lose_way(way).and_then(|key| self.peers.get_mut(key)) {
                    peer.ways.retain(|known| *known != way);
                }
            }
        }
    }

    fn insert(&mut self, luggage: Luggage) {
        let Luggage { shared, ufrag, former_ufrag, ways } = luggage;
        let key = self.peers.insert(Peer {
            shared,
            waker: Waker::noop().clone(),
            queued: false,
            deadline: None,
            stirred: true,
            ufrag,
            former_ufrag,
            ways,
            waits_for: 0,
            astray: (self.member, 0),
        });
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.waker = Waker::from(Arc::new(PeerWaker { key, gate: self.gate.clone() }));
        for ufrag in peer.former_ufrag.iter().chain([&peer.ufrag]) {
            self.table.set_ufrag(ufrag, key);
        }
        for way in &peer.ways {
            self.table.set_way(*way, key);
        }
        enqueue(&mut self.peers, &mut self.queue, key, true);
    }

    /// Gives a peer to the member that its datagrams come to.
    fn hand_over(&mut self, key: Key, to: Member) {
        let Some(peer) = self.peers.remove(key) else { return };
        let Peer { shared, deadline, ufrag, former_ufrag, ways, .. } = peer;
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, key));
        }
        for way in &ways {
            self.table.lose_way(*way);
        }
        for ufrag in former_ufrag.iter().chain([&ufrag]) {
            self.table.lose_ufrag(ufrag);
        }
        match self.crew.hand_over(Luggage { shared, ufrag, former_ufrag, ways }, to) {
            Ok(()) => self.tally.peers_moved += 1,
            Err(luggage) => self.insert(luggage),
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        let Some(peer) = self.peers.remove(key) else { return };
        if let Some(deadline) = peer.deadline {
            self.deadlines.remove(&(deadline, key));
        }
        for way in &peer.ways {
            self.table.remove_way(*way, key);
        }
        for ufrag in peer.former_ufrag.iter().chain([&peer.ufrag]) {
            self.table.remove_ufrag(ufrag, key);
        }
        self.streams.close_all_of(self.gate.clock.now(), |owner| owner == key);
        peer.shared.lock().driver_leaves();
        self.crew.dismiss(1);
    }

    /// Gives a connection what came to another member.
    fn deliver_letter(&mut self, mut letter: Letter) {
        let way = (letter.socket, letter.source);
        let Some(key) = self.table.owner(way, &letter.payload) else {
            // The connection has gone over meanwhile, or has ended.
            let again = !std::mem::replace(&mut letter.forwarded, true);
            self.tally.count(if again { self.crew.forward(letter) } else { Forwarded::Unknown });
            return;
        };
        enqueue(&mut self.peers, &mut self.queue, key, true);
        let Some(peer) = self.peers.get_mut(key) else { return };
        let mut state = peer.shared.lock();
        let now = state.now();
        let Letter { ecn, mut payload, from, .. } = letter;
        let path =
            Path { local: self.sockets[way.0].address, remote: letter.source, transport: Transport::Udp };
        state.handle_datagram(now, Datagram { path, ecn, payload: &mut payload });
        state.dispatch();
        drop(state);
        let (last, in_a_row) = peer.astray;
        peer.astray = (from, if from == last { in_a_row.saturating_add(1) } else { 1 });
        let is_free = peer.waits_for == 0 && !self.streams.has_any_of(key);
        if peer.astray.1 >= MOVED_AFTER && from != self.member && is_free {
            self.hand_over(key, from);
        }
    }
}

/// Puts a peer into the queue, once.
pub(super) fn enqueue(peers: &mut Slab<Peer>, queue: &mut VecDeque<Key>, key: Key, stirred: bool) {
    if let Some(peer) = peers.get_mut(key) {
        peer.stirred |= stirred;
        if !peer.queued {
            peer.queued = true;
            queue.push_back(key);
        }
    }
}
