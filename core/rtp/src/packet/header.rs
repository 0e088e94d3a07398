//! An RTP header that is being written.

use alloc::vec::Vec;

use pavane_base::WriteExt;

use super::extensions::{Form, ONE_BYTE_PROFILE, TWO_BYTE_PROFILE};
use super::{EXTENSION_BIT, FIXED_LEN, MARKER_BIT, PADDING_BIT, VERSION};
use crate::{ExtensionId, PayloadType, RtpTimestamp, SequenceNumber, Ssrc};

/// The fields that every RTP packet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The marker, whose meaning is the payload format's.
    pub marker: bool,
    /// The payload's format.
    pub payload_type: PayloadType,
    /// The packet's number in its stream.
    pub sequence_number: SequenceNumber,
    /// The media's moment.
    pub timestamp: RtpTimestamp,
    /// The stream's source.
    pub ssrc: Ssrc,
}

/// Writes one header behind what a buffer holds; the payload goes behind it.
///
/// CSRCs come first, then header extensions. These take the one-byte form, until one comes that needs the two-byte form
/// (RFC 8285 §4.1.2).
#[derive(Debug)]
pub struct HeaderBuilder<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    part: Part,
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Csrcs,
    /// `at` is where the block's profile number lies.
    Extension {
        at: usize,
        form: Form,
    },
}

/// The bytes before a block's elements: profile and length.
const BLOCK_HEADER_LEN: usize = 4;

impl<'b> HeaderBuilder<'b> {
    /// Begins a packet.
    pub fn new(out: &'b mut Vec<u8>, header: &Header) -> Self {
        let start = out.len();
        let marker = if header.marker { MARKER_BIT } else { 0 };
        let mut fixed = [0; FIXED_LEN];
        fixed[..2].copy_from_slice(&[VERSION, marker | header.payload_type.get()]);
        fixed[2..4].copy_from_slice(&header.sequence_number.0.to_be_bytes());
        fixed[4..8].copy_from_slice(&header.timestamp.0.to_be_bytes());
        fixed[8..].copy_from_slice(&header.ssrc.0.to_be_bytes());
        out.put(&fixed);
        Self { out, start, part: Part::Csrcs }
    }

    /// Adds a source that a mixer combined.
    ///
    /// # Panics
    /// If it is the sixteenth, or comes behind an extension.
    #[must_use]
    pub fn csrc(self, csrc: Ssrc) -> Self {
        let first = &mut self.out[self.start];
        assert!(*first & 0x0f < 15 && self.part == Part::Csrcs, "at most 15 CSRCs, before the extensions");
        *first += 1;
        self.out.put_u32(csrc.0);
        self
    }

    /// Adds an element of the header extension.
    ///
    /// # Panics
    /// If the value has more than 255 bytes, which no element can hold.
    #[must_use]
    pub fn extension(mut self, id: ExtensionId, value: &[u8]) -> Self {
        self.put_extension(id, value);
        self
    }

    /// Adds an element of the header extension.
    ///
    /// # Panics
    /// If the value has more than 255 bytes, which no element can hold.
    pub fn put_extension(&mut self, id: ExtensionId, value: &[u8]) {
        assert!(value.len() <= 255, "an element holds at most 255 bytes");
        let form = self.form_for(id, value.len());
        match form {
            Form::OneByte => self.out.put_u8(id.get() << 4 | (value.len() - 1) as u8),
            Form::TwoByte => self.out.put(&[id.get(), value.len() as u8]),
        }
        self.out.put(value);
    }

    /// Ends the header; returns its length.
    pub fn finish(self) -> usize {
        if let Part::Extension { at, .. } = self.part {
            let padding = (self.out.len() - at).wrapping_neg() % 4;
            self.out.resize(self.out.len() + padding, 0);
            let words = (self.out.len() - at - BLOCK_HEADER_LEN) / 4;
            let words = u16::try_from(words).expect("few extensions of at most 255 bytes");
            self.out[at + 2..at + 4].copy_from_slice(&words.to_be_bytes());
        }
        self.out.len() - self.start
    }

    /// Opens the block if it is not, and moves it to the two-byte form if this element needs it.
    fn form_for(&mut self, id: ExtensionId, len: usize) -> Form {
        let needed = match id.get() <= 14 && (1..=16).contains(&len) {
            true => Form::OneByte,
            false => Form::TwoByte,
        };
        match self.part {
            Part::Csrcs => {
                let at = self.out.len();
                self.out[self.start] |= EXTENSION_BIT;
                self.out.put_u16(match needed {
                    Form::OneByte => ONE_BYTE_PROFILE,
                    Form::TwoByte => TWO_BYTE_PROFILE,
                });
                self.out.put_u16(0);
                self.part = Part::Extension { at, form: needed };
                needed
            }
            Part::Extension { at, form: Form::OneByte } if needed == Form::TwoByte => {
                widen(self.out, at);
                self.part = Part::Extension { at, form: Form::TwoByte };
                Form::TwoByte
            }
            Part::Extension { form, .. } => form,
        }
    }
}

/// Moves the one-byte elements of the block at `at` to the two-byte form.
fn widen(out: &mut Vec<u8>, at: usize) {
    out[at..at + 2].copy_from_slice(&TWO_BYTE_PROFILE.to_be_bytes());
    let mut element = at + BLOCK_HEADER_LEN;
    while let Some(&first) = out.get(element) {
        let len = (first & 0x0f) + 1;
        out[element] = first >> 4;
        out.insert(element + 1, len);
        element += 2 + usize::from(len);
    }
}

/// Appends `len` bytes of padding to the packet that begins at `start`, and says so in its header.
///
/// # Panics
/// If there is no packet at `start`.
pub(crate) fn pad(out: &mut Vec<u8>, start: usize, len: u8) {
    if let Some(zeros) = len.checked_sub(1) {
        out[start] |= PADDING_BIT;
        out.resize(out.len() + usize::from(zeros), 0);
        out.put_u8(len);
    }
}
