//! tokio's socket, with quinn-udp's batches, segmentation offload and congestion marks.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use pavane::{Ecn, Transmit};
use pavane_drive::{ReceiveMeta, Socket};
use quinn_udp::{EcnCodepoint, RecvMeta, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

#[derive(Debug)]
pub(crate) struct TokioSocket {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

/// What the system is asked to buffer each way: 16 ms at a gigabit a second, the time that a busy task may take to come
/// back. A system that allows less gives less.
const SYSTEM_BUFFER: usize = 2 * 1024 * 1024;

/// The most that one call receives.
const BATCH: usize = 8;

impl TokioSocket {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(address)?;
        let state = UdpSocketState::new((&socket).into())?;
        let _ = state.set_send_buffer_size((&socket).into(), SYSTEM_BUFFER);
        let _ = state.set_recv_buffer_size((&socket).into(), SYSTEM_BUFFER);
        Ok(Self { local: socket.local_addr()?, io: UdpSocket::from_std(socket)?, state })
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_recv_ready(cx).map(drop)
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_send_ready(cx).map(drop)
    }
}

impl Socket for TokioSocket {
    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn try_send(&self, transmit: &Transmit, contents: &[u8]) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: transmit.path.remote,
            ecn: transmit.ecn.map(to_codepoint),
            contents,
            segment_size: transmit.segment_size,
            src_ip: None,
        };
        self.io.try_io(Interest::WRITABLE, || self.state.try_send((&self.io).into(), &transmit))
    }

    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize> {
        let batch = buffers.len().min(meta.len()).min(BATCH);
        let mut received = [RecvMeta::default(); BATCH];
        let count = self.io.try_io(Interest::READABLE, || {
            self.state.recv((&self.io).into(), &mut buffers[..batch], &mut received[..batch])
        })?;
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
