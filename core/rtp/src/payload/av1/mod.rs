//! AV1 (RTP Payload Format For AV1, v1.0.0).
//!
//! ```text
//!  Z Y W W N - - -        the first element goes on, the last one will; how many; a coded video sequence begins
//!  (length element)*      an element is an OBU without its size, or a part of one; the last has no length, unless W is 0
//! ```

mod assembly;
mod obu;
mod parts;

use pavane_base::Reader;

use super::descriptor::{Begins, Descriptor, Malformed};

pub(super) use assembly::Assembly;
use obu::{FRAME, FRAME_HEADER, Head, SEQUENCE_HEADER, is_dropped, is_key_frame, leb128_len, read_leb128};
pub(super) use parts::Parts;

/// The most elements of a packet that has a count of them, which spares the last one's length.
const MAX_COUNTED: usize = 3;

/// The elements of a payload.
#[derive(Clone, Debug)]
struct Elements<'a> {
    continues: bool,
    will_continue: bool,
    begins_sequence: bool,
    /// How many are left; `None` where each has a length.
    left: Option<u8>,
    rest: Reader<'a>,
}

/// An OBU, or a part of one.
#[derive(Clone, Copy, Debug)]
struct Element<'a> {
    bytes: &'a [u8],
    /// Whether an OBU begins with it.
    first: bool,
    /// Whether an OBU ends with it.
    last: bool,
}

impl<'a> Elements<'a> {
    fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = Reader::new(payload);
        let header = rest.u8()?;
        let [continues, will_continue, begins_sequence] = [0x80, 0x40, 0x08].map(|bit| header & bit != 0);
        if rest.is_empty() || continues && begins_sequence {
            return Err(Malformed);
        }
        let left = Some(header >> 4 & 3).filter(|count| *count > 0);
        Ok(Self { continues, will_continue, begins_sequence, left, rest })
    }

    fn next(&mut self) -> Result<Option<Element<'a>>, Malformed> {
        if self.rest.is_empty() {
            return if self.left.is_none_or(|left| left == 0) { Ok(None) } else { Err(Malformed) };
        }
        let len = match self.left {
            Some(0) => return Err(Malformed),
            Some(1) => self.rest.remaining(),
            _ => read_leb128(&mut self.rest)?,
        };
        self.left = self.left.map(|left| left - 1);
        let bytes = self.rest.take(len)?;
        let first = !core::mem::replace(&mut self.continues, false);
        let last = !(self.rest.is_empty() && self.will_continue);
        if bytes.is_empty() { Err(Malformed) } else { Ok(Some(Element { bytes, first, last })) }
    }
}

/// The most bytes of an OBU's size, where it is not known yet.
const MAX_SIZE_LEN: usize = 3;

pub(super) fn describe(payload: &[u8]) -> Result<Descriptor, Malformed> {
    let mut elements = Elements::read(payload)?;
    let begins_sequence = elements.begins_sequence;
    let mut begins = if elements.continues { Begins::No } else { Begins::Perhaps };
    if begins_sequence {
        begins = Begins::Yes;
    }
    let (mut index, mut media_len) = (0, 0);
    let (mut has_sequence_header, mut shows_delta) = (false, false);
    while let Some(element) = elements.next()? {
        if element.first {
            let head = Head::read(element.bytes)?;
            let kind = head.kind();
            if kind == SEQUENCE_HEADER {
                has_sequence_header = true;
                // It comes first in a frame that has it.
                begins = if index == 0 { Begins::Yes } else { begins };
            }
            let body = element.bytes.get(head.len()..).unwrap_or_default();
            shows_delta |= matches!(kind, FRAME | FRAME_HEADER) && is_key_frame(body) == Some(false);
            media_len += match () {
                () if is_dropped(kind) && element.last => 0,
                () if head.has_size() => element.bytes.len(),
                () if element.last => element.bytes.len() + leb128_len(body.len()),
                () => element.bytes.len() + MAX_SIZE_LEN,
            };
        } else {
            media_len += element.bytes.len();
        }
        index += 1;
    }
    let keyframe = begins_sequence || has_sequence_header && !shows_delta;
    Ok(Descriptor { begins, keyframe, media_len, layer: None })
}

#[cfg(test)]
mod tests;
