//! Several demultiplexers behind the same addresses, each with sockets and a driver of its own.
//!
//! The kernel deals what comes for an address out among the sockets that share it (`SO_REUSEPORT`), by a hash of both ends:
//! what one far end sends always comes to the same socket, but nobody can say beforehand to which. So a connection begins
//! with any member of the crew, and a member that gets what is another's passes it on, through a bounded queue. A connection
//! most of whose datagrams come to another member goes over to that one, and is served by one core alone from then on.
//!
//! What is shared is a directory of who has which way and which user fragment. It is looked into for datagrams that are not
//! the member's own, and written when ways begin and end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use pavane::Ecn;

use super::port::Gate;
use super::table::{Way, requested_ufrag};
use crate::state::Shared;
use crate::sync::{AtomicUsize, Ordering, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The number of a member.
pub(super) type Member = u16;

/// What the members share.
pub(super) struct Crew {
    members: Vec<Arc<Gate>>,
    directory: RwLock<Directory>,
    /// Connections of all members.
    peers: AtomicUsize,
    /// Who gets the next connection.
    next: AtomicUsize,
}

#[derive(Default)]
struct Directory {
    ways: HashMap<Way, Member>,
    ufrags: HashMap<Box<[u8]>, Member>,
}

/// What a member gets from another.
pub(super) enum Mail {
    /// A datagram that is the receiver's.
    Datagram(Letter),
    /// A way that has gone to a connection of another member's.
    WayLost(Way),
    /// A connection.
    Peer(Box<Luggage>),
}

/// A datagram that came to the wrong member.
pub(super) struct Letter {
    pub(super) socket: usize,
    pub(super) source: SocketAddr,
    pub(super) ecn: Option<Ecn>,
    pub(super) payload: Box<[u8]>,
    /// Who passes it on.
    pub(super) from: Member,
    /// It has been passed on before, and is not again.
    pub(super) forwarded: bool,
}

/// A connection that changes its member, and what leads to it.
pub(super) struct Luggage {
    pub(super) shared: Arc<Shared>,
    pub(super) ufrag: Box<str>,
    pub(super) former_ufrag: Option<Box<str>>,
    pub(super) ways: Vec<Way>,
}

impl Letter {
    pub(super) fn new((socket, source): Way, ecn: Option<Ecn>, payload: &[u8], from: Member) -> Self {
        Self { socket, source, ecn, payload: payload.into(), from, forwarded: false }
    }
}

impl Luggage {
    /// A connection that is new.
    pub(super) fn of(shared: Arc<Shared>) -> Self {
        let ufrag = shared.lock().peer.local_ufrag().into();
        Self { shared, ufrag, former_ufrag: None, ways: Vec::new() }
    }
}

/// Datagrams that wait for a member at most: a socket's buffer holds no more.
const MAX_LETTERS: usize = 2048;

impl Crew {
    pub(super) fn new(members: Vec<Arc<Gate>>) -> Self {
        Self { members, directory: RwLock::default(), peers: AtomicUsize::new(0), next: AtomicUsize::new(0) }
    }

    /// Whether there is one member, for whom there is nothing to share.
    pub(super) fn is_alone(&self) -> bool {
        self.members.len() == 1
    }

    pub(super) fn members(&self) -> &[Arc<Gate>] {
        &self.members
    }

    fn member(&self, number: Member) -> &Arc<Gate> {
        &self.members[usize::from(number)]
    }

    /// Gives a new connection to a member, each in turn; those that are gone are passed over. Says whether there is one.
    pub(super) fn recruit(&self, shared: &Arc<Shared>) -> bool {
        self.peers.fetch_add(1, Ordering::AcqRel);
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.members.len();
        let (before, from) = self.members.split_at(first);
        let taken = from.iter().chain(before).any(|member| {
            member.change(|state| {
                if !state.over {
                    state.arrivals.push(shared.clone());
                }
                !state.over
            })
        });
        if !taken {
            self.dismiss(1);
        }
        taken
    }

    /// Notes that so many connections have ended; members that are of no more use are told when the last has.
    pub(super) fn dismiss(&self, count: usize) {
        if count > 0 && self.peers.fetch_sub(count, Ordering::AcqRel) == count && !self.is_alone() {
            self.members.iter().for_each(|member| member.change(|_| ()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.peers.load(Ordering::Acquire) == 0
    }

    /// Who has a datagram's connection.
    fn owner(&self, way: Way, payload: &[u8]) -> Option<Member> {
        let directory = self.read();
        match requested_ufrag(payload) {
            Some(ufrag) => directory.ufrags.get(ufrag).copied(),
            None => directory.ways.get(&way).copied(),
        }
    }

    /// Who has a way.
    pub(super) fn way_owner(&self, way: Way) -> Option<Member> {
        self.read().ways.get(&way).copied()
    }

    /// Passes a datagram on to the member whose it is; returns whether there is one, with room for it.
    ///
    /// That may be the one who asks: then the connection is on its way there, and the datagram waits behind it.
    pub(super) fn forward(&self, letter: Letter) -> Forwarded {
        let Some(owner) = self.owner((letter.socket, letter.source), &letter.payload) else {
            return Forwarded::Unknown;
        };
        self.member(owner).change(|state| {
            let room = !state.over && state.mail.len() < MAX_LETTERS;
            if room {
                state.mail.push(Mail::Datagram(letter));
            }
            if room { Forwarded::Taken } else { Forwarded::Full }
        })
    }

    /// Notes who has a way; whoever had it hears of it.
    pub(super) fn set_way(&self, way: Way, member: Member) {
        let former = self.write().ways.insert(way, member);
        if let Some(former) = former.filter(|former| *former != member) {
            self.member(former).change(|state| state.mail.push(Mail::WayLost(way)));
        }
    }

    /// Forgets a way, if it is still that member's.
    pub(super) fn remove_way(&self, way: Way, member: Member) {
        let mut directory = self.write();
        if directory.ways.get(&way) == Some(&member) {
            directory.ways.remove(&way);
        }
    }

    pub(super) fn set_ufrag(&self, ufrag: &str, member: Member) {
        self.write().ufrags.insert(ufrag.as_bytes().into(), member);
    }

    /// Forgets a user fragment, if it is still that member's.
    pub(super) fn remove_ufrag(&self, ufrag: &str, member: Member) {
        let mut directory = self.write();
        if directory.ufrags.get(ufrag.as_bytes()) == Some(&member) {
            directory.ufrags.remove(ufrag.as_bytes());
        }
    }

    /// Forgets all that a member has, which is gone.
    pub(super) fn forget(&self, member: Member) {
        let mut directory = self.write();
        directory.ways.retain(|_, owner| *owner != member);
        directory.ufrags.retain(|_, owner| *owner != member);
    }

    /// Gives a connection to another member, and the directory's entries with it.
    ///
    /// # Errors
    /// If that member is gone: it is the caller's, as before.
    pub(super) fn hand_over(&self, luggage: Luggage, to: Member) -> Result<(), Luggage> {
        let mut directory = self.write();
        // Whoever reads the directory from here on puts datagrams behind the connection in the new member's mail.
        let mut gate = self.member(to).lock();
        if gate.over {
            return Err(luggage);
        }
        directory.ways.extend(luggage.ways.iter().map(|way| (*way, to)));
        let ufrags = luggage.former_ufrag.iter().chain([&luggage.ufrag]);
        directory.ufrags.extend(ufrags.map(|ufrag| (ufrag.as_bytes().into(), to)));
        gate.mail.push(Mail::Peer(Box::new(luggage)));
        drop(gate);
        drop(directory);
        self.member(to).change(|_| ());
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a datagram that was to be passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Forwarded {
    /// Its member has it.
    Taken,
    /// Its member has no room.
    Full,
    /// It is nobody's.
    Unknown,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").field("members", &self.members.len()).finish_non_exhaustive()
    }
}
