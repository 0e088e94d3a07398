//! What a driver needs of a UDP socket.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use pavane::{Ecn, Transmit};

use crate::{BatchedIo, Host, StdListener};

/// A UDP socket that never blocks, bound to one address.
///
/// An operation that would have to wait returns [`io::ErrorKind::WouldBlock`]; the adapter then learns from its runtime
/// when to try again. Any other error concerns that one operation: it is counted, and the socket is used again.
pub trait Socket: Send {
    /// The address that the socket is bound to: neither wildcard nor port 0.
    fn local_addr(&self) -> SocketAddr;

    /// How many datagrams one call of [`try_send`](Self::try_send) takes at most; it may change.
    fn max_segments(&self) -> usize {
        1
    }

    /// Sends `contents`: one datagram, or several of `segment_size` bytes, the last of which may be shorter.
    ///
    /// A socket that says 1 to [`max_segments`](Self::max_segments) is never given several.
    ///
    /// # Errors
    /// The operating system's; nothing has been sent then.
    fn try_send(&self, transmit: &Transmit, contents: &[u8]) -> io::Result<()>;

    /// How many buffers one call of [`try_recv`](Self::try_recv) fills at most. One that fills fewer, though it was given more,
    /// has left nothing to be received; a socket for which that does not hold says 1.
    fn max_receives(&self) -> usize {
        1
    }

    /// Receives into `buffers` and describes the first of them in `meta`; returns how many were filled.
    ///
    /// # Errors
    /// The operating system's; nothing has been received then.
    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize>;
}

/// What came into one buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveMeta {
    /// Who sent it.
    pub source: SocketAddr,
    /// How many bytes came.
    pub len: usize,
    /// The bytes are several datagrams of this size (the last may be shorter) if `len` is more than this.
    pub stride: usize,
    /// The congestion mark.
    pub ecn: Option<Ecn>,
}

impl Default for ReceiveMeta {
    fn default() -> Self {
        Self { source: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), len: 0, stride: 0, ecn: None }
    }
}

/// The standard library's socket, with batches where the system has them.
#[derive(Debug)]
pub struct StdSocket {
    socket: UdpSocket,
    io: BatchedIo,
    local: SocketAddr,
}

/// The standard library's sockets, for loops that ask them again and again.
#[derive(Debug)]
pub enum Std {}

impl Host for Std {
    type Socket = StdSocket;
    type Stream = TcpStream;
    type Listener = StdListener;

    fn socket(socket: UdpSocket) -> io::Result<StdSocket> {
        StdSocket::new(socket)
    }

    fn stream(stream: TcpStream) -> io::Result<TcpStream> {
        Ok(stream)
    }

    fn listener(listener: TcpListener) -> io::Result<StdListener> {
        StdListener::new(listener)
    }
}

impl StdSocket {
    /// Takes a bound socket and makes it non-blocking.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new(socket: UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { io: BatchedIo::new(&socket)?, local: socket.local_addr()?, socket })
    }

    /// The socket, for registering it where readiness is watched.
    pub const fn get_ref(&self) -> &UdpSocket {
        &self.socket
    }
}

impl Socket for StdSocket {
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
        self.io.send(&self.socket, transmit, contents)
    }

    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize> {
        self.io.receive(&self.socket, buffers, meta)
    }
}
