//! Packets outside of an association: answers to those that come out of the blue (RFC 9260 §8.4), INIT ACK, and the last
//! words of an association that is over.

use alloc::vec::Vec;

use super::Association;
use super::state::Phase;
use crate::chunk::{
    Abort, Cause, CookieAck, CookieEcho, InitAck, Opening, OperationError, ShutdownAck, ShutdownComplete,
};
use crate::packet::{Packet, PacketWriter};
use crate::types::VerificationTag;

/// A packet that goes out on its own.
#[derive(Debug)]
pub(super) enum Standalone {
    InitAck { tag: VerificationTag, opening: Opening, cookie: Vec<u8>, unrecognized: Vec<Vec<u8>> },
    Abort { tag: VerificationTag, reflected: bool, cause: Option<Cause> },
    Error { tag: VerificationTag, cause: Cause },
    ShutdownComplete { tag: VerificationTag, reflected: bool },
}

impl Standalone {
    pub(super) const fn tag(&self) -> VerificationTag {
        match self {
            Self::InitAck { tag, .. }
            | Self::Abort { tag, .. }
            | Self::Error { tag, .. }
            | Self::ShutdownComplete { tag, .. } => *tag,
        }
    }

    pub(super) fn write(&self, w: &mut PacketWriter<'_>) {
        match self {
            Self::InitAck { opening, cookie, unrecognized, .. } => {
                InitAck::write(w, opening, cookie, unrecognized)
            }
            Self::Abort { reflected, cause, .. } => Abort::write(w, *reflected, cause.as_ref()),
            Self::Error { cause, .. } => OperationError::write(w, cause),
            Self::ShutdownComplete { reflected, .. } => ShutdownComplete { reflected: *reflected }.write(w),
        }
    }
}

impl Association {
    /// Queues a packet of its own, unless many wait already: a peer that loses its answer asks again.
    pub(super) fn send_standalone(&mut self, packet: Standalone) {
        if self.standalone.len() < MAX_STANDALONE {
            self.standalone.push_back(packet);
        }
    }

    /// Answers a packet that belongs to no association.
    pub(super) fn out_of_the_blue(&mut self, packet: &Packet<'_>) {
        let has = |kind: u8| packet.chunks().any(|chunk| chunk.kind == kind);
        let tag = packet.header.tag;
        if has(Abort::TYPE) || has(ShutdownComplete::TYPE) || has(CookieAck::TYPE) || has(CookieEcho::TYPE) {
            self.dropped.unexpected += 1;
            return;
        }
        if has(ShutdownAck::TYPE) {
            self.send_standalone(Standalone::ShutdownComplete { tag, reflected: true });
            return;
        }
        let mut errors = packet.chunks().filter(|chunk| chunk.kind == OperationError::TYPE);
        if errors.any(|chunk| OperationError::parse(chunk).has(Cause::STALE_COOKIE)) {
            self.dropped.unexpected += 1;
            return;
        }
        self.dropped.unexpected += 1;
        // Before anything has happened there is nobody whom the answer could concern; afterwards it tells a peer that has
        // missed the end.
        if matches!(self.phase, Phase::Over { .. }) {
            self.send_standalone(Standalone::Abort { tag, reflected: true, cause: None });
        }
    }
}

/// How many packets of their own wait at most.
const MAX_STANDALONE: usize = 4;
