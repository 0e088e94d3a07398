//! Ours.

use std::net::SocketAddr;

use pavane::ice::{Agent as Ice, Config, Credentials, RemoteCandidate, Role};
use pavane::{Instant, Path};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::Agent;
use crate::Stack;

pub(super) struct Ours {
    agent: Ice,
    rng: ChaCha8Rng,
    buf: Vec<u8>,
}

impl Ours {
    fn new(seed: u64, now: Instant, role: Role, addresses: &[SocketAddr]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let credentials = Credentials::generate(&mut rng);
        let config = Config::new(pavane_crypto_rustls::provider());
        let mut agent = Ice::new(config, role, credentials, &mut rng);
        for address in addresses {
            agent.add_local_address(now, &mut rng, *address).expect("an address of a socket");
        }
        agent.end_of_local_addresses(now);
        agent.start_gathering(now, &mut rng);
        Self { agent, rng, buf: Vec::new() }
    }

    fn meet(&mut self, now: Instant, other: &Self) {
        let credentials = other.agent.local_credentials().clone();
        self.agent.set_remote_credentials(now, &mut self.rng, credentials);
        for candidate in other.agent.local_candidates() {
            let candidate = RemoteCandidate::Address(candidate.clone());
            self.agent.add_remote_candidate(now, &mut self.rng, candidate).expect("there are few");
        }
    }
}

impl Agent for Ours {
    const STACK: Stack = Stack::Pavane;

    fn pair(seed: u64, now: Instant, addresses: [&[SocketAddr]; 2]) -> [Self; 2] {
        let mut alice = Self::new(2 * seed, now, Role::Controlling, addresses[0]);
        let mut bob = Self::new(2 * seed + 1, now, Role::Controlled, addresses[1]);
        alice.meet(now, &bob);
        bob.meet(now, &alice);
        [alice, bob]
    }

    fn receive(&mut self, now: Instant, path: Path, datagram: &[u8]) {
        self.agent.handle_datagram(now, &mut self.rng, path, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now, &mut self.rng);
    }

    fn timeout(&mut self) -> Option<Instant> {
        self.agent.poll_timeout()
    }

    fn transmit(&mut self, now: Instant, out: &mut dyn FnMut(Path, &[u8])) {
        while let Some(transmit) = self.agent.poll_transmit(now, &mut self.buf) {
            out(transmit.path, &self.buf);
            self.buf.clear();
        }
    }

    fn is_there(&self) -> bool {
        self.agent.selected_path().is_some()
    }
}
