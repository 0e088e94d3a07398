//! TCP: streams to servers and peers, and listeners for peers that come.
//!
//! [`Streams`] is a table of them. It connects, speaks TLS where that is asked for, cuts what comes into messages and frames
//! what goes, so that to the core a stream is one more way that datagrams take.

mod entry;
mod frames;
mod io;
mod session;
mod socket;
mod table;
mod tls;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pavane::{ActionId, Framing, Instant, Path, Transport};

use self::entry::{Entry, Over, Turned};
use self::session::{Plain, Session};
use crate::Host;

pub(crate) use self::socket::listen;

pub use self::io::{Listener, NoStream, StdListener, Stream};
pub use self::table::{StreamSource, StreamTable};
pub use self::tls::TlsConnector;

/// The streams and listeners of those that are driven together. `O` is whose a stream is.
pub(crate) struct Streams<H: Host, O> {
    listeners: Vec<ListenerSlot<H::Listener>>,
    entries: Vec<Place<H::Stream, O>>,
    paths: BTreeMap<(SocketAddr, SocketAddr), usize>,
    news: VecDeque<News<O>>,
    /// Places that were filled since it was asked.
    opened: VecDeque<usize>,
    tls: Option<TlsConnector>,
}

/// Where a stream is, or may come.
type Place<S, O> = Option<Box<Owned<S, O>>>;

struct ListenerSlot<L> {
    listener: L,
    readable: bool,
}

/// A stream, and whose it is.
struct Owned<S, O> {
    entry: Entry<S>,
    origin: Origin<O>,
}

/// Where a stream comes from.
#[derive(Clone, Copy)]
enum Origin<O> {
    /// Its owner had it opened, and waits for the outcome.
    Asked { owner: O, action: ActionId },
    /// Its owner knows of it.
    Known(O),
    /// It was accepted, and nobody has sent on it yet.
    Stranger(Option<O>),
    /// Its owner has closed it, and it is leaving.
    Nobody,
}

/// What an owner is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News<O> {
    /// The stream that was asked for is there, from this address of ours; or it cannot be had.
    Outcome { owner: O, action: ActionId, local: Option<SocketAddr> },
    /// The stream has ended.
    Closed { owner: O, path: Path },
}

/// A stream that is to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) local: Option<IpAddr>,
    pub(crate) remote: SocketAddr,
    pub(crate) tls: Option<String>,
    pub(crate) framing: Framing,
}

impl<O: Copy> Origin<O> {
    const fn owner(&self) -> Option<O> {
        match self {
            Self::Asked { owner, .. } | Self::Known(owner) => Some(*owner),
            Self::Stranger(owner) => *owner,
            Self::Nobody => None,
        }
    }
}

/// Streams at a time.
const MAX_STREAMS: usize = 1024;

/// Accepted streams that nobody has sent on: of more, the oldest gives way.
const MAX_STRANGERS: usize = 64;

/// Closed streams whose peers have not heard so yet: of more, the next goes without a word.
const MAX_LEAVING: usize = 64;

/// How long connecting and the handshake may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// How long an accepted stream may bring nothing that anybody answers.
const STRANGER_PATIENCE: Duration = Duration::from_secs(10);

/// Streams that a listener accepts in a turn.
const MAX_ACCEPTS: usize = 16;

impl<H: Host, O> Default for Streams<H, O> {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            entries: Vec::new(),
            paths: BTreeMap::new(),
            news: VecDeque::new(),
            opened: VecDeque::new(),
            tls: None,
        }
    }
}

impl<H: Host, O: Copy> Streams<H, O> {
    /// Sets what TLS is spoken with, in place of what the operating system trusts.
    pub(crate) fn set_tls(&mut self, tls: TlsConnector) {
        self.tls = Some(tls);
    }

    /// Accepts what comes to a listener. To be called before any stream is there.
    pub(crate) fn listen(&mut self, listener: H::Listener) {
        self.opened.push_back(self.listeners.len());
        self.listeners.push(ListenerSlot { listener, readable: true });
    }

    /// The addresses that are listened on.
    pub(crate) fn listening(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|slot| slot.listener.local_addr())
    }

    /// Begins to open a stream, of which news will come; false if that cannot be.
    pub(crate) fn open(&mut self, now: Instant, owner: O, action: ActionId, wanted: &Wanted) -> bool {
        let session: Box<dyn Session> = match &wanted.tls {
            None => Box::new(Plain),
            Some(name) => match self.connector().and_then(|tls| tls.connect(name).ok()) {
                Some(session) => session,
                None => return false,
            },
        };
        let connecting = socket::connect(wanted.local, wanted.remote);
        let Ok((stream, local)) = connecting.and_then(|(stream, local)| Ok((H::stream(stream)?, local)))
        else {
            return false;
        };
        let path = Path { local, remote: wanted.remote, transport: Transport::Tcp };
        let entry = Entry::connecting(stream, path, wanted.framing, session, now + CONNECT_PATIENCE);
        self.insert(entry, Origin::Asked { owner, action })
    }

    /// Closes a stream, without news. What was sent before still leaves.
    pub(crate) fn close(&mut self, now: Instant, path: Path) {
        let Some(index) = self.paths.remove(&(path.local, path.remote)) else { return };
        let leaving = self.entries.iter().flatten().filter(|owned| owned.entry.is_leaving()).count();
        let Some(owned) = &mut self.entries[index] else { return };
        if leaving < MAX_LEAVING && owned.entry.leave(now) {
            owned.origin = Origin::Nobody;
        } else {
            self.entries[index] = None;
        }
    }

    /// Whether what was closed has not been heard by all yet. It is by the next turns, or never.
    pub(crate) fn is_leaving(&self) -> bool {
        self.entries.iter().flatten().any(|owned| owned.entry.is_leaving())
    }

    /// Whether an owner has any.
    pub(crate) fn has_any_of(&self, owner: O) -> bool
    where
        O: PartialEq,
    {
        self.entries.iter().flatten().any(|owned| owned.origin.owner() == Some(owner))
    }

    /// Closes all streams of an owner, without news. What was sent before still leaves.
    pub(crate) fn close_all_of(&mut self, now: Instant, is_owners: impl Fn(O) -> bool) {
        let of = |owned: &Owned<H::Stream, O>| owned.origin.owner().is_some_and(&is_owners);
        let paths: Vec<Path> =
            self.entries.iter().flatten().filter(|owned| of(owned)).map(|owned| owned.entry.path).collect();
        paths.into_iter().for_each(|path| self.close(now, path));
    }

    /// Sends messages of `size` bytes, the last of which may be shorter; returns how many were dropped.
    pub(crate) fn send(&mut self, path: Path, messages: &[u8], size: Option<usize>) -> u64 {
        let index = self.paths.get(&(path.local, path.remote)).copied();
        let chunks = messages.chunks(size.unwrap_or(messages.len()).max(1));
        let Some(owned) = index.and_then(|index| self.entries[index].as_mut()) else {
            return chunks.len() as u64;
        };
        owned.origin = match owned.origin {
            Origin::Stranger(Some(owner)) => {
                owned.entry.deadline = None;
                Origin::Known(owner)
            }
            origin => origin,
        };
        let dropped = chunks.filter(|message| !owned.entry.send(message)).count() as u64;
        owned.entry.flush();
        dropped
    }

    /// Accepts, connects, reads and writes, within a budget, and gives each message to `take`, together with its owner as far as
    /// that is known; `take` says whose the stream is, or that nobody wants it. Returns whether there is more to do at once.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        mut take: impl FnMut(Option<O>, Path, &mut [u8]) -> Option<O>,
    ) -> bool {
        let mut more = false;
        for index in 0..self.listeners.len() {
            more |= self.accept(now, index);
        }
        for index in 0..self.entries.len() {
            let Some(owned) = &mut self.entries[index] else { continue };
            let Owned { entry, origin } = &mut **owned;
            let result = entry.turn(|path, message| {
                let owner = take(origin.owner(), path, message);
                if let (Origin::Stranger(None), Some(_)) = (&*origin, owner) {
                    *origin = Origin::Stranger(owner);
                }
                owner.is_some()
            });
            let is_late = !entry.is_draining() && entry.deadline.is_some_and(|deadline| deadline <= now);
            match result {
                Ok(Turned::Opened) => {
                    more = true;
                    self.tell_opened(index);
                }
                Ok(_) if is_late => self.end(index),
                Ok(turned) => more |= turned == Turned::More,
                Err(Over) => self.end(index),
            }
        }
        more
    }

    /// The next thing that an owner is to be told.
    pub(crate) fn poll_news(&mut self) -> Option<News<O>> {
        self.news.pop_front()
    }

    /// When to [`turn`](Self::turn) next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.entries.iter().flatten().filter_map(|owned| owned.entry.deadline).min()
    }

    fn connector(&mut self) -> Option<&TlsConnector> {
        if self.tls.is_none() {
            self.tls = TlsConnector::system();
        }
        self.tls.as_ref()
    }

    /// Accepts what has come; returns whether there is more.
    fn accept(&mut self, now: Instant, index: usize) -> bool {
        for _ in 0..MAX_ACCEPTS {
            let slot = &mut self.listeners[index];
            if !slot.readable {
                return false;
            }
            match slot.listener.try_accept() {
                Ok((stream, remote)) => {
                    let path = Path { local: slot.listener.local_addr(), remote, transport: Transport::Tcp };
                    let deadline = now + STRANGER_PATIENCE;
                    let entry = Entry::accepted(stream, path, Framing::Rfc4571, Box::new(Plain), deadline);
                    self.make_room_for_stranger();
                    self.insert(entry, Origin::Stranger(None));
                }
                // One that went away before it was accepted, or too many open files: the next turn may see better.
                Err(_) => slot.readable = false,
            }
        }
        true
    }

    fn make_room_for_stranger(&mut self) {
        let strangers = || {
            let all = self.entries.iter().flatten();
            all.filter(|owned| matches!(owned.origin, Origin::Stranger(_))).map(|owned| &owned.entry)
        };
        if strangers().count() < MAX_STRANGERS {
            return;
        }
        let oldest = strangers().min_by_key(|entry| entry.deadline).map(|entry| entry.path);
        if let Some(index) = oldest.and_then(|path| self.paths.remove(&(path.local, path.remote))) {
            self.entries[index] = None;
        }
    }

    fn insert(&mut self, entry: Entry<H::Stream>, origin: Origin<O>) -> bool {
        let key = (entry.path.local, entry.path.remote);
        if self.paths.len() >= MAX_STREAMS || self.paths.contains_key(&key) {
            return false;
        }
        let index = self.entries.iter().position(Option::is_none).unwrap_or(self.entries.len());
        if index == self.entries.len() {
            self.entries.push(None);
        }
        self.entries[index] = Some(Box::new(Owned { entry, origin }));
        self.paths.insert(key, index);
        self.opened.push_back(self.listeners.len() + index);
        true
    }

    fn tell_opened(&mut self, index: usize) {
        let Some(owned) = &mut self.entries[index] else { return };
        if let Origin::Asked { owner, action } = owned.origin {
            owned.origin = Origin::Known(owner);
            let local = Some(owned.entry.path.local);
            self.news.push_back(News::Outcome { owner, action, local });
        }
    }

    /// Takes out a stream that has ended, and says so to its owner.
    fn end(&mut self, index: usize) {
        let Some(owned) = self.entries[index].take() else { return };
        let path = owned.entry.path;
        // Who has left has given its place to whoever comes.
        if !owned.entry.is_leaving() {
            self.paths.remove(&(path.local, path.remote));
        }
        self.news.extend(match owned.origin {
            Origin::Asked { owner, action } => Some(News::Outcome { owner, action, local: None }),
            Origin::Known(owner) | Origin::Stranger(Some(owner)) => Some(News::Closed { owner, path }),
            Origin::Stranger(None) | Origin::Nobody => None,
        });
        owned.entry.end();
    }
}

impl<H: Host, O> fmt::Debug for Streams<H, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("listeners", &self.listeners.len())
            .field("paths", &self.paths.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
