//! Datagrams on their way in and out.

use core::fmt;
use core::net::SocketAddr;

/// How datagrams travel between two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP, each datagram framed by a 16-bit length (RFC 4571).
    Tcp,
}

/// A 5-tuple: the way that a datagram takes.
///
/// `local` is the address of a socket that the caller bound (never a wildcard), `remote` the address at the other end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// Our address, as the caller named it.
    pub local: SocketAddr,
    /// The other end's address, as the network shows it.
    pub remote: SocketAddr,
    /// What carries the datagrams.
    pub transport: Transport,
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} -> {}", self.transport, self.local, self.remote)
    }
}

/// Explicit congestion notification, the two low bits of the traffic class (RFC 3168 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecn {
    /// ECN-capable, codepoint 10.
    Ect0,
    /// ECN-capable, codepoint 01.
    Ect1,
    /// Congestion experienced, codepoint 11.
    Ce,
}

/// A datagram that arrived.
///
/// The payload is decrypted in place: afterwards the caller's buffer holds rubbish where it held ciphertext.
#[derive(Debug)]
pub struct Datagram<'d> {
    /// The way it came; `local` is where it arrived.
    pub path: Path,
    /// Its congestion mark, `None` for "not ECN-capable" or "unknown".
    pub ecn: Option<Ecn>,
    /// What it carries.
    pub payload: &'d mut [u8],
}

/// Datagrams to send: the bytes are in the buffer that was handed to `poll_transmit`, this says what to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The way to take; send from the socket bound to `local`.
    pub path: Path,
    /// The congestion mark to set.
    pub ecn: Option<Ecn>,
    /// How many bytes were appended to the buffer.
    pub len: usize,
    /// With `Some(size)` the bytes are several datagrams, each of `size` bytes but the last, which may be shorter:
    /// one call with generic segmentation offload sends them all.
    pub segment_size: Option<usize>,
}

impl Transmit {
    /// How many datagrams it is.
    pub fn datagrams(&self) -> usize {
        self.segment_size.map_or(1, |size| self.len.div_ceil(size))
    }
}
