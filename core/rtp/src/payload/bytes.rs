//! A payload in two pieces, so that a frame's bytes are copied once, into the datagram.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use pavane_base::WriteExt;

/// What a packet carries: a few bytes of its own, and bytes that it shares with whoever else holds them.
///
/// Payload formats put a descriptor before each piece of a frame. The descriptor lies in the packet, the piece is a slice
/// of the frame; making one out of the other neither allocates nor copies.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Payload {
    prefix: Prefix,
    shared: Bytes,
}

impl Payload {
    /// Puts `prefix` before `shared`.
    pub(crate) const fn new(prefix: Prefix, shared: Bytes) -> Self {
        Self { prefix, shared }
    }

    /// What is shared, if nothing comes before it.
    #[inline]
    pub(crate) fn into_shared(self) -> Result<Bytes, Self> {
        match self.prefix.as_slice().is_empty() {
            true => Ok(self.shared),
            false => Err(self),
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.prefix.as_slice().len() + self.shared.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The two pieces.
    pub fn pieces(&self) -> (&[u8], &[u8]) {
        (self.prefix.as_slice(), &self.shared)
    }

    /// Writes it behind what `out` holds.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.put(self.prefix.as_slice());
        out.put(&self.shared);
    }

    /// All of it in one piece; copied unless it is that already.
    pub fn to_bytes(&self) -> Bytes {
        if self.prefix.as_slice().is_empty() {
            return self.shared.clone();
        }
        let (prefix, shared) = self.pieces();
        [prefix, shared].concat().into()
    }
}

impl From<Bytes> for Payload {
    fn from(shared: Bytes) -> Self {
        Self::new(Prefix::default(), shared)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl<const N: usize> From<&'static [u8; N]> for Payload {
    fn from(bytes: &'static [u8; N]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({:?} + {} bytes)", self.prefix, self.shared.len())
    }
}

/// A few bytes, in place.
#[derive(Clone, Copy, Default)]
pub(crate) struct Prefix {
    len: u8,
    bytes: [u8; Self::CAPACITY],
}

impl Prefix {
    /// Every descriptor that is written here has room in it, and AV1's sequence header beside one.
    pub(crate) const CAPACITY: usize = 23;

    /// Appends bytes.
    ///
    /// # Panics
    /// If there is no room: descriptors have bounds.
    #[must_use]
    pub(crate) fn with(mut self, bytes: &[u8]) -> Self {
        let start = usize::from(self.len);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
        self
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl PartialEq for Prefix {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Prefix {}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_follow_each_other() {
        let payload = Payload::new(Prefix::default().with(&[1, 2]).with(&[3]), Bytes::from_static(&[4, 5]));
        assert_eq!((payload.len(), payload.is_empty()), (5, false));
        let mut out = alloc::vec![0];
        payload.write(&mut out);
        assert_eq!(out, [0, 1, 2, 3, 4, 5]);
        assert_eq!(payload.to_bytes(), out[1..]);
        assert_eq!(Payload::from(b"abc").to_bytes(), "abc");
        assert!(Payload::default().is_empty());
    }
}
