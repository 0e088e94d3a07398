//! mio's socket.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;

use mio::event::Source;
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use pavane::Transmit;
use pavane_drive::{BatchedIo, ReceiveMeta, Socket};

/// A socket that a [`mio::Poll`] watches.
#[derive(Debug)]
pub struct MioSocket {
    socket: UdpSocket,
    io: BatchedIo,
    local: SocketAddr,
}

impl MioSocket {
    pub(crate) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        Ok(Self {
            local: socket.local_addr()?,
            io: BatchedIo::new(&socket)?,
            socket: UdpSocket::from_std(socket),
        })
    }
}

impl Socket for MioSocket {
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
        self.socket.try_io(|| self.io.send(&self.socket, transmit, contents))
    }

    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize> {
        self.socket.try_io(|| self.io.receive(&self.socket, buffers, meta))
    }
}

impl Source for MioSocket {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.socket.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.socket.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.socket.deregister(registry)
    }
}
