//! Whole handshakes in virtual time.

mod alerts;
mod faults;
mod fingerprints;
mod flights;
mod handshake;
mod hellos;
mod pair;
