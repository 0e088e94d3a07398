//! The values of MAPPED-ADDRESS and XOR-MAPPED-ADDRESS (RFC 8489 §14.1, §14.2).
//!
//! ```text
//! | 0, 8 bits | family, 8 bits: 1 IPv4, 2 IPv6 | port, 16 bits | address, 32 or 128 bits |
//! ```
//!
//! In the second, port and address are combined with the cookie and the transaction id, so that no NAT mistakes them for
//! something to be rewritten.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use pavane_base::{Reader, Truncated, WriteExt};

use crate::header::{MAGIC_COOKIE, TransactionId};

const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// The bytes that are combined with port and address.
#[derive(Clone, Copy)]
pub(crate) struct Mask([u8; 16]);

impl Mask {
    pub(crate) const NONE: Self = Self([0; 16]);

    pub(crate) fn of(transaction: TransactionId) -> Self {
        let mut mask = [0; 16];
        mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        mask[4..].copy_from_slice(&transaction.0);
        Self(mask)
    }

    fn port(self, port: u16) -> u16 {
        port ^ u16::from_be_bytes([self.0[0], self.0[1]])
    }

    fn bytes<const N: usize>(self, mut bytes: [u8; N]) -> [u8; N] {
        bytes.iter_mut().zip(self.0).for_each(|(byte, mask)| *byte ^= mask);
        bytes
    }
}

pub(crate) fn read(value: &[u8], mask: Mask) -> Option<SocketAddr> {
    let mut reader = Reader::new(value);
    let mut parse = || -> Result<Option<SocketAddr>, Truncated> {
        reader.u8()?;
        let family = reader.u8()?;
        let port = mask.port(reader.u16()?);
        let ip: IpAddr = match family {
            IPV4 => mask.bytes(reader.array::<4>()?).into(),
            IPV6 => mask.bytes(reader.array::<16>()?).into(),
            _ => return Ok(None),
        };
        Ok(Some(SocketAddr::new(ip, port)))
    };
    parse().ok().flatten().filter(|_| reader.is_empty())
}

pub(crate) fn write(out: &mut Vec<u8>, address: SocketAddr, mask: Mask) {
    out.put_u8(0);
    out.put_u8(if address.is_ipv4() { IPV4 } else { IPV6 });
    out.put_u16(mask.port(address.port()));
    match address.ip() {
        IpAddr::V4(ip) => out.put(&mask.bytes(ip.octets())),
        IpAddr::V6(ip) => out.put(&mask.bytes(ip.octets())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back() {
        for text in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853", "0.0.0.0:0"] {
            let address: SocketAddr = text.parse().unwrap();
            for mask in [Mask::NONE, Mask::of(TransactionId([7; 12]))] {
                let mut out = Vec::new();
                write(&mut out, address, mask);
                assert_eq!(read(&out, mask), Some(address));
                assert!((0..out.len()).all(|len| read(&out[..len], mask).is_none()));
            }
        }
    }
}
