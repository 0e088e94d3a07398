//! The scriptable peer on mio: see the module that it runs.

use std::future::Future;

use pavane_mio::{BuildError, Builder, Loop, PeerConnection};

#[path = "../../core/drive/examples/stdio/mod.rs"]
mod stdio;

thread_local! {
    static LOOP: Loop = Loop::spawn().expect("the system has a poll and a thread to give");
}

fn build(builder: Builder) -> Result<PeerConnection, BuildError> {
    LOOP.with(|each| each.peer(builder))
}

/// There is no executor: a task has a thread.
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(|| pavane_mio::block_on(task));
}

fn main() {
    pavane_mio::block_on(stdio::run());
}
