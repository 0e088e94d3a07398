//! STUN messages and the attributes that ICE uses (RFC 8489, RFC 8445 §16).
//!
//! [`Message`] is a view of bytes that have been checked; [`Builder`] writes a message behind what a buffer holds. Neither
//! copies, and both know the short-term credential mechanism: HMAC-SHA1 over the message and a CRC at its end.
//! [`LongTerm`] is the long-term mechanism, with which relays know their users.
//! [`Retransmission`] says when a request is to be sent again, and when it has failed.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod address;
mod attribute;
mod builder;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod header;
mod long_term;
mod message;
mod retransmission;

pub use attribute::{AttributeType, ErrorCode};
pub use builder::Builder;
pub use header::{Class, Method, TransactionId};
pub use long_term::{ChallengeError, LongTerm, LongTermCredentials, PasswordAlgorithm, userhash};
pub use message::{Attributes, Message, ParseError};
pub use retransmission::{Due, Retransmission};
