//! What is sent on a channel arrives as it was sent: kind, bytes, boundaries, order.

use pavane::{ChannelInit, Message, SendError};
use pavane_drive::DataChannel;
use sha2::{Digest, Sha256};

use super::common::{Pair, negotiate, next_channel, pair, pattern, peer, within};

#[tokio::test]
async fn messages_of_every_kind_and_size_go_both_ways() {
    let Pair { alices, bobs, .. } = pair().await;
    let messages = [
        Message::text("Shall we dance?"),
        Message::text(""),
        Message::binary(Vec::new()),
        Message::binary(vec![7]),
        Message::binary(pattern(1, 1200)),
        Message::binary(pattern(2, 65_536)),
        Message::binary(pattern(3, 262_144)),
        Message::text("é".repeat(50_000)),
    ];
    for (from, to) in [(&alices, &bobs), (&bobs, &alices)] {
        for message in &messages {
            within(10, from.send(message.clone())).await.expect("the channel is open");
        }
        for message in &messages {
            assert!(within(10, to.recv()).await.as_ref() == Some(message), "it comes as it was sent");
        }
    }
}

#[tokio::test]
async fn too_large_a_message_is_refused_and_nothing_else_suffers() {
    let Pair { alices, bobs, .. } = pair().await;
    let large = Message::binary(vec![0; 262_145]);
    assert!(matches!(alices.send(large).await, Err(SendError::TooLarge { .. })));
    alices.send(Message::text("small")).await.expect("the channel is open");
    assert_eq!(within(10, bobs.recv()).await, Some(Message::text("small")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_megabytes_go_each_way_at_once_unharmed() {
    const SIZE: usize = 16 * 1024;
    const COUNT: usize = 1024;

    async fn write(channel: DataChannel) -> Vec<u8> {
        let mut hash = Sha256::new();
        for number in 0..COUNT {
            let bytes = pattern(number, SIZE);
            hash.update(&bytes);
            channel.send(Message::binary(bytes)).await.expect("the channel is open");
        }
        hash.finalize().to_vec()
    }

    async fn read(channel: DataChannel) -> Vec<u8> {
        let mut hash = Sha256::new();
        for _ in 0..COUNT {
            let message = channel.recv().await.expect("the channel is open");
            hash.update(message.as_bytes());
        }
        hash.finalize().to_vec()
    }

    // Whoever lets go of its last handle while the other still reads would close too early.
    let Pair { alice: _alice, bob: _bob, alices, bobs } = pair().await;
    let tasks = [write(alices.clone()), write(bobs.clone())].map(tokio::spawn);
    let readers = [read(bobs), read(alices)].map(tokio::spawn);
    for (writer, reader) in tasks.into_iter().zip(readers) {
        let (sent, received) = within(60, async { (writer.await, reader.await) }).await;
        assert_eq!(sent.expect("no panic"), received.expect("no panic"));
    }
}

#[tokio::test]
async fn a_hundred_channels_keep_to_themselves() {
    let (alice, bob) = (peer(), peer());
    let labels: Vec<String> = (0..100).map(|number| format!("channel {number}")).collect();
    let create =
        |label: &String| alice.create_data_channel(label, ChannelInit::default()).expect("it is possible");
    let channels: Vec<DataChannel> = labels.iter().map(create).collect();
    negotiate(&alice, &bob).await;
    let mut others = Vec::new();
    while others.len() < labels.len() {
        others.push(next_channel(&bob).await);
    }
    for channel in &channels {
        assert!(within(10, channel.opened()).await);
        channel.send(Message::text(channel.label())).await.expect("the channel is open");
    }
    for channel in &others {
        let message = within(10, channel.recv()).await;
        assert_eq!(message, Some(Message::text(channel.label())));
        channel.send(message.expect("it was just compared")).await.expect("the channel is open");
    }
    for channel in &channels {
        assert_eq!(within(10, channel.recv()).await, Some(Message::text(channel.label())));
    }
}
