//! Connections in a loop that the program owns.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Interest, Registry, Token};
use pavane::base::{Key, Slab};
use pavane_drive::{BuildError, Drive, PeerConnection, Port, Turn};

use crate::{Builder, Mio};

/// What a reactor turns: a driver of one connection, or of many.
pub(crate) type Driven = Box<dyn Drive<Host = Mio> + Send>;

/// Drives connections on a [`mio::Poll`] that the program owns.
///
/// The program gives it tokens for its sockets and the [`mio::Waker`] of its poll, which handles use to be heard from
/// other threads. In its loop it passes events on to [`handle_event`](Self::handle_event) and calls [`turn`](Self::turn),
/// which says how long the poll may wait. Between turns it uses the handles' functions that do not wait: `try_send`,
/// `try_recv`, `try_next_event`, and the getters.
#[derive(Debug)]
pub struct Reactor {
    registry: Registry,
    waker: Arc<mio::Waker>,
    first_token: usize,
    sockets: BTreeMap<usize, (Key, usize)>,
    entries: Slab<Entry>,
    deadlines: BTreeSet<(Instant, Key)>,
    ready: Arc<Ready>,
}

struct Entry {
    driven: Driven,
    waker: Waker,
    tokens: Vec<usize>,
    deadline: Option<Instant>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("tokens", &self.tokens)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Those that have something to do.
#[derive(Debug, Default)]
struct Ready(Mutex<BTreeSet<Key>>);

impl Ready {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one of them ready, and the poll return.
struct EntryWaker {
    key: Key,
    ready: Arc<Ready>,
    waker: Arc<mio::Waker>,
}

impl Wake for EntryWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.ready.lock().insert(self.key) {
            // A poll that cannot be woken has been dropped, and the reactor is going.
            let _ = self.waker.wake();
        }
    }
}

impl Reactor {
    /// A reactor for the poll of `registry`. Its sockets have the tokens from `first_token` on; `waker` is the poll's,
    /// with a token that the program chose, and can serve the program too.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new(registry: &Registry, waker: Arc<mio::Waker>, first_token: Token) -> io::Result<Self> {
        Ok(Self {
            registry: registry.try_clone()?,
            waker,
            first_token: first_token.0,
            sockets: BTreeMap::new(),
            entries: Slab::default(),
            deadlines: BTreeSet::new(),
            ready: Arc::default(),
        })
    }

    /// Makes a connection and drives it from the next turn on.
    ///
    /// # Errors
    /// If it cannot be built, or its sockets cannot be watched.
    pub fn peer(&mut self, builder: Builder) -> Result<PeerConnection, BuildError> {
        let (driver, peer) = builder.into_driver()?;
        self.add(driver).map_err(BuildError::Io)?;
        Ok(peer)
    }

    /// Binds sockets, and drives the connections that the port makes behind them.
    ///
    /// # Errors
    /// If the sockets cannot be bound or watched.
    pub fn port(&mut self, builder: Builder) -> Result<Port, BuildError> {
        let (demux, port) = builder.into_demux()?;
        self.add(demux).map_err(BuildError::Io)?;
        Ok(port)
    }

    /// Drives what was made otherwise.
    ///
    /// # Errors
    /// If its sockets cannot be watched.
    pub fn add(&mut self, driven: impl Drive<Host = Mio> + Send + 'static) -> io::Result<()> {
        self.add_boxed(Box::new(driven))
    }

    pub(crate) fn add_boxed(&mut self, driven: Driven) -> io::Result<()> {
        let entry = Entry { driven, waker: Waker::noop().clone(), tokens: Vec::new(), deadline: None };
        let key = self.entries.insert(entry);
        let waker = EntryWaker { key, ready: self.ready.clone(), waker: self.waker.clone() };
        let entry = self.entries.get_mut(key).expect("it was just inserted");
        entry.waker = Waker::from(Arc::new(waker));
        let watched = self.watch_sockets(key);
        match watched {
            Ok(()) => drop(self.ready.lock().insert(key)),
            Err(_) => self.remove(key),
        }
        watched
    }

    /// Has the poll watch the sockets that it does not know yet.
    fn watch_sockets(&mut self, key: Key) -> io::Result<()> {
        let Some(entry) = self.entries.get_mut(key) else { return Ok(()) };
        for index in entry.tokens.len()..entry.driven.socket_count() {
            let token = free_token(&self.sockets, self.first_token);
            let interests = Interest::READABLE | Interest::WRITABLE;
            self.registry.register(entry.driven.socket_mut(index), Token(token), interests)?;
            entry.tokens.push(token);
            self.sockets.insert(token, (key, index));
        }
        Ok(())
    }

    /// Notes that a socket is ready; returns whether the event was about one of the reactor's.
    pub fn handle_event(&mut self, event: &Event) -> bool {
        let Some(&(key, index)) = self.sockets.get(&event.token().0) else { return false };
        if let Some(entry) = self.entries.get_mut(key) {
            if event.is_readable() || event.is_error() {
                entry.driven.set_readable(index);
            }
            if event.is_writable() || event.is_error() {
                entry.driven.set_writable(index);
            }
            self.ready.lock().insert(key);
        }
        true
    }

    /// Does what there is to do, up to a budget; returns how long the poll may wait at most.
    pub fn turn(&mut self) -> Option<Duration> {
        self.collect_due(Instant::now());
        let ready = std::mem::take(&mut *self.ready.lock());
        for key in ready {
            self.turn_one(key);
        }
        if !self.ready.lock().is_empty() {
            return Some(Duration::ZERO);
        }
        let (first, _) = self.deadlines.first()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    /// How many there are to drive.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing to drive.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn collect_due(&mut self, now: Instant) {
        let mut ready = self.ready.lock();
        while let Some((at, key)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, key));
            if let Some(entry) = self.entries.get_mut(key) {
                entry.deadline = None;
            }
            ready.insert(key);
        }
    }

    fn turn_one(&mut self, key: Key) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let turn = entry.driven.turn(&entry.waker);
        let deadline = match turn {
            Turn::Done => return self.remove(key),
            Turn::Again => {
                self.ready.lock().insert(key);
                None
            }
            Turn::Wait { deadline } => deadline,
        };
        // A socket that is opened on the way and cannot be watched is as good as none: nothing comes from it.
        let _ = self.watch_sockets(key);
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(old) = entry.deadline.take() {
            self.deadlines.remove(&(old, key));
        }
        entry.deadline = deadline;
        self.deadlines.extend(deadline.map(|at| (at, key)));
    }

    fn remove(&mut self, key: Key) {
        let Some(mut entry) = self.entries.remove(key) else { return };
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, key));
        }
        for (index, token) in entry.tokens.iter().enumerate() {
            self.sockets.remove(token);
            // A socket that cannot be taken out goes with its descriptor.
            let _ = self.registry.deregister(entry.driven.socket_mut(index));
        }
    }
}

/// The lowest token that is in no use, if those in use are spread far; else the next.
fn free_token(taken: &BTreeMap<usize, (Key, usize)>, first: usize) -> usize {
    let next = taken.last_key_value().map_or(first, |(token, _)| token + 1);
    if next <= first + 2 * taken.len() + SPARE_TOKENS {
        return next;
    }
    (first..next).find(|token| !taken.contains_key(token)).unwrap_or(next)
}

/// How far the tokens in use may be spread before those between are used again.
const SPARE_TOKENS: usize = 64;
