//! What an adapter brings.

use std::future::Future;
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::task::{Context, Poll};
use std::time::Instant;

use crate::{Clock, Listener, Socket, Stream};

/// Sockets and time, as something that drives connections has them.
pub trait Host: 'static {
    /// Its sockets.
    type Socket: Socket + Unpin + 'static;

    /// Its TCP streams; [`NoStream`](crate::NoStream) if it has none.
    type Stream: Stream + Unpin + 'static;

    /// Its TCP sockets that listen; [`NoStream`](crate::NoStream) if it has none.
    type Listener: Listener<Stream = Self::Stream> + Unpin + 'static;

    /// Takes over a bound socket.
    ///
    /// # Errors
    /// The operating system's.
    fn socket(socket: UdpSocket) -> io::Result<Self::Socket>;

    /// Takes over a stream, which does not block and may still be connecting.
    ///
    /// # Errors
    /// The operating system's; or that there are no streams here.
    fn stream(stream: TcpStream) -> io::Result<Self::Stream>;

    /// Takes over a socket that listens and does not block.
    ///
    /// # Errors
    /// The operating system's; or that there are no streams here.
    fn listener(listener: TcpListener) -> io::Result<Self::Listener>;

    /// The clock that its timers follow.
    fn clock() -> Clock {
        Clock::system()
    }
}

/// An asynchronous runtime: readiness, a timer, tasks, and names.
///
/// This is all that an adapter has to write; [`Builder`](crate::Builder) and [`Task`](crate::Task) do the rest.
pub trait Runtime: Host<Socket: Readiness, Stream: Readiness, Listener: Readiness> {
    /// Its timers.
    type Timer: Timer;

    /// Runs a task beside the others until it ends.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// Asks the operating system for a name's addresses.
    fn resolve(name: String) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static;
}

/// A socket, a stream or a listener that can wake a task.
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
