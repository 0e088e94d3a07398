//! The 20 bytes that every message begins with (RFC 8489 §5).
//!
//! ```text
//! |0 0|  type, 14 bits  |  length, 16 bits  |  cookie, 32 bits  |  transaction id, 96 bits  |
//! ```

use core::fmt;

use pavane_base::rand_core::CryptoRng;
use pavane_base::random_array;

pub(crate) const HEADER_LEN: usize = 20;
pub(crate) const MAGIC_COOKIE: u32 = 0x2112_a442;

/// What a message is in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It asks.
    Request,
    /// It tells, and wants no answer.
    Indication,
    /// It answers well.
    Success,
    /// It answers with an error.
    Error,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method(pub u16);

impl Method {
    /// Binding: what address do you see?
    pub const BINDING: Self = Self(1);
    /// Allocate: let me have an address on a relay (RFC 8656 §17).
    pub const ALLOCATE: Self = Self(3);
    /// Refresh: let me keep it.
    pub const REFRESH: Self = Self(4);
    /// Send: a datagram for a peer.
    pub const SEND: Self = Self(6);
    /// Data: a datagram of a peer.
    pub const DATA: Self = Self(7);
    /// CreatePermission: let this peer reach me.
    pub const CREATE_PERMISSION: Self = Self(8);
    /// ChannelBind: let a number stand for this peer.
    pub const CHANNEL_BIND: Self = Self(9);
}

/// What joins a response to its request: 96 bits that nobody can guess.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId(pub [u8; 12]);

impl TransactionId {
    /// Draws a transaction's number.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        Self(random_array(rng))
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The type's bits are method and class interleaved: `M11..M7 C1 M6..M4 C0 M3..M0`.
pub(crate) const fn message_type(class: Class, method: Method) -> u16 {
    let class = match class {
        Class::Request => 0,
        Class::Indication => 0x010,
        Class::Success => 0x100,
        Class::Error => 0x110,
    };
    let m = method.0;
    class | (m & 0xf80) << 2 | (m & 0x070) << 1 | (m & 0x00f)
}

pub(crate) const fn split_type(value: u16) -> (Class, Method) {
    let class = match value & 0x110 {
        0 => Class::Request,
        0x010 => Class::Indication,
        0x100 => Class::Success,
        _ => Class::Error,
    };
    (class, Method((value >> 2 & 0xf80) | (value >> 1 & 0x070) | (value & 0x00f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_apart_as_it_was_put_together() {
        for method in 0..0x1000 {
            for class in [Class::Request, Class::Indication, Class::Success, Class::Error] {
                let value = message_type(class, Method(method));
                assert!(value < 0x4000);
                assert_eq!(split_type(value), (class, Method(method)));
            }
        }
        assert_eq!(message_type(Class::Success, Method::BINDING), 0x0101);
        assert_eq!(message_type(Class::Error, Method::BINDING), 0x0111);
    }
}
