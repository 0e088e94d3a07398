//! The machine's addresses.

use std::io;
use std::net::IpAddr;

use if_addrs::{IfAddr, IfOperStatus};

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) address: IpAddr,
    /// How many bits all on its link have in common.
    pub(crate) prefix_len: u8,
    /// The operating system's number of the interface; 0 where it has none.
    pub(crate) index: u32,
}

/// The addresses of the interfaces that are up. Link-local ones are left out: of IPv6's a peer cannot know the scope, and
/// IPv4's mean that there is no network.
pub(crate) fn addresses(include_loopback: bool) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .iter()
        .filter(|interface| is_up(interface) && !interface.is_link_local())
        .filter(|interface| include_loopback || !interface.is_loopback())
        .map(if_addrs::Interface::ip)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// The interfaces that have these addresses, one for each.
pub(crate) fn of(addresses: &[IpAddr]) -> io::Result<Vec<Interface>> {
    let mut found: Vec<Interface> = Vec::new();
    for interface in if_addrs::get_if_addrs()? {
        let address = interface.ip();
        if addresses.contains(&address) && !found.iter().any(|known| known.address == address) {
            let prefix_len = match &interface.addr {
                IfAddr::V4(v4) => v4.prefixlen,
                IfAddr::V6(v6) => v6.prefixlen,
            };
            found.push(Interface { address, prefix_len, index: interface.index.unwrap_or(0) });
        }
    }
    Ok(found)
}

fn is_up(interface: &if_addrs::Interface) -> bool {
    matches!(interface.oper_status, IfOperStatus::Up | IfOperStatus::Unknown)
}
