//! What the tests of whole peers are made of: a simulated network and two peers on it, in virtual time.

pub mod net;
pub mod pair;

pub use net::{Bursts, Link, Net};
pub use pair::{End, HeardRtp, Pair, Peer};
