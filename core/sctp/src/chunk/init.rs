//! INIT and INIT ACK: who we are and what we can do (RFC 9260 §3.3.2, §3.3.3).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 1 or 2   | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! |         initiate tag: the tag of packets to the sender        |
//! +---------------+---------------+---------------+---------------+
//! |                 advertised receiver window                    |
//! +---------------+---------------+---------------+---------------+
//! |  outgoing streams wanted      |  incoming streams accepted    |
//! +---------------+---------------+---------------+---------------+
//! |                         initial TSN                           |
//! +---------------+---------------+---------------+---------------+
//! |  parameters: in INIT ACK the cookie; extensions               |
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use super::parameter::{Parameter, Parameters, write_parameter};
use super::{ForwardTsn, IData, IForwardTsn, RawChunk, Reconfig, UnknownRule};
use crate::config::Config;
use crate::packet::PacketWriter;
use crate::types::{Tsn, VerificationTag};

/// What INIT and INIT ACK have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) tag: VerificationTag,
    pub(crate) window: u32,
    pub(crate) outgoing: u16,
    pub(crate) incoming: u16,
    pub(crate) initial_tsn: Tsn,
    pub(crate) extensions: Extensions,
}

impl Opening {
    /// Whether the numbers are such that an association can be built on them (RFC 9260 §3.3.2).
    pub(crate) fn is_valid(&self) -> bool {
        self.tag != VerificationTag::ZERO
            && self.window >= MIN_WINDOW
            && self.outgoing != 0
            && self.incoming != 0
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u32(self.tag.0);
        out.put_u32(self.window);
        out.put_u16(self.outgoing);
        out.put_u16(self.incoming);
        out.put_u32(self.initial_tsn.0);
        self.extensions.write(out);
    }
}

/// What goes beyond RFC 9260.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    /// FORWARD TSN (RFC 3758).
    pub(crate) partial_reliability: bool,
    /// I-DATA (RFC 8260).
    pub(crate) interleaving: bool,
    /// I-FORWARD-TSN (RFC 8260), which stands for FORWARD TSN where messages are interleaved.
    pub(crate) interleaved_skips: bool,
    /// RE-CONFIG (RFC 6525).
    pub(crate) reconfiguration: bool,
    /// Packets without a checksum, since DTLS has one (RFC 9653).
    pub(crate) zero_checksum: bool,
}

impl Extensions {
    /// Everything that we know.
    pub(crate) const ALL: Self = Self {
        partial_reliability: true,
        interleaving: true,
        interleaved_skips: true,
        reconfiguration: true,
        zero_checksum: true,
    };

    /// What we offer.
    pub(crate) const fn offered(config: &Config) -> Self {
        Self {
            zero_checksum: config.zero_checksum,
            interleaving: config.interleaving,
            interleaved_skips: config.interleaving,
            ..Self::ALL
        }
    }

    pub(crate) const fn both(self, other: Self) -> Self {
        let interleaving = self.interleaving && other.interleaving;
        let interleaved_skips = self.interleaved_skips && other.interleaved_skips;
        Self {
            // RFC 8260 §2.2.1: FORWARD TSN has no place beside I-DATA.
            partial_reliability: match interleaving {
                true => interleaved_skips,
                false => self.partial_reliability && other.partial_reliability,
            },
            interleaving,
            interleaved_skips,
            reconfiguration: self.reconfiguration && other.reconfiguration,
            zero_checksum: self.zero_checksum && other.zero_checksum,
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        if self.partial_reliability {
            write_parameter(out, FORWARD_TSN_SUPPORTED, |_| {});
        }
        if self.zero_checksum {
            write_parameter(out, ZERO_CHECKSUM_ACCEPTABLE, |out| out.put_u32(SCTP_OVER_DTLS));
        }
        write_parameter(out, SUPPORTED_EXTENSIONS, |out| {
            if self.reconfiguration {
                out.put_u8(Reconfig::TYPE);
            }
            if self.partial_reliability {
                out.put_u8(ForwardTsn::TYPE);
            }
            if self.interleaving {
                out.put_u8(IData::TYPE);
            }
            if self.interleaved_skips {
                out.put_u8(IForwardTsn::TYPE);
            }
        });
    }

    fn note(&mut self, supported: &[u8]) {
        self.interleaving |= supported.contains(&IData::TYPE);
        self.interleaved_skips |= supported.contains(&IForwardTsn::TYPE);
        self.partial_reliability |= supported.contains(&ForwardTsn::TYPE);
        self.reconfiguration |= supported.contains(&Reconfig::TYPE);
    }
}

/// An INIT chunk as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Init<'p> {
    pub(crate) opening: Opening,
    /// Parameters that the sender wants to hear about because we do not know them.
    pub(crate) unrecognized: Vec<&'p [u8]>,
    /// An address parameter that cannot be honoured and ends the attempt.
    pub(crate) host_name: Option<&'p [u8]>,
}

impl<'p> Init<'p> {
    pub(crate) const TYPE: u8 = 1;

    pub(crate) fn parse(raw: RawChunk<'p>) -> Result<Self, Truncated> {
        let body = Body::parse(raw)?;
        Ok(Self { opening: body.opening, unrecognized: body.unrecognized, host_name: body.host_name })
    }

    pub(crate) fn write(w: &mut PacketWriter<'_>, opening: &Opening) {
        w.chunk(Self::TYPE, 0, |out| opening.write(out));
    }
}

/// An INIT ACK chunk as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InitAck<'p> {
    pub(crate) opening: Opening,
    pub(crate) cookie: Option<&'p [u8]>,
    /// Parameters that the sender wants to hear about because we do not know them.
    pub(crate) unrecognized: Vec<&'p [u8]>,
    pub(crate) host_name: Option<&'p [u8]>,
}

impl<'p> InitAck<'p> {
    pub(crate) const TYPE: u8 = 2;

    pub(crate) fn parse(raw: RawChunk<'p>) -> Result<Self, Truncated> {
        let Body { opening, cookie, unrecognized, host_name } = Body::parse(raw)?;
        Ok(Self { opening, cookie, unrecognized, host_name })
    }

    /// Writes an INIT ACK; of the unrecognized parameters as many are reported as fit.
    pub(crate) fn write(
        w: &mut PacketWriter<'_>,
        opening: &Opening,
        cookie: &[u8],
        unrecognized: &[Vec<u8>],
    ) {
        let mut room = w.room().saturating_sub(FIXED_PART + cookie.len());
        w.chunk(Self::TYPE, 0, |out| {
            opening.write(out);
            write_parameter(out, STATE_COOKIE, |out| out.put(cookie));
            for parameter in unrecognized {
                let size = 8 + parameter.len();
                if size > room {
                    break;
                }
                room -= size;
                write_parameter(out, UNRECOGNIZED, |out| out.put(parameter));
            }
        });
    }
}

/// What both chunks are parsed into.
struct Body<'p> {
    opening: Opening,
    cookie: Option<&'p [u8]>,
    unrecognized: Vec<&'p [u8]>,
    host_name: Option<&'p [u8]>,
}

impl<'p> Body<'p> {
    fn parse(raw: RawChunk<'p>) -> Result<Self, Truncated> {
        let mut r = Reader::new(raw.value);
        let opening = Opening {
            tag: VerificationTag(r.u32()?),
            window: r.u32()?,
            outgoing: r.u16()?,
            incoming: r.u16()?,
            initial_tsn: Tsn(r.u32()?),
            extensions: Extensions::default(),
        };
        let mut body = Self { opening, cookie: None, unrecognized: Vec::new(), host_name: None };
        for parameter in Parameters::new(r.rest()) {
            if !body.take(parameter) {
                break;
            }
        }
        Ok(body)
    }

    /// Takes note of a parameter; whether those behind it are to be looked at.
    fn take(&mut self, parameter: Parameter<'p>) -> bool {
        match parameter.kind {
            STATE_COOKIE => self.cookie = Some(parameter.value),
            FORWARD_TSN_SUPPORTED => self.opening.extensions.partial_reliability = true,
            SUPPORTED_EXTENSIONS => self.opening.extensions.note(parameter.value),
            ZERO_CHECKSUM_ACCEPTABLE => {
                self.opening.extensions.zero_checksum |= parameter.value == SCTP_OVER_DTLS.to_be_bytes();
            }
            HOST_NAME => self.host_name = Some(parameter.whole),
            kind if IGNORED.contains(&kind) => {}
            kind => {
                let rule = UnknownRule::of_parameter(kind);
                if rule.report {
                    self.unrecognized.push(parameter.whole);
                }
                return rule.go_on;
            }
        }
        true
    }
}

pub(super) const STATE_COOKIE: u16 = 7;
const UNRECOGNIZED: u16 = 8;
const HOST_NAME: u16 = 11;
const ZERO_CHECKSUM_ACCEPTABLE: u16 = 0x8001;
const SUPPORTED_EXTENSIONS: u16 = 0x8008;
const FORWARD_TSN_SUPPORTED: u16 = 0xc000;

/// The method of error detection that stands in for the checksum (RFC 9653 §4).
const SCTP_OVER_DTLS: u32 = 1;

/// Known and of no consequence: addresses, over DTLS meaningless (RFC 8261 §5); unrecognized parameters; cookie
/// preservative; address types; ECN, which RFC 9260 §3.3.2 reserves and nothing defines; AUTH's three; padding; adaptation
/// layer.
const IGNORED: [u16; 11] = [5, 6, 8, 9, 12, 0x8000, 0x8002, 0x8003, 0x8004, 0x8005, 0xc006];

/// RFC 9260 §3.3.2: a smaller window is an error.
const MIN_WINDOW: u32 = 1500;

/// Chunk header, fixed fields, our extensions, and the header of the cookie.
const FIXED_PART: usize = 20 + 4 + 8 + 8 + 4;

#[cfg(test)]
mod tests {
    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    const OPENING: Opening = Opening {
        tag: VerificationTag(7),
        window: 1 << 20,
        outgoing: 65535,
        incoming: 1,
        initial_tsn: Tsn(u32::MAX),
        extensions: Extensions::ALL,
    };

    #[test]
    fn both_make_the_round_trip() {
        through_a_packet(
            |w| Init::write(w, &OPENING),
            Some(20 + 4 + 8 + 8),
            |raw| {
                let expected = Init { opening: OPENING, unrecognized: Vec::new(), host_name: None };
                assert_eq!(Init::parse(raw), Ok(expected));
                abuse(raw, |raw| drop(Init::parse(raw)));
            },
        );
        let unknown = [alloc::vec![0xc0, 0x99, 0, 4], alloc::vec![0; 3000]];
        through_a_packet(
            |w| InitAck::write(w, &OPENING, b"a cookie", &unknown),
            Some(FIXED_PART + 8 + 8),
            |raw| {
                let ack = InitAck::parse(raw).unwrap();
                assert_eq!((ack.opening, ack.cookie), (OPENING, Some(&b"a cookie"[..])));
                abuse(raw, |raw| drop(InitAck::parse(raw)));
            },
        );
    }

    /// RFC 9260 §3.2.1: the upper bits of an unknown parameter's type.
    #[test]
    fn unknown_parameters_are_treated_as_their_types_say() {
        let parse = |kinds: &[u16]| {
            let mut value = Vec::new();
            OPENING.write(&mut value);
            value.truncate(16);
            kinds.iter().for_each(|kind| write_parameter(&mut value, *kind, |_| {}));
            let init = Init::parse(RawChunk { kind: 1, flags: 0, value: &value }).unwrap();
            (init.opening.extensions.partial_reliability, init.unrecognized.len())
        };
        assert_eq!(parse(&[0x0099, 0xc000]), (false, 0));
        assert_eq!(parse(&[0x4099, 0xc000]), (false, 1));
        assert_eq!(parse(&[0x8099, 0xc000]), (true, 0));
        assert_eq!(parse(&[0xc099, 0xc099, 0xc000]), (true, 2));
        assert_eq!(parse(&[0x8001, 0x8000, 0xc000]), (true, 0));
    }

    #[test]
    fn impossible_numbers_make_an_opening_invalid() {
        assert!(OPENING.is_valid());
        assert!(!Opening { tag: VerificationTag::ZERO, ..OPENING }.is_valid());
        assert!(!Opening { window: 1499, ..OPENING }.is_valid());
        assert!(!Opening { outgoing: 0, ..OPENING }.is_valid());
        assert!(!Opening { incoming: 0, ..OPENING }.is_valid());
    }
}
