//! H.264 (RFC 6184): single units, STAP-A and FU-A, which are packetization modes 0 and 1.
//!
//! ```text
//!  F NRI Type             a unit: 1 to 23
//!  F NRI 24  (len16 unit)*           several of them
//!  F NRI 28  S E R Type  part        a part of one
//! ```

use super::bytes::Prefix;
use super::descriptor::{Begins, Malformed};
use super::nal::{Carried, Header, Syntax};

const IDR: u8 = 5;
const PARAMETER_SET: u8 = 7;
const DELIMITER: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// The bits of a header beside the type.
const FLAGS: u8 = 0xe0;
const IMPORTANCE: u8 = 0x60;

/// H.264's units.
#[derive(Clone, Copy, Debug)]
pub(super) enum H264 {}

impl Syntax for H264 {
    const HEADER_LEN: usize = 1;
    const FRAGMENT_PREFIX_LEN: usize = 2;

    fn kind(unit: &[u8]) -> u8 {
        unit.first().map_or(0, |first| first & !FLAGS)
    }

    fn is_plain(kind: u8) -> bool {
        (1..STAP_A).contains(&kind)
    }

    fn is_key(kind: u8) -> bool {
        kind == IDR
    }

    fn begins(kind: u8) -> Begins {
        match kind {
            // What comes first in a frame that has it. A slice would do as well, but then parameter sets may be missing.
            PARAMETER_SET | DELIMITER => Begins::Yes,
            _ => Begins::Perhaps,
        }
    }

    fn read(payload: &[u8]) -> Result<Carried<'_>, Malformed> {
        match payload {
            [first, rest @ ..] if first & !FLAGS == STAP_A => Ok(Carried::Units(rest)),
            [indicator, header, body @ ..] if indicator & !FLAGS == FU_A => {
                let kind = header & !FLAGS;
                if body.is_empty() || !Self::is_plain(kind) {
                    return Err(Malformed);
                }
                let (first, last) = (header & 0x80 != 0, header & 0x40 != 0);
                Ok(Carried::Fragment { first, last, header: [indicator & FLAGS | kind, 0], body })
            }
            // Deviation: RFC 6184 §5.2 has STAP-B, MTAP and FU-B too; they belong to interleaved mode, which WebRTC has not.
            _ => Ok(Carried::Unit(payload)),
        }
    }

    fn join(joined: Option<Header>, unit: &[u8]) -> Header {
        let [first, ..] = unit else { return joined.unwrap_or_default() };
        let before = joined.map_or(STAP_A, |[before, _]| before);
        // RFC 6184 §5.7: as damaged as any of them, as important as the most important one.
        let damaged = (before | first) & 0x80;
        let importance = (before & IMPORTANCE).max(first & IMPORTANCE);
        [damaged | importance | STAP_A, 0]
    }

    fn fragment_prefix(unit: &[u8], first: bool, last: bool) -> Prefix {
        let header = unit.first().copied().unwrap_or_default();
        let ends = u8::from(first) << 7 | u8::from(last) << 6;
        Prefix::default().with(&[header & FLAGS | FU_A, ends | header & !FLAGS])
    }
}
