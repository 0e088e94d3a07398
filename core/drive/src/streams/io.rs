//! What a driver needs of TCP sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

/// A TCP stream that never blocks.
///
/// An operation that would have to wait returns [`io::ErrorKind::WouldBlock`]; the adapter then learns from its runtime
/// when to try again.
pub trait Stream: Send {
    /// The address of this end.
    ///
    /// # Errors
    /// The operating system's.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The address of the other end, once there is one.
    ///
    /// # Errors
    /// The operating system's, as long as the stream is not connected.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// What went wrong with connecting, if anything did; told once.
    ///
    /// # Errors
    /// The operating system's.
    fn take_error(&self) -> io::Result<Option<io::Error>>;

    /// Reads what is there; 0 at the stream's end.
    ///
    /// # Errors
    /// The operating system's.
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes as much as the socket takes.
    ///
    /// # Errors
    /// The operating system's.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Has the other end read the end behind what was written; what it writes can still be read.
    ///
    /// # Errors
    /// The operating system's.
    fn end_writing(&mut self) -> io::Result<()>;
}

/// A TCP socket that listens, and never blocks.
pub trait Listener: Send {
    /// What it accepts.
    type Stream: Stream;

    /// The address that it listens on: neither wildcard nor port 0.
    fn local_addr(&self) -> SocketAddr;

    /// Accepts a stream that has come.
    ///
    /// # Errors
    /// The operating system's.
    fn try_accept(&self) -> io::Result<(Self::Stream, SocketAddr)>;
}

/// The streams, and the listeners, of a host that has none.
#[derive(Debug)]
pub enum NoStream {}

impl Stream for NoStream {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        match *self {}
    }

    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn end_writing(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl Listener for NoStream {
    type Stream = Self;

    fn local_addr(&self) -> SocketAddr {
        match *self {}
    }

    fn try_accept(&self) -> io::Result<(Self, SocketAddr)> {
        match *self {}
    }
}

impl Stream for TcpStream {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Self::peer_addr(self)
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        Self::take_error(self)
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&mut &*self).read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&mut &*self).write(bytes)
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// The standard library's listener.
#[derive(Debug)]
pub struct StdListener {
    listener: TcpListener,
    local: SocketAddr,
}

impl StdListener {
    /// Takes a listener and makes it non-blocking.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { local: listener.local_addr()?, listener })
    }
}

impl Listener for StdListener {
    type Stream = TcpStream;

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn try_accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, remote) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok((stream, remote))
    }
}
