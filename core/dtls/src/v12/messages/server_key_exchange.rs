//! ServerKeyExchange of ECDHE (RFC 8422 §5.4).
//!
//! ```text
//! | curve_type 1 | named_curve 2 | public_key <1..255> | scheme 2 | signature <0..2^16-1> |
//! ```

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use super::Signed;
use crate::messages::Random;

/// The one curve type that is left, named_curve.
const NAMED_CURVE: u8 = 3;

/// The server's ephemeral public key with its group: what the signature covers, together with the randoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyShare<'a> {
    pub(crate) group: u16,
    pub(crate) public_key: &'a [u8],
}

/// The server's key share, signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerKeyExchange<'a> {
    pub(crate) share: KeyShare<'a>,
    pub(crate) signed: Signed<'a>,
}

impl KeyShare<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(NAMED_CURVE);
        out.put_u16(self.group);
        out.put_prefixed(LengthPrefix::U8, |out| out.put(self.public_key));
    }

    /// What the server signs: both randoms and the share.
    pub(crate) fn to_be_signed(self, client_random: &Random, server_random: &Random) -> Vec<u8> {
        let mut out = Vec::new();
        out.put(client_random);
        out.put(server_random);
        self.encode(&mut out);
        out
    }
}

impl<'a> ServerKeyExchange<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Truncated> {
        let mut r = Reader::new(body);
        if r.u8()? != NAMED_CURVE {
            return Err(Truncated);
        }
        let share = KeyShare { group: r.u16()?, public_key: r.prefixed_u8()? };
        Ok(Self { share, signed: Signed::parse(&mut r)? })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.share.encode(&mut out);
        self.signed.encode(&mut out);
        out
    }
}
