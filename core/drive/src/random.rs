//! Generators for connections.

use std::io;

use pavane::base::rand_core::{CryptoRng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A generator that the operating system seeds.
///
/// # Errors
/// If the operating system has no entropy to give.
pub fn system_rng() -> io::Result<Box<dyn CryptoRng + Send>> {
    let mut seed = <ChaCha20Rng as SeedableRng>::Seed::default();
    getrandom::fill(&mut seed).map_err(io::Error::from)?;
    Ok(Box::new(ChaCha20Rng::from_seed(seed)))
}

/// A generator whose every draw follows from `seed`: for tests and for replaying a session, never for production.
pub fn seeded_rng(seed: u64) -> Box<dyn CryptoRng + Send> {
    Box::new(ChaCha20Rng::seed_from_u64(seed))
}
