//! Parameters: type, length, value, padded to four bytes (RFC 9260 §3.2.1); error causes have the same form.

use alloc::vec::Vec;

use pavane_base::{Reader, WriteExt};

use crate::packet::padding;

/// A parameter or an error cause whose inside has not been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameter<'p> {
    pub(crate) kind: u16,
    pub(crate) value: &'p [u8],
    /// Type, length and value, as they stand.
    pub(crate) whole: &'p [u8],
}

/// Walks over parameters; ends at the first one whose length is impossible.
#[derive(Clone, Debug)]
pub(crate) struct Parameters<'p> {
    rest: Reader<'p>,
}

impl<'p> Parameters<'p> {
    pub(crate) const fn new(bytes: &'p [u8]) -> Self {
        Self { rest: Reader::new(bytes) }
    }

    /// Whether the walk came to a proper end.
    #[cfg(test)]
    pub(crate) const fn is_exhausted(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'p> Iterator for Parameters<'p> {
    type Item = Parameter<'p>;

    fn next(&mut self) -> Option<Parameter<'p>> {
        let mut r = self.rest;
        let (kind, len) = (r.u16().ok()?, usize::from(r.u16().ok()?));
        let value = r.take(len.checked_sub(HEADER)?).ok()?;
        let whole = self.rest.rest().get(..len)?;
        r.take(padding(len).min(r.remaining())).ok()?;
        self.rest = r;
        Some(Parameter { kind, value, whole })
    }
}

/// Appends a parameter whose value `body` writes, with its padding.
///
/// # Panics
/// If the body is longer than a parameter's length can say: the writer's own sizes are wrong.
pub(crate) fn write_parameter(out: &mut Vec<u8>, kind: u16, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.put_u16(kind);
    out.put_u16(0);
    body(out);
    let len = out.len() - at;
    let encoded = u16::try_from(len).expect("parameters are bounded by the packet").to_be_bytes();
    out[at + 2..at + 4].copy_from_slice(&encoded);
    out.put(&[0; 3][..padding(len)]);
}

/// The length of type and length.
pub(crate) const HEADER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_make_the_round_trip_padded() {
        let mut out = Vec::new();
        write_parameter(&mut out, 7, |out| out.put(b"12345"));
        write_parameter(&mut out, 0xc000, |_| {});
        assert_eq!(out.len(), 12 + 4);
        let mut walk = Parameters::new(&out);
        let first = walk.next().unwrap();
        assert_eq!((first.kind, first.value, first.whole.len()), (7, &b"12345"[..], 9));
        assert_eq!(walk.next().unwrap().kind, 0xc000);
        assert_eq!(walk.next(), None);
        assert!(walk.is_exhausted());
    }

    #[test]
    fn impossible_lengths_end_the_walk() {
        for bytes in [&[0, 1, 0, 3][..], &[0, 1, 0, 5], &[0, 1, 0], &[0, 1, 0xff, 0xff, 0]] {
            let mut walk = Parameters::new(bytes);
            assert_eq!(walk.next(), None);
            assert!(!walk.is_exhausted());
        }
    }
}
