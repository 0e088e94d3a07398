//! H.265 (RFC 7798): single units, aggregation packets and fragmentation units.
//!
//! ```text
//!  F Type6 Layer6 TID3                    a unit: 0 to 47
//!  F 48    Layer6 TID3  (len16 unit)*     several of them
//!  F 49    Layer6 TID3  S E Type6  part   a part of one
//! ```

use super::bytes::Prefix;
use super::descriptor::{Begins, Malformed};
use super::nal::{Carried, Header, Syntax};

/// Pictures from which decoding can begin: BLA, IDR, CRA.
const RANDOM_ACCESS: core::ops::RangeInclusive<u8> = 16..=21;
const VIDEO_PARAMETER_SET: u8 = 32;
const DELIMITER: u8 = 35;
const AGGREGATION: u8 = 48;
const FRAGMENTATION: u8 = 49;
/// The bits of the first byte beside the type: damage, and the layer's highest bit.
const FLAGS: u8 = 0x81;

/// H.265's units.
#[derive(Clone, Copy, Debug)]
pub(super) enum H265 {}

const fn kind_of(first: u8) -> u8 {
    (first & !FLAGS) >> 1
}

impl Syntax for H265 {
    const HEADER_LEN: usize = 2;
    const FRAGMENT_PREFIX_LEN: usize = 3;

    fn kind(unit: &[u8]) -> u8 {
        unit.first().map_or(u8::MAX, |first| kind_of(*first))
    }

    fn is_plain(kind: u8) -> bool {
        kind < AGGREGATION
    }

    fn is_key(kind: u8) -> bool {
        RANDOM_ACCESS.contains(&kind)
    }

    fn begins(kind: u8) -> Begins {
        match kind {
            VIDEO_PARAMETER_SET | DELIMITER => Begins::Yes,
            _ => Begins::Perhaps,
        }
    }

    fn read(payload: &[u8]) -> Result<Carried<'_>, Malformed> {
        // Without sprop-max-don-diff no decoding order numbers are there (RFC 7798 §4.4.2).
        match payload {
            [first, _, rest @ ..] if kind_of(*first) == AGGREGATION => Ok(Carried::Units(rest)),
            [flags, second, header, body @ ..] if kind_of(*flags) == FRAGMENTATION => {
                let kind = header & 0x3f;
                if body.is_empty() || !Self::is_plain(kind) {
                    return Err(Malformed);
                }
                let (first, last) = (header & 0x80 != 0, header & 0x40 != 0);
                Ok(Carried::Fragment { first, last, header: [flags & FLAGS | kind << 1, *second], body })
            }
            // Deviation: RFC 7798 §4.4.4 has PACI packets too, which no implementation that we know sends.
            _ => Ok(Carried::Unit(payload)),
        }
    }

    fn join(joined: Option<Header>, unit: &[u8]) -> Header {
        let [first, second, ..] = unit else { return joined.unwrap_or_default() };
        let layer = |header: Header| u16::from_be_bytes(header) & 0x01f8;
        let temporal = |header: Header| header[1] & 0x07;
        let own = [*first, *second];
        let before = joined.unwrap_or(own);
        // RFC 7798 §4.4.2: the lowest layer and the lowest temporal identifier of all.
        let [high, low] = layer(before).min(layer(own)).to_be_bytes();
        let damaged = (before[0] | first) & 0x80;
        [damaged | AGGREGATION << 1 | high, low | temporal(before).min(temporal(own))]
    }

    fn fragment_prefix(unit: &[u8], first: bool, last: bool) -> Prefix {
        let [flags, second, ..] = unit else { return Prefix::default() };
        let ends = u8::from(first) << 7 | u8::from(last) << 6;
        Prefix::default().with(&[flags & FLAGS | FRAGMENTATION << 1, *second, ends | kind_of(*flags)])
    }
}
