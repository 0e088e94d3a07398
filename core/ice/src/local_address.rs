//! What the caller has bound.

use core::net::SocketAddr;

use pavane_base::Transport;

/// The address of a UDP socket that the caller bound, or of a TCP socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalAddress {
    /// The address; no wildcard.
    pub address: SocketAddr,
    /// What it is bound for.
    pub transport: Transport,
}

impl LocalAddress {
    /// A UDP socket.
    pub const fn udp(address: SocketAddr) -> Self {
        Self { address, transport: Transport::Udp }
    }

    /// A TCP socket that listens: a passive candidate (RFC 6544 §4.5). What is accepted on it comes in as datagrams whose
    /// path has this address and transport, framed by RFC 4571.
    pub const fn tcp_listener(address: SocketAddr) -> Self {
        Self { address, transport: Transport::Tcp }
    }
}

impl From<SocketAddr> for LocalAddress {
    fn from(address: SocketAddr) -> Self {
        Self::udp(address)
    }
}
