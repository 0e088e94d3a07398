//! PAD, bytes that mean nothing (RFC 4820 §3).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 132      | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! |  whatever                                                     |
//! ```

use crate::packet::{CHUNK_HEADER, PacketWriter};

/// A PAD chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pad {
    /// Its length, header included.
    pub(crate) len: usize,
}

impl Pad {
    pub(crate) const TYPE: u8 = 132;

    pub(crate) fn write(&self, w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, 0, |out| out.resize(out.len() + self.len - CHUNK_HEADER, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::through_a_packet;
    use super::*;

    #[test]
    fn it_takes_up_room() {
        through_a_packet(
            |w| Pad { len: 100 }.write(w),
            Some(100),
            |raw| assert_eq!((raw.kind, raw.value.len()), (Pad::TYPE, 96)),
        );
    }
}
