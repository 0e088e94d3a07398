//! The machine's addresses.

use std::io;
use std::net::IpAddr;

use if_addrs::{IfOperStatus, Interface};

/// The addresses of the interfaces that are up. Link-local ones are left out: of IPv6's a peer cannot know the scope, and
/// IPv4's mean that there is no network.
pub(crate) fn addresses(include_loopback: bool) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .iter()
        .filter(|interface| is_up(interface) && !interface.is_link_local())
        .filter(|interface| include_loopback || !interface.is_loopback())
        .map(Interface::ip)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

fn is_up(interface: &Interface) -> bool {
    matches!(interface.oper_status, IfOperStatus::Up | IfOperStatus::Unknown)
}
