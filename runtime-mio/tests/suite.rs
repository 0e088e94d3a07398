//! The suite of every adapter, with sockets of each connection's own.

use pavane_mio::{Builder, Loop, PeerConnection};

/// The scriptable peer on this runtime.
const EXAMPLE: &str = "stdio-mio";

fn build(builder: Builder) -> PeerConnection {
    Loop::spawn()
        .and_then(|each| each.peer(builder).map_err(std::io::Error::other))
        .expect("the loopback interface is there")
}

#[path = "../../core/drive/tests/suite/mod.rs"]
mod suite;

#[path = "../../core/drive/tests/suite/tcp.rs"]
mod tcp;

#[path = "../../core/drive/tests/suite/stdio.rs"]
mod stdio;
