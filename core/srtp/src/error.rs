//! What can go wrong, and how often it has.

use core::fmt;

/// Why a session cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyingError {
    /// The keying material has not the profile's length.
    WrongLength,
    /// The provider does not take the keys.
    Provider(pavane_crypto::KeyError),
}

/// Why a packet of ours cannot be protected; it is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtectError {
    /// It is no packet.
    Malformed,
    /// As many packets as one key may protect have been: 2^48 of RTP, 2^31 of RTCP (RFC 3711 §9.2).
    KeyExhausted,
    /// There are as many sources as there may be.
    TooManySources,
}

/// Why a packet of the peer's is dropped; its bytes are of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnprotectError {
    /// It is no packet, or too short to be protected.
    Malformed,
    /// It came before.
    Replayed,
    /// It is so old that nobody knows whether it came before.
    TooOld,
    /// Its tag is wrong.
    Unauthentic,
    /// It is RTCP that is not encrypted.
    Unencrypted,
    /// It is authentic, and there are as many sources as there may be.
    TooManySources,
}

/// What was dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// [`UnprotectError::Malformed`]
    pub malformed: u64,
    /// [`UnprotectError::Replayed`]
    pub replayed: u64,
    /// [`UnprotectError::TooOld`]
    pub too_old: u64,
    /// [`UnprotectError::Unauthentic`]
    pub unauthentic: u64,
    /// [`UnprotectError::Unencrypted`]
    pub unencrypted: u64,
    /// [`UnprotectError::TooManySources`]
    pub too_many_sources: u64,
}

impl Counters {
    pub(crate) const fn count(&mut self, error: UnprotectError) {
        let counter = match error {
            UnprotectError::Malformed => &mut self.malformed,
            UnprotectError::Replayed => &mut self.replayed,
            UnprotectError::TooOld => &mut self.too_old,
            UnprotectError::Unauthentic => &mut self.unauthentic,
            UnprotectError::Unencrypted => &mut self.unencrypted,
            UnprotectError::TooManySources => &mut self.too_many_sources,
        };
        *counter += 1;
    }
}

impl From<pavane_crypto::KeyError> for KeyingError {
    fn from(error: pavane_crypto::KeyError) -> Self {
        Self::Provider(error)
    }
}

impl fmt::Display for KeyingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongLength => f.write_str("the keying material has not the profile's length"),
            Self::Provider(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the packet is malformed",
            Self::KeyExhausted => "the key has protected as many packets as it may",
            Self::TooManySources => "there are too many sources",
        })
    }
}

impl fmt::Display for UnprotectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the packet is malformed",
            Self::Replayed => "the packet came before",
            Self::TooOld => "the packet is too old",
            Self::Unauthentic => "the packet is not authentic",
            Self::Unencrypted => "the packet is not encrypted",
            Self::TooManySources => "there are too many sources",
        })
    }
}

impl core::error::Error for KeyingError {}
impl core::error::Error for ProtectError {}
impl core::error::Error for UnprotectError {}
