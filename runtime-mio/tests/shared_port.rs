//! The suite of every adapter, with connections behind a port that several threads share.

use pavane_mio::{Builder, Loop, PeerConnection};

fn build(builder: Builder) -> PeerConnection {
    let loops = [(); 3].map(|()| Loop::spawn().expect("the system has threads to give"));
    let port = Loop::shared_port(&loops, builder).expect("the loopback interface is there");
    // The first may well be the one that the kernel chooses: not the last.
    let peers: Vec<_> = (0..2).map(|_| port.peer().expect("the configuration is good")).collect();
    peers.into_iter().next_back().expect("there are some")
}

#[path = "../../core/drive/tests/suite/mod.rs"]
mod suite;
