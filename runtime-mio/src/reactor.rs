//! Connections in a loop that the program owns.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Interest, Registry, Token};
use pavane::base::{Key, Slab};
use pavane_drive::{BuildError, Drive, PeerConnection, Port, StreamSource, Turn};

use crate::lookup::{Asker, Lookups};
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
    places: BTreeMap<usize, (Key, Place)>,
    entries: Slab<Entry>,
    deadlines: BTreeSet<(Instant, Key)>,
    ready: Arc<Ready>,
    lookups: Lookups,
}

struct Entry {
    driven: Driven,
    waker: Waker,
    /// By the index of its sockets.
    sockets: Vec<usize>,
    /// By the index of its streams and listeners.
    streams: Vec<usize>,
    deadline: Option<Instant>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("sockets", &self.sockets)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// What a token stands for.
#[derive(Clone, Copy, Debug)]
enum Place {
    Socket(usize),
    /// A stream or a listener; others may come to the same place.
    Stream(usize),
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
            places: BTreeMap::new(),
            entries: Slab::default(),
            deadlines: BTreeSet::new(),
            ready: Arc::default(),
            lookups: Lookups::default(),
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
        let waker = Waker::noop().clone();
        let entry = Entry { driven, waker, sockets: Vec::new(), streams: Vec::new(), deadline: None };
        let key = self.entries.insert(entry);
        let waker = EntryWaker { key, ready: self.ready.clone(), waker: self.waker.clone() };
        let entry = self.entries.get_mut(key).expect("it was just inserted");
        entry.waker = Waker::from(Arc::new(waker));
        let watched = self.watch(key);
        match watched {
            Ok(()) => drop(self.ready.lock().insert(key)),
            Err(_) => self.remove(key),
        }
        watched
    }

    /// Has the poll watch the sockets and streams that it does not know yet.
    fn watch(&mut self, key: Key) -> io::Result<()> {
        const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
        let Some(entry) = self.entries.get_mut(key) else { return Ok(()) };
        for index in entry.sockets.len()..entry.driven.socket_count() {
            let token = free_token(&self.places, self.first_token);
            self.registry.register(entry.driven.socket_mut(index), Token(token), BOTH)?;
            entry.sockets.push(token);
            self.places.insert(token, (key, Place::Socket(index)));
        }
        let streams = entry.driven.streams();
        while let Some(index) = streams.poll_opened() {
            while entry.streams.len() <= index {
                let token = free_token(&self.places, self.first_token);
                self.places.insert(token, (key, Place::Stream(entry.streams.len())));
                entry.streams.push(token);
            }
            let token = Token(entry.streams[index]);
            match streams.source(index) {
                Some(StreamSource::Stream(stream)) => self.registry.register(stream, token, BOTH)?,
                Some(StreamSource::Listener(listener)) => self.registry.register(listener, token, BOTH)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Notes that a socket is ready; returns whether the event was about one of the reactor's.
    pub fn handle_event(&mut self, event: &Event) -> bool {
        let Some(&(key, place)) = self.places.get(&event.token().0) else { return false };
        if let Some(entry) = self.entries.get_mut(key) {
            let (reads, writes) = (event.is_readable(), event.is_writable());
            match place {
                Place::Socket(index) if reads || event.is_error() => entry.driven.set_readable(index),
                Place::Stream(index) if reads || event.is_error() => {
                    entry.driven.streams().set_readable(index);
                }
                _ => {}
            }
            match place {
                Place::Socket(index) if writes || event.is_error() => entry.driven.set_writable(index),
                Place::Stream(index) if writes || event.is_error() => {
                    entry.driven.streams().set_writable(index);
                }
                _ => {}
            }
            self.ready.lock().insert(key);
        }
        true
    }

    /// Does what there is to do, up to a budget; returns how long the poll may wait at most.
    pub fn turn(&mut self) -> Option<Duration> {
        self.collect_due(Instant::now());
        self.finish_lookups();
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
        while let Some((id, name)) = entry.driven.poll_lookup() {
            self.lookups.begin(Asker { key, id }, name, &self.waker);
        }
        // What is opened on the way and cannot be watched is as good as nothing: nothing comes from it.
        let _ = self.watch(key);
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(old) = entry.deadline.take() {
            self.deadlines.remove(&(old, key));
        }
        entry.deadline = deadline;
        self.deadlines.extend(deadline.map(|at| (at, key)));
    }

    /// Passes on what the threads have found out.
    fn finish_lookups(&mut self) {
        for (Asker { key, id }, addresses) in self.lookups.finished(&self.waker) {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.driven.finish_lookup(id, addresses);
                self.ready.lock().insert(key);
            }
        }
    }

    fn remove(&mut self, key: Key) {
        let Some(mut entry) = self.entries.remove(key) else { return };
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, key));
        }
        for (index, token) in entry.sockets.iter().enumerate() {
            self.places.remove(token);
            // A socket that cannot be taken out goes with its descriptor, as streams do.
            let _ = self.registry.deregister(entry.driven.socket_mut(index));
        }
        for token in &entry.streams {
            self.places.remove(token);
        }
    }
}

/// The lowest token that is in no use, if those in use are spread far; else the next.
fn free_token(taken: &BTreeMap<usize, (Key, Place)>, first: usize) -> usize {
    let next = taken.last_key_value().map_or(first, |(token, _)| token + 1);
    if next <= first + 2 * taken.len() + SPARE_TOKENS {
        return next;
    }
    (first..next).find(|token| !taken.contains_key(token)).unwrap_or(next)
}

/// How far the tokens in use may be spread before those between are used again.
const SPARE_TOKENS: usize = 64;
