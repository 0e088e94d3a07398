//! Reading and writing big-endian bytes, with a bound check at every step.

use alloc::vec::Vec;
use core::fmt;

/// A message ended before its grammar did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message is truncated")
    }
}

impl core::error::Error for Truncated {}

/// Reads big-endian integers and slices from the front of a byte string.
///
/// A failed read leaves the reader where it was.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes have not been read yet.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Truncated> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes, as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// An 8-bit integer.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        self.array::<1>().map(|[b]| b)
    }

    /// A 16-bit integer.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_be_bytes)
    }

    /// A 24-bit integer.
    #[inline]
    pub fn u24(&mut self) -> Result<u32, Truncated> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// A 32-bit integer.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_be_bytes)
    }

    /// A 48-bit integer.
    #[inline]
    pub fn u48(&mut self) -> Result<u64, Truncated> {
        self.array().map(|[a, b, c, d, e, f]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// A 64-bit integer.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_be_bytes)
    }

    /// A string with an 8-bit length before it.
    pub fn prefixed_u8(&mut self) -> Result<&'a [u8], Truncated> {
        self.prefixed(|r| r.u8().map(usize::from))
    }

    /// A string with a 16-bit length before it.
    pub fn prefixed_u16(&mut self) -> Result<&'a [u8], Truncated> {
        self.prefixed(|r| r.u16().map(usize::from))
    }

    /// A string with a 24-bit length before it.
    pub fn prefixed_u24(&mut self) -> Result<&'a [u8], Truncated> {
        self.prefixed(|r| r.u24().map(|len| len as usize))
    }

    fn prefixed(
        &mut self,
        len: impl FnOnce(&mut Self) -> Result<usize, Truncated>,
    ) -> Result<&'a [u8], Truncated> {
        let mut ahead = *self;
        let len = len(&mut ahead)?;
        let taken = ahead.take(len)?;
        *self = ahead;
        Ok(taken)
    }
}

/// How wide a length field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthPrefix {
    /// One byte.
    U8,
    /// Two bytes.
    U16,
    /// Three bytes.
    U24,
}

impl LengthPrefix {
    const fn width(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U24 => 3,
        }
    }
}

/// Appends big-endian integers to a byte vector.
pub trait WriteExt {
    /// Appends an 8-bit integer.
    fn put_u8(&mut self, value: u8);
    /// Appends a 16-bit integer.
    fn put_u16(&mut self, value: u16);
    /// Appends the low 24 bits.
    fn put_u24(&mut self, value: u32);
    /// Appends a 32-bit integer.
    fn put_u32(&mut self, value: u32);
    /// Appends the low 48 bits.
    fn put_u48(&mut self, value: u64);
    /// Appends a 64-bit integer.
    fn put_u64(&mut self, value: u64);
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);
    /// Appends what `body` writes, behind its length.
    ///
    /// # Panics
    /// If `body` writes more than the prefix can count: the writer's own sizes are wrong.
    fn put_prefixed(&mut self, prefix: LengthPrefix, body: impl FnOnce(&mut Self))
    where
        Self: Sized;
}

impl WriteExt for Vec<u8> {
    #[inline]
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    #[inline]
    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn put_u24(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes()[1..]);
    }

    #[inline]
    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn put_u48(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes()[2..]);
    }

    #[inline]
    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn put_prefixed(&mut self, prefix: LengthPrefix, body: impl FnOnce(&mut Self)) {
        let start = self.len();
        let width = prefix.width();
        self.resize(start + width, 0);
        body(self);
        let len = (self.len() - start - width) as u64;
        assert!(len < 1 << (8 * width), "a length of {len} does not fit its prefix");
        self[start..start + width].copy_from_slice(&len.to_be_bytes()[8 - width..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut out = Vec::new();
        out.put_u8(1);
        out.put_u16(0x0203);
        out.put_u24(0x04_0506);
        out.put_u32(0x0708_090a);
        out.put_u48(0x0b0c_0d0e_0f10);
        out.put_u64(u64::MAX);
        out.put_prefixed(LengthPrefix::U24, |out| out.put_prefixed(LengthPrefix::U8, |out| out.put(b"ab")));
        let mut r = Reader::new(&out);
        assert_eq!(r.u8(), Ok(1));
        assert_eq!(r.u16(), Ok(0x0203));
        assert_eq!(r.u24(), Ok(0x04_0506));
        assert_eq!(r.u32(), Ok(0x0708_090a));
        assert_eq!(r.u48(), Ok(0x0b0c_0d0e_0f10));
        assert_eq!(r.u64(), Ok(u64::MAX));
        let mut inner = Reader::new(r.prefixed_u24().unwrap());
        assert_eq!(inner.prefixed_u8(), Ok(&b"ab"[..]));
        assert!(r.is_empty() && inner.is_empty());
    }

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut r = Reader::new(&[0, 5, 1]);
        assert_eq!(r.prefixed_u16(), Err(Truncated));
        assert_eq!(r.u32(), Err(Truncated));
        assert_eq!(r.remaining(), 3);
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn an_overlong_body_is_the_writers_bug() {
        Vec::new().put_prefixed(LengthPrefix::U8, |out| out.put(&[0; 256]));
    }
}
