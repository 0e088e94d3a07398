//! tokio's socket and timer.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use pavane::Transmit;
use pavane_drive::{BatchedIo, Readiness, ReceiveMeta, Socket};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::{Instant, Sleep};

/// A socket whose readiness tokio watches.
#[derive(Debug)]
pub struct TokioSocket {
    socket: UdpSocket,
    io: BatchedIo,
    local: SocketAddr,
}

impl TokioSocket {
    pub(crate) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        Ok(Self {
            local: socket.local_addr()?,
            io: BatchedIo::new(&socket)?,
            socket: UdpSocket::from_std(socket)?,
        })
    }

    /// tokio's socket.
    pub const fn get_ref(&self) -> &UdpSocket {
        &self.socket
    }
}

impl Readiness for TokioSocket {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_recv_ready(cx).map(drop)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_send_ready(cx).map(drop)
    }
}

impl Socket for TokioSocket {
    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn max_segments(&self) -> usize {
        self.io.max_segments()
    }

    fn max_receives(&self) -> usize {
        BatchedIo::MAX_RECEIVES
    }

    fn try_send(&self, transmit: &Transmit, contents: &[u8]) -> io::Result<()> {
        self.socket.try_io(Interest::WRITABLE, || self.io.send(&self.socket, transmit, contents))
    }

    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize> {
        let given = buffers.len().min(self.max_receives());
        let count =
            self.socket.try_io(Interest::READABLE, || self.io.receive(&self.socket, buffers, meta))?;
        if count < given {
            // tokio takes the socket for readable until a call says that it would block. Whatever came meanwhile is news to it.
            let empty: io::Result<()> =
                self.socket.try_io(Interest::READABLE, || Err(io::ErrorKind::WouldBlock.into()));
            debug_assert!(empty.is_err());
        }
        Ok(count)
    }
}

/// A timer of tokio's, which exists from the first wait on.
#[derive(Debug, Default)]
pub struct TokioTimer(Option<Pin<Box<Sleep>>>);

impl pavane_drive::Timer for TokioTimer {
    fn poll_until(&mut self, cx: &mut Context<'_>, at: std::time::Instant) -> Poll<()> {
        let at = Instant::from_std(at);
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
