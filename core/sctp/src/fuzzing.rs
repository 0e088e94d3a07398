//! Bodies of fuzz targets: the bytes decide what happens, nothing may panic.

use crate::packet::Packet;

/// Parses arbitrary bytes as a packet.
pub fn packet(data: &[u8]) {
    if let Ok(packet) = Packet::parse(data) {
        packet.chunks().for_each(drop);
    }
}
