//! The task that drives, on any runtime.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::{Driver, Host, Readiness, Runtime, Timer, Turn};

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
}

/// Drives until there is nothing left to drive.
#[derive(Debug)]
#[must_use = "a task does nothing unless it is spawned or awaited"]
pub struct Task<R: Runtime, D> {
    drive: D,
    timer: R::Timer,
}

/// The task of one connection.
pub type DriverTask<R> = Task<R, Driver<R>>;

impl<R: Runtime, D: Drive<Host = R>> Task<R, D> {
    /// A task that turns `drive`.
    pub fn new(drive: D) -> Self {
        Self { drive, timer: R::Timer::default() }
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
        ready
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
