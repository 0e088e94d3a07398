//! Many connections behind the same sockets.
//!
//! A datagram finds its connection in constant time: a STUN request by the user fragment that it names, everything else by
//! the address that it came from. An address belongs to the connection that sends there; one that answers an authentic
//! request from an address takes it over. Whatever else comes is dropped at a glance, unanswered and unremembered, so that
//! strangers cannot make the tables grow.
//!
//! Two connections cannot be told apart that have the same far end with the same address (two connections to one server
//! from one port, say); those take sockets of their own. The same goes for connections that gather at STUN and TURN servers.
//!
//! One driver fills one core. Where that is not enough, several share the addresses; see `crew`.

mod crew;
mod port;
mod table;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use pavane::base::rand_core::CryptoRng;
use pavane::base::{Key, Slab, earliest};
use pavane::{Action, ActionId, ActionOutcome, Config, Datagram, Instant, Path, Transport};

use self::crew::{Crew, Forwarded, Letter, Luggage, Mail, Member};
use self::port::{Gate, PeerWaker};
use self::table::{Table, Way, is_success_response};
use crate::mdns::{Mdns, MdnsMode};
use crate::sockets::{Buffers, Purpose, Receipt, Slot, Unsent};
use crate::state::Shared;
use crate::{BuildError, Clock, Drive, Host, Socket, Turn};

pub use self::port::{Port, PortCounters};

/// Moves many connections behind shared sockets; [`Port`] is its handle.
///
/// It belongs to one task or thread, which turns it like a [`Driver`](crate::Driver). Dropping it ends its connections
/// without a farewell.
#[derive(Debug)]
pub struct Demux<H: Host> {
    gate: Arc<Gate>,
    crew: Arc<Crew>,
    member: Member,
    sockets: Vec<Slot<H::Socket>>,
    peers: Slab<Peer>,
    table: Table,
    deadlines: BTreeSet<(Instant, Key)>,
    queue: VecDeque<Key>,
    mdns: Mdns<(Key, ActionId)>,
    buffers: Buffers<BUFFERS>,
    outgoing: Vec<u8>,
    unsent: Option<(Key, Unsent)>,
    tally: Tally,
}

/// Demultiplexers of the same addresses, and the handle of all.
pub type Demuxes<H> = (Vec<Demux<H>>, Port);

/// Counted since the counters were last written.
#[derive(Debug, Default)]
struct Tally {
    unknown: u64,
    receive_errors: u64,
    sockets_lost: u64,
    ways_moved: u64,
    forwarded: u64,
    forwards_dropped: u64,
    peers_moved: u64,
}

#[derive(Debug)]
struct Peer {
    shared: Arc<Shared>,
    waker: Waker,
    /// It is in the queue.
    queued: bool,
    /// Its entry among the deadlines, which may be earlier than there is anything to do.
    deadline: Option<Instant>,
    /// Something came in or fell due since it was last served.
    stirred: bool,
    ufrag: Box<str>,
    former_ufrag: Option<Box<str>>,
    /// Its ways, the last used last.
    ways: Vec<Way>,
    /// The member that passed its last datagrams on, and how many in a row.
    astray: (Member, u16),
}

/// Buffers per call of [`Socket::try_recv`].
const BUFFERS: usize = 32;

/// Calls of [`Socket::try_recv`] per socket and turn.
const MAX_RECEIVES: usize = 8;

/// Peers served per turn.
const MAX_SERVED: usize = 64;

/// Batches that a peer sends before others get their turn.
const MAX_SENDS: usize = 8;

/// Datagrams per batch: with 1472 bytes each they stay below the 64 KiB of one send.
const MAX_SEGMENTS: usize = 32;

/// Ways that are kept for a peer: more than it has candidate pairs in use.
const MAX_WAYS: usize = 32;

/// After so many datagrams in a row that another member passed on, a peer goes over to that one: more than the checks of
/// a few candidates that are not chosen.
const MOVED_AFTER: u16 = 64;

/// What serving a peer came to.
enum Served {
    Idle,
    More,
    /// A socket is busy.
    Blocked,
    Over,
}

impl<H: Host> Demux<H> {
    /// Makes a demultiplexer over bound sockets, and its handle. Nothing happens until the first turn.
    ///
    /// # Errors
    /// If the configuration's values cannot work together, or an address cannot be a candidate.
    pub fn new(
        config: Arc<Config>,
        rng: Box<dyn CryptoRng + Send>,
        clock: Clock,
        sockets: Vec<H::Socket>,
    ) -> Result<(Self, Port), BuildError> {
        let (mut demuxes, port) = Self::several(config, rng, clock, vec![sockets])?;
        Ok((demuxes.remove(0), port))
    }

    /// Makes a demultiplexer over each of these sets of sockets, which are bound to the same addresses in the same order,
    /// and the handle of all. Each is turned by itself, by a thread or task of its own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// If there is no set of sockets.
    pub fn several(
        config: Arc<Config>,
        mut rng: Box<dyn CryptoRng + Send>,
        clock: Clock,
        sockets: Vec<Vec<H::Socket>>,
    ) -> Result<Demuxes<H>, BuildError> {
        let addresses: Vec<_> = sockets[0].iter().map(Socket::local_addr).collect();
        let mut trial = pavane::PeerConnection::new(config.clone(), crate::seeded_rng(0), clock.epoch())
            .map_err(BuildError::Config)?;
        for address in &addresses {
            trial.add_local_address(clock.now(), *address).map_err(BuildError::Address)?;
        }
        let gate = || Arc::new(Gate::new(config.clone(), clock, addresses.clone(), &mut *rng));
        let crew = Arc::new(Crew::new(std::iter::repeat_with(gate).take(sockets.len()).collect()));
        let demuxes =
            (0..).zip(sockets).map(|(member, sockets)| Self::member(&crew, member, sockets)).collect();
        Ok((demuxes, Port::new(crew)))
    }

    fn member(crew: &Arc<Crew>, member: Member, sockets: Vec<H::Socket>) -> Self {
        Self {
            gate: crew.members()[usize::from(member)].clone(),
            crew: crew.clone(),
            member,
            sockets: sockets.into_iter().map(Slot::new).collect(),
            peers: Slab::default(),
            table: Table::of(crew, member),
            deadlines: BTreeSet::new(),
            queue: VecDeque::new(),
            mdns: Mdns::default(),
            buffers: Buffers::new(),
            outgoing: Vec::new(),
            unsent: None,
            tally: Tally::default(),
        }
    }

    /// Sets what multicast DNS is used for, before the first turn.
    pub fn set_mdns(&mut self, mode: MdnsMode) {
        self.mdns.set_mode(mode);
    }

    /// Takes in new connections and those that handles gave something to do; returns whether no handle is left.
    fn admit(&mut self, waker: &Waker) -> bool {
        let mut gate = self.gate.lock();
        let retired = gate.sleep(waker);
        let (arrivals, ready) = (std::mem::take(&mut gate.arrivals), std::mem::take(&mut gate.ready));
        let mail = std::mem::take(&mut gate.mail);
        let abandoned = gate.abandoned;
        self.tally.write(&mut gate.counters);
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
        self.tally.peers_moved += 1;
        self.crew.hand_over(Luggage { shared, ufrag, former_ufrag, ways }, to);
    }

    fn remove(&mut self, key: Key) {
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
        peer.shared.lock().driver_leaves();
        self.crew.dismiss(1);
    }

    /// Receives from every readable socket, each within its budget; returns whether there is more.
    fn receive(&mut self) -> bool {
        let mut more = false;
        for index in 0..self.sockets.len() {
            for _ in 0..MAX_RECEIVES {
                if !self.sockets[index].readable {
                    break;
                }
                match self.sockets[index].receive(&mut self.buffers) {
                    Receipt::Filled(count) => self.deliver(index, count),
                    Receipt::Nothing => break,
                    Receipt::Refused { lost } => {
                        self.tally.receive_errors += 1;
                        if lost && self.sockets[index].purpose == Purpose::Connections {
                            self.lose_socket(index);
                        }
                        break;
                    }
                }
            }
            more |= self.sockets[index].readable;
        }
        more
    }

    /// Gives each connection what is its.
    fn deliver(&mut self, index: usize, count: usize) {
        let Self { gate, crew, member, sockets, peers, table, queue, mdns, buffers, tally, .. } = self;
        let local = sockets[index].address;
        let now = gate.clock.now();
        if sockets[index].purpose == Purpose::Multicast {
            let messages = buffers.datagrams(count);
            messages.for_each(|(source, message)| mdns.handle_message(now, index, source, message));
            return;
        }
        for (meta, bytes) in buffers.filled(count) {
            let path = Path { local, remote: meta.source, transport: Transport::Udp };
            let way = (index, meta.source);
            let mut payloads = bytes.chunks_mut(meta.stride.max(1)).peekable();
            while let Some(payload) = payloads.next() {
                let Some(key) = table.owner(way, payload) else {
                    let letter = || Letter::new(way, meta.ecn, payload, *member);
                    tally.count(if crew.is_alone() { Forwarded::Unknown } else { crew.forward(letter()) });
                    continue;
                };
                enqueue(peers, queue, key, true);
                let Some(peer) = peers.get_mut(key) else { continue };
                peer.astray.1 = 0;
                let mut state = peer.shared.lock();
                let now = state.not_before(now);
                state.handle_datagram(now, Datagram { path, ecn: meta.ecn, payload });
                // What came in one piece is mostly one connection's.
                while let Some(payload) = payloads.next_if(|next| table.owner(way, next) == Some(key)) {
                    state.handle_datagram(now, Datagram { path, ecn: meta.ecn, payload });
                }
                state.dispatch();
            }
        }
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
        if peer.astray.1 >= MOVED_AFTER && from != self.member {
            self.hand_over(key, from);
        }
    }

    fn lose_socket(&mut self, index: usize) {
        self.tally.sockets_lost += 1;
        let address = self.sockets[index].address;
        let keys: Vec<Key> = self.peers.iter().map(|(key, _)| key).collect();
        for key in keys {
            enqueue(&mut self.peers, &mut self.queue, key, true);
            let Some(peer) = self.peers.get(key) else { continue };
            let mut state = peer.shared.lock();
            state.counters.sockets_lost += 1;
            let now = state.now();
            state.peer.remove_local_address(now, address);
            state.dispatch();
        }
    }

    /// Makes those ready whose deadlines have passed.
    fn collect_due(&mut self) {
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
    fn serve_all(&mut self) -> bool {
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
        if all_sent && state.ended().is_some() {
            return Served::Over;
        }
        let deadline = state.peer.poll_timeout();
        drop(state);
        self.schedule(key, deadline);
        if all_sent { Served::Idle } else { Served::More }
    }

    /// Brings about what a peer's core asks for.
    fn serve_action(&mut self, now: Instant, key: Key, id: ActionId, action: Action) {
        let begun = match action {
            Action::ResolveMdns { name } => self.mdns.ask::<H>(now, &name, (key, id), &mut self.sockets),
            _ => false,
        };
        if !begun && let Some(peer) = self.peers.get(key) {
            peer.shared.lock().peer.handle_action(now, id, ActionOutcome::Failed);
        }
    }

    /// Asks and answers on behalf of all, and gives those who asked what came of it.
    fn serve_names(&mut self) {
        let now = self.gate.clock.now();
        self.mdns.turn(now, &self.sockets);
        while let Some(((key, id), address)) = self.mdns.poll_answer() {
            let Some(peer) = self.peers.get(key) else { continue };
            let resolved = |ip| ActionOutcome::Resolved(vec![ip]);
            let outcome = address.map_or(ActionOutcome::Failed, resolved);
            let mut state = peer.shared.lock();
            let now = state.not_before(now);
            state.peer.handle_action(now, id, outcome);
            drop(state);
            enqueue(&mut self.peers, &mut self.queue, key, false);
        }
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
            peer.ways.push(way);
        }
    }
}

impl Tally {
    fn count(&mut self, outcome: Forwarded) {
        match outcome {
            Forwarded::Taken => self.forwarded += 1,
            Forwarded::Full => self.forwards_dropped += 1,
            Forwarded::Unknown => self.unknown += 1,
        }
    }

    /// Adds to the counters, and begins anew.
    fn write(&mut self, counters: &mut PortCounters) {
        let Self {
            unknown,
            receive_errors,
            sockets_lost,
            ways_moved,
            forwarded,
            forwards_dropped,
            peers_moved,
        } = std::mem::take(self);
        counters.unknown += unknown;
        counters.receive_errors += receive_errors;
        counters.sockets_lost += sockets_lost;
        counters.ways_moved += ways_moved;
        counters.forwarded += forwarded;
        counters.forwards_dropped += forwards_dropped;
        counters.peers_moved += peers_moved;
    }
}

/// Puts a peer into the queue, once.
fn enqueue(peers: &mut Slab<Peer>, queue: &mut VecDeque<Key>, key: Key, stirred: bool) {
    if let Some(peer) = peers.get_mut(key) {
        peer.stirred |= stirred;
        if !peer.queued {
            peer.queued = true;
            queue.push_back(key);
        }
    }
}

impl<H: Host> Drive for Demux<H> {
    type Host = H;

    fn turn(&mut self, waker: &Waker) -> Turn {
        let abandoned = self.admit(waker);
        let more_to_receive = self.receive();
        self.collect_due();
        self.serve_names();
        let more_to_serve = self.serve_all();
        if abandoned && self.crew.is_empty() {
            return Turn::Done;
        }
        if more_to_receive || more_to_serve {
            return Turn::Again;
        }
        let deadline = earliest(self.deadlines.first().map(|(at, _)| *at), self.mdns.poll_timeout());
        Turn::Wait { deadline: deadline.and_then(|at| self.gate.clock.to_std(at)) }
    }

    fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    fn socket(&self, index: usize) -> &H::Socket {
        &self.sockets[index].socket
    }

    fn socket_mut(&mut self, index: usize) -> &mut H::Socket {
        &mut self.sockets[index].socket
    }

    fn awaits_readable(&self, index: usize) -> bool {
        self.sockets.get(index).is_some_and(|slot| !slot.readable && !slot.is_lost())
    }

    fn set_readable(&mut self, index: usize) {
        if let Some(slot) = self.sockets.get_mut(index) {
            slot.readable = !slot.is_lost();
        }
    }

    fn awaits_writable(&self) -> Option<usize> {
        let (_, unsent) = self.unsent.as_ref()?;
        (!self.sockets[unsent.socket].writable).then_some(unsent.socket)
    }

    fn set_writable(&mut self, index: usize) {
        if let Some(slot) = self.sockets.get_mut(index) {
            slot.writable = true;
        }
    }
}

impl<H: Host> Drop for Demux<H> {
    fn drop(&mut self) {
        let (arrivals, mail) = {
            let mut gate = self.gate.lock();
            gate.over = true;
            (std::mem::take(&mut gate.arrivals), std::mem::take(&mut gate.mail))
        };
        let mut ended: Vec<_> =
            self.peers.iter().map(|(_, peer)| peer.shared.clone()).chain(arrivals).collect();
        ended.extend(mail.into_iter().filter_map(|mail| match mail {
            Mail::Peer(luggage) => Some(luggage.shared),
            Mail::Datagram(_) | Mail::WayLost(_) => None,
        }));
        ended.iter().for_each(|shared| shared.lock().driver_leaves());
        self.crew.dismiss(ended.len());
    }
}
