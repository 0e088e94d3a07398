//! The peer's certificate against what signaling announced (RFC 8122 §5), whenever that comes.

use alloc::vec;

use pavane_crypto::{Fingerprint, HashAlgorithm};

use super::pair::{Pair, config, fingerprint, provider};
use crate::{AlertDescription, CloseReason, Event, Role, SealError, State};

fn wrong() -> Fingerprint {
    Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![0; 32] }
}

/// A pair of which one side knows no fingerprints yet.
fn pair_without(role: Role) -> Pair {
    let mut pair = Pair::new(1);
    *pair.side(role) = Pair::new(1).take(role);
    pair
}

impl Pair {
    fn take(self, role: Role) -> super::pair::Side {
        let mut side = if role == Role::Client { self.client } else { self.server };
        side.connection = crate::Connection::new(alloc::sync::Arc::new(config(role)), role);
        side
    }
}

#[test]
fn a_wrong_fingerprint_ends_the_handshake_on_both_sides() {
    for role in [Role::Client, Role::Server] {
        for fingerprints in [vec![], vec![wrong()]] {
            let mut pair = Pair::new(1);
            pair.side(role).connection.set_remote_fingerprints(fingerprints);
            pair.start();
            pair.run();
            let events = [&pair.client, &pair.server].map(|side| side.events.last().unwrap().1);
            let [ours, theirs] = if role == Role::Client { events } else { [events[1], events[0]] };
            assert_eq!(ours, Event::Closed(CloseReason::FingerprintMismatch));
            let alert = CloseReason::PeerAlert(AlertDescription::BAD_CERTIFICATE);
            assert_eq!(theirs, Event::Closed(alert));
            assert!(!pair.client.is_connected() && !pair.server.is_connected());
        }
    }
}

#[test]
fn late_fingerprints_hold_up_the_connection_and_nothing_else() {
    for role in [Role::Client, Role::Server] {
        let mut pair = pair_without(role);
        let peer = if role == Role::Client { Role::Server } else { Role::Client };
        pair.start();
        pair.run();
        assert_eq!(pair.side(role).connection.state(), State::Connecting);
        assert!(pair.side(peer).is_connected());
        let early = pair.side(peer).seal(b"early");
        pair.send(peer, early);
        pair.run();
        assert_eq!(pair.sent.len(), 4, "nothing is sent again");
        let side = pair.side(role);
        assert!(side.received.is_empty() && side.events.is_empty());
        let mut buf = vec![0; 100];
        assert_eq!(side.connection.seal(&mut buf, 0), Err(SealError::NotConnected));

        side.connection.set_remote_fingerprints(vec![fingerprint(peer)]);
        pair.run();
        assert!(pair.side(role).is_connected());
        assert_eq!(pair.side(role).received, [b"early"]);
    }
}

#[test]
fn late_fingerprints_that_are_wrong_end_it() {
    for role in [Role::Client, Role::Server] {
        let mut pair = pair_without(role);
        pair.start();
        pair.run();
        pair.side(role).connection.set_remote_fingerprints(vec![wrong()]);
        pair.run();
        for side in [&pair.client, &pair.server] {
            assert_eq!(side.connection.state(), State::Failed);
        }
    }
}

#[test]
fn the_strongest_hash_decides() {
    let certificate = config(Role::Server).certificate;
    let of = |algorithm| certificate.fingerprint(&*provider(), algorithm);
    let (weak, strong) = (of(HashAlgorithm::Sha256), of(HashAlgorithm::Sha512));
    let bad_strong = Fingerprint { algorithm: HashAlgorithm::Sha512, value: vec![1; 64] };
    for (fingerprints, connects) in [
        (vec![wrong(), weak.clone()], true),
        (vec![wrong(), strong.clone()], true),
        (vec![bad_strong.clone(), strong, wrong()], true),
        (vec![weak, bad_strong], false),
    ] {
        let mut pair = Pair::new(1);
        pair.client.connection.set_remote_fingerprints(fingerprints.clone());
        pair.start();
        pair.run();
        assert_eq!(pair.client.is_connected(), connects, "{fingerprints:?}");
    }
}
