//! Source descriptions (RFC 3550 §6.5): for each source an SSRC and items, up to a zero byte and whole words.

use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use super::{kind, write_packet};
use crate::Ssrc;

/// What an item of a description says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemKind(pub u8);

impl ItemKind {
    /// The name that one endpoint's sources share (RFC 3550 §6.5.1).
    pub const CNAME: Self = Self(1);
    /// The layer that a simulcast stream is (RFC 8852 §4.2).
    pub const RTP_STREAM_ID: Self = Self(12);
    /// The layer that a retransmission stream repairs (RFC 8852 §4.2).
    pub const REPAIRED_RTP_STREAM_ID: Self = Self(13);
    /// The media section's identification (RFC 9143 §15.1).
    pub const MID: Self = Self(15);
}

/// One item of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Whom it is about.
    pub ssrc: Ssrc,
    /// What it says.
    pub kind: ItemKind,
    /// Its text, in UTF-8 if the sender obeys.
    pub value: &'a [u8],
}

/// A source description.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    sources: u8,
    body: &'a [u8],
}

impl<'a> Description<'a> {
    pub(super) fn read(count: u8, body: &mut Reader<'a>) -> Result<Self, Truncated> {
        let description = Self { sources: count, body: body.rest() };
        let mut walk = description.walk();
        while walk.step()?.is_some() {}
        Ok(description)
    }

    /// The items of all sources.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let mut walk = self.walk();
        core::iter::from_fn(move || walk.step().ok().flatten())
    }

    /// The CNAME of a source.
    pub fn cname(&self, ssrc: Ssrc) -> Option<&'a [u8]> {
        self.items().find(|item| item.ssrc == ssrc && item.kind == ItemKind::CNAME).map(|item| item.value)
    }

    const fn walk(&self) -> Walk<'a> {
        Walk { sources: self.sources, source: None, rest: Reader::new(self.body), len: self.body.len() }
    }
}

/// Goes from item to item.
struct Walk<'a> {
    /// The sources that have not begun.
    sources: u8,
    source: Option<Ssrc>,
    rest: Reader<'a>,
    len: usize,
}

impl<'a> Walk<'a> {
    fn step(&mut self) -> Result<Option<Item<'a>>, Truncated> {
        loop {
            let Some(ssrc) = self.source else {
                let Some(left) = self.sources.checked_sub(1) else { return Ok(None) };
                self.sources = left;
                self.source = Some(Ssrc(self.rest.u32()?));
                continue;
            };
            match self.rest.u8()? {
                0 => {
                    let at = self.len - self.rest.remaining();
                    self.rest.take(at.wrapping_neg() % 4)?;
                    self.source = None;
                }
                item => {
                    let value = self.rest.prefixed_u8()?;
                    return Ok(Some(Item { ssrc, kind: ItemKind(item), value }));
                }
            }
        }
    }
}

/// Writes the description of one source by its CNAME, which every compound carries (RFC 3550 §6.1).
///
/// # Panics
/// If the name has more than 255 bytes.
pub fn write_cname(out: &mut Vec<u8>, ssrc: Ssrc, cname: &str) {
    write_items(out, ssrc, &[(ItemKind::CNAME, cname.as_bytes())]);
}

/// Writes the description of one source.
///
/// # Panics
/// If a value has more than 255 bytes.
pub fn write_items(out: &mut Vec<u8>, ssrc: Ssrc, items: &[(ItemKind, &[u8])]) {
    write_packet(out, kind::SDES, 1, |out| {
        out.put_u32(ssrc.0);
        for (kind, value) in items {
            out.put_u8(kind.0);
            out.put_prefixed(LengthPrefix::U8, |out| out.put(value));
        }
        // At least one zero byte ends the list; those that fill the word follow.
        out.put_u8(0);
    });
}
