//! The suite of every adapter, with connections behind a port.

use pavane_mio::{Builder, Loop, PeerConnection};

fn build(builder: Builder) -> PeerConnection {
    let port = Loop::spawn()
        .and_then(|each| each.port(builder).map_err(std::io::Error::other))
        .expect("the loopback interface is there");
    port.peer().expect("the configuration is good")
}

#[path = "../../core/drive/tests/suite/mod.rs"]
mod suite;

#[path = "../../core/drive/tests/suite/tcp.rs"]
mod tcp;
