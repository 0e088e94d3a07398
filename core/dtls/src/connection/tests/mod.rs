//! Whole handshakes in virtual time.

mod alerts;
mod faults;
mod fingerprints;
mod handshake;
mod hellos;
mod pair;
