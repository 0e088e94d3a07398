//! The two messages of the Data Channel Establishment Protocol (RFC 8832 §5).
//!
//! ```text
//! OPEN  | 3 | channel type, 8 | priority, 16 | reliability, 32 | label length, 16 | protocol length, 16 | label | protocol |
//! ACK   | 2 |
//! ```

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use pavane_base::{Reader, Truncated, WriteExt};
use pavane_sctp::{Reliability, SendOptions};

use crate::{ChannelInit, Priority};

const ACK: u8 = 2;
const OPEN: u8 = 3;

const UNORDERED: u8 = 0x80;
const RELIABLE: u8 = 0;
const LIMITED_RETRANSMITS: u8 = 1;
const LIMITED_LIFETIME: u8 = 2;

/// How the protocol's messages travel: in order, reliably (RFC 8832 §6), and not counted as the application's.
pub(crate) const DCEP_OPTIONS: SendOptions =
    SendOptions { ordered: true, reliability: Reliability::Reliable, counted: false };

/// A message of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dcep {
    Open { label: String, init: ChannelInit },
    Ack,
}

impl Dcep {
    /// Reads a message; `None` if it is none.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        match reader.u8().ok()? {
            ACK => Some(Self::Ack),
            OPEN => Self::parse_open(&mut reader).ok().flatten(),
            _ => None,
        }
    }

    fn parse_open(reader: &mut Reader<'_>) -> Result<Option<Self>, Truncated> {
        let kind = reader.u8()?;
        let priority = Priority::from_code(reader.u16()?);
        let reliability = u16::try_from(reader.u32()?).unwrap_or(u16::MAX);
        let (label, protocol) = (reader.u16()?, reader.u16()?);
        let label = core::str::from_utf8(reader.take(label.into())?);
        let protocol = core::str::from_utf8(reader.take(protocol.into())?);
        let (Ok(label), Ok(protocol)) = (label, protocol) else { return Ok(None) };
        let (max_retransmits, max_packet_life_time) = match kind & !UNORDERED {
            RELIABLE => (None, None),
            LIMITED_RETRANSMITS => (Some(reliability), None),
            LIMITED_LIFETIME => (None, Some(reliability)),
            _ => return Ok(None),
        };
        let init = ChannelInit {
            ordered: kind & UNORDERED == 0,
            max_packet_life_time,
            max_retransmits,
            protocol: protocol.to_owned(),
            negotiated: None,
            priority,
        };
        Ok(Some(Self::Open { label: label.to_owned(), init }))
    }

    pub(crate) fn ack() -> Bytes {
        Bytes::from_static(&[ACK])
    }

    pub(crate) fn open(label: &str, init: &ChannelInit) -> Bytes {
        let (kind, reliability) = match (init.max_retransmits, init.max_packet_life_time) {
            (Some(times), _) => (LIMITED_RETRANSMITS, times),
            (None, Some(millis)) => (LIMITED_LIFETIME, millis),
            (None, None) => (RELIABLE, 0),
        };
        let mut out = Vec::with_capacity(12 + label.len() + init.protocol.len());
        out.put_u8(OPEN);
        out.put_u8(if init.ordered { kind } else { kind | UNORDERED });
        out.put_u16(init.priority.code());
        out.put_u32(reliability.into());
        let len = |text: &str| u16::try_from(text.len()).expect("lengths are checked on creation");
        out.put_u16(len(label));
        out.put_u16(len(&init.protocol));
        out.put(label.as_bytes());
        out.put(init.protocol.as_bytes());
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_comes_back_and_no_prefix_of_it_does() {
        let inits = [
            ChannelInit::default(),
            ChannelInit { ordered: false, max_retransmits: Some(3), ..ChannelInit::default() },
            ChannelInit {
                max_packet_life_time: Some(500),
                protocol: "naïve".into(),
                priority: Priority::High,
                ..ChannelInit::default()
            },
        ];
        for init in inits {
            let bytes = Dcep::open("Grüße", &init);
            assert_eq!(Dcep::parse(&bytes), Some(Dcep::Open { label: "Grüße".into(), init }));
            assert!((0..bytes.len()).all(|len| Dcep::parse(&bytes[..len]).is_none()));
        }
        assert_eq!(Dcep::parse(&Dcep::ack()), Some(Dcep::Ack));
    }

    #[test]
    fn what_is_malformed_is_nothing() {
        let good = Dcep::open("ab", &ChannelInit::default());
        for (at, byte) in [(0, 1), (1, 3), (1, 0x83), (12, 0xff)] {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            assert_eq!(Dcep::parse(&bytes), None, "byte {at} is {byte}");
        }
    }
}
