//! SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE: the graceful end (RFC 9260 §3.3.8, §3.3.9, §3.3.13).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 7        | 0             | length 8                      |
//! +---------------+---------------+---------------+---------------+
//! |      cumulative TSN: everything up to here has arrived        |
//! +---------------+---------------+---------------+---------------+
//! | type 8        | 0             | length 4                      |
//! +---------------+---------------+---------------+---------------+
//! | type 14       | 0 0 0 0 0 0 0 T | length 4                    |
//! ```

use pavane_base::{Reader, Truncated, WriteExt};

use super::RawChunk;
use crate::packet::PacketWriter;
use crate::types::Tsn;

/// A SHUTDOWN chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shutdown {
    pub(crate) cumulative: Tsn,
}

impl Shutdown {
    pub(crate) const TYPE: u8 = 7;

    pub(crate) fn parse(raw: RawChunk<'_>) -> Result<Self, Truncated> {
        Reader::new(raw.value).u32().map(|tsn| Self { cumulative: Tsn(tsn) })
    }

    pub(crate) fn write(&self, w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, 0, |out| out.put_u32(self.cumulative.0));
    }
}

/// A SHUTDOWN ACK chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShutdownAck;

impl ShutdownAck {
    pub(crate) const TYPE: u8 = 8;

    pub(crate) fn write(w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, 0, |_| {});
    }
}

/// A SHUTDOWN COMPLETE chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShutdownComplete {
    /// Whether the packet's verification tag is the sender's own, reflected.
    pub(crate) reflected: bool,
}

impl ShutdownComplete {
    pub(crate) const TYPE: u8 = 14;

    pub(crate) const fn parse(raw: RawChunk<'_>) -> Self {
        Self { reflected: raw.flags & 1 != 0 }
    }

    pub(crate) fn write(&self, w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, u8::from(self.reflected), |_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn all_three_make_the_round_trip() {
        let shutdown = Shutdown { cumulative: Tsn(5) };
        through_a_packet(
            |w| shutdown.write(w),
            Some(8),
            |raw| {
                assert_eq!(Shutdown::parse(raw), Ok(shutdown));
                abuse(raw, |raw| _ = Shutdown::parse(raw));
            },
        );
        through_a_packet(ShutdownAck::write, Some(4), |raw| assert_eq!(raw.kind, ShutdownAck::TYPE));
        for reflected in [false, true] {
            let complete = ShutdownComplete { reflected };
            through_a_packet(
                |w| complete.write(w),
                Some(4),
                |raw| {
                    assert_eq!(ShutdownComplete::parse(raw), complete);
                },
            );
        }
    }
}
