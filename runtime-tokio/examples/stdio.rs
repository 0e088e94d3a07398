//! The scriptable peer on tokio: see the module that it runs.

use std::future::Future;

use pavane_tokio::{BuildError, Builder, PeerConnection};

#[path = "../../core/drive/examples/stdio/mod.rs"]
mod stdio;

fn build(builder: Builder) -> Result<PeerConnection, BuildError> {
    builder.build()
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

#[tokio::main]
async fn main() {
    stdio::run().await;
}
