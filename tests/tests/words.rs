//! The field's own words, each a test that bears them, as far as data channels go.

use std::time::Duration;

use pavane::{
    ConnectionState, Description, Event, IceCandidate, IceConnectionState, IceGatheringState, Instant,
    SignalingState,
};
use pavane_tests::{End, Link, Pair};

const RTT: Duration = Duration::from_millis(100);

fn link() -> Link {
    Link::with_delay(RTT / 2)
}

/// Everything that can be seen of a peer from outside.
fn picture(pair: &mut Pair, end: End) -> String {
    let now = pair.now;
    let connection = pair.connection(end);
    format!(
        "{connection:?} {:?} {:?} {:?} {:?} {:?}",
        connection.create_offer(),
        connection.local_description(),
        connection.remote_description(),
        connection.poll_timeout(),
        connection.stats(now),
    )
}

#[test]
fn new_peer_connection_allocates_every_subsystem_and_does_nothing_yet() {
    let mut pair = Pair::new(1, link());
    pair.add_addresses();
    let now = pair.now;
    pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    for end in End::BOTH {
        let connection = pair.connection(end);
        assert_eq!(connection.poll_timeout(), None, "no timer runs");
        assert_eq!(connection.poll_transmit(now, 1, &mut Vec::new()), None, "nothing is sent");
        assert_eq!(connection.signaling_state(), SignalingState::Stable);
        assert_eq!(connection.ice_connection_state(), IceConnectionState::New);
        assert_eq!(connection.ice_gathering_state(), IceGatheringState::New);
        assert_eq!(connection.connection_state(), ConnectionState::New);
        assert!(connection.stats(now).sctp.is_none());
    }
}

#[test]
fn nothing_is_sent_and_no_timer_runs_before_descriptions_are_set() {
    let mut pair = Pair::new(2, link());
    pair.add_addresses();
    let now = pair.now;
    pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    pair.connection(End::Alice).set_local_description(now, None).unwrap();
    let offer = pair.connection(End::Alice).local_description().unwrap();
    pair.connection(End::Bob).set_remote_description(now, offer).unwrap();
    for end in End::BOTH {
        let connection = pair.connection(end);
        assert_eq!(connection.poll_timeout(), None, "{end:?} has but one description");
        assert_eq!(connection.poll_transmit(now, 1, &mut Vec::new()), None);
    }
    pair.connection(End::Bob).set_local_description(now, None).unwrap();
    assert!(pair.connection(End::Bob).poll_transmit(now, 1, &mut Vec::new()).is_some(), "both can start");
}

#[test]
fn create_data_channel_brings_sctp_into_being_which_is_off_until_either_side_asks() {
    let mut pair = Pair::new(3, link());
    assert!(!pair.connection(End::Alice).create_offer().unwrap().sdp.contains("m=application"));
    pair.add_addresses();
    pair.exchange(End::Alice);
    pair.idle(Duration::from_secs(2));
    let now = pair.now;
    for end in End::BOTH {
        assert!(pair.connection(end).stats(now).sctp.is_none(), "nobody asked");
        assert_eq!(pair.connection(end).connection_state(), ConnectionState::New);
    }

    pair.connection(End::Bob).create_data_channel(now, "chat", Default::default()).unwrap();
    assert!(pair.connection(End::Bob).negotiation_needed());
    pair.exchange(End::Bob);
    for end in End::BOTH {
        assert!(pair.connection(end).stats(now).sctp.is_some(), "Bob asked");
    }
    assert!(pair.run(Duration::from_secs(5), |pair| pair.peer(End::Alice).announced().is_some()));
}

#[test]
fn create_offer_describes_local_state_and_changes_nothing() {
    let mut pair = Pair::new(4, link());
    let now = pair.now;
    pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    let before = picture(&mut pair, End::Alice);
    let first = pair.connection(End::Alice).create_offer().unwrap();
    let second = pair.connection(End::Alice).create_offer().unwrap();
    assert_eq!(first, second, "two offers in a row are equal");
    assert_eq!(picture(&mut pair, End::Alice), before, "and leave the peer as it was");

    // The peer behaves from here on as one that was never asked: same seed, same bytes.
    let hash = |offers: usize| {
        let mut pair = Pair::new(5, link());
        let now = pair.now;
        pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
        pair.add_addresses();
        for _ in 0..offers {
            pair.connection(End::Alice).create_offer().unwrap();
        }
        pair.exchange(End::Alice);
        assert!(pair.run(Duration::from_secs(5), Pair::open_at_both_ends));
        pair.net.trace_hash()
    };
    assert_eq!(hash(0), hash(7));
}

#[test]
fn set_local_description_commits() {
    let mut pair = Pair::new(6, link());
    pair.add_addresses();
    let now = pair.now;
    let alice = pair.connection(End::Alice);
    alice.create_data_channel(now, "chat", Default::default()).unwrap();
    let offer = alice.create_offer().unwrap();
    assert_eq!(alice.local_description(), None, "an offer that was made is not set");
    alice.set_local_description(now, Some(offer)).unwrap();
    assert_eq!(alice.signaling_state(), SignalingState::HaveLocalOffer);
    assert_eq!(alice.ice_gathering_state(), IceGatheringState::Complete);
    assert!(alice.local_description().unwrap().sdp.contains("a=candidate:"));
    assert!(alice.pending_local_description().is_some() && alice.current_local_description().is_none());
}

#[test]
fn set_remote_description_tells_the_agent_what_the_other_side_has_after_which_both_can_start() {
    let (mut pair, _) = Pair::introduced(7, link());
    for end in End::BOTH {
        let now = pair.now;
        let connection = pair.connection(end);
        assert_eq!(connection.signaling_state(), SignalingState::Stable);
        assert_eq!(connection.ice_connection_state(), IceConnectionState::Checking);
        assert!(connection.poll_transmit(now, 1, &mut Vec::new()).is_some());
        assert!(connection.poll_timeout().is_some());
    }
}

#[test]
fn add_ice_candidate_feeds_the_ice_agent_at_any_time_and_touches_nothing_else() {
    let mut pair = Pair::new(8, link());
    let now = pair.now;
    pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    let candidate = |n: u16| IceCandidate {
        candidate: format!("candidate:{n} 1 udp 2113937151 192.0.2.77 {n} typ host"),
        sdp_mid: Some("0".into()),
        ..IceCandidate::default()
    };
    pair.connection(End::Alice).set_local_description(now, None).unwrap();
    let offer = pair.connection(End::Alice).local_description().unwrap();
    let bob = pair.connection(End::Bob);
    assert!(bob.add_ice_candidate(now, Some(candidate(1))).is_err(), "before the description it belongs to");
    bob.set_remote_description(now, offer).unwrap();
    let untouched = |bob: &pavane::PeerConnection, now: Instant| {
        let stats = bob.stats(now);
        let dtls = stats.dtls.as_ref().map(|dtls| (dtls.state, dtls.role));
        (bob.create_answer(), bob.local_description(), bob.signaling_state(), dtls, stats.sctp.is_some())
    };
    // With the offer pending, and again in the middle of the exchange's aftermath.
    let before = untouched(bob, now);
    bob.add_ice_candidate(now, Some(candidate(2))).unwrap();
    assert_eq!(untouched(bob, now), before);
    assert!(bob.remote_description().unwrap().sdp.contains("192.0.2.77 2 "));
    bob.set_local_description(now, None).unwrap();
    let answer = bob.local_description().unwrap();
    let before = untouched(bob, now);
    bob.add_ice_candidate(now, Some(candidate(3))).unwrap();
    bob.add_ice_candidate(now, None).unwrap();
    assert_eq!(untouched(bob, now), before);
    pair.connection(End::Alice).set_remote_description(now, answer).unwrap();

    // The addresses come last of all, and by trickling.
    pair.add_addresses();
    for end in End::BOTH {
        let address = pair.address(end);
        let line = format!("candidate:9 1 udp 2113937151 {} {} typ host", address.ip(), address.port());
        let candidate =
            IceCandidate { candidate: line, sdp_m_line_index: Some(0), ..IceCandidate::default() };
        pair.connection(end.other()).add_ice_candidate(now, Some(candidate)).ok();
    }
    assert!(pair.run(Duration::from_secs(5), Pair::open_at_both_ends));
}

#[test]
fn on_ice_connection_state_change_follows_ice() {
    let (mut pair, _) = Pair::connected(9, link());
    let states: Vec<_> = pair
        .peer(End::Alice)
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::IceConnectionStateChanged(state) => Some(*state),
            _ => None,
        })
        .collect();
    assert_eq!(states[0], IceConnectionState::Checking);
    assert!(matches!(states[1], IceConnectionState::Connected | IceConnectionState::Completed));
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "only changes are told: {states:?}");
}

fn is_connected(event: &Event) -> bool {
    use IceConnectionState::{Completed, Connected};
    matches!(event, Event::IceConnectionStateChanged(Connected | Completed))
}

#[test]
fn on_connection_state_change_combines_ice_and_dtls() {
    let (mut pair, _) = Pair::connected(10, link());
    for end in End::BOTH {
        let at = |is: fn(&Event) -> bool, pair: &mut Pair| {
            pair.peer(end).events.iter().find(|(_, event)| is(event)).map(|(at, _)| *at).unwrap()
        };
        let ice = at(is_connected, &mut pair);
        let both = at(|e| matches!(e, Event::ConnectionStateChanged(ConnectionState::Connected)), &mut pair);
        let begun =
            at(|e| matches!(e, Event::ConnectionStateChanged(ConnectionState::Connecting)), &mut pair);
        assert!(begun < ice && ice < both, "ICE alone is not enough: {begun:?} {ice:?} {both:?}");
    }
    // The way is cut: ICE notices, DTLS does not; both ends are told.
    pair.net.set_down(true);
    assert!(pair.run(Duration::from_secs(60), |pair| {
        pair.connection(End::Alice).connection_state() == ConnectionState::Failed
    }));
    assert!(
        pair.peer(End::Alice).saw(|e| *e == Event::ConnectionStateChanged(ConnectionState::Disconnected))
    );
}

#[test]
fn what_is_refused_leaves_no_trace() {
    let (mut pair, _) = Pair::connected(11, link());
    let now = pair.now;
    let before = picture(&mut pair, End::Bob);
    let good = pair.connection(End::Alice).create_offer().unwrap().sdp;
    let broken = [
        Description::answer(good.clone()),
        Description::rollback(),
        Description::offer("v=1\r\n"),
        Description::offer(good.replace("a=ice-pwd", "a=not-pwd")),
        Description::offer(good.replace("a=fingerprint", "a=not-fingerprint")),
        Description::offer(good.replace("a=sctp-port", "a=not-sctp-port")),
        Description::offer(good.replace("a=setup:actpass", "a=setup:holdconn")),
    ];
    for description in broken {
        let refused = pair.connection(End::Bob).set_remote_description(now, description.clone());
        assert!(refused.is_err(), "{description:?}");
        assert_eq!(picture(&mut pair, End::Bob), before, "{description:?}");
    }
    let munged = good.replace("a=setup:actpass", "a=setup:active");
    assert!(
        pair.connection(End::Alice).set_local_description(now, Some(Description::offer(munged))).is_err()
    );
}

#[test]
fn the_end_is_the_last_event() {
    let mut pair = Pair::new(1, Link::with_delay(Duration::from_millis(10)));
    let now = pair.now;
    pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    pair.add_addresses();
    let alice = pair.connection(End::Alice);
    alice.set_local_description(now, None).unwrap();
    let offer = alice.local_description().unwrap().sdp;
    let digits = offer.split("a=fingerprint:sha-256 ").nth(1).unwrap().split("\r\n").next().unwrap();
    let other = digits.replace(|digit: char| digit.is_ascii_digit(), "0");
    let offer = Description::offer(offer.replace(digits, &other));
    let bob = pair.connection(End::Bob);
    bob.set_remote_description(now, offer).unwrap();
    bob.set_local_description(now, None).unwrap();
    let answer = bob.local_description().unwrap();
    pair.connection(End::Alice).set_remote_description(now, answer).unwrap();
    pair.idle(Duration::from_secs(60));
    for end in End::BOTH {
        let events = &pair.peer(end).events;
        let closed = events.iter().position(|(_, event)| matches!(event, Event::Closed(_))).unwrap();
        assert_eq!(events[closed + 1..], [], "{end:?}");
        let failed = Event::ConnectionStateChanged(ConnectionState::Failed);
        assert!(events.iter().any(|(_, event)| *event == failed), "{end:?}");
    }
}
