//! The scriptable peer on smol: see the module that it runs.

use std::future::Future;

use pavane_smol::{BuildError, Builder, PeerConnection};

#[path = "../../core/drive/examples/stdio/mod.rs"]
mod stdio;

fn build(builder: Builder) -> Result<PeerConnection, BuildError> {
    builder.build()
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    smol::spawn(task).detach();
}

fn main() {
    smol::block_on(stdio::run());
}
