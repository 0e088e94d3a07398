//! As much of multicast DNS (RFC 6762) as candidates that hide behind names need
//! (draft-ietf-mmusic-mdns-ice-candidates): asking for the address of another's name, and answering for names of our own.
//!
//! A [`Resolver`] asks for names and hears what is answered; a [`Responder`] announces names of one link and answers for
//! them. Neither has a socket: messages come in as slices with the address that they came from, and go out through
//! `poll_transmit`, to the groups of [`GROUP_V4`] or [`GROUP_V6`] unless they say otherwise. A caller with several links
//! gives the resolver what comes from any of them, and sends its questions to all.
//!
//! ```
//! use std::net::IpAddr;
//!
//! use pavane_base::Instant;
//! use pavane_mdns::{Link, Resolver, Responder};
//!
//! let address: IpAddr = "192.0.2.1".parse()?;
//! let mut responder = Responder::new(Link::new(address, 24));
//! let name = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
//! responder.register(Instant::ZERO, name)?;
//!
//! let mut resolver = Resolver::new();
//! resolver.resolve(Instant::ZERO, name)?;
//! let (mut question, mut answer) = (Vec::new(), Vec::new());
//! assert!(resolver.poll_transmit(Instant::ZERO, &mut question));
//! responder.handle_message(Instant::ZERO, "192.0.2.2:5353".parse()?, &question);
//! while responder.poll_transmit(Instant::ZERO, &mut answer).is_some() {
//!     resolver.handle_message(&answer);
//!     answer.clear();
//! }
//! assert_eq!(resolver.poll_resolution(), Some((name.into(), Some(address))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod limiter;
mod link;
mod message;
mod name;
mod random_name;
mod resolver;
mod responder;

use core::net::{Ipv4Addr, Ipv6Addr};

pub use link::Link;
pub use random_name::{hides_an_address, random_name};
pub use resolver::{ResolveError, Resolver};
pub use responder::{Destination, RegisterError, Responder};

/// The port of multicast DNS.
pub const PORT: u16 = 5353;

/// The group that IPv4's messages go to.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// The group that IPv6's messages go to, on each link for itself.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// The longest message that is read: what fits an Ethernet frame of the largest kind (RFC 6762 §17).
pub const MAX_MESSAGE_SIZE: usize = 9000;
