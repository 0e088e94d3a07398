//! Draws from the caller's generator.

use rand_core::CryptoRng;

/// `N` random bytes.
pub fn random_array<const N: usize>(rng: &mut dyn CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}
