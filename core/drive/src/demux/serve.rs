//! What a demultiplexer does for its connections, one after the other, each within its budget.

use pavane::base::{Key, RoomForOne};
use pavane::{Instant, Transport};

use super::Demux;
use super::peers::enqueue;
use super::table::{Way, is_success_response};
use crate::sockets::Unsent;
use crate::state::Shared;
use crate::{Host, Socket};

/// Peers served per turn.
const MAX_SERVED: usize = 64;

/// Batches that a peer sends before others get their turn.
const MAX_SENDS: usize = 8;

/// Datagrams per batch: with 1472 bytes each they stay below the 64 KiB of one send.
const MAX_SEGMENTS: usize = 32;

/// Ways that are kept for a peer: more than it has candidate pairs in use.
const MAX_WAYS: usize = 32;

/// What serving a peer came to.
enum Served {
    Idle,
    More,
    /// A socket is busy.
    Blocked,
    Over,
}

impl<H: Host> Demux<H> {
    /// Makes those ready whose deadlines have passed.
    pub(super) fn collect_due(&mut self) {
        let now = self.gate.clock.now();
        while let Some((at, key)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, key));
            if let Some(peer) = self.peers.get_mut(key) {
                peer.deadline = None;
            }
            enqueue(&mut self.peers, &mut self.queue, key, true);
        }
    }

    /// Serves those that are ready, one after the other; returns whether some are left that could go on.
    pub(super) fn serve_all(&mut self) -> bool {
        if !self.send_unsent() {
            return false;
        }
        for _ in 0..MAX_SERVED {
            let Some(key) = self.queue.pop_front() else { return false };
            let Some(peer) = self.peers.get_mut(key) else { continue };
            peer.queued = false;
            match self.serve(key) {
                Served::Idle => {}
                Served::More => enqueue(&mut self.peers, &mut self.queue, key, false),
                Served::Blocked => {
                    enqueue(&mut self.peers, &mut self.queue, key, false);
                    return false;
                }
                Served::Over => self.remove(key),
            }
        }
        !self.queue.is_empty()
    }

    /// Fires a peer's timeout if it is due, sends what it has to send, within its budget, and notes what it waits for.
    fn serve(&mut self, key: Key) -> Served {
        let Some(peer) = self.peers.get_mut(key) else { return Served::Idle };
        let shared = peer.shared.clone();
        let mut state = shared.lock();
        state.driver_turns(&peer.waker);
        let now = state.now();
        if state.peer.poll_timeout().is_some_and(|at| at <= now) {
            state.peer.handle_timeout(now);
        }
        if std::mem::take(&mut peer.stirred) {
            state.wake_for_room();
        }
        if *state.peer.local_ufrag() != *peer.ufrag {
            let ufrag = std::mem::replace(&mut peer.ufrag, state.peer.local_ufrag().into());
            self.table.set_ufrag(&peer.ufrag, key);
            if let Some(forgotten) = peer.former_ufrag.replace(ufrag) {
                self.table.remove_ufrag(&forgotten, key);
            }
        }
        state.dispatch();
        let ended_before = state.ended().is_some();
        let actions: Vec<_> = std::iter::from_fn(|| state.peer.poll_action()).collect();
        drop(state);
        actions.into_iter().for_each(|(id, action)| self.serve_action(now, key, id, action));
        let all_sent = match self.send(key, &shared) {
            Served::Blocked => return Served::Blocked,
            Served::More => false,
            _ => true,
        };
        let mut state = shared.lock();
        state.dispatch();
        if all_sent && ended_before {
            return Served::Over;
        }
        // An end that came while it sent, as by a handle in another thread, has its farewell still to come.
        let more = !all_sent || state.ended().is_some();
        let deadline = state.peer.poll_timeout();
        drop(state);
        self.schedule(key, deadline);
        if more { Served::More } else { Served::Idle }
    }

    /// Sees to it that a peer is served at its deadline at the latest.
    fn schedule(&mut self, key: Key, deadline: Option<Instant>) {
        let (Some(at), Some(peer)) = (deadline, self.peers.get_mut(key)) else { return };
        // An entry that is earlier finds the later one when it falls due; most deadlines only ever move back.
        if peer.deadline.is_some_and(|known| known <= at) {
            return;
        }
        if let Some(known) = peer.deadline.replace(at) {
            self.deadlines.remove(&(known, key));
        }
        self.deadlines.insert((at, key));
    }

    fn send(&mut self, key: Key, shared: &Shared) -> Served {
        for _ in 0..MAX_SENDS {
            let segments = self.sockets.iter().map(|slot| slot.socket.max_segments()).min();
            let Some(segments) = segments else { return Served::Idle };
            self.outgoing.clear();
            let mut state = shared.lock();
            let now = state.now();
            let segments = segments.clamp(1, MAX_SEGMENTS);
            let Some(transmit) = state.peer.poll_transmit(now, segments, &mut self.outgoing) else {
                return Served::Idle;
            };
            if transmit.path.transport == Transport::Tcp {
                drop(state);
                let dropped = self.streams.send(transmit.path, &self.outgoing, transmit.segment_size);
                shared.lock().counters.stream_drops += dropped;
                continue;
            }
            let local = transmit.path.local;
            let Some(socket) = self.sockets.iter().position(|slot| slot.address == local && !slot.is_lost())
            else {
                state.counters.without_socket += 1;
                continue;
            };
            drop(state);
            let claims = is_success_response(&self.outgoing);
            self.learn(key, (socket, transmit.path.remote), claims);
            self.unsent = Some((key, Unsent { socket, start: 0, transmit }));
            if !self.send_unsent() {
                return Served::Blocked;
            }
        }
        Served::More
    }

    /// Sends what is left of a batch; returns whether it is gone.
    fn send_unsent(&mut self) -> bool {
        let Some((key, mut unsent)) = self.unsent.take() else { return true };
        let slot = &mut self.sockets[unsent.socket];
        let errors = if slot.writable { slot.send(&mut unsent, &self.outgoing) } else { 0 };
        if errors > 0
            && let Some(peer) = self.peers.get(key)
        {
            peer.shared.lock().counters.send_errors += errors;
        }
        if unsent.transmit.len > 0 {
            self.unsent = Some((key, unsent));
            return false;
        }
        true
    }

    /// Notes that a peer sends a way, and so expects answers from there. `claims` takes the way from whoever has it.
    fn learn(&mut self, key: Key, way: Way, claims: bool) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.ways.last() == Some(&way) {
            return;
        }
        if let Some(index) = peer.ways.iter().position(|known| *known == way) {
            peer.ways[index..].rotate_left(1);
            return;
        }
        if !claims && self.table.is_elsewhere(way) {
            return;
        }
        match self.table.way_owner(way) {
            Some(owner) if owner != key && !claims => return,
            Some(owner) if owner != key => {
                self.tally.ways_moved += 1;
                if let Some(former) = self.peers.get_mut(owner) {
                    former.ways.retain(|known| *known != way);
                }
            }
            _ => {}
        }
        self.table.set_way(way, key);
        if let Some(peer) = self.peers.get_mut(key) {
            if peer.ways.len() >= MAX_WAYS {
                self.table.remove_way(peer.ways.remove(0), key);
            }
            peer.ways.room_for_one();
            peer.ways.push(way);
        }
    }
}
