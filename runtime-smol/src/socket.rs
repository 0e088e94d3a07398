//! async-io's socket and timer.

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_io::{Async, Timer};
use pavane::Transmit;
use pavane_drive::{BatchedIo, Readiness, ReceiveMeta, Socket};

/// A socket whose readiness async-io's reactor watches.
#[derive(Debug)]
pub struct SmolSocket {
    socket: Async<UdpSocket>,
    io: BatchedIo,
    local: SocketAddr,
}

impl SmolSocket {
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        Ok(Self { local: socket.local_addr()?, io: BatchedIo::new(&socket)?, socket: Async::new(socket)? })
    }
}

impl Readiness for SmolSocket {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_readable(cx).map(drop)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_writable(cx).map(drop)
    }
}

impl Socket for SmolSocket {
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
        self.io.send(self.socket.get_ref(), transmit, contents)
    }

    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize> {
        self.io.receive(self.socket.get_ref(), buffers, meta)
    }
}

/// A timer of async-io's.
#[derive(Debug)]
pub struct SmolTimer {
    timer: Timer,
    at: Option<Instant>,
}

impl Default for SmolTimer {
    fn default() -> Self {
        Self { timer: Timer::never(), at: None }
    }
}

impl pavane_drive::Timer for SmolTimer {
    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        if self.at != Some(at) {
            self.timer.set_at(at);
            self.at = Some(at);
        }
        match Pin::new(&mut self.timer).poll(cx) {
            Poll::Ready(_) => {
                self.at = None;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
