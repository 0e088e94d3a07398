//! mio's TCP sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::event::Source;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use pavane_drive::{Listener, Stream};

/// A TCP stream that a [`mio::Poll`] watches.
#[derive(Debug)]
pub struct MioStream(TcpStream);

impl MioStream {
    pub(crate) fn new(stream: std::net::TcpStream) -> Self {
        Self(TcpStream::from_std(stream))
    }
}

impl Stream for MioStream {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}

impl Source for MioStream {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.0.deregister(registry)
    }
}

/// A TCP socket that listens, and that a [`mio::Poll`] watches.
#[derive(Debug)]
pub struct MioListener {
    listener: TcpListener,
    local: SocketAddr,
}

impl MioListener {
    pub(crate) fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        Ok(Self { local: listener.local_addr()?, listener: TcpListener::from_std(listener) })
    }
}

impl Listener for MioListener {
    type Stream = MioStream;

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn try_accept(&self) -> io::Result<(MioStream, SocketAddr)> {
        let (stream, remote) = self.listener.accept()?;
        Ok((MioStream(stream), remote))
    }
}

impl Source for MioListener {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.listener.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.listener.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.listener.deregister(registry)
    }
}
