//! A loop on a thread of its own.

use std::io;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::{Events, Poll, Token};
use pavane_drive::{BuildError, Drive, PeerConnection, Port};

use crate::reactor::Driven;
use crate::{Builder, Mio, Reactor};

/// A thread that drives connections, for programs that have no loop.
///
/// Clones are handles of the same thread. It ends when the last of them is dropped and its connections have ended. A
/// thread that waits for a connection uses [`block_on`](crate::block_on).
#[derive(Clone, Debug)]
pub struct Loop {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    inbox: Arc<Inbox>,
}

struct Inbox {
    waker: Arc<mio::Waker>,
    mail: Mutex<Mail>,
}

#[derive(Default)]
struct Mail {
    arrivals: Vec<Driven>,
    /// No handle is left.
    last: bool,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inbox.lock().last = true;
        let _ = self.inbox.waker.wake();
    }
}

const WAKE: Token = Token(0);
const FIRST_SOCKET: Token = Token(1);

impl Loop {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system's.
    pub fn spawn() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        let inbox = Arc::new(Inbox { waker: waker.clone(), mail: Mutex::default() });
        let reactor = Reactor::new(poll.registry(), waker, FIRST_SOCKET)?;
        let theirs = inbox.clone();
        std::thread::Builder::new().name("pavane-mio".into()).spawn(move || run(poll, reactor, &theirs))?;
        Ok(Self { handle: Arc::new(Handle { inbox }) })
    }

    /// Makes a connection that the thread drives.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn peer(&self, builder: Builder) -> Result<PeerConnection, BuildError> {
        let (driver, peer) = builder.into_driver()?;
        self.add(driver);
        Ok(peer)
    }

    /// Binds sockets, and has the thread drive the connections that the port makes behind them.
    ///
    /// # Errors
    /// If the sockets cannot be bound.
    pub fn port(&self, builder: Builder) -> Result<Port, BuildError> {
        let (demux, port) = builder.into_demux()?;
        self.add(demux);
        Ok(port)
    }

    /// Binds sockets, and has these threads divide the connections that the port makes behind them between themselves; see
    /// [`Builder::into_demuxes`](pavane_drive::Builder::into_demuxes).
    ///
    /// # Errors
    /// If the sockets cannot be bound, or there is no thread or too many of them.
    pub fn shared_port(loops: &[Self], builder: Builder) -> Result<Port, BuildError> {
        let drivers = u16::try_from(loops.len()).ok().and_then(NonZeroU16::new);
        let drivers = drivers.ok_or_else(|| BuildError::Io(io::ErrorKind::InvalidInput.into()))?;
        let (demuxes, port) = builder.into_demuxes(drivers)?;
        loops.iter().zip(demuxes).for_each(|(each, demux)| each.add(demux));
        Ok(port)
    }

    /// Has the thread drive what was made otherwise.
    pub fn add(&self, driven: impl Drive<Host = Mio> + Send + 'static) {
        let inbox = &self.handle.inbox;
        inbox.lock().arrivals.push(Box::new(driven));
        // A thread that is gone has dropped its poll; what it was to drive then ends with the inbox.
        let _ = inbox.waker.wake();
    }
}

fn run(mut poll: Poll, mut reactor: Reactor, inbox: &Inbox) {
    let mut events = Events::with_capacity(1024);
    loop {
        let Mail { arrivals, last } = {
            let mut mail = inbox.lock();
            Mail { arrivals: std::mem::take(&mut mail.arrivals), last: mail.last }
        };
        for driven in arrivals {
            // A connection whose sockets cannot be watched ends here: it is dropped.
            let _ = reactor.add_boxed(driven);
        }
        if last && reactor.is_empty() {
            return;
        }
        let timeout = reactor.turn();
        match poll.poll(&mut events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            _ => {}
        }
        for event in &events {
            reactor.handle_event(event);
        }
    }
}
