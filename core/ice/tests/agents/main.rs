//! Two agents over a small virtual network.

mod pair;
mod peer;

mod connecting;
mod defence;
mod liveness;
mod nominating;
mod restarting;
mod scripted;
mod servers;
mod signalling;
