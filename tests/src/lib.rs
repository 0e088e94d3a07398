//! What the tests of whole peers are made of: a simulated network and two peers on it, in virtual time; and worlds with
//! translators, firewalls and servers.

pub mod nat;
pub mod net;
pub mod pair;
pub mod server;
pub mod world;

pub use nat::{Behaviour, Dependence, Egress, Nat};
pub use net::{Bursts, Link, Net};
pub use pair::{End, HeardRtp, Pair, Peer};
pub use server::Server;
pub use world::{INTERNET, World};
