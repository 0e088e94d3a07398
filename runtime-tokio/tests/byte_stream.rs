//! A channel as tokio's kind of stream: what tokio's own functions make of it.

use std::net::{Ipv4Addr, SocketAddr};

use pavane_tokio::{Builder, ByteStream, ChannelInit, Event};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_channel_is_copied_like_a_file() {
    let peer = || Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]).build();
    let (alice, bob) = (peer().expect("a socket"), peer().expect("a socket"));
    let channel = alice.create_data_channel("file", ChannelInit::default()).expect("it is possible");
    alice.set_local_description(None).expect("an offer is possible");
    bob.set_remote_description(alice.local_description().expect("it was just set")).expect("it is good");
    bob.set_local_description(None).expect("an answer is possible");
    alice.set_remote_description(bob.local_description().expect("it was just set")).expect("it is good");
    let contents: Vec<u8> = (0..500_000).map(|index: u32| index.to_be_bytes()[2]).collect();
    let sent = contents.clone();
    let sending = tokio::spawn(async move {
        let mut stream = ByteStream::new(channel);
        tokio::io::copy(&mut &sent[..], &mut stream).await.expect("the channel is open");
        stream.shutdown().await.expect("closing does not fail");
    });
    let channel = loop {
        if let Event::Channel(channel) = bob.next_event().await.expect("the connection lives") {
            break channel;
        }
    };
    let mut received = Vec::new();
    ByteStream::from(channel).read_to_end(&mut received).await.expect("an end is no error");
    assert!(received == contents);
    sending.await.expect("no panic");
}
