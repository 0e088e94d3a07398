//! The application's handle of a port, and what it shares with the demultiplexer.

use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use pavane::base::Key;
use pavane::base::rand_core::{CryptoRng, SeedableRng};
use pavane::{Config, ConfigError, LocalAddress};
use rand_chacha::ChaCha20Rng;

use super::crew::{Crew, Forwarded, Mail};
use crate::state::Shared;
use crate::sync::{Mutex, MutexGuard};
use crate::{Clock, PeerConnection};

/// Makes connections that share sockets; see [`Demux`](crate::Demux).
///
/// Clones are handles of the same port. The sockets are closed when the last of them is dropped and the last connection
/// has ended.
#[derive(Clone, Debug)]
pub struct Port {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    crew: Arc<Crew>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        for gate in self.crew.members() {
            gate.change(|state| state.abandoned = true);
        }
    }
}

/// What went wrong at a port, and what was no peer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortCounters {
    /// Datagrams of strangers: they were dropped and not answered.
    pub unknown: u64,
    /// Receives that the operating system refused.
    pub receive_errors: u64,
    /// Sockets that were given up after a row of errors.
    pub sockets_lost: u64,
    /// Ways that went from one peer to another that answered a request from there.
    pub ways_moved: u64,
    /// Connections that are driven.
    pub peers: usize,
    /// Entries in the table of ways and user fragments.
    pub table: usize,
    /// Datagrams that came to another driver of the port than their connection's, and were passed on.
    pub forwarded: u64,
    /// Those that were dropped on that way, for want of room.
    pub forwards_dropped: u64,
    /// Connections that went over to the driver that their datagrams come to.
    pub peers_moved: u64,
}

impl PortCounters {
    /// Counts a datagram that was none of this driver's connections'.
    pub(super) fn count(&mut self, outcome: Forwarded) {
        match outcome {
            Forwarded::Taken => self.forwarded += 1,
            Forwarded::Full => self.forwards_dropped += 1,
            Forwarded::Unknown => self.unknown += 1,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let Self {
            unknown,
            receive_errors,
            sockets_lost,
            ways_moved,
            peers,
            table,
            forwarded,
            forwards_dropped,
            peers_moved,
        } = other;
        self.unknown += unknown;
        self.receive_errors += receive_errors;
        self.sockets_lost += sockets_lost;
        self.ways_moved += ways_moved;
        self.peers += peers;
        self.table += table;
        self.forwarded += forwarded;
        self.forwards_dropped += forwards_dropped;
        self.peers_moved += peers_moved;
    }
}

/// Between the handles, the peers and the demultiplexer.
pub(super) struct Gate {
    config: Arc<Config>,
    pub(super) clock: Clock,
    addresses: Vec<LocalAddress>,
    state: Mutex<GateState>,
}

pub(super) struct GateState {
    rng: ChaCha20Rng,
    /// Connections that were made since the last turn.
    pub(super) arrivals: Vec<Arc<Shared>>,
    /// What other members of the crew have for this one.
    pub(super) mail: Vec<Mail>,
    /// Peers that a handle gave something to do; each once, for its waker is taken with it.
    pub(super) ready: Vec<Key>,
    /// Whoever turns, while it sleeps.
    driver: Option<Waker>,
    pub(super) abandoned: bool,
    /// The demultiplexer is gone.
    pub(super) over: bool,
    pub(super) counters: PortCounters,
}

impl GateState {
    /// Notes whom to wake; returns a waker that is of no more use, to be dropped once the lock is free.
    #[must_use]
    pub(super) fn sleep(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.driver {
            Some(known) if known.will_wake(waker) => None,
            _ => self.driver.replace(waker.clone()),
        }
    }
}

impl Gate {
    pub(super) fn new(
        config: Arc<Config>,
        clock: Clock,
        addresses: Vec<LocalAddress>,
        mut rng: &mut dyn CryptoRng,
    ) -> Self {
        let state = GateState {
            rng: ChaCha20Rng::from_rng(&mut rng),
            arrivals: Vec::new(),
            mail: Vec::new(),
            ready: Vec::new(),
            driver: None,
            abandoned: false,
            over: false,
            counters: PortCounters::default(),
        };
        Self { config, clock, addresses, state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes whoever turns once the lock is free.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut GateState) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let driver = state.driver.take();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
        result
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Makes a peer ready, and the demultiplexer turn.
pub(super) struct PeerWaker {
    pub(super) key: Key,
    pub(super) gate: Arc<Gate>,
}

impl Wake for PeerWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.gate.change(|state| state.ready.push(self.key));
    }
}

impl Port {
    pub(super) fn new(crew: Arc<Crew>) -> Self {
        Self { handle: Arc::new(Handle { crew }) }
    }

    /// Makes a connection behind the port's sockets, whose addresses are its candidates. All have the port's
    /// configuration, and so its certificate.
    ///
    /// # Errors
    /// If the configuration's values cannot work together, or no longer fit the sockets.
    pub fn peer(&self) -> Result<PeerConnection, ConfigError> {
        let crew = &self.handle.crew;
        let gate = &crew.members()[0];
        let rng = Box::new(ChaCha20Rng::from_rng(&mut gate.lock().rng));
        let mut peer = pavane::PeerConnection::new(gate.config.clone(), rng, gate.clock.epoch())?;
        let now = gate.clock.now();
        for address in &gate.addresses {
            // The addresses of bound sockets are good: a port is not made with others.
            let _ = peer.add_local_address(now, *address);
        }
        peer.end_of_local_addresses(now);
        let shared = Arc::new(Shared::new(peer, gate.clock));
        if !crew.recruit(&shared) {
            shared.lock().driver_leaves();
        }
        Ok(PeerConnection::new(shared))
    }

    /// The addresses of the sockets, those that listen behind those of UDP.
    pub fn addresses(&self) -> &[LocalAddress] {
        &self.handle.crew.members()[0].addresses
    }

    /// What went wrong, and what was no peer's.
    pub fn counters(&self) -> PortCounters {
        let mut counters = PortCounters::default();
        self.handle.crew.members().iter().for_each(|gate| counters.add(&gate.lock().counters));
        counters
    }
}
