//! Waiting: back-pressure both ways, many waiters, futures that are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pavane::{Message, SendError};
use pavane_drive::DataChannel;
use tokio::time::{sleep, timeout};

use super::build;
use super::common::{Pair, builder, pattern, peer, within};

const SIZE: usize = 16 * 1024;

/// What may be under way between a writer and a reader that does not read: the channel's send limit and the message that
/// crosses it, and the receiver's window.
const MOST_UNDER_WAY: usize = 1024 * 1024 + WINDOW + 4 * SIZE;

const WINDOW: usize = 2 * 1024 * 1024;

async fn pair() -> Pair {
    let peer = || build(builder().receive_window(WINDOW as u32));
    super::common::pair_of(peer(), peer()).await
}

/// Waits until a figure has not changed for a while.
async fn settled(figure: &AtomicUsize) -> usize {
    let mut last = figure.load(Ordering::Relaxed);
    loop {
        sleep(Duration::from_millis(700)).await;
        match figure.load(Ordering::Relaxed) {
            now if now == last => return now,
            now => last = now,
        }
    }
}

fn write(channel: DataChannel, count: usize) -> (Arc<AtomicUsize>, tokio::task::JoinHandle<()>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let task = tokio::spawn(async move {
        for number in 0..count {
            channel.send(Message::binary(pattern(number, SIZE))).await.expect("the channel is open");
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    (sent, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_stops_the_writer_and_loses_nothing() {
    const COUNT: usize = 1024;

    let Pair { alices, bobs, .. } = pair().await;
    let (sent, task) = write(alices.clone(), COUNT);
    let under_way = within(30, settled(&sent)).await * SIZE;
    assert!(under_way <= MOST_UNDER_WAY, "{under_way} bytes are under way");
    assert!(under_way < COUNT * SIZE);

    for number in 0..COUNT {
        let message = within(30, bobs.recv()).await.expect("the channel is open");
        assert!(message == Message::binary(pattern(number, SIZE)), "message {number}");
    }
    within(10, task).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sending_without_waiting_says_when_it_is_full() {
    let Pair { alices, bobs, .. } = pair().await;
    let mut sent = 0;
    let error = loop {
        match alices.try_send(Message::binary(pattern(sent, SIZE))) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent * SIZE <= MOST_UNDER_WAY);
    };
    assert_eq!(error, SendError::Full);
    for number in 0..sent {
        let message = within(30, bobs.recv()).await;
        assert!(message == Some(Message::binary(pattern(number, SIZE))), "message {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buffer_drains_below_what_is_asked_for() {
    let Pair { alice: _alice, bob: _bob, alices, bobs } = pair().await;
    let (sent, task) = write(alices.clone(), 512);
    within(30, settled(&sent)).await;
    assert!(alices.buffered_amount() > 0);
    let channel = alices.clone();
    let drained = tokio::spawn(async move { channel.buffered_below(0).await });
    for _ in 0..512 {
        within(30, bobs.recv()).await.expect("the channel is open");
    }
    within(10, drained).await.expect("no panic");
    // It may have been empty between two messages as well; now there are no more to come.
    within(10, task).await.expect("no panic");
    within(10, alices.buffered_below(0)).await;
    assert_eq!(alices.buffered_amount(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receive_that_is_dropped_loses_no_message() {
    const COUNT: usize = 400;

    let Pair { alices, bobs, .. } = pair().await;
    let writer = tokio::spawn(async move {
        for number in 0..COUNT {
            alices.send(Message::binary(pattern(number, 100))).await.expect("the channel is open");
            if number % 7 == 0 {
                sleep(Duration::from_millis(2)).await;
            }
        }
        alices
    });
    let mut received = 0;
    let mut dropped = 0;
    while received < COUNT {
        match timeout(Duration::from_micros(300), bobs.recv()).await {
            Ok(message) => {
                assert_eq!(message, Some(Message::binary(pattern(received, 100))));
                received += 1;
            }
            Err(_) => dropped += 1,
        }
        assert!(dropped < 1_000_000, "messages are lost");
    }
    assert!(dropped > 0, "the test has to drop some");
    within(10, writer).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_that_is_dropped_sends_nothing_and_the_others_go_on() {
    let Pair { alices, bobs, .. } = pair().await;
    let mut sent = 0;
    // Fill everything up, then give up on some.
    while timeout(Duration::from_millis(300), alices.send(Message::binary(pattern(sent, SIZE)))).await.is_ok()
    {
        sent += 1;
    }
    for _ in 0..10 {
        let message = Message::text("never");
        assert!(timeout(Duration::from_millis(5), alices.send(message)).await.is_err());
    }
    let last = tokio::spawn(async move { alices.send(Message::text("last")).await.map(|()| alices) });
    for number in 0..sent {
        let message = within(30, bobs.recv()).await;
        assert!(message == Some(Message::binary(pattern(number, SIZE))), "message {number}");
    }
    assert_eq!(within(10, bobs.recv()).await, Some(Message::text("last")));
    within(10, last).await.expect("no panic").expect("the channel is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_message_goes_to_one_of_many_readers() {
    let Pair { alices, bobs, .. } = pair().await;
    let count = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..10)
        .map(|_| {
            let (bobs, count) = (bobs.clone(), count.clone());
            tokio::spawn(async move {
                while bobs.recv().await.is_some() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for number in 0..500 {
        alices.send(Message::text(number.to_string())).await.expect("the channel is open");
    }
    alices.close();
    for reader in readers {
        within(10, reader).await.expect("no panic");
    }
    assert_eq!(count.load(Ordering::Relaxed), 500);
}

#[tokio::test]
async fn a_future_that_was_never_woken_leaves_nothing_behind() {
    let peer = peer();
    for _ in 0..1000 {
        assert!(timeout(Duration::ZERO, peer.connected()).await.is_err());
    }
    peer.close();
    assert!(within(5, peer.connected()).await.is_err());
}
