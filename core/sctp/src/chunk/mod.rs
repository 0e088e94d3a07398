//! The chunks, one file each: what they mean on the wire, and nothing about what to do with them.

pub(crate) mod abort;
pub(crate) mod cause;
pub(crate) mod cookie;
pub(crate) mod data;
pub(crate) mod forward_tsn;
pub(crate) mod heartbeat;
pub(crate) mod i_data;
pub(crate) mod i_forward_tsn;
pub(crate) mod init;
pub(crate) mod pad;
pub(crate) mod parameter;
pub(crate) mod reconfig;
pub(crate) mod sack;
pub(crate) mod shutdown;

pub(crate) use abort::{Abort, OperationError};
pub(crate) use cause::Cause;
pub(crate) use cookie::{CookieAck, CookieEcho};
pub(crate) use data::Data;
pub(crate) use forward_tsn::{ForwardTsn, Skipped};
pub(crate) use heartbeat::{Heartbeat, HeartbeatAck};
pub(crate) use i_data::IData;
pub(crate) use i_forward_tsn::IForwardTsn;
pub(crate) use init::{Extensions, Init, InitAck, Opening};
pub(crate) use pad::Pad;
pub(crate) use reconfig::{OutgoingReset, Reconfig, ReconfigParameter, ResetResult};
pub(crate) use sack::Sack;
pub(crate) use shutdown::{Shutdown, ShutdownAck, ShutdownComplete};

/// A chunk whose inside has not been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawChunk<'p> {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) value: &'p [u8],
}

/// What an endpoint does with a chunk or a parameter of a type unknown to it: the type's two upper bits say it
/// (RFC 9260 §3.2, §3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownRule {
    /// Whether what follows is to be processed.
    pub(crate) go_on: bool,
    /// Whether the sender is to be told.
    pub(crate) report: bool,
}

impl UnknownRule {
    pub(crate) const fn of_chunk(kind: u8) -> Self {
        Self { go_on: kind & 0x80 != 0, report: kind & 0x40 != 0 }
    }

    pub(crate) const fn of_parameter(kind: u16) -> Self {
        Self { go_on: kind & 0x8000 != 0, report: kind & 0x4000 != 0 }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use alloc::vec::Vec;

    use super::RawChunk;
    use crate::packet::{Header, Packet, PacketWriter};
    use crate::types::VerificationTag;

    /// Writes a chunk into a packet, checks the size that it foretold, and hands it back as it is parsed.
    pub(crate) fn through_a_packet(
        write: impl FnOnce(&mut PacketWriter<'_>),
        size: Option<usize>,
        check: impl FnOnce(RawChunk<'_>),
    ) {
        let header = Header { source_port: 1, destination_port: 2, tag: VerificationTag(3) };
        let mut buf = Vec::new();
        let mut w = PacketWriter::new(&mut buf, header, 2000);
        let before = w.room();
        write(&mut w);
        if let Some(size) = size {
            assert_eq!(before - w.room(), size);
        }
        w.finish().unwrap();
        let packet = Packet::parse(&buf).unwrap();
        check(packet.chunks().next().unwrap());
    }

    /// Hands `parse` every prefix of the chunk, and the chunk with every byte bent: nothing may panic.
    pub(crate) fn abuse(raw: RawChunk<'_>, parse: impl Fn(RawChunk<'_>)) {
        for len in 0..=raw.value.len() {
            parse(RawChunk { value: &raw.value[..len], ..raw });
        }
        for at in 0..raw.value.len() {
            for bent in [0, 1, 0x7f, 0x80, 0xff] {
                let mut value = raw.value.to_vec();
                value[at] = bent;
                parse(RawChunk { value: &value, ..raw });
            }
        }
    }
}
