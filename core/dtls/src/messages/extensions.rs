//! Extensions of the hellos (RFC 5246 §7.4.1.4).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use pavane_base::{LengthPrefix, Reader, Truncated, WriteExt};

use crate::Misbehaved;

/// The type of an extension, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtensionType(pub(crate) u16);

impl ExtensionType {
    /// RFC 8422 §5.1.1.
    pub(crate) const SUPPORTED_GROUPS: Self = Self(10);
    /// RFC 8422 §5.1.2.
    pub(crate) const EC_POINT_FORMATS: Self = Self(11);
    /// RFC 5246 §7.4.1.4.1.
    pub(crate) const SIGNATURE_ALGORITHMS: Self = Self(13);
    /// RFC 5764 §4.1.1.
    pub(crate) const USE_SRTP: Self = Self(14);
    /// RFC 7627 §5.1.
    pub(crate) const EXTENDED_MASTER_SECRET: Self = Self(23);
    /// RFC 8446 §4.2.1.
    pub(crate) const SUPPORTED_VERSIONS: Self = Self(43);
    /// RFC 5746 §3.2.
    pub(crate) const RENEGOTIATION_INFO: Self = Self(0xff01);
}

/// The extensions of a message, known and unknown, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions<'a>(Vec<(ExtensionType, Cow<'a, [u8]>)>);

impl<'a> Extensions<'a> {
    /// Reads the rest of a message; nothing at all is no extension (RFC 5246 §7.4.1.2).
    pub(crate) fn parse(r: &mut Reader<'a>) -> Result<Self, Misbehaved> {
        let mut extensions = Self::default();
        if r.is_empty() {
            return Ok(extensions);
        }
        let mut list = Reader::new(r.prefixed_u16().map_err(malformed)?);
        while !list.is_empty() {
            let kind = ExtensionType(list.u16().map_err(malformed)?);
            let body = list.prefixed_u16().map_err(malformed)?;
            if extensions.get(kind).is_some() {
                return Err(Misbehaved::DuplicateExtension);
            }
            extensions.0.push((kind, Cow::Borrowed(body)));
        }
        if r.is_empty() { Ok(extensions) } else { Err(Misbehaved::Malformed) }
    }

    /// Adds an extension.
    pub(crate) fn push(&mut self, kind: ExtensionType, body: Vec<u8>) {
        self.0.push((kind, Cow::Owned(body)));
    }

    /// The body of the extension of this type.
    pub(crate) fn get(&self, kind: ExtensionType) -> Option<&[u8]> {
        self.0.iter().find(|(k, _)| *k == kind).map(|(_, body)| &**body)
    }

    /// The types, in their order.
    pub(crate) fn types(&self) -> impl Iterator<Item = ExtensionType> {
        self.0.iter().map(|(kind, _)| *kind)
    }

    /// Appends the list with its length; no extension is nothing at all.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if self.0.is_empty() {
            return;
        }
        out.put_prefixed(LengthPrefix::U16, |out| {
            for (kind, body) in &self.0 {
                out.put_u16(kind.0);
                out.put_prefixed(LengthPrefix::U16, |out| out.put(body));
            }
        });
    }
}

fn malformed(_: Truncated) -> Misbehaved {
    Misbehaved::Malformed
}

/// A list of 16-bit codes behind its 16-bit length in octets: groups and signature schemes.
pub(crate) fn code_list(codes: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_prefixed(LengthPrefix::U16, |out| codes.into_iter().for_each(|code| out.put_u16(code)));
    out
}

/// A list of 8-bit codes behind its 8-bit length: point formats.
pub(crate) fn code_list_u8_prefixed(codes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_prefixed(LengthPrefix::U8, |out| out.put(codes));
    out
}

/// The 16-bit codes in the octets of a list.
pub(crate) fn parse_code_list(octets: &[u8]) -> Result<Vec<u16>, Misbehaved> {
    match octets.chunks_exact(2) {
        chunks if chunks.remainder().is_empty() => {
            Ok(chunks.filter_map(|c| Some(u16::from_be_bytes(*c.first_chunk()?))).collect())
        }
        _ => Err(Misbehaved::Malformed),
    }
}

/// Whether a list of 8-bit codes behind its 8-bit length has this one.
pub(crate) fn contains(list: &[u8], code: u8) -> Result<bool, Misbehaved> {
    let mut r = Reader::new(list);
    let codes = r.prefixed_u8().map_err(malformed)?;
    if r.is_empty() { Ok(codes.contains(&code)) } else { Err(Misbehaved::Malformed) }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn extensions_keep_what_is_unknown() {
        let mut extensions = Extensions::default();
        extensions.push(ExtensionType(0x5a5a), vec![1, 2, 3]);
        extensions.push(ExtensionType::EXTENDED_MASTER_SECRET, vec![]);
        let mut out = vec![];
        extensions.encode(&mut out);
        let parsed = Extensions::parse(&mut Reader::new(&out)).unwrap();
        assert_eq!(parsed, extensions);
        assert_eq!(parsed.get(ExtensionType(0x5a5a)), Some(&[1, 2, 3][..]));
        for len in 1..out.len() {
            assert_eq!(Extensions::parse(&mut Reader::new(&out[..len])), Err(Misbehaved::Malformed));
        }
        assert_eq!(Extensions::parse(&mut Reader::new(&[])), Ok(Extensions::default()));
    }

    #[test]
    fn an_extension_stands_once() {
        let mut twice = Extensions::default();
        twice.push(ExtensionType(1), vec![]);
        twice.push(ExtensionType(1), vec![]);
        let mut out = vec![];
        twice.encode(&mut out);
        assert_eq!(Extensions::parse(&mut Reader::new(&out)), Err(Misbehaved::DuplicateExtension));
    }
}
