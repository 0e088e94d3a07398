//! What a stream is sent with.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use pavane_base::rand_core::CryptoRng;
use pavane_base::random_array;

use crate::{PayloadType, SequenceNumber, Ssrc};

/// How retransmissions are sent in a stream of their own (RFC 4588).
#[derive(Clone, Debug)]
pub struct Retransmission {
    /// That stream's source.
    pub ssrc: Ssrc,
    /// Payload types and those of their retransmissions.
    pub types: Vec<(PayloadType, PayloadType)>,
    /// The first packet's number, random (RFC 3550 §5.1).
    pub first_sequence_number: SequenceNumber,
}

/// What is kept of packets that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// How many packets at most, those that wait to be sent among them.
    pub packets: u16,
    /// For how long.
    pub age: Duration,
}

impl Default for HistoryLimits {
    /// A thousand packets, which are 2 s at 4.8 Mbit/s.
    fn default() -> Self {
        Self { packets: 1024, age: Duration::from_secs(2) }
    }
}

/// What one stream is to be sent with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its source.
    pub ssrc: Ssrc,
    /// Units of its timestamps in a second.
    pub clock_rate: u32,
    /// Whether packets are sent again when they are missed.
    pub nack: bool,
    /// The stream that they are sent again in; in this one itself without.
    pub retransmission: Option<Retransmission>,
    /// The media section's identification, in every packet until a report shows that the receiver knows the stream.
    pub mid: Option<Box<str>>,
    /// The layer that the stream is, likewise.
    pub rid: Option<Box<str>>,
    /// What is kept for retransmission.
    pub history: HistoryLimits,
    /// The first packet's number, random (RFC 3550 §5.1).
    pub first_sequence_number: SequenceNumber,
    /// What is added to timestamps, random (RFC 3550 §5.1).
    pub timestamp_offset: u32,
}

impl Config {
    /// A stream without retransmission, with random beginnings.
    pub fn new(ssrc: Ssrc, clock_rate: u32, rng: &mut dyn CryptoRng) -> Self {
        Self {
            ssrc,
            clock_rate,
            nack: false,
            retransmission: None,
            mid: None,
            rid: None,
            history: HistoryLimits::default(),
            first_sequence_number: random_sequence_number(rng),
            timestamp_offset: u32::from_be_bytes(random_array(rng)),
        }
    }
}

/// A number to begin with, in the lower half of the circle: a wrap among the first packets would leave a receiver that
/// missed them with the wrong SRTP index (RFC 3711 §3.3.1).
pub fn random_sequence_number(rng: &mut dyn CryptoRng) -> SequenceNumber {
    SequenceNumber(u16::from_be_bytes(random_array(rng)) & 0x7fff)
}
