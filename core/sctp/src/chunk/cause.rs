//! Error causes, the inside of ABORT and ERROR (RFC 9260 §3.3.10).

use alloc::vec::Vec;

use pavane_base::WriteExt;

use super::init::STATE_COOKIE;
use super::parameter::write_parameter;
use crate::event::CauseCode;
use crate::types::{StreamId, Tsn};

/// An error cause that we send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    InvalidStream(StreamId),
    /// An INIT ACK without a cookie.
    MissingCookie,
    /// How long ago the cookie expired.
    StaleCookie {
        micros: u32,
    },
    UnresolvableAddress(Vec<u8>),
    /// The chunk, or as much of it as fits.
    UnrecognizedChunk(Vec<u8>),
    InvalidMandatoryParameter,
    /// Parameters of an INIT ACK, as many as fit.
    UnrecognizedParameters(Vec<u8>),
    NoUserData(Tsn),
    CookieWhileShuttingDown,
    UserAbort(Vec<u8>),
    ProtocolViolation,
}

impl Cause {
    pub(crate) fn code(&self) -> CauseCode {
        CauseCode(match self {
            Self::InvalidStream(_) => 1,
            Self::MissingCookie => 2,
            Self::StaleCookie { .. } => Self::STALE_COOKIE.0,
            Self::UnresolvableAddress(_) => 5,
            Self::UnrecognizedChunk(_) => 6,
            Self::InvalidMandatoryParameter => 7,
            Self::UnrecognizedParameters(_) => 8,
            Self::NoUserData(_) => 9,
            Self::CookieWhileShuttingDown => 10,
            Self::UserAbort(_) => 12,
            Self::ProtocolViolation => 13,
        })
    }

    pub(crate) const STALE_COOKIE: CauseCode = CauseCode(3);

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write_parameter(out, self.code().0, |out| match self {
            Self::InvalidStream(stream) => {
                out.put_u16(stream.0);
                out.put_u16(0);
            }
            Self::MissingCookie => {
                out.put_u32(1);
                out.put_u16(STATE_COOKIE);
            }
            Self::StaleCookie { micros } => out.put_u32(*micros),
            Self::UnresolvableAddress(bytes)
            | Self::UnrecognizedChunk(bytes)
            | Self::UnrecognizedParameters(bytes)
            | Self::UserAbort(bytes) => out.put(bytes),
            Self::NoUserData(tsn) => out.put_u32(tsn.0),
            Self::InvalidMandatoryParameter | Self::CookieWhileShuttingDown | Self::ProtocolViolation => {}
        });
    }
}
