//! What H.264 and H.265 have in common: network abstraction layer units, alone, several in a packet, or in fragments.
//!
//! Frames go in and come out as byte streams with start codes (Annex B of both).

mod assembly;
mod parts;
mod split;

use bytes::Bytes;

use super::bytes::Prefix;
use super::descriptor::{Begins, Malformed};
use super::packetizer::PacketizeError;

pub(super) use assembly::{Assembly, describe};
pub(super) use parts::Parts;
use split::Units;

/// What is put before each unit of a byte stream.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// How one of the two writes its units.
pub(super) trait Syntax {
    /// How many bytes a unit's header has.
    const HEADER_LEN: usize;

    /// A unit's type.
    fn kind(unit: &[u8]) -> u8;
    /// Whether a unit of this type goes into packets as it is: the other types are the payload format's.
    fn is_plain(kind: u8) -> bool;
    /// Whether a unit of this type makes a frame a key frame.
    fn is_key(kind: u8) -> bool;
    /// What a unit of this type says of where a frame begins.
    fn begins(kind: u8) -> Begins;
    /// Reads a payload.
    fn read(payload: &[u8]) -> Result<Carried<'_>, Malformed>;
    /// The header of a packet with several units, as far as one of them goes into it; `joined` is that of those before.
    fn join(joined: Option<Header>, unit: &[u8]) -> Header;
    /// What goes before a fragment, in the place of the unit's header.
    fn fragment_prefix(unit: &[u8], first: bool, last: bool) -> Prefix;
    /// How long that is.
    const FRAGMENT_PREFIX_LEN: usize;
}

/// A unit's header; that of H.264 is the first byte.
pub(super) type Header = [u8; 2];

/// What a payload carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carried<'a> {
    /// A unit.
    Unit(&'a [u8]),
    /// Units, each behind its length in two bytes.
    Units(&'a [u8]),
    /// A part of a unit.
    Fragment {
        /// Whether it is the first.
        first: bool,
        /// Whether it is the last.
        last: bool,
        /// The unit's header.
        header: Header,
        /// The part of the unit behind its header.
        body: &'a [u8],
    },
}

/// Whether larger units than fit may be divided, and small ones joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dividing {
    Allowed,
    Forbidden,
}

/// Checks that a frame can go into packets of at most `max_len` bytes.
pub(super) fn check<S: Syntax>(
    frame: &Bytes,
    max_len: usize,
    dividing: Dividing,
) -> Result<(), PacketizeError> {
    let mut any = false;
    for unit in Units::new(frame).ok_or(PacketizeError::Malformed)? {
        let unit = &frame[unit];
        if unit.len() < S::HEADER_LEN || !S::is_plain(S::kind(unit)) {
            return Err(PacketizeError::Malformed);
        }
        if unit.len() > max_len && dividing == Dividing::Forbidden {
            return Err(PacketizeError::TooLarge { max: max_len });
        }
        any = true;
    }
    if any { Ok(()) } else { Err(PacketizeError::Malformed) }
}
