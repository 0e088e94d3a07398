//! The suite of every adapter, with connections behind a port.

use pavane_smol::{Builder, PeerConnection};

fn build(builder: Builder) -> PeerConnection {
    let port = builder.build_port().expect("the loopback interface is there");
    port.peer().expect("the configuration is good")
}

#[path = "../../core/drive/tests/suite/mod.rs"]
mod suite;

#[path = "../../core/drive/tests/suite/tcp.rs"]
mod tcp;
