//! What fuzzers call.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use pavane_base::rand_core::{Infallible, TryCryptoRng, TryRng};
use pavane_base::{Instant, Path, Reader, Transport};
use pavane_crypto::software::SoftwareProvider;

use crate::{Agent, Candidate, CandidateKind, Config, Credentials, RemoteCandidate, Role};

/// A generator that counts: the same inputs do the same.
struct Counting(u64);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Ok((self.0 >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(self.try_next_u32()?))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            *byte = self.try_next_u32()? as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn credentials() -> Credentials {
    Credentials { ufrag: "fuzz".into(), pwd: "fuzzfuzzfuzzfuzzfuzzfuzz".into() }
}

fn address(n: u8) -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, n % 8), 1000 + u16::from(n / 8)).into()
}

/// Does to an agent what the bytes say: commands, datagrams and time, in any order.
///
/// # Panics
/// If a bound is broken.
pub fn agent(data: &[u8]) {
    let mut rng = Counting(1);
    let config = Config::new(Arc::new(SoftwareProvider));
    let mut agent = Agent::new(config, Role::Controlling, credentials(), &mut rng);
    let mut now = Instant::from_millis(1);
    let mut reader = Reader::new(data);
    let mut buf = Vec::new();
    while let (Ok(operation), Ok(argument)) = (reader.u8(), reader.u8()) {
        operate(&mut agent, &mut rng, &mut now, operation, argument, &mut reader);
        while agent.poll_transmit(now, &mut buf).is_some() {}
        buf.clear();
        while agent.poll_event().is_some() {}
        assert!(agent.pairs().count() <= 100);
    }
}

fn operate(
    agent: &mut Agent,
    rng: &mut Counting,
    now: &mut Instant,
    operation: u8,
    argument: u8,
    reader: &mut Reader<'_>,
) {
    match operation % 12 {
        0 => _ = agent.add_local_address(*now, rng, address(argument)),
        1 => agent.remove_local_address(*now, rng, address(argument)),
        2 => agent.start_gathering(*now, rng),
        3 => agent.set_remote_credentials(*now, rng, credentials()),
        4 => {
            let candidate = Candidate {
                foundation: "1".into(),
                component: 1,
                transport: Transport::Udp,
                tcp_type: None,
                priority: u32::from(argument) << 16,
                address: address(argument),
                kind: CandidateKind::Host,
                related: None,
            };
            let _ = agent.add_remote_candidate(*now, rng, RemoteCandidate::Address(candidate));
        }
        5 => agent.end_of_local_addresses(*now),
        6 => agent.end_of_remote_candidates(*now),
        7 => agent.restart(*now, rng, credentials()),
        8 => agent.set_role(if argument.is_multiple_of(2) { Role::Controlled } else { Role::Controlling }),
        9 => {
            *now += Duration::from_millis(u64::from(argument) * 100);
            agent.handle_timeout(*now, rng);
        }
        10 => _ = agent.handle_data(*now, path(argument)),
        _ => {
            let payload = reader.take(reader.remaining().min(usize::from(argument))).unwrap_or_default();
            agent.handle_datagram(*now, rng, path(argument), payload);
        }
    }
}

fn path(argument: u8) -> Path {
    Path { local: address(argument / 16), remote: address(argument), transport: Transport::Udp }
}
