//! The elements of a header extension (RFC 8285 §4).
//!
//! ```text
//! one byte:  profile 0xBEDE   4 id, 4 length − 1, 1 to 16 bytes
//! two bytes: profile 0x100x   8 id, 8 length,     0 to 255 bytes
//! ```
//!
//! A zero byte is padding between elements in both.

use crate::ExtensionId;
use pavane_base::{Reader, Truncated};

/// The profile number of one-byte elements.
pub(crate) const ONE_BYTE_PROFILE: u16 = 0xbede;
/// The profile number of two-byte elements, whose low four bits are the application's.
pub(crate) const TWO_BYTE_PROFILE: u16 = 0x1000;

/// The elements of a packet's header extension: id and value.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    form: Form,
    rest: Reader<'a>,
}

/// How an element begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    OneByte,
    TwoByte,
}

impl Form {
    const fn of(profile: u16) -> Option<Self> {
        match profile {
            ONE_BYTE_PROFILE => Some(Self::OneByte),
            0x1000..=0x100f => Some(Self::TwoByte),
            _ => None,
        }
    }
}

impl Default for Extensions<'_> {
    fn default() -> Self {
        Self { form: Form::OneByte, rest: Reader::new(&[]) }
    }
}

impl<'a> Extensions<'a> {
    pub(crate) fn new(profile: u16, data: &'a [u8]) -> Self {
        match Form::of(profile) {
            Some(form) => Self { form, rest: Reader::new(data) },
            None => Self::default(),
        }
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.rest.remaining()
    }

    /// The next element's id and value; `None` for padding.
    #[inline]
    fn step(&mut self) -> Result<Option<(ExtensionId, &'a [u8])>, Truncated> {
        let first = self.rest.u8()?;
        let (id, len) = match self.form {
            Form::OneByte => {
                let (id, len) = (first >> 4, usize::from(first & 0x0f));
                match id {
                    0 if len == 0 => return Ok(None),
                    // Id 15, and id 0 with a length, end the block (RFC 8285 §4.2).
                    0 | 15 => return Err(Truncated),
                    _ => (id, len + 1),
                }
            }
            Form::TwoByte if first == 0 => return Ok(None),
            Form::TwoByte => (first, usize::from(self.rest.u8()?)),
        };
        let value = self.rest.take(len)?;
        Ok(ExtensionId::new(id).map(|id| (id, value)))
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (ExtensionId, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.step() {
                Ok(Some(element)) => return Some(element),
                Ok(None) => {}
                Err(Truncated) => self.rest = Reader::new(&[]),
            }
        }
        None
    }
}
