//! Servers that have names.

use std::time::Duration;

use pavane_ice::{Action, ActionOutcome, Credentials, Role, Server};

use crate::pair::address;
use crate::peer::Peer;

fn resolve(peer: &mut Peer, to: &str) {
    let asked = std::iter::from_fn(|| peer.agent.poll_action()).collect::<Vec<_>>();
    let [(id, Action::Resolve { .. })] = &asked[..] else { panic!("{asked:?}") };
    let outcome = ActionOutcome::Resolved(vec![to.parse().unwrap()]);
    peer.agent.handle_action(peer.now, &mut peer.rng, *id, outcome);
}

/// A name that is resolved anew with each generation does not gather addresses.
#[test]
fn a_server_that_moves_is_asked_where_it_is() {
    let mut peer = Peer::with_config(Role::Controlled, |config| {
        config.servers = vec![Server { url: "stun:stun.example".parse().unwrap(), credentials: None }];
    });
    for n in 1..100_u8 {
        resolve(&mut peer, &format!("198.51.100.{n}"));
        let new = format!("192.0.2.{n}:5000");
        peer.agent.add_local_address(peer.now, &mut peer.rng, address(&new)).unwrap();
        let said = peer.wait(Duration::from_millis(400));
        let asked: Vec<_> = said.iter().filter(|said| said.path.local == address(&new)).collect();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].path.remote, address(&format!("198.51.100.{n}:3478")));
        peer.agent.remove_local_address(peer.now, &mut peer.rng, address(&new));
        let credentials = Credentials::generate(&mut peer.rng);
        peer.agent.restart(peer.now, &mut peer.rng, credentials);
    }
}
