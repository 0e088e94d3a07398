//! Cryptography as Pavane's protocols need it: traits that a provider fulfils, and certificates built on them.
//!
//! A protocol crate never names an implementation. Whoever makes a connection hands in a [`Provider`]; two come with the
//! project: `pavane-crypto-rustls`, the default, on what rustls itself stands on, and `software`, made of pure Rust
//! parts, for tests, fuzzing and small targets.
//!
//! Randomness is an argument here too. Ephemeral keys come from the caller's generator and signatures use nonces derived
//! from the key and the message (RFC 6979), so that the same seed gives the same bytes on the wire; a provider that cannot
//! promise this says so in [`Provider::is_deterministic`].

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod algorithms;
mod certificate;
mod ecdsa;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod key_kind;
mod provider;
mod self_signed;
#[cfg(feature = "software")]
pub mod software;
#[cfg(feature = "vectors")]
pub mod vectors;

pub use algorithms::{
    AeadAlgorithm, HashAlgorithm, MacAlgorithm, NamedGroup, SignatureScheme, StreamCipherAlgorithm,
};
pub use certificate::{Certificate, CertificateError, Fingerprint, subject_public_key_info};
pub use ecdsa::{EcdsaP256Key, draw_p256};
pub use key_kind::check_key_kind;
pub use provider::{
    Aead, Digest, Hash, KeyError, KeyExchange, KeyExchangeError, Mac, NONCE_LEN, OpenError, Provider,
    SignatureError, SigningKey, StreamCipher, TAG_LEN, constant_time_eq,
};
