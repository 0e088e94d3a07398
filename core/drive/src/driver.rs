//! One connection, its sockets, and a turn of work.

use std::io::{self, IoSliceMut};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Waker;

use pavane::base::rand_core::CryptoRng;
use pavane::{
    Action, ActionId, ActionOutcome, CandidateError, Config, ConfigError, Datagram, Path, Transmit, Transport,
};

use crate::state::Shared;
use crate::{Clock, PeerConnection, ReceiveMeta, Socket};

/// Moves a connection: receives, fires timeouts, sends, and wakes whoever waits for what came of it.
///
/// It belongs to one task or thread, which calls [`turn`](Self::turn) whenever there is something to do. Dropping it ends
/// the connection without a farewell.
#[derive(Debug)]
pub struct Driver<S> {
    shared: Arc<Shared>,
    sockets: Vec<Slot<S>>,
    buffers: Buffers,
    outgoing: Vec<u8>,
    unsent: Option<Unsent>,
}

#[derive(Debug)]
struct Slot<S> {
    socket: S,
    address: SocketAddr,
    readable: bool,
    writable: bool,
    errors_in_a_row: u32,
}

/// What a socket would not take yet: the rest of `outgoing` from `start` on.
#[derive(Clone, Copy, Debug)]
struct Unsent {
    socket: usize,
    start: usize,
    transmit: Transmit,
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

/// A socket that fails this often in a row, without anything received between, is given up.
const MAX_ERRORS_IN_A_ROW: u32 = 64;

impl<S: Socket> Driver<S> {
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
    pub fn add_socket(&mut self, socket: S) -> Result<usize, CandidateError> {
        let address = socket.local_addr();
        self.shared.command(|peer, now| peer.add_local_address(now, address))?;
        self.sockets.push(Slot { socket, address, readable: true, writable: true, errors_in_a_row: 0 });
        Ok(self.sockets.len() - 1)
    }

    /// Says that all sockets are there, so that gathering can complete.
    pub fn end_of_sockets(&mut self) {
        self.shared.command(|peer, now| peer.end_of_local_addresses(now));
    }

    /// The socket with this index.
    ///
    /// # Panics
    /// If there is none.
    pub fn socket(&self, index: usize) -> &S {
        &self.sockets[index].socket
    }

    /// The socket with this index, for registering it where readiness is watched.
    ///
    /// # Panics
    /// If there is none.
    pub fn socket_mut(&mut self, index: usize) -> &mut S {
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

    /// The next effect that the core asks for; [`finish_action`](Self::finish_action) tells what became of it.
    pub fn poll_action(&mut self) -> Option<(ActionId, Action)> {
        self.shared.lock().peer.poll_action()
    }

    /// Tells what became of an action.
    pub fn finish_action(&mut self, id: ActionId, outcome: ActionOutcome) {
        self.shared.command(|peer, now| peer.handle_action(now, id, outcome));
    }

    /// Does what there is to do, up to a budget, and never blocks.
    ///
    /// `waker` is woken when a handle gives the connection something to do; the caller then turns again.
    pub fn turn(&mut self, waker: &Waker) -> Turn {
        self.shared.lock().driver_turns(waker);
        let received = self.receive();
        let timed_out = self.handle_timeout();
        if received.any || timed_out {
            self.shared.lock().wake_for_room();
        }
        let all_sent = self.send();
        let mut state = self.shared.lock();
        state.dispatch();
        if state.ended().is_some() && self.unsent.is_none() && all_sent {
            return Turn::Done;
        }
        if received.more || (!all_sent && self.unsent.is_none()) {
            return Turn::Again;
        }
        let clock = state.clock();
        Turn::Wait { deadline: state.peer.poll_timeout().and_then(|at| clock.to_std(at)) }
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
        let count = match self.buffers.receive(&slot.socket) {
            Ok(count) => count,
            Err(error) => {
                self.receive_failed(index, &error);
                return false;
            }
        };
        slot.errors_in_a_row = 0;
        let local = slot.address;
        let mut state = self.shared.lock();
        let now = state.now();
        for (meta, bytes) in self.buffers.filled(count) {
            let path = Path { local, remote: meta.source, transport: Transport::Udp };
            for payload in bytes.chunks_mut(meta.stride.max(1)) {
                state.peer.handle_datagram(now, Datagram { path, ecn: meta.ecn, payload });
            }
        }
        state.dispatch();
        count > 0
    }

    fn receive_failed(&mut self, index: usize, error: &io::Error) {
        let slot = &mut self.sockets[index];
        if error.kind() == io::ErrorKind::WouldBlock {
            slot.readable = false;
            return;
        }
        slot.errors_in_a_row += 1;
        let (address, lost) = (slot.address, slot.is_lost());
        let mut state = self.shared.lock();
        state.counters.receive_errors += 1;
        if lost {
            slot.readable = false;
            state.counters.sockets_lost += 1;
            let now = state.now();
            state.peer.remove_local_address(now, address);
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

    /// Sends what is left of the last batch, then batch after batch; returns whether the core has no more to send.
    ///
    /// While a socket does not take a batch nothing further is polled: what is not polled is not made yet, and so stays
    /// with those who are responsible for it.
    fn send(&mut self) -> bool {
        for _ in 0..MAX_SENDS {
            let Some(unsent) = self.unsent.take().or_else(|| self.poll_transmit()) else { return true };
            let Some(slot) = self.sockets.get(unsent.socket) else { continue };
            if !slot.writable {
                self.unsent = Some(unsent);
                return false;
            }
            self.send_batch(unsent);
            if self.unsent.is_some() {
                return false;
            }
        }
        false
    }

    /// Takes the next batch from the core.
    fn poll_transmit(&mut self) -> Option<Unsent> {
        let segments =
            self.sockets.iter().map(|slot| slot.socket.max_segments()).min()?.clamp(1, MAX_SEGMENTS);
        self.outgoing.clear();
        let mut state = self.shared.lock();
        let now = state.now();
        let transmit = state.peer.poll_transmit(now, segments, &mut self.outgoing)?;
        let local = transmit.path.local;
        let socket = self.sockets.iter().position(|slot| slot.address == local && !slot.is_lost());
        if socket.is_none() {
            state.counters.without_socket += 1;
        }
        // An index beyond the table stands for "no socket": the batch is dropped, as the network might have done.
        Some(Unsent { socket: socket.unwrap_or(usize::MAX), start: 0, transmit })
    }

    /// Sends a batch in one call; or datagram by datagram if it is refused as a batch.
    fn send_batch(&mut self, mut unsent: Unsent) {
        let slot = &mut self.sockets[unsent.socket];
        let mut whole = slot.socket.max_segments() > 1;
        while unsent.transmit.len > 0 {
            let transmit = if whole { unsent.transmit } else { first_datagram(&unsent.transmit) };
            let contents = &self.outgoing[unsent.start..unsent.start + transmit.len];
            match slot.socket.try_send(&transmit, contents) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    slot.writable = false;
                    self.unsent = Some(unsent);
                    return;
                }
                Err(_) if whole && is_several(&transmit) => whole = false,
                result => {
                    self.shared.lock().counters.send_errors += u64::from(result.is_err());
                    unsent.start += transmit.len;
                    unsent.transmit.len -= transmit.len;
                }
            }
        }
    }
}

impl<S> Drop for Driver<S> {
    fn drop(&mut self) {
        self.shared.lock().driver_leaves();
    }
}

impl<S> Slot<S> {
    const fn is_lost(&self) -> bool {
        self.errors_in_a_row >= MAX_ERRORS_IN_A_ROW
    }
}

fn is_several(transmit: &Transmit) -> bool {
    transmit.segment_size.is_some_and(|size| size < transmit.len)
}

fn first_datagram(transmit: &Transmit) -> Transmit {
    let len = transmit.segment_size.unwrap_or(transmit.len).min(transmit.len);
    Transmit { len, segment_size: None, ..*transmit }
}

/// What receiving came to.
#[derive(Default)]
struct Received {
    /// Something came.
    any: bool,
    /// The budget was spent before all was received.
    more: bool,
}

/// The memory that datagrams are received into. The system gives it as it is touched, so that a connection that never
/// receives more than single datagrams uses some pages of it.
#[derive(Debug)]
struct Buffers {
    bytes: Vec<u8>,
    meta: [ReceiveMeta; Self::COUNT],
}

impl Buffers {
    /// Buffers per call.
    const COUNT: usize = 4;

    /// Bytes per buffer: what one coalesced receive can bring.
    const SIZE: usize = 64 * 1024;

    fn new() -> Self {
        Self { bytes: vec![0; Self::COUNT * Self::SIZE], meta: [ReceiveMeta::default(); Self::COUNT] }
    }

    fn receive(&mut self, socket: &impl Socket) -> io::Result<usize> {
        let mut rest = &mut self.bytes[..];
        let mut slices: [IoSliceMut<'_>; Self::COUNT] = std::array::from_fn(|_| {
            let (buffer, others) = mem::take(&mut rest).split_at_mut(Self::SIZE);
            rest = others;
            IoSliceMut::new(buffer)
        });
        socket.try_recv(&mut slices, &mut self.meta).map(|count| count.min(Self::COUNT))
    }

    fn filled(&mut self, count: usize) -> impl Iterator<Item = (ReceiveMeta, &mut [u8])> {
        let buffers = self.bytes.chunks_exact_mut(Self::SIZE);
        let filled = self.meta.iter().zip(buffers).take(count);
        filled.map(|(meta, buffer)| (*meta, &mut buffer[..meta.len.min(Self::SIZE)]))
    }
}
