//! Goodbye (RFC 3550 §6.6): SSRCs, and perhaps a reason behind its length.

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use super::{SsrcList, kind, write_packet};
use crate::Ssrc;

/// Sources leave.
#[derive(Clone, Copy, Debug)]
pub struct Bye<'a> {
    sources: SsrcList<'a>,
    reason: Option<&'a [u8]>,
}

impl<'a> Bye<'a> {
    pub(super) fn read(count: u8, body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let sources = SsrcList::read(usize::from(count), body)?;
        let reason = if body.is_empty() { None } else { Some(body.prefixed_u8()?) };
        Ok(Self { sources, reason })
    }

    /// Who leaves.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = Ssrc> + use<'a> {
        self.sources.iter()
    }

    /// Why, in words.
    pub const fn reason(&self) -> Option<&'a [u8]> {
        self.reason
    }
}

/// Writes a goodbye without a reason.
///
/// # Panics
/// If there are more than 31 sources.
pub fn write_bye(out: &mut Vec<u8>, sources: &[Ssrc], reason: Option<&str>) {
    assert!(sources.len() <= 31, "a goodbye names at most 31 sources");
    write_packet(out, kind::BYE, sources.len() as u8, |out| {
        sources.iter().for_each(|source| out.put_u32(source.0));
        if let Some(reason) = reason {
            out.put_prefixed(LengthPrefix::U8, |out| out.put(reason.as_bytes()));
        }
    });
}
