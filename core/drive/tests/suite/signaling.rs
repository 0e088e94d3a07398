//! Exchanges of descriptions and candidates through the handles.

use pavane::{ChannelInit, ConnectionState, Description, Message, SignalingState};
use pavane_drive::{Event, PeerConnection, seeded_rng};

use super::build;
use super::common::{builder, negotiate, next_channel, pair, peer, within};

/// Hands every candidate of `from` to `to`, until they end.
async fn trickle(from: &PeerConnection, to: &PeerConnection) {
    loop {
        if let Some(Event::LocalCandidate(candidate)) = within(5, from.next_event()).await {
            let end = candidate.candidate.is_empty();
            to.add_ice_candidate(Some(candidate)).expect("the candidate is good");
            if end {
                return;
            }
        }
    }
}

fn without_candidates(description: Description) -> Description {
    let keep = |line: &&str| !line.starts_with("a=candidate") && !line.starts_with("a=end-of-candidates");
    let sdp = description.sdp.lines().filter(keep).map(|line| format!("{line}\r\n")).collect();
    Description { sdp, ..description }
}

#[tokio::test]
async fn candidates_can_trickle() {
    let (alice, bob) = (peer(), peer());
    let channel = alice.create_data_channel("test", ChannelInit::default()).expect("it is possible");
    alice.set_local_description(None).expect("an offer is possible");
    let offer = without_candidates(alice.local_description().expect("it was just set"));
    bob.set_remote_description(offer).expect("the offer is good");
    bob.set_local_description(None).expect("an answer is possible");
    let answer = without_candidates(bob.local_description().expect("it was just set"));
    alice.set_remote_description(answer).expect("the answer is good");
    trickle(&alice, &bob).await;
    trickle(&bob, &alice).await;
    assert_eq!(within(10, alice.connected()).await, Ok(()));
    assert_eq!(within(10, bob.connected()).await, Ok(()));
    assert!(within(10, channel.opened()).await);
}

#[tokio::test]
async fn a_restart_of_ice_keeps_the_connection_and_its_channels() {
    let super::common::Pair { alice, bob, alices, bobs } = pair().await;
    let before = alice.local_description();
    alice.restart_ice();
    assert!(alice.negotiation_needed());
    negotiate(&alice, &bob).await;
    assert_ne!(alice.local_description(), before);
    for _ in 0..20 {
        alices.send(Message::text("still dancing")).await.expect("the channel is open");
        assert_eq!(within(5, bobs.recv()).await, Some(Message::text("still dancing")));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(alice.connection_state(), ConnectionState::Connected);
}

#[tokio::test]
async fn colliding_offers_end_in_one_connection() {
    let (polite, impolite) = (peer(), peer());
    let ours = polite.create_data_channel("polite", ChannelInit::default()).expect("it is possible");
    let theirs = impolite.create_data_channel("impolite", ChannelInit::default()).expect("it is possible");
    polite.set_local_description(None).expect("an offer is possible");
    negotiate(&impolite, &polite).await;
    assert_eq!(polite.signaling_state(), SignalingState::Stable);
    assert!(within(10, ours.opened()).await && within(10, theirs.opened()).await);
    assert_eq!(next_channel(&polite).await.label(), "impolite");
    assert_eq!(next_channel(&impolite).await.label(), "polite");
}

#[tokio::test]
async fn the_same_seed_makes_the_same_offer() {
    let offer = |seed| {
        let peer = build(builder().rng(seeded_rng(seed)));
        let _channel = peer.create_data_channel("test", ChannelInit::default()).expect("it is possible");
        let sdp = peer.create_offer().expect("an offer is possible").sdp;
        // The certificate's dates, and so its fingerprint, follow the wall clock.
        sdp.lines().filter(|line| !line.starts_with("a=fingerprint")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(offer(1), offer(1));
    assert_ne!(offer(1), offer(2));
}
