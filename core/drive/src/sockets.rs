//! A socket in use, and the memory that datagrams pass through.

use std::io::{self, IoSliceMut};
use std::mem;
use std::net::SocketAddr;

use pavane::Transmit;

use crate::{ReceiveMeta, Socket};

/// A socket, and what is known of it.
#[derive(Debug)]
pub(crate) struct Slot<S> {
    pub(crate) socket: S,
    pub(crate) address: SocketAddr,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) purpose: Purpose,
    errors_in_a_row: u32,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Connections: its address is a candidate.
    Connections,
    /// Multicast DNS.
    Multicast,
}

/// A socket that fails this often in a row, without anything received between, is given up.
const MAX_ERRORS_IN_A_ROW: u32 = 64;

/// What a receive came to.
pub(crate) enum Receipt {
    /// So many buffers were filled.
    Filled(usize),
    /// There is nothing to receive.
    Nothing,
    /// The operating system refused, and so often that the socket is given up if it is `lost`.
    Refused { lost: bool },
}

/// What a socket would not take yet: the rest of what was built, from `start` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsent {
    pub(crate) socket: usize,
    pub(crate) start: usize,
    pub(crate) transmit: Transmit,
}

impl<S: Socket> Slot<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self {
            address: socket.local_addr(),
            socket,
            readable: true,
            writable: true,
            purpose: Purpose::Connections,
            errors_in_a_row: 0,
        }
    }

    /// One for multicast DNS. It comes to be in the middle of a turn, when the turn's receiving is over: whether there is
    /// something to read is for those to say who watch it.
    pub(crate) fn of_multicast(socket: S) -> Self {
        Self { purpose: Purpose::Multicast, readable: false, ..Self::new(socket) }
    }

    /// Receives once.
    pub(crate) fn receive<const N: usize>(&mut self, buffers: &mut Buffers<N>) -> Receipt {
        match buffers.receive(&self.socket) {
            Ok(count) => {
                self.errors_in_a_row = 0;
                // To ask again would be to hear that there is nothing: a call of the system for each single datagram.
                self.readable &= count >= self.socket.max_receives().min(N);
                Receipt::Filled(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Receipt::Nothing
            }
            // Some systems tell here that a datagram to somebody was refused: news of one address, not of the socket.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
                ) =>
            {
                Receipt::Refused { lost: false }
            }
            Err(_) => {
                self.errors_in_a_row += 1;
                self.readable &= !self.is_lost();
                Receipt::Refused { lost: self.is_lost() }
            }
        }
    }

    /// Sends a batch in one call, or datagram by datagram if it is refused as a batch; returns how many errors there were.
    ///
    /// What a socket that is busy did not take stays in `unsent`; else nothing does.
    pub(crate) fn send(&mut self, unsent: &mut Unsent, built: &[u8]) -> u64 {
        let mut whole = self.socket.max_segments() > 1;
        let mut errors = 0;
        while unsent.transmit.len > 0 {
            let transmit = if whole { unsent.transmit } else { first_datagram(&unsent.transmit) };
            let contents = &built[unsent.start..unsent.start + transmit.len];
            match self.socket.try_send(&transmit, contents) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writable = false;
                    break;
                }
                Err(_) if whole && is_several(&transmit) => whole = false,
                result => {
                    errors += u64::from(result.is_err());
                    unsent.start += transmit.len;
                    unsent.transmit.len -= transmit.len;
                }
            }
        }
        errors
    }
}

impl<S> Slot<S> {
    pub(crate) const fn is_lost(&self) -> bool {
        self.errors_in_a_row >= MAX_ERRORS_IN_A_ROW
    }
}

fn is_several(transmit: &Transmit) -> bool {
    transmit.segment_size.is_some_and(|size| size < transmit.len)
}

fn first_datagram(transmit: &Transmit) -> Transmit {
    let len = transmit.segment_size.unwrap_or(transmit.len).min(transmit.len);
    Transmit { len, segment_size: None, ..*transmit }
}

/// The memory that datagrams are received into, for `N` buffers a call. The system gives it as it is touched, so that
/// whoever never receives more than single datagrams uses some pages of it.
#[derive(Debug)]
pub(crate) struct Buffers<const N: usize> {
    bytes: Vec<u8>,
    meta: [ReceiveMeta; N],
}

impl<const N: usize> Buffers<N> {
    /// Bytes per buffer: what one coalesced receive can bring.
    const SIZE: usize = 64 * 1024;

    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; N * Self::SIZE], meta: [ReceiveMeta::default(); N] }
    }

    fn receive(&mut self, socket: &impl Socket) -> io::Result<usize> {
        let mut rest = &mut self.bytes[..];
        let mut slices: [IoSliceMut<'_>; N] = std::array::from_fn(|_| {
            let (buffer, others) = mem::take(&mut rest).split_at_mut(Self::SIZE);
            rest = others;
            IoSliceMut::new(buffer)
        });
        socket.try_recv(&mut slices, &mut self.meta).map(|count| count.min(N))
    }

    /// The datagrams that came, each with whom it came from.
    pub(crate) fn datagrams(&mut self, count: usize) -> impl Iterator<Item = (SocketAddr, &mut [u8])> {
        self.filled(count).flat_map(|(meta, bytes)| {
            bytes.chunks_mut(meta.stride.max(1)).map(move |datagram| (meta.source, datagram))
        })
    }

    pub(crate) fn filled(&mut self, count: usize) -> impl Iterator<Item = (ReceiveMeta, &mut [u8])> {
        let buffers = self.bytes.chunks_exact_mut(Self::SIZE);
        let filled = self.meta.iter().zip(buffers).take(count);
        filled.map(|(meta, buffer)| (*meta, &mut buffer[..meta.len.min(Self::SIZE)]))
    }
}
