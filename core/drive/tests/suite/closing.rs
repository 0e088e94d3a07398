//! Ends: of a channel, of a connection, of the runtime.

use pavane::{ChannelInit, ChannelState, CloseReason, ConnectionState, Message, SendError};
use pavane_drive::{ConnectError, Event, PeerConnection};

use super::common::{Pair, next_channel, pair, peer, within};

async fn close_reason(peer: &PeerConnection) -> CloseReason {
    loop {
        match within(10, peer.next_event()).await {
            Some(Event::Closed(reason)) => return reason,
            Some(_) => {}
            None => panic!("the end has no reason"),
        }
    }
}

#[tokio::test]
async fn closing_a_connection_is_seen_by_the_other_side_at_once() {
    let Pair { alice, bob, alices, bobs } = pair().await;
    alice.close();
    assert_eq!(within(5, alice.closed()).await, CloseReason::Local);
    assert_eq!(alice.connection_state(), ConnectionState::Closed);
    assert_eq!(alices.state(), ChannelState::Closed);
    assert_eq!(within(5, alices.recv()).await, None);
    assert_eq!(close_reason(&bob).await, CloseReason::Peer);
    assert_eq!(within(5, bob.next_event()).await.map(drop), None, "nothing follows");
    assert_eq!(within(5, bobs.recv()).await, None);
    assert_eq!(bobs.send(Message::text("too late")).await, Err(SendError::NotOpen));
    assert_eq!(within(5, bob.closed()).await, CloseReason::Peer);
}

#[tokio::test]
async fn dropping_the_last_handle_closes() {
    let Pair { alice, bob, alices, bobs } = pair().await;
    drop(alice);
    bobs.send(Message::text("still there?")).await.expect("a channel is a handle too");
    assert_eq!(within(5, alices.recv()).await, Some(Message::text("still there?")));
    drop(alices);
    assert_eq!(close_reason(&bob).await, CloseReason::Peer);
}

#[tokio::test]
async fn a_channel_that_one_side_closes_closes_on_the_other() {
    let Pair { alice: _alice, bob: _bob, alices, bobs } = pair().await;
    alices.send(Message::text("one")).await.expect("the channel is open");
    alices.send(Message::text("two")).await.expect("the channel is open");
    alices.close();
    assert_eq!(alices.send(Message::text("three")).await, Err(SendError::NotOpen));
    assert_eq!(within(5, bobs.recv()).await, Some(Message::text("one")));
    assert_eq!(within(5, bobs.recv()).await, Some(Message::text("two")));
    assert_eq!(within(5, bobs.recv()).await, None);
    within(5, bobs.closed()).await;
    within(5, alices.closed()).await;
}

#[tokio::test]
async fn a_channel_that_nobody_holds_closes_after_what_was_sent_on_it() {
    let Pair { alice, bob, .. } = pair().await;
    let channel = alice.create_data_channel("brief", ChannelInit::default()).expect("it is possible");
    assert!(within(5, channel.opened()).await);
    channel.send(Message::binary(vec![1; 200_000])).await.expect("the channel is open");
    drop(channel);
    let other = next_channel(&bob).await;
    assert_eq!(within(5, other.recv()).await, Some(Message::binary(vec![1; 200_000])));
    assert_eq!(within(5, other.recv()).await, None);
}

#[tokio::test]
async fn a_channel_that_nobody_holds_does_not_hold_up_the_others() {
    let Pair { alice, bob, alices, bobs } = pair().await;
    let noisy = alice.create_data_channel("noisy", ChannelInit::default()).expect("it is possible");
    assert!(within(5, noisy.opened()).await);
    drop(next_channel(&bob).await);
    // More than the window holds, on a channel that the other side has let go of.
    for _ in 0..600 {
        if noisy.send(Message::binary(vec![0; 16_384])).await.is_err() {
            break;
        }
    }
    alices.send(Message::text("through")).await.expect("the channel is open");
    assert_eq!(within(10, bobs.recv()).await, Some(Message::text("through")));
}

#[tokio::test]
async fn a_connection_closed_before_it_was_one_ends_cleanly() {
    let alice = peer();
    let channel = alice.create_data_channel("never", ChannelInit::default()).expect("it is possible");
    alice.set_local_description(None).expect("an offer is possible");
    alice.close();
    assert_eq!(within(5, alice.connected()).await, Err(ConnectError::Closed(CloseReason::Local)));
    assert!(!within(5, channel.opened()).await);
    assert_eq!(within(5, alice.closed()).await, CloseReason::Local);
    within(5, alice.gathering_complete()).await;
}
