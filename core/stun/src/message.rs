//! A message that was received.

use core::fmt;
use core::net::SocketAddr;
use core::ops::Range;

use pavane_base::{Reader, Truncated};
use pavane_crypto::Mac;

use crate::address::{self, Mask};
use crate::header::{HEADER_LEN, MAGIC_COOKIE, split_type};
use crate::{AttributeType, Class, ErrorCode, Method, TransactionId};

/// A view of a message whose framing has been checked, and whose fingerprint is right if it has one.
#[derive(Clone, Copy)]
pub struct Message<'m> {
    bytes: &'m [u8],
    class: Class,
    method: Method,
    transaction: TransactionId,
}

/// Bytes that are no STUN message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// They do not begin like one, or end too early or too late.
    NotStun,
    /// An attribute does not end where it should.
    Attribute,
    /// The fingerprint is wrong.
    Fingerprint,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStun => "the bytes are not a STUN message",
            Self::Attribute => "an attribute does not end where it should",
            Self::Fingerprint => "the fingerprint is wrong",
        })
    }
}

impl core::error::Error for ParseError {}

impl From<Truncated> for ParseError {
    fn from(_: Truncated) -> Self {
        Self::NotStun
    }
}

/// What a fingerprint's CRC is combined with: "STUN" (RFC 8489 §14.7).
pub(crate) const FINGERPRINT_MASK: u32 = 0x5354_554e;

/// The bytes of an attribute's type and length.
pub(crate) const ATTRIBUTE_HEADER_LEN: usize = 4;

/// HMAC-SHA1's output.
pub(crate) const INTEGRITY_LEN: usize = 20;

/// HMAC-SHA256's output, and the least that may be left of it.
pub(crate) const INTEGRITY_SHA256_LEN: usize = 32;
const INTEGRITY_SHA256_SHORTEST: usize = 16;

impl<'m> Message<'m> {
    /// Checks the bytes (RFC 8489 §6.3) and makes a view of them.
    ///
    /// # Errors
    /// If they are no message.
    pub fn parse(bytes: &'m [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u16()?;
        let len = usize::from(reader.u16()?);
        let cookie = reader.u32()?;
        let transaction = TransactionId(reader.array()?);
        if kind >= 0x4000 || cookie != MAGIC_COOKIE || len % 4 != 0 || len != reader.remaining() {
            return Err(ParseError::NotStun);
        }
        let (class, method) = split_type(kind);
        let message = Self { bytes, class, method, transaction };
        message.check_attributes()?;
        Ok(message)
    }

    fn check_attributes(&self) -> Result<(), ParseError> {
        let mut walk = Walk::over(self.bytes);
        while let Some(found) = walk.step()? {
            if found.kind == AttributeType::FINGERPRINT {
                let covered = self.bytes.get(..found.at).ok_or(ParseError::Attribute)?;
                let expected = crc32fast::hash(covered) ^ FINGERPRINT_MASK;
                if !walk.is_over() || found.value != expected.to_be_bytes() {
                    return Err(ParseError::Fingerprint);
                }
            }
        }
        Ok(())
    }

    /// What it is in its transaction.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// What it is about.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Its transaction.
    pub const fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// The attributes that count: behind an integrity attribute only a stronger one and FINGERPRINT do
    /// (RFC 8489 §14.5, §14.6).
    pub const fn attributes(&self) -> Attributes<'m> {
        Attributes { walk: Walk::over(self.bytes), protected: Protection::None }
    }

    /// The first attribute of this type; further ones do not count (RFC 8489 §14).
    pub fn attribute(&self, kind: AttributeType) -> Option<&'m [u8]> {
        self.attributes().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    /// Whether it ends with a fingerprint; [`parse`](Self::parse) has checked that it is right.
    pub fn has_fingerprint(&self) -> bool {
        self.attribute(AttributeType::FINGERPRINT).is_some()
    }

    /// Whether it carries a MESSAGE-INTEGRITY that this key made (RFC 8489 §14.5); compared in constant time.
    pub fn verify_integrity(&self, key: &dyn Mac) -> bool {
        let mut attributes = self.attributes();
        let Some(found) = attributes.find_kind(AttributeType::MESSAGE_INTEGRITY) else { return false };
        found.value.len() == INTEGRITY_LEN && self.verify(key, &found)
    }

    /// Whether it carries a MESSAGE-INTEGRITY-SHA256 that this key made, truncated or not (RFC 8489 §14.6); compared in
    /// constant time.
    pub fn verify_integrity_sha256(&self, key: &dyn Mac) -> bool {
        let mut attributes = self.attributes();
        let Some(found) = attributes.find_kind(AttributeType::MESSAGE_INTEGRITY_SHA256) else { return false };
        let is_fitting = (INTEGRITY_SHA256_SHORTEST..=INTEGRITY_SHA256_LEN).contains(&found.value.len())
            && found.value.len() % 4 == 0;
        is_fitting && self.verify(key, &found)
    }

    /// Compares an integrity attribute with what the key makes of the bytes before it. The header's length counts as if the
    /// message ended with this attribute.
    fn verify(&self, key: &dyn Mac, found: &Found<'_>) -> bool {
        let len = found.at + ATTRIBUTE_HEADER_LEN + found.value.len() - HEADER_LEN;
        let Ok(len) = u16::try_from(len) else { return false };
        match (self.bytes.get(..2), self.bytes.get(4..found.at)) {
            (Some(kind), Some(rest)) => key.verify(&[kind, &len.to_be_bytes(), rest], found.value),
            _ => false,
        }
    }

    /// The attributes that have to be understood and are not, of which a request is refused (RFC 8489 §6.3.1).
    pub fn unknown_required(&self) -> impl Iterator<Item = AttributeType> + use<'m> {
        self.attributes().map(|(kind, _)| kind).filter(|kind| kind.is_required() && !kind.is_known())
    }

    /// XOR-MAPPED-ADDRESS, or the MAPPED-ADDRESS of old servers.
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        match self.attribute(AttributeType::XOR_MAPPED_ADDRESS) {
            Some(value) => address::read(value, Mask::of(self.transaction)),
            None => address::read(self.attribute(AttributeType::MAPPED_ADDRESS)?, Mask::NONE),
        }
    }

    /// An address that is written like XOR-MAPPED-ADDRESS: that of a peer or on a relay.
    pub fn xor_address(&self, kind: AttributeType) -> Option<SocketAddr> {
        address::read(self.attribute(kind)?, Mask::of(self.transaction))
    }

    /// All addresses of this type, which are written like XOR-MAPPED-ADDRESS; `None` for one that cannot be read.
    pub fn xor_addresses(&self, kind: AttributeType) -> impl Iterator<Item = Option<SocketAddr>> + use<'m> {
        let mask = Mask::of(self.transaction);
        self.attributes()
            .filter(move |(found, _)| *found == kind)
            .map(move |(_, value)| address::read(value, mask))
    }

    /// ALTERNATE-SERVER (RFC 8489 §14.15).
    pub fn alternate_server(&self) -> Option<SocketAddr> {
        address::read(self.attribute(AttributeType::ALTERNATE_SERVER)?, Mask::NONE)
    }

    /// LIFETIME, in seconds (RFC 8656 §18.2).
    pub fn lifetime(&self) -> Option<u32> {
        let value = self.attribute(AttributeType::LIFETIME)?;
        value.try_into().ok().map(u32::from_be_bytes)
    }

    /// CHANNEL-NUMBER (RFC 8656 §18.1).
    pub fn channel_number(&self) -> Option<u16> {
        let [high, low, ..] = *self.attribute(AttributeType::CHANNEL_NUMBER)?.first_chunk::<4>()?;
        Some(u16::from_be_bytes([high, low]))
    }

    /// Where in the message the value of the first attribute of this type lies, for whoever works on it in place.
    pub fn range_of(&self, kind: AttributeType) -> Option<Range<usize>> {
        let found = self.attributes().find_kind(kind)?;
        let start = found.at + ATTRIBUTE_HEADER_LEN;
        Some(start..start + found.value.len())
    }

    /// USERNAME.
    pub fn username(&self) -> Option<&'m str> {
        core::str::from_utf8(self.attribute(AttributeType::USERNAME)?).ok()
    }

    /// SOFTWARE.
    pub fn software(&self) -> Option<&'m str> {
        core::str::from_utf8(self.attribute(AttributeType::SOFTWARE)?).ok()
    }

    /// The types listed in UNKNOWN-ATTRIBUTES (RFC 8489 §14.13).
    pub fn unknown_attributes(&self) -> impl Iterator<Item = AttributeType> + use<'m> {
        let listed = self.attribute(AttributeType::UNKNOWN_ATTRIBUTES).unwrap_or_default();
        let (kinds, _) = listed.as_chunks();
        kinds.iter().map(|kind| AttributeType(u16::from_be_bytes(*kind)))
    }

    /// PRIORITY.
    pub fn priority(&self) -> Option<u32> {
        let value = self.attribute(AttributeType::PRIORITY)?;
        value.try_into().ok().map(u32::from_be_bytes)
    }

    /// Whether there is a USE-CANDIDATE.
    pub fn use_candidate(&self) -> bool {
        self.attribute(AttributeType::USE_CANDIDATE).is_some()
    }

    /// NOMINATION's 24 bits (draft-thatcher-ice-renomination §2.4): the largest that was seen holds.
    pub fn nomination(&self) -> Option<u32> {
        let value: [u8; 4] = self.attribute(AttributeType::NOMINATION)?.try_into().ok()?;
        Some(u32::from_be_bytes(value) & 0x00ff_ffff)
    }

    /// The tiebreaker of ICE-CONTROLLING.
    pub fn controlling(&self) -> Option<u64> {
        let value = self.attribute(AttributeType::ICE_CONTROLLING)?;
        value.try_into().ok().map(u64::from_be_bytes)
    }

    /// The tiebreaker of ICE-CONTROLLED.
    pub fn controlled(&self) -> Option<u64> {
        let value = self.attribute(AttributeType::ICE_CONTROLLED)?;
        value.try_into().ok().map(u64::from_be_bytes)
    }

    /// ERROR-CODE (RFC 8489 §14.8).
    pub fn error_code(&self) -> Option<ErrorCode> {
        let [_, _, class, number] = self.attribute(AttributeType::ERROR_CODE)?.first_chunk::<4>()?;
        let (class, number) = (u16::from(class & 7), u16::from(*number));
        ((3..=6).contains(&class) && number < 100).then_some(ErrorCode(class * 100 + number))
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {:?}", self.method, self.class, self.transaction)
    }
}

/// A message's attributes: type and value.
#[derive(Clone, Debug)]
pub struct Attributes<'m> {
    walk: Walk<'m>,
    protected: Protection,
}

/// Which integrity attribute has been passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    None,
    Sha1,
    Sha256,
}

impl<'m> Attributes<'m> {
    fn next_found(&mut self) -> Option<Found<'m>> {
        while let Ok(Some(found)) = self.walk.step() {
            let counts = match self.protected {
                Protection::None => true,
                Protection::Sha1 => {
                    matches!(found.kind, AttributeType::MESSAGE_INTEGRITY_SHA256 | AttributeType::FINGERPRINT)
                }
                Protection::Sha256 => found.kind == AttributeType::FINGERPRINT,
            };
            if counts {
                match found.kind {
                    AttributeType::MESSAGE_INTEGRITY => self.protected = Protection::Sha1,
                    AttributeType::MESSAGE_INTEGRITY_SHA256 => self.protected = Protection::Sha256,
                    _ => {}
                }
                return Some(found);
            }
        }
        None
    }

    fn find_kind(&mut self, kind: AttributeType) -> Option<Found<'m>> {
        core::iter::from_fn(|| self.next_found()).find(|found| found.kind == kind)
    }
}

impl<'m> Iterator for Attributes<'m> {
    type Item = (AttributeType, &'m [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_found().map(|found| (found.kind, found.value))
    }
}

/// An attribute and where in the message it begins.
struct Found<'m> {
    kind: AttributeType,
    value: &'m [u8],
    at: usize,
}

/// Goes from attribute to attribute.
#[derive(Clone, Debug)]
struct Walk<'m> {
    bytes: &'m [u8],
    at: usize,
}

impl<'m> Walk<'m> {
    const fn over(bytes: &'m [u8]) -> Self {
        Self { bytes, at: HEADER_LEN }
    }

    const fn is_over(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn step(&mut self) -> Result<Option<Found<'m>>, ParseError> {
        if self.is_over() {
            return Ok(None);
        }
        let at = self.at;
        let mut reader = Reader::new(self.bytes.get(at..).unwrap_or_default());
        let mut read = || -> Result<_, Truncated> {
            let kind = AttributeType(reader.u16()?);
            let value = reader.prefixed_u16()?;
            reader.take(value.len().wrapping_neg() % 4)?;
            Ok((kind, value))
        };
        let (kind, value) = read().map_err(|_| ParseError::Attribute)?;
        self.at = self.bytes.len() - reader.remaining();
        Ok(Some(Found { kind, value, at }))
    }
}
