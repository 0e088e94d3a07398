//! async-io's TCP sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::task::{Context, Poll};

use async_io::Async;
use pavane_drive::{Listener, Readiness, Stream};

/// A TCP stream whose readiness async-io's reactor watches.
#[derive(Debug)]
pub struct SmolStream(Async<TcpStream>);

impl SmolStream {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        Async::new(stream).map(Self)
    }
}

impl Readiness for SmolStream {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_readable(cx).map(drop)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_writable(cx).map(drop)
    }
}

impl Stream for SmolStream {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.get_ref().take_error()
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.get_ref().read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_ref().write(bytes)
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.0.get_ref().shutdown(Shutdown::Write)
    }
}

/// A TCP socket that listens, whose readiness async-io's reactor watches.
#[derive(Debug)]
pub struct SmolListener {
    listener: Async<TcpListener>,
    local: SocketAddr,
}

impl SmolListener {
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        let local = listener.local_addr()?;
        Ok(Self { listener: Async::new(listener)?, local })
    }
}

impl Readiness for SmolListener {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.listener.poll_readable(cx).map(drop)
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Listener for SmolListener {
    type Stream = SmolStream;

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn try_accept(&self) -> io::Result<(SmolStream, SocketAddr)> {
        let (stream, remote) = self.listener.get_ref().accept()?;
        Ok((SmolStream::new(stream)?, remote))
    }
}
