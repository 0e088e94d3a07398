//! What an adapter brings.

use std::future::Future;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::task::{Context, Poll};
use std::time::Instant;

use crate::{Clock, Socket};

/// Sockets and time, as something that drives connections has them.
pub trait Host: 'static {
    /// Its sockets.
    type Socket: Socket + Unpin + 'static;

    /// Takes over a bound socket.
    ///
    /// # Errors
    /// The operating system's.
    fn socket(socket: UdpSocket) -> io::Result<Self::Socket>;

    /// The clock that its timers follow.
    fn clock() -> Clock {
        Clock::system()
    }
}

/// An asynchronous runtime: readiness, a timer, tasks, and names.
///
/// This is all that an adapter has to write; [`Builder`](crate::Builder) and [`Task`](crate::Task) do the rest.
pub trait Runtime: Host<Socket: Readiness> {
    /// Its timers.
    type Timer: Timer;

    /// Runs a task beside the others until it ends.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// Asks the operating system for a name's addresses.
    fn resolve(name: String) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static;
}

/// A socket that can wake a task.
pub trait Readiness {
    /// Ready when the socket may have something to read; else the task is woken when that changes.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Ready when the socket may take something; else the task is woken when that changes.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Something that wakes a task at a moment.
pub trait Timer: Default + Send + Unpin + 'static {
    /// Ready from the moment `at` on; else the task is woken then, and at no earlier moment that was asked for before.
    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()>;
}
