//! The program's own pictures: VP8 in IVF, a part of the program.

use std::time::Duration;

use pavane_tokio::LocalTrack;
use pavane_tokio::pavane::rtp::send::{MediaExtensions, Outgoing};
use pavane_tokio::pavane::rtp::{PayloadType, RtpTimestamp};

/// A clip that can be repeated without a seam.
pub(crate) struct Clip {
    frames: Vec<&'static [u8]>,
    /// Ticks of the media clock from one picture to the next.
    ticks: u32,
}

/// Where a stream of pictures is: whoever goes on with it must not go back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    timestamp: u32,
    picture: u16,
}

impl Position {
    /// The position of a packet, so far as VP8's descriptor tells it (RFC 7741 §4.2).
    pub(crate) fn of(timestamp: u32, payload: &[u8]) -> Self {
        let picture = match *payload {
            [first, second, high, low, ..] if first & second & high & 0x80 != 0 => {
                u16::from_be_bytes([high & 0x7f, low])
            }
            [first, second, id, ..] if first & second & 0x80 != 0 => u16::from(id),
            _ => 0,
        };
        Self { timestamp, picture }
    }

    const fn advance(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.wrapping_add(ticks);
        self.picture = (self.picture + 1) & 0x7fff;
    }
}

/// VP8's ticks a second (RFC 7741 §4.1).
const CLOCK_RATE: u32 = 90_000;

/// What fits into a datagram on every path, with all that is put around it.
const MAX_PAYLOAD: usize = 1100;

impl Clip {
    pub(crate) fn stored() -> Self {
        const IVF: &[u8] = include_bytes!("clips/picture.ivf");
        let word = |at: usize| u32::from_le_bytes(*IVF[at..].first_chunk().expect("the clip has a header"));
        let (rate, scale) = (word(16), word(20));
        let (_, mut rest) = IVF.split_at(32);
        let mut frames = Vec::new();
        while let Some((header, behind)) = rest.split_at_checked(12) {
            let len =
                u32::from_le_bytes(*header.first_chunk().expect("a frame's header begins with its length"));
            let (frame, next) = behind.split_at(len as usize);
            frames.push(frame);
            rest = next;
        }
        Self { frames, ticks: CLOCK_RATE * scale / rate }
    }

    pub(crate) fn frame_interval(&self) -> Duration {
        Duration::from_secs(1) * self.ticks / CLOCK_RATE
    }

    pub(crate) const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Sends one picture behind that position, if the peer takes VP8.
    pub(crate) fn send(&self, track: &LocalTrack, number: usize, position: &mut Position) {
        position.advance(self.ticks);
        let [high, low] = position.picture.to_be_bytes();
        let codecs = track.codecs();
        let vp8 = codecs.iter().find(|codec| codec.codec.is("VP8"));
        let Some(payload_type) = vp8.and_then(|codec| PayloadType::new(codec.payload_type)) else { return };
        let pieces = self.frames[number].chunks(MAX_PAYLOAD);
        let last = pieces.len() - 1;
        for (index, piece) in pieces.enumerate() {
            // RFC 7741 §4.2: whether a picture begins here, and its number in 15 bits.
            let begins = if index == 0 { 0x10 } else { 0x00 };
            let descriptor = [0x80 | begins, 0x80, 0x80 | high, low];
            let Some(next) = track.next_sequence_number() else { return };
            // While the track is not sent the clip runs on unseen.
            let _ = track.forward(
                next,
                Outgoing {
                    payload_type,
                    marker: index == last,
                    timestamp: RtpTimestamp(position.timestamp),
                    payload: [&descriptor, piece].concat().into(),
                    extensions: MediaExtensions::default(),
                    captured_at: None,
                },
            );
        }
    }
}
