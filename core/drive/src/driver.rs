//! One connection, its sockets, and a turn of work.

mod effects;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use pavane::base::earliest;
use pavane::base::rand_core::CryptoRng;
use pavane::{
    ActionId, CandidateError, Config, ConfigError, Datagram, Instant, LocalAddress, Path, Transport,
};

use crate::mdns::{Mdns, MdnsMode};
use crate::sockets::{Buffers, Purpose, Receipt, Slot, Unsent};
use crate::state::Shared;
use crate::streams::Streams;
use crate::{Clock, Host, Listener, LookupId, PeerConnection, Socket, StreamTable, TlsConnector};

/// Moves a connection: receives, fires timeouts, sends, and wakes whoever waits for what came of it.
///
/// It belongs to one task or thread, which calls [`turn`](Self::turn) whenever there is something to do. Dropping it ends
/// the connection without a farewell.
#[derive(Debug)]
pub struct Driver<H: Host> {
    shared: Arc<Shared>,
    sockets: Vec<Slot<H::Socket>>,
    mdns: Mdns<ActionId>,
    streams: Streams<H, ()>,
    lookups: VecDeque<(LookupId, String)>,
    buffers: Buffers<BUFFERS>,
    outgoing: Vec<u8>,
    unsent: Option<Unsent>,
}

/// What a turn came to, and so what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The turn's budget is spent and there is more to do: turn again after letting others run.
    Again,
    /// There is nothing to do until the waker given to the turn is woken, the deadline passes, or a socket becomes ready
    /// (see [`Driver::awaits_readable`] and [`Driver::awaits_writable`]).
    Wait {
        /// When to turn again whatever else happens.
        deadline: Option<std::time::Instant>,
    },
    /// The connection has ended and its farewell is sent: drop the driver.
    Done,
}

/// Calls of [`Socket::try_recv`] per socket and turn.
const MAX_RECEIVES: usize = 8;

/// Batches sent per turn.
const MAX_SENDS: usize = 32;

/// Datagrams per batch: with 1472 bytes each they stay below the 64 KiB of one send.
const MAX_SEGMENTS: usize = 32;

/// Buffers per call of [`Socket::try_recv`].
const BUFFERS: usize = 4;

impl<H: Host> Driver<H> {
    /// Makes a connection and what drives it. Nothing happens until the first turn.
    ///
    /// # Errors
    /// If the configuration's values cannot work together.
    pub fn new(
        config: Arc<Config>,
        rng: Box<dyn CryptoRng + Send>,
        clock: Clock,
    ) -> Result<(Self, PeerConnection), ConfigError> {
        let peer = pavane::PeerConnection::new(config, rng, clock.epoch())?;
        let shared = Arc::new(Shared::new(peer, clock));
        let driver = Self {
            shared: shared.clone(),
            sockets: Vec::new(),
            mdns: Mdns::default(),
            streams: Streams::default(),
            lookups: VecDeque::new(),
            buffers: Buffers::new(),
            outgoing: Vec::new(),
            unsent: None,
        };
        Ok((driver, PeerConnection::new(shared)))
    }

    /// Adds a socket, whose address becomes a candidate; returns its index.
    ///
    /// # Errors
    /// If its address cannot be a candidate.
    pub fn add_socket(&mut self, socket: H::Socket) -> Result<usize, CandidateError> {
        let address = socket.local_addr();
        self.shared.command(|peer, now| peer.add_local_address(now, address))?;
        self.sockets.push(Slot::new(socket));
        Ok(self.sockets.len() - 1)
    }

    /// Sets what multicast DNS is used for, before the first turn.
    pub fn set_mdns(&mut self, mode: MdnsMode) {
        self.mdns.set_mode(mode);
    }

    /// Adds a socket that listens, whose address becomes a candidate that peers connect to (RFC 6544), before the first turn.
    ///
    /// # Errors
    /// If its address cannot be a candidate.
    pub fn add_listener(&mut self, listener: H::Listener) -> Result<(), CandidateError> {
        let address = LocalAddress::tcp_listener(listener.local_addr());
        self.shared.command(|peer, now| peer.add_local_address(now, address))?;
        self.streams.listen(listener);
        Ok(())
    }

    /// Sets what TLS is spoken with, in place of [`TlsConnector::system`], before the first turn.
    pub fn set_tls(&mut self, connector: TlsConnector) {
        self.streams.set_tls(connector);
    }

    /// Says that all sockets are there, so that gathering can complete.
    pub fn end_of_sockets(&mut self) {
        self.shared.command(|peer, now| peer.end_of_local_addresses(now));
    }

    /// The socket with this index.
    ///
    /// # Panics
    /// If there is none.
    pub fn socket(&self, index: usize) -> &H::Socket {
        &self.sockets[index].socket
    }

    /// The socket with this index, for registering it where readiness is watched.
    ///
    /// # Panics
    /// If there is none.
    pub fn socket_mut(&mut self, index: usize) -> &mut H::Socket {
        &mut self.sockets[index].socket
    }

    /// How many sockets there are; their indices are counted from 0.
    pub fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// Whether the socket has nothing to read, so that [`set_readable`](Self::set_readable) is to be called when that
    /// changes.
    pub fn awaits_readable(&self, index: usize) -> bool {
        self.sockets.get(index).is_some_and(|slot| !slot.readable && !slot.is_lost())
    }

    /// Says that the socket may have something to read.
    pub fn set_readable(&mut self, index: usize) {
        if let Some(slot) = self.sockets.get_mut(index) {
            slot.readable = !slot.is_lost();
        }
    }

    /// The socket that did not take what there was to send, so that [`set_writable`](Self::set_writable) is to be called
    /// when that changes.
    pub fn awaits_writable(&self) -> Option<usize> {
        let unsent = self.unsent?;
        self.sockets.get(unsent.socket).and_then(|slot| (!slot.writable).then_some(unsent.socket))
    }

    /// Says that the socket may take something to send.
    pub fn set_writable(&mut self, index: usize) {
        if let Some(slot) = self.sockets.get_mut(index) {
            slot.writable = true;
        }
    }

    /// Its streams and listeners, whose readiness is to be watched like that of the sockets.
    pub fn streams(&mut self) -> &mut dyn StreamTable<H> {
        &mut self.streams
    }

    /// Does what there is to do, up to a budget, and never blocks.
    ///
    /// `waker` is woken when a handle gives the connection something to do; the caller then turns again.
    pub fn turn(&mut self, waker: &Waker) -> Turn {
        self.shared.lock().driver_turns(waker);
        let mut received = self.receive();
        received.more |= self.turn_streams();
        let timed_out = self.handle_timeout();
        self.serve_names();
        let ended_before = self.stir(received.any || timed_out);
        let all_sent = self.send();
        let mut state = self.shared.lock();
        state.dispatch();
        // An end that came while it sent, as by a handle in another thread, has its farewell still to come.
        let ends_now = state.ended().is_some() && !ended_before;
        if ended_before && self.unsent.is_none() && all_sent {
            let (clock, now) = (state.clock(), state.now());
            drop(state);
            return self.leave(clock, now, received.more);
        }
        if received.more || ends_now || (!all_sent && self.unsent.is_none()) {
            return Turn::Again;
        }
        let names = earliest(self.mdns.poll_timeout(), self.streams.poll_timeout());
        let deadline = earliest(state.peer.poll_timeout(), names);
        Turn::Wait { deadline: deadline.and_then(|at| state.clock().to_std(at)) }
    }

    /// Receives from every readable socket, each within its budget.
    fn receive(&mut self) -> Received {
        let mut received = Received::default();
        for index in 0..self.sockets.len() {
            for _ in 0..MAX_RECEIVES {
                if !self.sockets[index].readable || !self.receive_batch(index) {
                    break;
                }
                received.any = true;
            }
            received.more |= self.sockets[index].readable;
        }
        received
    }

    /// Receives once and gives the core what came; returns whether something did.
    fn receive_batch(&mut self, index: usize) -> bool {
        let slot = &mut self.sockets[index];
        let count = match slot.receive(&mut self.buffers) {
            Receipt::Filled(count) => count,
            Receipt::Nothing => return false,
            Receipt::Refused { lost } => {
                self.receive_failed(index, lost);
                return false;
            }
        };
        if slot.purpose == Purpose::Multicast {
            let now = self.shared.lock().now();
            self.buffers
                .datagrams(count)
                .for_each(|(source, message)| self.mdns.handle_message(now, index, source, message));
            return count > 0;
        }
        let local = slot.address;
        let mut state = self.shared.lock();
        let now = state.now();
        for (meta, bytes) in self.buffers.filled(count) {
            let path = Path { local, remote: meta.source, transport: Transport::Udp };
            for payload in bytes.chunks_mut(meta.stride.max(1)) {
                state.handle_datagram(now, Datagram { path, ecn: meta.ecn, payload });
            }
        }
        state.dispatch();
        count > 0
    }

    fn receive_failed(&mut self, index: usize, lost: bool) {
        let mut state = self.shared.lock();
        state.counters.receive_errors += 1;
        if lost && self.sockets[index].purpose == Purpose::Connections {
            state.counters.sockets_lost += 1;
            let now = state.now();
            state.peer.remove_local_address(now, self.sockets[index].address);
            state.dispatch();
        }
    }

    /// Tells the core the time if a deadline has passed; returns whether one had.
    fn handle_timeout(&mut self) -> bool {
        let mut state = self.shared.lock();
        let now = state.now();
        let due = state.peer.poll_timeout().is_some_and(|deadline| deadline <= now);
        if due {
            state.peer.handle_timeout(now);
            state.dispatch();
        }
        due
    }

    /// Closes the streams, and goes when all have heard so.
    fn leave(&mut self, clock: Clock, now: Instant, more: bool) -> Turn {
        self.streams.close_all_of(now, |()| true);
        match self.streams.is_leaving() {
            false => Turn::Done,
            true if more => Turn::Again,
            true => Turn::Wait { deadline: self.streams.poll_timeout().and_then(|at| clock.to_std(at)) },
        }
    }

    /// Wakes who waits for room if there was `news`; returns whether the connection has ended.
    fn stir(&mut self, news: bool) -> bool {
        let mut state = self.shared.lock();
        if news {
            state.wake_for_room();
        }
        state.ended().is_some()
    }

    /// Sends what is left of the last batch, then batch after batch; returns whether the core has no more to send.
    ///
    /// While a socket does not take a batch nothing further is polled: what is not polled is not made yet, and so stays
    /// with those who are responsible for it.
    fn send(&mut self) -> bool {
        for _ in 0..MAX_SENDS {
            let Some(unsent) = self.unsent.take().or_else(|| self.poll_transmit()) else { return true };
            let Some(slot) = self.sockets.get_mut(unsent.socket) else { continue };
            if !slot.writable {
                self.unsent = Some(unsent);
                return false;
            }
            let mut unsent = unsent;
            let errors = slot.send(&mut unsent, &self.outgoing);
            if errors > 0 {
                self.shared.lock().counters.send_errors += errors;
            }
            if unsent.transmit.len > 0 {
                self.unsent = Some(unsent);
                return false;
            }
        }
        false
    }

    /// Takes the next batch from the core.
    fn poll_transmit(&mut self) -> Option<Unsent> {
        let segments = self.sockets.iter().map(|slot| slot.socket.max_segments()).min();
        let segments = segments.map_or(MAX_SEGMENTS, |segments| segments.clamp(1, MAX_SEGMENTS));
        self.outgoing.clear();
        let mut state = self.shared.lock();
        let now = state.now();
        let transmit = state.peer.poll_transmit(now, segments, &mut self.outgoing)?;
        if transmit.path.transport == Transport::Tcp {
            drop(state);
            let dropped = self.streams.send(transmit.path, &self.outgoing, transmit.segment_size);
            self.shared.lock().counters.stream_drops += dropped;
            return Some(Unsent { socket: usize::MAX, start: 0, transmit });
        }
        let local = transmit.path.local;
        let socket = self.sockets.iter().position(|slot| slot.address == local && !slot.is_lost());
        if socket.is_none() {
            state.counters.without_socket += 1;
        }
        // An index beyond the table stands for "no socket": the batch is gone, as the network might have had it.
        Some(Unsent { socket: socket.unwrap_or(usize::MAX), start: 0, transmit })
    }
}

impl<H: Host> Drop for Driver<H> {
    fn drop(&mut self) {
        let now = self.shared.lock().now();
        // As far as that goes at once.
        self.streams.close_all_of(now, |()| true);
        self.shared.lock().driver_leaves();
    }
}

/// What receiving came to.
#[derive(Default)]
struct Received {
    /// Something came.
    any: bool,
    /// The budget was spent before all was received.
    more: bool,
}
