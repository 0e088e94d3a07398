//! The suite of every adapter, with sockets of each connection's own.

use pavane_smol::{Builder, PeerConnection};

/// The scriptable peer on this runtime.
const EXAMPLE: &str = "stdio-smol";

fn build(builder: Builder) -> PeerConnection {
    builder.build().expect("the loopback interface is there")
}

#[path = "../../core/drive/tests/suite/mod.rs"]
mod suite;

#[path = "../../core/drive/tests/suite/tcp.rs"]
mod tcp;

#[path = "../../core/drive/tests/suite/stdio.rs"]
mod stdio;
