//! The standards' published test vectors, to be run against any provider.
//!
//! A provider's own tests call [`run_all`]. What a vector needs of the caller's generator (a private key, say) is played to
//! the provider by [`Script`]; a provider that is not deterministic is spared those vectors, and proves itself by the
//! agreement of two sides.

mod aead;
mod certificate;
mod hash;
mod key_exchange;
mod mac;
mod script;
mod signature;
mod stream;

use alloc::vec::Vec;

use crate::Provider;

pub use aead::run_aeads;
pub use certificate::run_certificates;
pub use hash::run_hashes;
pub use key_exchange::run_key_exchanges;
pub use mac::run_macs;
pub use script::Script;
pub use signature::run_signatures;
pub use stream::run_stream_ciphers;

/// Runs them all.
///
/// # Panics
/// At the first that does not hold.
pub fn run_all(provider: &dyn Provider) {
    run_hashes(provider);
    run_macs(provider);
    run_aeads(provider);
    run_stream_ciphers(provider);
    run_key_exchanges(provider);
    run_signatures(provider);
    run_certificates(provider);
}

/// The bytes that a string of hexadecimal digits stands for.
fn hex(digits: &str) -> Vec<u8> {
    const NO_DIGIT: &str = "vectors are written in hexadecimal digits, two a byte";
    let nibble = |digit: u8| char::from(digit).to_digit(16).expect(NO_DIGIT) as u8;
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "{NO_DIGIT}");
    pairs.iter().map(|[high, low]| nibble(*high) << 4 | nibble(*low)).collect()
}
