//! Names that the operating system is to be asked for.

use std::net::{IpAddr, ToSocketAddrs};

use pavane::ActionId;
use pavane::base::Key;

/// The number of a lookup, with which its addresses are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupId {
    /// Which of those that are driven together asked.
    pub(crate) peer: Option<Key>,
    pub(crate) action: ActionId,
}

/// Asks the operating system for a name's addresses, and blocks until it answers; none if it has none.
pub fn look_up(name: &str) -> Vec<IpAddr> {
    let addresses = (name, 0).to_socket_addrs();
    addresses.map(|addresses| addresses.map(|address| address.ip()).collect()).unwrap_or_default()
}
