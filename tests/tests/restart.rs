//! ICE restarts: from either side, and where two offers cross.

use std::time::Duration;

use pavane::{IceConnectionState, Message, SignalingState};
use pavane_tests::{End, Link, Pair};

fn link() -> Link {
    Link::with_delay(Duration::from_millis(20))
}

/// The ufrag that a description carries.
fn ufrag(sdp: &str) -> &str {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap()
}

fn still_talks(pair: &mut Pair, channels: [pavane::ChannelId; 2]) {
    let now = pair.now;
    let heard = pair.peer(End::Bob).heard.len();
    pair.connection(End::Alice).channel(channels[0]).unwrap().send(now, Message::text("still here")).unwrap();
    assert!(pair.run(Duration::from_secs(5), |pair| pair.peer(End::Bob).heard.len() > heard));
}

#[test]
fn either_side_restarts_and_the_channel_goes_on() {
    for restarter in End::BOTH {
        let (mut pair, channels) = Pair::connected(1, link());
        let before = End::BOTH.map(|end| pair.connection(end).local_description().unwrap().sdp);
        pair.connection(restarter).restart_ice();
        assert!(pair.connection(restarter).negotiation_needed());
        pair.exchange(restarter);
        for (end, before) in End::BOTH.into_iter().zip(&before) {
            let sdp = pair.connection(end).local_description().unwrap().sdp;
            assert_ne!(ufrag(&sdp), ufrag(before), "{end:?} has new credentials");
            assert!(!pair.connection(end).negotiation_needed());
        }
        assert!(pair.run(Duration::from_secs(10), |pair| {
            End::BOTH
                .into_iter()
                .all(|end| pair.connection(end).ice_connection_state() == IceConnectionState::Completed)
        }));
        still_talks(&mut pair, channels);
    }
}

#[test]
fn the_answer_to_an_offer_that_does_not_restart_does_not_either() {
    let (mut pair, channels) = Pair::connected(2, link());
    let now = pair.now;
    let before = pair.connection(End::Bob).local_description().unwrap().sdp;

    // Bob's restarting offer is taken back by Alice's plain one.
    pair.connection(End::Bob).restart_ice();
    pair.connection(End::Bob).set_local_description(now, None).unwrap();
    pair.connection(End::Alice).set_local_description(now, None).unwrap();
    let offer = pair.connection(End::Alice).local_description().unwrap();
    pair.connection(End::Bob).set_remote_description(now, offer).unwrap();
    let answer = pair.connection(End::Bob).create_answer().unwrap();
    assert_eq!(ufrag(&answer.sdp), ufrag(&before));
    pair.connection(End::Bob).set_local_description(now, Some(answer.clone())).unwrap();
    pair.connection(End::Alice).set_remote_description(now, answer).unwrap();

    // The restart waits for Bob's next offer.
    assert_eq!(pair.connection(End::Bob).signaling_state(), SignalingState::Stable);
    assert!(pair.connection(End::Bob).negotiation_needed());
    still_talks(&mut pair, channels);
    pair.exchange(End::Bob);
    assert_ne!(ufrag(&pair.connection(End::Bob).local_description().unwrap().sdp), ufrag(&before));
    still_talks(&mut pair, channels);
}
