//! quinn-udp's batches, segmentation offload and congestion marks, over any kind of socket.

use std::io::{self, IoSliceMut};

use pavane::{Ecn, Transmit};
use quinn_udp::{EcnCodepoint, RecvMeta, UdpSockRef, UdpSocketState};

use crate::ReceiveMeta;

/// What a socket can do in one call of the operating system; it falls back by itself where the kernel refuses.
///
/// Adapters keep one beside each socket, and wrap its two calls in whatever their runtime needs to know of readiness.
#[derive(Debug)]
pub struct BatchedIo {
    state: UdpSocketState,
}

/// What the system is asked to buffer each way: 16 ms at a gigabit a second, the time that a busy task may take to come
/// back. A system that allows less gives less.
const SYSTEM_BUFFER: usize = 2 * 1024 * 1024;

/// The most that one call receives.
const BATCH: usize = 32;

impl BatchedIo {
    /// Makes the socket non-blocking, finds out what it can do, and asks for buffers.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new<'s>(socket: impl Into<UdpSockRef<'s>> + Copy) -> io::Result<Self> {
        let state = UdpSocketState::new(socket.into())?;
        let _ = state.set_send_buffer_size(socket.into(), SYSTEM_BUFFER);
        let _ = state.set_recv_buffer_size(socket.into(), SYSTEM_BUFFER);
        Ok(Self { state })
    }

    /// How many buffers one call of [`receive`](Self::receive) fills at most, for
    /// [`Socket::max_receives`](crate::Socket::max_receives).
    pub const MAX_RECEIVES: usize = if BATCH < quinn_udp::BATCH_SIZE { BATCH } else { quinn_udp::BATCH_SIZE };

    /// How many datagrams one call of [`send`](Self::send) takes at most.
    pub fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Does what [`Socket::try_send`](crate::Socket::try_send) asks for.
    ///
    /// # Errors
    /// The operating system's; nothing has been sent then.
    pub fn send<'s>(
        &self,
        socket: impl Into<UdpSockRef<'s>>,
        transmit: &Transmit,
        contents: &[u8],
    ) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: transmit.path.remote,
            ecn: transmit.ecn.map(to_codepoint),
            contents,
            segment_size: transmit.segment_size,
            src_ip: None,
        };
        self.state.try_send(socket.into(), &transmit)
    }

    /// Does what [`Socket::try_recv`](crate::Socket::try_recv) asks for.
    ///
    /// # Errors
    /// The operating system's; nothing has been received then.
    pub fn receive<'s>(
        &self,
        socket: impl Into<UdpSockRef<'s>>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [ReceiveMeta],
    ) -> io::Result<usize> {
        let batch = buffers.len().min(meta.len()).min(BATCH);
        let mut received = [RecvMeta::default(); BATCH];
        let count = self.state.recv(socket.into(), &mut buffers[..batch], &mut received[..batch])?;
        for (meta, received) in meta.iter_mut().zip(&received[..count]) {
            *meta = ReceiveMeta {
                source: received.addr,
                len: received.len,
                stride: received.stride,
                ecn: received.ecn.map(from_codepoint),
            };
        }
        Ok(count)
    }
}

const fn to_codepoint(ecn: Ecn) -> EcnCodepoint {
    match ecn {
        Ecn::Ect0 => EcnCodepoint::Ect0,
        Ecn::Ect1 => EcnCodepoint::Ect1,
        Ecn::Ce => EcnCodepoint::Ce,
    }
}

const fn from_codepoint(codepoint: EcnCodepoint) -> Ecn {
    match codepoint {
        EcnCodepoint::Ect0 => Ecn::Ect0,
        EcnCodepoint::Ect1 => Ecn::Ect1,
        EcnCodepoint::Ce => Ecn::Ce,
    }
}
