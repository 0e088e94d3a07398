//! Channels as streams of bytes.

use std::io::ErrorKind;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use pavane::Message;
use pavane_drive::ByteStream;

use super::common::{Pair, pair, pattern, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_flow_both_ways_and_end() {
    const LEN: usize = 3_000_000;

    let Pair { alice: _alice, bob: _bob, alices, bobs } = pair().await;
    let writing = tokio::spawn(async move {
        let mut stream = ByteStream::new(alices);
        stream.write_all(&pattern(1, LEN)).await.expect("the channel is open");
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.expect("the channel is open");
        stream.close().await.expect("closing does not fail");
        let error = stream.write_all(b"more").await.expect_err("it is closed");
        (answer, error.kind())
    });
    let mut stream = ByteStream::new(bobs);
    let mut received = vec![0; LEN];
    within(30, stream.read_exact(&mut received)).await.expect("the channel is open");
    assert!(received == pattern(1, LEN));
    within(10, stream.write_all(b"yes!")).await.expect("the channel is open");
    assert_eq!(within(10, stream.read(&mut received)).await.expect("an end is no error"), 0);
    assert_eq!(within(10, writing).await.expect("no panic"), (*b"yes!", ErrorKind::BrokenPipe));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_read_end_to_end_whatever_their_kind() {
    let Pair { alice: _alice, bob: _bob, alices, bobs } = pair().await;
    for message in [Message::text("one "), Message::text(""), Message::binary(&b"two"[..])] {
        alices.send(message).await.expect("the channel is open");
    }
    alices.close();
    let mut text = String::new();
    within(10, ByteStream::new(bobs).read_to_string(&mut text)).await.expect("it is text");
    assert_eq!(text, "one two");
}
