//! str0m's. Its randomness is its own, so that no two runs are the same.

use std::net::SocketAddr;
use std::time::{Duration, Instant as Clock};

use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceCreds, Protocol};
use pavane::{Instant, Path, Transport};

use super::Agent;
use crate::Stack;

pub(super) struct Str0m {
    agent: IceAgent,
    /// Its clock's time at the virtual one's zero.
    start: Clock,
    is_there: bool,
}

impl Str0m {
    fn new(start: Clock, is_controlling: bool, addresses: &[SocketAddr]) -> Self {
        let mut agent = IceAgent::new(IceCreds::new());
        agent.set_controlling(is_controlling);
        for address in addresses {
            let candidate = Candidate::host(*address, "udp").expect("a candidate");
            agent.add_local_candidate(candidate).expect("there are few");
        }
        Self { agent, start, is_there: false }
    }

    fn meet(&mut self, other: &Self) {
        self.agent.set_remote_credentials(other.agent.local_credentials().clone());
        other.agent.local_candidates().for_each(|candidate| self.agent.add_remote_candidate(candidate));
    }

    fn clock(&self, now: Instant) -> Clock {
        self.start + (now - Instant::ZERO)
    }

    fn attend(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            self.is_there |= matches!(event, IceAgentEvent::NominatedSend { .. });
        }
    }
}

impl Agent for Str0m {
    const STACK: Stack = Stack::Str0m;

    fn pair(_: u64, now: Instant, addresses: [&[SocketAddr]; 2]) -> [Self; 2] {
        let start = Clock::now();
        let mut alice = Self::new(start, true, addresses[0]);
        let mut bob = Self::new(start, false, addresses[1]);
        alice.meet(&bob);
        bob.meet(&alice);
        let mut pair = [alice, bob];
        pair.iter_mut().for_each(|agent| agent.handle_timeout(now));
        pair
    }

    fn receive(&mut self, now: Instant, path: Path, datagram: &[u8]) {
        let Ok(message) = StunMessage::parse(datagram) else { return };
        let packet =
            StunPacket { proto: Protocol::Udp, source: path.remote, destination: path.local, message };
        self.agent.handle_packet(self.clock(now), packet);
        self.attend();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(self.clock(now));
        self.attend();
    }

    fn timeout(&mut self) -> Option<Instant> {
        let at: Duration = self.agent.poll_timeout()?.saturating_duration_since(self.start);
        Some(Instant::ZERO + at)
    }

    fn transmit(&mut self, _: Instant, out: &mut dyn FnMut(Path, &[u8])) {
        while let Some(transmit) = self.agent.poll_transmit() {
            let path =
                Path { local: transmit.source, remote: transmit.destination, transport: Transport::Udp };
            out(path, &transmit.contents);
        }
    }

    fn is_there(&self) -> bool {
        self.is_there
    }
}
