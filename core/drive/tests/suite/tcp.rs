//! Peers that UDP does not get to find each other by TCP (RFC 6544): one listens, the other connects.

use pavane::{ChannelInit, Description, Message};
use pavane_drive::{ConnectError, PeerConnection};

use crate::build;
use crate::suite::common::{builder, next_channel, pattern, within};

/// What stays of a description when its candidates for UDP are left out.
fn without_udp(Description { kind, sdp }: Description) -> Description {
    let is_udp = |line: &str| line.starts_with("a=candidate:") && line.split(' ').nth(2) == Some("udp");
    let sdp = sdp.split_inclusive("\r\n").filter(|line| !is_udp(line)).collect();
    Description { kind, sdp }
}

async fn describe(peer: &PeerConnection) -> Description {
    peer.set_local_description(None).expect("it is due");
    within(10, peer.gathering_complete()).await;
    without_udp(peer.local_description().expect("it was just set"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_by_tcp_alone() {
    let (alice, bob) = (build(builder()), build(builder().listen(true)));
    let alices = alice.create_data_channel("test", ChannelInit::default()).expect("a channel is possible");
    let offer = describe(&alice).await;
    assert!(offer.sdp.contains(" tcptype active"), "{}", offer.sdp);
    bob.set_remote_description(offer).expect("the offer is good");
    let answer = describe(&bob).await;
    assert!(answer.sdp.contains(" tcptype passive"), "{}", answer.sdp);
    alice.set_remote_description(answer).expect("the answer is good");
    let bobs = next_channel(&bob).await;

    let message = Message::binary(pattern(3, 200_000));
    for (from, to) in [(&alices, &bobs), (&bobs, &alices)] {
        within(20, from.send(message.clone())).await.expect("the channel is open");
        assert_eq!(within(20, to.recv()).await, Some(message.clone()));
    }
    let path = alice.stats().selected_path.expect("they are connected");
    assert_eq!(path.transport, pavane::Transport::Tcp);

    // The end of the stream comes with the end of the connection, and neither is a failure.
    alice.close();
    within(10, bob.closed()).await;
    assert_ne!(bob.connected().await, Err(ConnectError::Failed));
}
