//! Alerts: good-byes, and those that anybody could have sent.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::pair::Pair;
use crate::{AlertDescription, CloseReason, Event, Role, State};

/// A fatal alert in clear.
fn plain_alert(description: u8) -> Vec<u8> {
    vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, description]
}

#[test]
fn close_notify_is_answered_in_kind() {
    for role in [Role::Client, Role::Server] {
        let mut pair = Pair::new(1);
        pair.connect();
        pair.run();
        let peer = if role == Role::Client { Role::Server } else { Role::Client };
        let now = pair.now;
        pair.side(role).connection.close(now);
        pair.side(role).connection.close(now);
        pair.run();
        assert_eq!(pair.sent.len(), 6, "one good-bye each");
        assert_eq!(pair.side(peer).events.last().unwrap().1, Event::Closed(CloseReason::CloseNotify));
        assert_eq!(pair.side(role).events.len(), 1, "who closes is not told");
        for side in [&pair.client, &pair.server] {
            assert_eq!(side.connection.state(), State::Closed);
        }
    }
}

#[test]
fn closing_before_the_start_says_nothing() {
    let mut pair = Pair::new(1);
    let now = pair.now;
    pair.client.connection.close(now);
    pair.start();
    pair.run();
    assert_eq!(pair.client.connection.state(), State::Closed);
    assert!(pair.sent.is_empty());
}

#[test]
fn a_plain_alert_before_keys_is_believed() {
    let mut pair = Pair::new(1);
    pair.start();
    let now = pair.now;
    pair.client.deliver(now, &plain_alert(40));
    let reason = CloseReason::PeerAlert(AlertDescription::HANDSHAKE_FAILURE);
    assert_eq!(pair.client.connection.poll_event(), Some(Event::Closed(reason)));
}

#[test]
fn a_plain_alert_does_not_end_a_connection() {
    for description in [0, 20, 42] {
        let mut pair = Pair::new(1);
        pair.connect();
        let now = pair.now;
        for role in [Role::Client, Role::Server] {
            pair.side(role).deliver(now, &plain_alert(description));
            assert!(pair.side(role).is_connected());
            assert_eq!(pair.side(role).connection.counters().unauthenticated_alerts, 1);
        }
    }
}

#[test]
fn a_forged_alert_after_keys_does_not_stop_a_handshake() {
    let mut pair = Pair::new(1);
    pair.start();
    // The client has sent its Finished and waits for the server's.
    pair.run_until(|pair| pair.sent.len() == 3);
    let now = pair.now;
    pair.client.deliver(now, &plain_alert(40));
    assert_eq!(pair.client.connection.state(), State::Connecting);
    pair.run();
    assert!(pair.client.is_connected());
}

#[test]
fn a_plain_alert_after_keys_is_believed_once_nothing_better_comes() {
    let mut pair = Pair::new(1);
    pair.start();
    pair.run_until(|pair| pair.sent.len() == 3);
    let sent_at = pair.now;
    pair.client.deliver(sent_at, &plain_alert(42));
    pair.faults.loss = 100;
    pair.server = Pair::new(9).server;
    pair.run();
    let reason = CloseReason::PeerAlert(AlertDescription::BAD_CERTIFICATE);
    let (at, event) = *pair.client.events.last().unwrap();
    assert_eq!(event, Event::Closed(reason));
    assert!(at - sent_at <= Duration::from_millis(200));
}

#[test]
fn nothing_is_taken_after_the_end() {
    let mut pair = Pair::new(1);
    pair.connect();
    let record = pair.client.seal(b"late");
    let now = pair.now;
    pair.server.connection.close(now);
    pair.server.deliver(now, &record);
    assert!(pair.server.received.is_empty());
}
