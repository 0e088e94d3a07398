//! A generator that yields what it was given.

use alloc::vec::Vec;
use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// A generator that yields given bytes: the way to hand a vector's private key to a provider.
///
/// # Panics
/// When more bytes are drawn than were given.
#[derive(Clone, Debug)]
pub struct Script {
    bytes: Vec<u8>,
    at: usize,
}

impl Script {
    /// Yields `bytes`, the first first.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), at: 0 }
    }

    /// What has not been drawn yet.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let drawn = self.rest().get(..out.len()).expect("the script holds as many bytes as are drawn");
        out.copy_from_slice(drawn);
        self.at += out.len();
        Ok(())
    }
}

impl TryCryptoRng for Script {}
