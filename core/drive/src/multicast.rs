//! Sockets of multicast DNS, one for each link.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use pavane_mdns::{GROUP_V4, GROUP_V6, Link, PORT};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::interfaces::Interface;

/// A link, and the socket that speaks on it. What comes to it is read through a second descriptor, which the runtime watches.
#[derive(Debug)]
pub(crate) struct LinkSocket {
    interface: Interface,
    socket: UdpSocket,
    joined: bool,
}

/// Messages reach the link and nothing beyond, and show that they come from there (RFC 6762 §11).
const HOPS: u32 = 255;

impl LinkSocket {
    /// Binds the port, which all on the machine who speak multicast DNS share.
    pub(crate) fn bind(interface: Interface) -> io::Result<Self> {
        let any = match interface.address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let any = SocketAddr::new(any, PORT);
        let socket = Socket::new(Domain::for_address(any), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
        socket.set_reuse_port(true)?;
        match interface.address {
            IpAddr::V4(address) => {
                socket.set_multicast_if_v4(&address)?;
                socket.set_multicast_loop_v4(true)?;
                socket.set_multicast_ttl_v4(HOPS)?;
                socket.set_ttl_v4(HOPS)?;
            }
            IpAddr::V6(_) => {
                socket.set_only_v6(true)?;
                socket.set_multicast_if_v6(interface.index)?;
                socket.set_multicast_loop_v6(true)?;
                socket.set_multicast_hops_v6(HOPS)?;
                socket.set_unicast_hops_v6(HOPS)?;
            }
        }
        hear_own_groups_only(&socket, interface.address);
        socket.bind(&any.into())?;
        socket.set_nonblocking(true)?;
        Ok(Self { interface, socket: socket.into(), joined: false })
    }

    /// The socket, to be watched and used.
    pub(crate) fn try_clone(&self) -> io::Result<UdpSocket> {
        self.socket.try_clone()
    }

    pub(crate) const fn link(&self) -> Link {
        Link::new(self.interface.address, self.interface.prefix_len)
    }

    /// Where messages for all on the link go.
    pub(crate) const fn group(&self) -> SocketAddr {
        let group = match self.interface.address {
            IpAddr::V4(_) => IpAddr::V4(GROUP_V4),
            IpAddr::V6(_) => IpAddr::V6(GROUP_V6),
        };
        SocketAddr::new(group, PORT)
    }

    /// Sends a message past the runtime, which learns only in time that a socket that was just opened takes any. What it does
    /// not take is lost, as it might be on the way.
    pub(crate) fn send(&self, to: SocketAddr, message: &[u8]) {
        let _ = self.socket.send_to(message, to);
    }

    /// Has the group's messages come, or not. Where that is refused nothing comes, as on a network without multicast.
    pub(crate) fn set_joined(&mut self, join: bool) {
        if self.joined == join {
            return;
        }
        let (socket, index) = (SockRef::from(&self.socket), self.interface.index);
        let result = match (self.interface.address, join) {
            (IpAddr::V4(address), true) => socket.join_multicast_v4(&GROUP_V4, &address),
            (IpAddr::V4(address), false) => socket.leave_multicast_v4(&GROUP_V4, &address),
            (IpAddr::V6(_), true) => socket.join_multicast_v6(&GROUP_V6, index),
            (IpAddr::V6(_), false) => socket.leave_multicast_v6(&GROUP_V6, index),
        };
        self.joined = if result.is_ok() { join } else { self.joined };
    }
}

/// Linux gives a socket what comes for any group that anybody on the machine has joined, unless it is told not to.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn hear_own_groups_only(socket: &Socket, address: IpAddr) {
    // A kernel that does not know the option has the other links' messages come as well, which the links pass over.
    let _ = match address {
        IpAddr::V4(_) => socket.set_multicast_all_v4(false),
        IpAddr::V6(_) => socket.set_multicast_all_v6(false),
    };
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn hear_own_groups_only(_: &Socket, _: IpAddr) {}
