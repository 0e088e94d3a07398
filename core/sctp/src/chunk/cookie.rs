//! COOKIE ECHO, the cookie on its way back, and COOKIE ACK (RFC 9260 §3.3.11, §3.3.12).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 10       | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! |  the cookie of INIT ACK, unchanged                            |
//! +---------------+---------------+---------------+---------------+
//! | type 11       | 0             | length 4                      |
//! ```

use pavane_base::WriteExt;

use super::RawChunk;
use crate::packet::{CHUNK_HEADER, PacketWriter, padded};

/// A COOKIE ECHO chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CookieEcho<'p> {
    pub(crate) cookie: &'p [u8],
}

impl<'p> CookieEcho<'p> {
    pub(crate) const TYPE: u8 = 10;

    pub(crate) const fn parse(raw: RawChunk<'p>) -> Self {
        Self { cookie: raw.value }
    }

    pub(crate) const fn size(&self) -> usize {
        CHUNK_HEADER + padded(self.cookie.len())
    }

    pub(crate) fn write(&self, w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, 0, |out| out.put(self.cookie));
    }
}

/// A COOKIE ACK chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CookieAck;

impl CookieAck {
    pub(crate) const TYPE: u8 = 11;

    pub(crate) fn write(w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, 0, |_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::through_a_packet;
    use super::*;

    #[test]
    fn both_make_the_round_trip() {
        let echo = CookieEcho { cookie: b"chocolate" };
        through_a_packet(
            |w| echo.write(w),
            Some(echo.size()),
            |raw| assert_eq!(CookieEcho::parse(raw), echo),
        );
        through_a_packet(CookieAck::write, Some(4), |raw| assert_eq!(raw.kind, CookieAck::TYPE));
    }
}
