//! tokio's TCP sockets.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use pavane_drive::{Listener, Readiness, Stream};
use tokio::io::AsyncWrite;
use tokio::net::{TcpListener, TcpStream};

/// A TCP stream whose readiness tokio watches.
#[derive(Debug)]
pub struct TokioStream(TcpStream);

impl TokioStream {
    pub(crate) fn new(stream: std::net::TcpStream) -> io::Result<Self> {
        TcpStream::from_std(stream).map(Self)
    }
}

impl Readiness for TokioStream {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_read_ready(cx).map(drop)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_write_ready(cx).map(drop)
    }
}

impl Stream for TokioStream {
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
        self.0.try_read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn end_writing(&mut self) -> io::Result<()> {
        // It never has to wait.
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.0).poll_shutdown(&mut cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }
}

/// A TCP socket that listens. tokio tells of a stream by accepting it, and here it waits until it is asked for.
#[derive(Debug)]
pub struct TokioListener {
    listener: TcpListener,
    local: SocketAddr,
    accepted: Mutex<Option<(TcpStream, SocketAddr)>>,
}

impl TokioListener {
    pub(crate) fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        let local = listener.local_addr()?;
        Ok(Self { listener: TcpListener::from_std(listener)?, local, accepted: Mutex::new(None) })
    }
}

impl Readiness for TokioListener {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        if accepted.is_some() {
            return Poll::Ready(());
        }
        self.listener.poll_accept(cx).map(|result| *accepted = result.ok())
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Listener for TokioListener {
    type Stream = TokioStream;

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn try_accept(&self) -> io::Result<(TokioStream, SocketAddr)> {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (stream, remote) = accepted.ok_or(io::ErrorKind::WouldBlock)?;
        Ok((TokioStream(stream), remote))
    }
}
