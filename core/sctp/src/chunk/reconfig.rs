//! RE-CONFIG: requests about streams, and responses to them (RFC 6525 §3.1, §4).
//!
//! ```text
//! +---------------+---------------+---------------+---------------+
//! | type 130      | 0             | length                        |
//! +---------------+---------------+---------------+---------------+
//! |  one or two parameters, among them                            |
//! +---------------+---------------+---------------+---------------+
//! | 13, outgoing reset            | length                        |
//! | request sequence number                                       |
//! | response sequence number: the last request of the peer        |
//! | the last TSN assigned before the reset                        |
//! | streams, 16 bits each; none stands for all                    |
//! +---------------+---------------+---------------+---------------+
//! | 16, response                  | length 12                     |
//! | sequence number of the request                                |
//! | result                                                        |
//! ```

use pavane_base::{Reader, Truncated, WriteExt};

use super::RawChunk;
use super::parameter::{Parameter, Parameters, write_parameter};
use crate::packet::{CHUNK_HEADER, PacketWriter, padded};
use crate::types::{RequestSeq, StreamId, Tsn};

/// A RE-CONFIG chunk as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Reconfig<'p> {
    parameters: Parameters<'p>,
}

impl<'p> Reconfig<'p> {
    pub(crate) const TYPE: u8 = 130;

    pub(crate) const fn parse(raw: RawChunk<'p>) -> Self {
        Self { parameters: Parameters::new(raw.value) }
    }

    /// What it asks and answers; at most two make a chunk (RFC 6525 §3.1), malformed ones are left out.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = ReconfigParameter<'p>> + use<'p> {
        self.parameters
            .clone()
            .take(2)
            .filter_map(|parameter| ReconfigParameter::parse(parameter).ok().flatten())
    }
}

/// A request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReconfigParameter<'p> {
    OutgoingReset(OutgoingReset<'p>),
    AddOutgoing {
        seq: RequestSeq,
        count: u16,
    },
    /// A request that we understand and do not honour.
    Unwanted {
        seq: RequestSeq,
    },
    Response {
        seq: RequestSeq,
        result: ResetResult,
    },
}

/// The sender begins to number its messages on these streams anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutgoingReset<'p> {
    pub(crate) seq: RequestSeq,
    pub(crate) last_tsn: Tsn,
    streams: &'p [u8],
}

impl<'p> OutgoingReset<'p> {
    /// The streams; none stands for all.
    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamId> + use<'p> {
        let (streams, _) = self.streams.as_chunks::<2>();
        streams.iter().map(|id| StreamId(u16::from_be_bytes(*id)))
    }

    /// The length of a chunk that asks for this many streams.
    pub(crate) const fn size(streams: usize) -> usize {
        CHUNK_HEADER + 16 + padded(2 * streams)
    }

    pub(crate) fn write(
        w: &mut PacketWriter<'_>,
        seq: RequestSeq,
        last_received: RequestSeq,
        last_tsn: Tsn,
        streams: &[StreamId],
    ) {
        w.chunk(Reconfig::TYPE, 0, |out| {
            write_parameter(out, OUTGOING_RESET, |out| {
                out.put_u32(seq.0);
                out.put_u32(last_received.0);
                out.put_u32(last_tsn.0);
                for stream in streams {
                    out.put_u16(stream.0);
                }
            });
        });
    }
}

/// What became of a request (RFC 6525 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResetResult(pub(crate) u32);

impl ResetResult {
    pub(crate) const NOTHING_TO_DO: Self = Self(0);
    pub(crate) const PERFORMED: Self = Self(1);
    pub(crate) const DENIED: Self = Self(2);
    pub(crate) const BAD_SEQUENCE: Self = Self(5);
    pub(crate) const IN_PROGRESS: Self = Self(6);
}

impl<'p> ReconfigParameter<'p> {
    /// The length of a chunk with one response.
    pub(crate) const RESPONSE_SIZE: usize = CHUNK_HEADER + 12;

    fn parse(parameter: Parameter<'p>) -> Result<Option<Self>, Truncated> {
        let mut r = Reader::new(parameter.value);
        Ok(Some(match parameter.kind {
            OUTGOING_RESET => {
                let seq = RequestSeq(r.u32()?);
                // The response sequence number tells nothing that a response would not.
                r.u32()?;
                Self::OutgoingReset(OutgoingReset { seq, last_tsn: Tsn(r.u32()?), streams: r.rest() })
            }
            INCOMING_RESET | ASSOCIATION_RESET | ADD_INCOMING => Self::Unwanted { seq: RequestSeq(r.u32()?) },
            ADD_OUTGOING => Self::AddOutgoing { seq: RequestSeq(r.u32()?), count: r.u16()? },
            RESPONSE => Self::Response { seq: RequestSeq(r.u32()?), result: ResetResult(r.u32()?) },
            _ => return Ok(None),
        }))
    }

    pub(crate) fn write_response(w: &mut PacketWriter<'_>, seq: RequestSeq, result: ResetResult) {
        w.chunk(Reconfig::TYPE, 0, |out| {
            write_parameter(out, RESPONSE, |out| {
                out.put_u32(seq.0);
                out.put_u32(result.0);
            });
        });
    }
}

const OUTGOING_RESET: u16 = 13;
const INCOMING_RESET: u16 = 14;
const ASSOCIATION_RESET: u16 = 15;
const RESPONSE: u16 = 16;
const ADD_OUTGOING: u16 = 17;
const ADD_INCOMING: u16 = 18;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{abuse, through_a_packet};
    use super::*;

    #[test]
    fn requests_make_the_round_trip() {
        let streams = [StreamId(1), StreamId(7), StreamId(65534)];
        through_a_packet(
            |w| OutgoingReset::write(w, RequestSeq(5), RequestSeq(4), Tsn(9), &streams),
            Some(OutgoingReset::size(3)),
            |raw| {
                let parsed: Vec<_> = Reconfig::parse(raw).parameters().collect();
                let [ReconfigParameter::OutgoingReset(reset)] = parsed[..] else { panic!("{parsed:?}") };
                assert_eq!((reset.seq, reset.last_tsn), (RequestSeq(5), Tsn(9)));
                assert_eq!(reset.streams().collect::<Vec<_>>(), streams);
                abuse(raw, |raw| {
                    Reconfig::parse(raw).parameters().count();
                });
            },
        );
    }

    #[test]
    fn responses_make_the_round_trip() {
        through_a_packet(
            |w| ReconfigParameter::write_response(w, RequestSeq(5), ResetResult::PERFORMED),
            Some(ReconfigParameter::RESPONSE_SIZE),
            |raw| {
                let expected =
                    ReconfigParameter::Response { seq: RequestSeq(5), result: ResetResult::PERFORMED };
                assert_eq!(Reconfig::parse(raw).parameters().collect::<Vec<_>>(), [expected]);
            },
        );
    }
}
