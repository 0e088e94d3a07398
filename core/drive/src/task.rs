//! The task that drives, on any runtime.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::{Driver, Host, LookupId, Readiness, Runtime, StreamSource, StreamTable, Timer, Turn};

/// What a task or a loop turns: a [`Driver`] of one connection, or a [`Demux`](crate::Demux) of many.
pub trait Drive {
    /// Whose sockets it has.
    type Host: Host;

    /// Does what there is to do, up to a budget, and never blocks.
    ///
    /// `waker` is woken when a handle gives it something to do; the caller then turns again.
    fn turn(&mut self, waker: &Waker) -> Turn;

    /// How many sockets there are; their indices are counted from 0.
    fn socket_count(&self) -> usize;

    /// The socket with this index.
    ///
    /// # Panics
    /// If there is none.
    fn socket(&self, index: usize) -> &<Self::Host as Host>::Socket;

    /// The socket with this index, for registering it where readiness is watched.
    ///
    /// # Panics
    /// If there is none.
    fn socket_mut(&mut self, index: usize) -> &mut <Self::Host as Host>::Socket;

    /// Whether the socket has nothing to read, so that [`set_readable`](Self::set_readable) is to be called when that
    /// changes.
    fn awaits_readable(&self, index: usize) -> bool;

    /// Says that the socket may have something to read.
    fn set_readable(&mut self, index: usize);

    /// The socket that did not take what there was to send, so that [`set_writable`](Self::set_writable) is to be called
    /// when that changes.
    fn awaits_writable(&self) -> Option<usize>;

    /// Says that the socket may take something to send.
    fn set_writable(&mut self, index: usize);

    /// Its streams and listeners, whose readiness is to be watched like that of the sockets.
    fn streams(&mut self) -> &mut dyn StreamTable<Self::Host>;

    /// The next name that the operating system is to be asked for; [`finish_lookup`](Self::finish_lookup) tells its addresses.
    fn poll_lookup(&mut self) -> Option<(LookupId, String)>;

    /// Tells a name's addresses, none if it has none. What comes of it comes with the next turn.
    fn finish_lookup(&mut self, id: LookupId, addresses: Vec<IpAddr>);
}

impl<H: Host> Drive for Driver<H> {
    type Host = H;

    fn turn(&mut self, waker: &Waker) -> Turn {
        Self::turn(self, waker)
    }

    fn socket_count(&self) -> usize {
        Self::socket_count(self)
    }

    fn socket(&self, index: usize) -> &H::Socket {
        Self::socket(self, index)
    }

    fn socket_mut(&mut self, index: usize) -> &mut H::Socket {
        Self::socket_mut(self, index)
    }

    fn awaits_readable(&self, index: usize) -> bool {
        Self::awaits_readable(self, index)
    }

    fn set_readable(&mut self, index: usize) {
        Self::set_readable(self, index);
    }

    fn awaits_writable(&self) -> Option<usize> {
        Self::awaits_writable(self)
    }

    fn set_writable(&mut self, index: usize) {
        Self::set_writable(self, index);
    }

    fn streams(&mut self) -> &mut dyn StreamTable<H> {
        Self::streams(self)
    }

    fn poll_lookup(&mut self) -> Option<(LookupId, String)> {
        Self::poll_lookup(self)
    }

    fn finish_lookup(&mut self, id: LookupId, addresses: Vec<IpAddr>) {
        Self::finish_lookup(self, id, addresses);
    }
}

/// Drives until there is nothing left to drive.
#[must_use = "a task does nothing unless it is spawned or awaited"]
pub struct Task<R: Runtime, D> {
    drive: D,
    timer: R::Timer,
    lookups: Vec<Lookup>,
}

/// A name that the runtime was asked for.
struct Lookup {
    id: LookupId,
    addresses: Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>,
}

/// The task of one connection.
pub type DriverTask<R> = Task<R, Driver<R>>;

impl<R: Runtime, D: Drive<Host = R>> Task<R, D> {
    /// A task that turns `drive`.
    pub fn new(drive: D) -> Self {
        Self { drive, timer: R::Timer::default(), lookups: Vec::new() }
    }

    /// Has the runtime wake the task when a socket that is waited for is ready; returns whether one is.
    fn poll_sockets(&mut self, cx: &mut Context<'_>) -> bool {
        let mut ready = false;
        for index in 0..self.drive.socket_count() {
            if self.drive.awaits_readable(index) && self.drive.socket(index).poll_readable(cx).is_ready() {
                self.drive.set_readable(index);
                ready = true;
            }
        }
        if let Some(index) = self.drive.awaits_writable()
            && self.drive.socket(index).poll_writable(cx).is_ready()
        {
            self.drive.set_writable(index);
            ready = true;
        }
        ready | poll_streams::<R>(self.drive.streams(), cx) | self.poll_lookups(cx)
    }

    /// Asks the runtime for names, and passes on what it answered; returns whether it did.
    fn poll_lookups(&mut self, cx: &mut Context<'_>) -> bool {
        while let Some((id, name)) = self.drive.poll_lookup() {
            self.lookups.push(Lookup { id, addresses: Box::pin(R::resolve(name)) });
        }
        let before = self.lookups.len();
        let drive = &mut self.drive;
        self.lookups.retain_mut(|lookup| match lookup.addresses.as_mut().poll(cx) {
            Poll::Ready(addresses) => {
                drive.finish_lookup(lookup.id, addresses.unwrap_or_default());
                false
            }
            Poll::Pending => true,
        });
        self.lookups.len() < before
    }
}

/// Has the runtime wake the task when a stream that is waited for is ready; returns whether one is.
fn poll_streams<R: Runtime>(streams: &mut dyn StreamTable<R>, cx: &mut Context<'_>) -> bool {
    let mut ready = false;
    for index in 0..streams.count() {
        let (reads, writes) = (streams.awaits_readable(index), streams.awaits_writable(index));
        if !(reads || writes) {
            continue;
        }
        let source: &dyn Readiness = match streams.source(index) {
            Some(StreamSource::Stream(stream)) => stream,
            Some(StreamSource::Listener(listener)) => listener,
            None => continue,
        };
        let readable = reads && source.poll_readable(cx).is_ready();
        let writable = writes && source.poll_writable(cx).is_ready();
        if readable {
            streams.set_readable(index);
        }
        if writable {
            streams.set_writable(index);
        }
        ready |= readable || writable;
    }
    ready
}

impl<R: Runtime, D: fmt::Debug> fmt::Debug for Task<R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("drive", &self.drive).finish_non_exhaustive()
    }
}

/// Rounds in one poll: a runtime whose readiness never ends by itself gets its turn all the same.
const MAX_ROUNDS: usize = 16;

impl<R: Runtime, D: Drive<Host = R> + Unpin> Future for Task<R, D> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        // It may well be a socket that woke the task: the first turn is not to be in vain.
        this.poll_sockets(cx);
        for _ in 0..MAX_ROUNDS {
            let turn = this.drive.turn(cx.waker());
            match turn {
                Turn::Done => return Poll::Ready(()),
                Turn::Again => break,
                Turn::Wait { deadline } => {
                    let ready = this.poll_sockets(cx);
                    let due = deadline.is_some_and(|at| this.timer.poll_until(cx, at).is_ready());
                    if !ready && !due {
                        return Poll::Pending;
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
