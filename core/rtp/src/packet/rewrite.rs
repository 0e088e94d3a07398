//! Changes to a packet in place, as a forwarding server makes them.

use super::{MARKER_BIT, PADDING_BIT, Packet, ParseError};
use crate::{ExtensionId, PayloadType, RtpTimestamp, SequenceNumber, Ssrc};

/// A packet whose header can be changed where it lies.
#[derive(Debug)]
pub struct PacketMut<'a> {
    bytes: &'a mut [u8],
}

impl<'a> PacketMut<'a> {
    /// Checks the bytes and makes a view of them.
    ///
    /// # Errors
    /// If they are no packet.
    pub fn parse(bytes: &'a mut [u8]) -> Result<Self, ParseError> {
        Packet::parse(bytes)?;
        Ok(Self { bytes })
    }

    /// The packet as it stands.
    pub fn as_packet(&self) -> Packet<'_> {
        Packet::parse(self.bytes).expect("it was checked, and no change touches a length")
    }

    /// Sets the marker.
    pub fn set_marker(&mut self, marker: bool) {
        self.bytes[1] = self.bytes[1] & !MARKER_BIT | if marker { MARKER_BIT } else { 0 };
    }

    /// Sets the payload's format.
    pub fn set_payload_type(&mut self, payload_type: PayloadType) {
        self.bytes[1] = self.bytes[1] & MARKER_BIT | payload_type.get();
    }

    /// Sets the packet's number in its stream.
    pub fn set_sequence_number(&mut self, number: SequenceNumber) {
        self.bytes[2..4].copy_from_slice(&number.0.to_be_bytes());
    }

    /// Sets the media's moment.
    pub fn set_timestamp(&mut self, timestamp: RtpTimestamp) {
        self.bytes[4..8].copy_from_slice(&timestamp.0.to_be_bytes());
    }

    /// Sets the stream's source.
    pub fn set_ssrc(&mut self, ssrc: Ssrc) {
        self.bytes[8..12].copy_from_slice(&ssrc.0.to_be_bytes());
    }

    /// Replaces the value of the first element of this id, if there is one of the same length; says whether there was.
    pub fn set_extension(&mut self, id: ExtensionId, value: &[u8]) -> bool {
        let Some(at) = self.position_of(id, value.len()) else { return false };
        self.bytes[at..at + value.len()].copy_from_slice(value);
        true
    }

    /// The bytes.
    pub fn into_bytes(self) -> &'a mut [u8] {
        self.bytes
    }

    /// Where the value of an element of this id and length begins.
    fn position_of(&self, id: ExtensionId, len: usize) -> Option<usize> {
        let packet = self.as_packet();
        let mut elements = packet.extensions();
        while let Some((found, value)) = elements.next() {
            if found == id {
                let end = packet.header_len() - elements.remaining();
                return (value.len() == len).then(|| end - len);
            }
        }
        None
    }
}

/// Takes the original sequence number out of a retransmission (RFC 4588 §4) and puts the packet back together: the
/// header moves over it, because it is shorter than the payload.
///
/// Padding is cut off: it is the retransmission's. `None` for a packet that carries no original, such as a probe.
pub(crate) fn unwrap_retransmission(
    bytes: &mut [u8],
    ssrc: Ssrc,
    payload_type: PayloadType,
) -> Option<&mut [u8]> {
    let packet = Packet::parse(bytes).ok()?;
    let header_len = packet.header_len();
    // The original number alone is a probe as well.
    let (original, rest) = packet.payload().split_first_chunk::<2>().filter(|(_, rest)| !rest.is_empty())?;
    let number = SequenceNumber(u16::from_be_bytes(*original));
    let end = header_len + 2 + rest.len();
    bytes.copy_within(..header_len, 2);
    let bytes = bytes.get_mut(2..end)?;
    *bytes.first_mut()? &= !PADDING_BIT;
    let mut whole = PacketMut { bytes };
    whole.set_sequence_number(number);
    whole.set_ssrc(ssrc);
    whole.set_payload_type(payload_type);
    Some(whole.into_bytes())
}
