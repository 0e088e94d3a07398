//! The suite of every adapter, with sockets of each connection's own.

use pavane_tokio::{Builder, CloseReason, PeerConnection};

/// The scriptable peer on this runtime.
const EXAMPLE: &str = "stdio";

fn build(builder: Builder) -> PeerConnection {
    builder.build().expect("the loopback interface is there")
}

#[path = "../../core/drive/tests/suite/mod.rs"]
mod suite;

#[path = "../../core/drive/tests/suite/tcp.rs"]
mod tcp;

#[path = "../../core/drive/tests/suite/stdio.rs"]
mod stdio;

#[test]
fn the_end_of_the_runtime_ends_its_connections() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let first = runtime();
    let peer = first.block_on(async { build(Builder::new().include_loopback(true)) });
    drop(first);
    let closed = async { tokio::time::timeout(std::time::Duration::from_secs(5), peer.closed()).await };
    assert_eq!(runtime().block_on(closed), Ok(CloseReason::Local));
}
