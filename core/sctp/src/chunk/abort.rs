//! ABORT, the end at once, and ERROR, a complaint; both carry error causes (RFC 9260 §3.3.7, §3.3.10).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 6 or 9   | 0 0 0 0 0 0 0 T | length                      |
//! +---------------+---------------+---------------+---------------+
//! |  causes                                                       |
//! ```

use super::parameter::Parameters;
use super::{Cause, RawChunk};
use crate::event::CauseCode;
use crate::packet::PacketWriter;

/// An ABORT chunk as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Abort<'p> {
    /// Whether the packet's verification tag is the sender's own, reflected.
    pub(crate) reflected: bool,
    causes: Parameters<'p>,
}

impl<'p> Abort<'p> {
    pub(crate) const TYPE: u8 = 6;

    pub(crate) const fn parse(raw: RawChunk<'p>) -> Self {
        Self { reflected: raw.flags & REFLECTED != 0, causes: Parameters::new(raw.value) }
    }

    /// The code of the first cause.
    pub(crate) fn first_cause(&self) -> Option<CauseCode> {
        self.causes.clone().next().map(|cause| CauseCode(cause.kind))
    }

    pub(crate) fn write(w: &mut PacketWriter<'_>, reflected: bool, cause: Option<&Cause>) {
        w.chunk(Self::TYPE, if reflected { REFLECTED } else { 0 }, |out| {
            if let Some(cause) = cause {
                cause.write(out);
            }
        });
    }
}

/// An ERROR chunk as it was received.
#[derive(Clone, Debug)]
pub(crate) struct OperationError<'p> {
    causes: Parameters<'p>,
}

impl<'p> OperationError<'p> {
    pub(crate) const TYPE: u8 = 9;

    pub(crate) const fn parse(raw: RawChunk<'p>) -> Self {
        Self { causes: Parameters::new(raw.value) }
    }

    /// Whether one of its causes has this code.
    pub(crate) fn has(&self, code: CauseCode) -> bool {
        self.causes.clone().any(|cause| cause.kind == code.0)
    }

    pub(crate) fn write(w: &mut PacketWriter<'_>, cause: &Cause) {
        w.chunk(Self::TYPE, 0, |out| cause.write(out));
    }
}

/// The T bit.
const REFLECTED: u8 = 1;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{abuse, through_a_packet};
    use super::*;
    use crate::types::{StreamId, Tsn};

    fn causes() -> Vec<Cause> {
        alloc::vec![
            Cause::InvalidStream(StreamId(3)),
            Cause::StaleCookie { micros: 1 },
            Cause::UnresolvableAddress(alloc::vec![0, 11, 0, 4]),
            Cause::UnrecognizedChunk(alloc::vec![1, 2, 3]),
            Cause::InvalidMandatoryParameter,
            Cause::NoUserData(Tsn(1)),
            Cause::CookieWhileShuttingDown,
            Cause::UserAbort(b"Close called".to_vec()),
            Cause::ProtocolViolation,
        ]
    }

    #[test]
    fn every_cause_makes_the_round_trip() {
        for cause in causes() {
            for reflected in [false, true] {
                through_a_packet(
                    |w| Abort::write(w, reflected, Some(&cause)),
                    None,
                    |raw| {
                        let abort = Abort::parse(raw);
                        assert_eq!((abort.reflected, abort.first_cause()), (reflected, Some(cause.code())));
                        abuse(raw, |raw| _ = Abort::parse(raw).first_cause());
                    },
                );
            }
            through_a_packet(
                |w| OperationError::write(w, &cause),
                None,
                |raw| {
                    let error = OperationError::parse(raw);
                    assert!(error.has(cause.code()) && !error.has(CauseCode(99)));
                    assert!(error.causes.clone().count() == 1);
                },
            );
        }
    }

    #[test]
    fn an_abort_may_give_no_cause() {
        through_a_packet(
            |w| Abort::write(w, true, None),
            Some(4),
            |raw| {
                assert_eq!(Abort::parse(raw).first_cause(), None);
            },
        );
    }
}
