//! The suite of every adapter, with connections behind a port that several drivers share.

use std::num::NonZeroU16;

use pavane_tokio::{Builder, PeerConnection};

fn build(builder: Builder) -> PeerConnection {
    let drivers = NonZeroU16::new(3).expect("there are some");
    let port = builder.build_shared_port(drivers).expect("the loopback interface is there");
    // The first may well be the one that the kernel chooses: not the last.
    let peers: Vec<_> = (0..2).map(|_| port.peer().expect("the configuration is good")).collect();
    peers.into_iter().next_back().expect("there are some")
}

#[path = "../../core/drive/tests/suite/mod.rs"]
mod suite;
