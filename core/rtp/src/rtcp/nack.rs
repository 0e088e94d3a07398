//! Negative acknowledgement (RFC 4585 §6.2.1): words of a sequence number and 16 bits for those that follow it.

use alloc::vec::Vec;
use core::fmt;

use pavane_base::{Reader, Truncated, WriteExt};

use super::{kind, put_feedback_ssrcs, read_feedback_ssrcs, rtpfb, write_packet};
use crate::{SequenceNumber, Ssrc};

/// Packets of a stream are missing.
#[derive(Clone, Copy)]
pub struct Nack<'a> {
    sender: Ssrc,
    media: Ssrc,
    words: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn read(body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let (sender, media) = read_feedback_ssrcs(body)?;
        match body.rest().as_chunks() {
            (words @ [_, ..], []) => Ok(Self { sender, media, words }),
            _ => Err(Truncated),
        }
    }

    /// Who misses them.
    pub const fn sender(&self) -> Ssrc {
        self.sender
    }

    /// The stream.
    pub const fn media(&self) -> Ssrc {
        self.media
    }

    /// The missing packets, in the order in which they are named.
    pub fn missing(&self) -> impl Iterator<Item = SequenceNumber> + use<'a> {
        self.words.iter().flat_map(|[a, b, c, d]| {
            let first = SequenceNumber(u16::from_be_bytes([*a, *b]));
            let following = u16::from_be_bytes([*c, *d]);
            let behind = (0..16).filter(move |bit| following >> bit & 1 != 0);
            core::iter::once(first).chain(behind.map(move |bit| first.add(bit + 1)))
        })
    }
}

impl fmt::Debug for Nack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nack {:?} -> {:?} ", self.sender, self.media)?;
        f.debug_list().entries(self.missing().map(|number| number.0)).finish()
    }
}

/// Writes a negative acknowledgement of packets named in ascending order; returns how many it names, which are all unless
/// they need more than `max_words` words. Where there is nothing to name, nothing is written.
pub fn write_nack(
    out: &mut Vec<u8>,
    sender: Ssrc,
    media: Ssrc,
    missing: impl Iterator<Item = SequenceNumber>,
    max_words: usize,
) -> usize {
    let start = out.len();
    let mut named = 0;
    write_packet(out, kind::RTPFB, rtpfb::NACK, |out| {
        put_feedback_ssrcs(out, sender, media);
        let mut word: Option<(SequenceNumber, u16)> = None;
        let mut words = 0;
        for number in missing {
            match &mut word {
                Some((first, following)) if (1..=16).contains(&number.since(*first)) => {
                    *following |= 1 << (number.since(*first) - 1);
                }
                _ if words == max_words => break,
                current => {
                    put_word(out, current.replace((number, 0)));
                    words += 1;
                }
            }
            named += 1;
        }
        put_word(out, word);
    });
    if named == 0 {
        out.truncate(start);
    }
    named
}

fn put_word(out: &mut Vec<u8>, word: Option<(SequenceNumber, u16)>) {
    if let Some((first, following)) = word {
        out.put_u16(first.0);
        out.put_u16(following);
    }
}
