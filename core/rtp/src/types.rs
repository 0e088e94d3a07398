//! The numbers of an RTP header.

use core::fmt;

use pavane_base::serial_number;

serial_number! {
    /// A packet's number in its stream, which wraps (RFC 3550 §5.1).
    pub struct SequenceNumber(u16);
}

serial_number! {
    /// A moment of a media clock, in units of its rate, which wraps (RFC 3550 §5.1).
    pub struct RtpTimestamp(u32);
}

/// The name of a stream's source (RFC 3550 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssrc(pub u32);

impl fmt::Debug for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ssrc({:08x})", self.0)
    }
}

/// The name of a payload format, 0 to 127.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// The payload type of this number, if it has seven bits.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 0x80 { Some(Self(number)) } else { None }
    }

    /// The low seven bits of a byte.
    pub(crate) const fn from_low_bits(byte: u8) -> Self {
        Self(byte & 0x7f)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether RTP may use it beside RTCP on one transport: 64 to 95 look like RTCP (RFC 5761 §4).
    pub const fn is_usable_with_rtcp_mux(self) -> bool {
        !matches!(self.0, 64..=95)
    }
}

impl fmt::Debug for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadType({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_types_have_seven_bits() {
        assert_eq!(PayloadType::new(127).map(PayloadType::get), Some(127));
        assert_eq!(PayloadType::new(128), None);
        // RFC 5761 §4
        for number in 0..128 {
            let usable = PayloadType::new(number).unwrap().is_usable_with_rtcp_mux();
            assert_eq!(usable, !(64..96).contains(&number));
        }
    }

    #[test]
    fn every_sequence_number_is_after_the_half_circle_behind_it() {
        for number in 0..=u16::MAX {
            let number = SequenceNumber(number);
            assert!(number.next().is_after(number) && number.add(0x7fff).is_after(number));
            assert!(!number.add(0x8000).is_after(number) && number.add(0x8001).is_before(number));
            assert_eq!(number.next().since(number), 1);
        }
    }
}
