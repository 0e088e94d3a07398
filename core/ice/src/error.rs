//! What a caller can get wrong.

use core::fmt;

/// A local address that cannot be a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalAddressError {
    /// It is a wildcard or a multicast address.
    NotUnicast,
    /// It has no port.
    NoPort,
    /// There are too many.
    TooMany {
        /// How many there may be.
        max: usize,
    },
}

impl fmt::Display for LocalAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnicast => f.write_str("the address is not that of one socket"),
            Self::NoPort => f.write_str("the address has no port"),
            Self::TooMany { max } => write!(f, "there are more than {max} local addresses"),
        }
    }
}

impl core::error::Error for LocalAddressError {}

/// A remote candidate that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteCandidateError {
    /// There are too many.
    TooMany {
        /// How many there may be.
        max: usize,
    },
}

impl fmt::Display for RemoteCandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { max } => write!(f, "there are more than {max} remote candidates"),
        }
    }
}

impl core::error::Error for RemoteCandidateError {}
