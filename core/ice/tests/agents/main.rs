//! Two agents over a small virtual network.

mod pair;

mod connecting;
mod defence;
mod liveness;
