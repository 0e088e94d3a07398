//! HEARTBEAT and HEARTBEAT ACK: a question whether the peer is there, returned unchanged (RFC 9260 §3.3.5, §3.3.6).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 4 or 5   | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! | parameter 1, heartbeat info   | length                        |
//! +---------------+---------------+---------------+---------------+
//! |  whatever the sender of the HEARTBEAT likes                   |
//! ```

use pavane_base::WriteExt;

use super::RawChunk;
use super::parameter::{HEADER, Parameters, write_parameter};
use crate::packet::{CHUNK_HEADER, PacketWriter, padded};

/// A HEARTBEAT chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heartbeat<'p> {
    pub(crate) info: &'p [u8],
}

impl<'p> Heartbeat<'p> {
    pub(crate) const TYPE: u8 = 4;

    pub(crate) fn parse(raw: RawChunk<'p>) -> Option<Self> {
        info(raw).map(|info| Self { info })
    }

    pub(crate) const fn size(len: usize) -> usize {
        CHUNK_HEADER + HEADER + padded(len)
    }

    pub(crate) fn write(&self, w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, 0, |out| write_parameter(out, INFO, |out| out.put(self.info)));
    }
}

/// A HEARTBEAT ACK chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeartbeatAck<'p> {
    pub(crate) info: &'p [u8],
}

impl<'p> HeartbeatAck<'p> {
    pub(crate) const TYPE: u8 = 5;

    pub(crate) fn parse(raw: RawChunk<'p>) -> Option<Self> {
        info(raw).map(|info| Self { info })
    }

    pub(crate) fn write(&self, w: &mut PacketWriter<'_>) {
        w.chunk(Self::TYPE, 0, |out| write_parameter(out, INFO, |out| out.put(self.info)));
    }
}

fn info(raw: RawChunk<'_>) -> Option<&[u8]> {
    Parameters::new(raw.value).next().filter(|p| p.kind == INFO).map(|p| p.value)
}

const INFO: u16 = 1;

#[cfg(test)]
mod tests {
    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn both_make_the_round_trip() {
        through_a_packet(
            |w| Heartbeat { info: b"ping!" }.write(w),
            Some(Heartbeat::size(5)),
            |raw| {
                assert_eq!(Heartbeat::parse(raw), Some(Heartbeat { info: b"ping!" }));
                abuse(raw, |raw| _ = Heartbeat::parse(raw));
            },
        );
        through_a_packet(
            |w| HeartbeatAck { info: b"ping!" }.write(w),
            Some(Heartbeat::size(5)),
            |raw| {
                assert_eq!(HeartbeatAck::parse(raw), Some(HeartbeatAck { info: b"ping!" }));
            },
        );
    }
}
