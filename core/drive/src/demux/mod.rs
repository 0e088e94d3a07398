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
mod effects;
mod peers;
mod port;
mod serve;
mod table;

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Waker;

use pavane::base::rand_core::CryptoRng;
use pavane::base::{Key, Slab, earliest};
use pavane::{ActionId, Config, Datagram, Instant, LocalAddress, Path, Transport};

use self::crew::{Crew, Forwarded, Letter, Mail, Member};
use self::peers::{Peer, enqueue};
use self::port::Gate;
use self::table::Table;
use crate::mdns::{Mdns, MdnsMode};
use crate::sockets::{Buffers, Purpose, Receipt, Slot, Unsent};
use crate::streams::Streams;
use crate::{BuildError, Clock, Drive, Host, LookupId, Socket, StreamTable, TlsConnector, Turn};

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
    streams: Streams<H, Key>,
    lookups: VecDeque<(LookupId, String)>,
    buffers: Buffers<BUFFERS>,
    outgoing: Vec<u8>,
    unsent: Option<(Key, Unsent)>,
    /// Counted since the counters were last written.
    tally: PortCounters,
}

/// Demultiplexers of the same addresses, and the handle of all.
pub type Demuxes<H> = (Vec<Demux<H>>, Port);

/// Buffers per call of [`Socket::try_recv`].
const BUFFERS: usize = 32;

/// Calls of [`Socket::try_recv`] per socket and turn.
const MAX_RECEIVES: usize = 8;

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
        listeners: Vec<H::Listener>,
    ) -> Result<(Self, Port), BuildError> {
        let mut streams = Streams::default();
        listeners.into_iter().for_each(|listener| streams.listen(listener));
        let listening = streams.listening().map(LocalAddress::tcp_listener).collect();
        let (mut demuxes, port) = Self::crew(config, rng, clock, vec![sockets], listening)?;
        let mut demux = demuxes.remove(0);
        demux.streams = streams;
        Ok((demux, port))
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
        rng: Box<dyn CryptoRng + Send>,
        clock: Clock,
        sockets: Vec<Vec<H::Socket>>,
    ) -> Result<Demuxes<H>, BuildError> {
        Self::crew(config, rng, clock, sockets, Vec::new())
    }

    fn crew(
        config: Arc<Config>,
        mut rng: Box<dyn CryptoRng + Send>,
        clock: Clock,
        sockets: Vec<Vec<H::Socket>>,
        listening: Vec<LocalAddress>,
    ) -> Result<Demuxes<H>, BuildError> {
        let bound = sockets[0].iter().map(|socket| LocalAddress::udp(socket.local_addr()));
        let addresses: Vec<_> = bound.chain(listening).collect();
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
            streams: Streams::default(),
            lookups: VecDeque::new(),
            buffers: Buffers::new(),
            outgoing: Vec::new(),
            unsent: None,
            tally: PortCounters::default(),
        }
    }

    /// Sets what TLS is spoken with, in place of [`TlsConnector::system`], before the first turn.
    pub fn set_tls(&mut self, connector: TlsConnector) {
        self.streams.set_tls(connector);
    }

    /// Sets what multicast DNS is used for, before the first turn.
    pub fn set_mdns(&mut self, mode: MdnsMode) {
        self.mdns.set_mode(mode);
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
}

impl<H: Host> Drive for Demux<H> {
    type Host = H;

    fn turn(&mut self, waker: &Waker) -> Turn {
        let abandoned = self.admit(waker);
        let more_to_receive = self.receive() | self.turn_streams();
        self.collect_due();
        self.serve_names();
        let more_to_serve = self.serve_all();
        if abandoned && self.crew.is_empty() && !self.streams.is_leaving() {
            return Turn::Done;
        }
        if more_to_receive || more_to_serve {
            return Turn::Again;
        }
        let effects = earliest(self.mdns.poll_timeout(), self.streams.poll_timeout());
        let deadline = earliest(self.deadlines.first().map(|(at, _)| *at), effects);
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

    fn streams(&mut self) -> &mut dyn StreamTable<H> {
        &mut self.streams
    }

    fn poll_lookup(&mut self) -> Option<(LookupId, String)> {
        self.lookups.pop_front()
    }

    fn finish_lookup(&mut self, id: LookupId, addresses: Vec<IpAddr>) {
        self.looked_up(id, addresses);
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
        self.crew.forget(self.member);
        ended.iter().for_each(|shared| shared.lock().driver_leaves());
        self.crew.dismiss(ended.len());
    }
}
