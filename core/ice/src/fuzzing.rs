//! What fuzzers call: whatever is done to agents, nothing panics, and no bound is broken.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use pavane_base::rand_core::{Infallible, TryCryptoRng, TryRng};
use pavane_base::{Instant, Path, Reader, Transport};
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Mac, MacAlgorithm, Provider};
use pavane_stun::{
    AttributeType, Builder, Class, ErrorCode, LongTermCredentials, Message, Method, PasswordAlgorithm,
    TransactionId,
};

use crate::{
    ActionId, ActionOutcome, Agent, Arrival, Candidate, CandidateKind, Config, Credentials, NamedCandidate,
    RemoteCandidate, Role, Server,
};

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

fn key() -> alloc::boxed::Box<dyn Mac> {
    SoftwareProvider.mac(MacAlgorithm::HmacSha1, credentials().pwd.as_bytes())
}

/// Errors that servers answer with.
const CODES: [ErrorCode; 6] = [
    ErrorCode::TRY_ALTERNATE,
    ErrorCode::ALLOCATION_MISMATCH,
    ErrorCode::STALE_NONCE,
    ErrorCode::FORBIDDEN,
    ErrorCode::QUOTA_REACHED,
    ErrorCode::SERVER_ERROR,
];

fn user() -> LongTermCredentials {
    LongTermCredentials { username: "user".into(), password: "secret".into() }
}

fn relay_key() -> alloc::boxed::Box<dyn Mac> {
    let key = PasswordAlgorithm::Md5.key(&SoftwareProvider, &user(), "realm");
    SoftwareProvider.mac(MacAlgorithm::HmacSha1, &key)
}

fn servers() -> Vec<Server> {
    ["stun:192.0.2.6:1001", "turn:192.0.2.7:1001", "turns:192.0.2.7:1002", "turn:name"]
        .into_iter()
        .map(|url| Server { url: url.parse().expect("it is one"), credentials: Some(user()) })
        .collect()
}

fn address(n: u8) -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, n % 8), 1000 + u16::from(n / 8)).into()
}

fn path(argument: u8) -> Path {
    Path { local: address(argument / 16), remote: address(argument), transport: Transport::Udp }
}

fn candidate(argument: u8) -> Candidate {
    Candidate {
        foundation: "1".into(),
        component: 1,
        transport: Transport::Udp,
        tcp_type: None,
        priority: u32::from(argument) << 24,
        address: address(argument),
        kind: CandidateKind::Host,
        related: None,
    }
}

fn named(argument: u8) -> NamedCandidate {
    NamedCandidate {
        name: alloc::format!("{argument}.local"),
        port: 7,
        foundation: "1".into(),
        component: 1,
        transport: Transport::Udp,
        tcp_type: None,
        priority: 1,
        kind: CandidateKind::Host,
    }
}

/// Does to an agent what the bytes say: commands, datagrams, authentic ones among them, and time, in any order.
///
/// # Panics
/// If a bound is broken.
pub fn agent(data: &[u8]) {
    let mut machine = Machine::new();
    let mut reader = Reader::new(data);
    while let (Ok(operation), Ok(argument)) = (reader.u8(), reader.u8()) {
        match operation % 20 {
            16..=18 => machine.serve(operation % 20, argument),
            19 => machine.stream(argument),
            0..=7 => machine.command(operation % 20, argument),
            8..=14 => machine.world(operation % 20, argument),
            _ => {
                let len = reader.remaining().min(usize::from(argument));
                let payload = reader.take(len).unwrap_or_default();
                machine.arrive(path(argument), payload);
            }
        }
        machine.drain();
    }
}

struct Machine {
    agent: Agent,
    rng: Counting,
    now: Instant,
    buf: Vec<u8>,
    /// The last checks that the agent sent.
    checks: Vec<(Path, TransactionId)>,
    /// The last questions to servers.
    asked: Vec<(Path, Method, TransactionId)>,
    key: alloc::boxed::Box<dyn Mac>,
}

impl Machine {
    fn new() -> Self {
        let mut rng = Counting(1);
        let mut config = Config::new(Arc::new(SoftwareProvider));
        config.servers = servers();
        let mut agent = Agent::new(config, Role::Controlling, credentials(), &mut rng);
        let now = Instant::from_millis(1);
        let added = agent.add_local_address(now, &mut rng, address(0));
        added.expect("the address is one of a socket");
        Self { agent, rng, now, buf: Vec::new(), checks: Vec::new(), asked: Vec::new(), key: key() }
    }

    fn command(&mut self, operation: u8, argument: u8) {
        let (agent, now, rng) = (&mut self.agent, self.now, &mut self.rng);
        match operation {
            0 => drop(agent.add_local_address(now, rng, address(argument))),
            1 => agent.remove_local_address(now, rng, address(argument)),
            2 => {
                agent.start_gathering(now, rng);
                agent.end_of_local_addresses(now);
            }
            3 => {
                let mut theirs = credentials();
                theirs.ufrag.extend(core::iter::repeat_n('+', usize::from(argument % 2)));
                agent.set_remote_credentials(now, rng, theirs);
            }
            4 => {
                let candidate = match argument % 8 {
                    0 => RemoteCandidate::Name(named(argument)),
                    _ => RemoteCandidate::Address(candidate(argument)),
                };
                let _ = agent.add_remote_candidate(now, rng, candidate);
            }
            5 => agent.end_of_remote_candidates(now),
            6 => agent.restart(now, rng, credentials()),
            _ => {
                agent.set_role(if argument.is_multiple_of(2) { Role::Controlled } else { Role::Controlling })
            }
        }
    }

    fn world(&mut self, operation: u8, argument: u8) {
        match operation {
            8 | 9 => {
                self.now += Duration::from_millis(u64::from(argument) * if operation == 8 { 1 } else { 200 });
                self.agent.handle_timeout(self.now, &mut self.rng);
                let next = self.agent.poll_timeout();
                assert!(next.is_none_or(|at| at > self.now), "what was due is done");
            }
            10 => drop(self.agent.handle_data(self.now, path(argument), 100)),
            11 => {
                let outcome = match argument % 3 {
                    0 => ActionOutcome::Resolved(alloc::vec![address(argument).ip()]),
                    1 => ActionOutcome::StreamOpened { local: address(argument) },
                    _ => ActionOutcome::Failed,
                };
                let id = ActionId(u64::from(argument % 8));
                self.agent.handle_action(self.now, &mut self.rng, id, outcome);
            }
            12 => self.ask(argument),
            13 => self.answer(argument, None),
            _ => {
                let code =
                    if argument.is_multiple_of(2) { ErrorCode::ROLE_CONFLICT } else { ErrorCode::FORBIDDEN };
                self.answer(argument, Some(code));
            }
        }
    }

    /// Takes a datagram as a composer does.
    fn arrive(&mut self, path: Path, payload: &[u8]) {
        let (path, payload) = match self.agent.handle_arrival(self.now, &mut self.rng, path, payload) {
            Arrival::Direct => (path, payload),
            Arrival::Relayed { path, range } => (path, &payload[range]),
            Arrival::Taken => return,
        };
        self.agent.handle_datagram(self.now, &mut self.rng, path, payload);
    }

    /// Answers a question to a server: with a challenge, well, or badly.
    fn serve(&mut self, operation: u8, argument: u8) {
        let Some(at) = usize::from(argument).checked_rem(self.asked.len()) else { return };
        let (path, method, transaction) = self.asked[at];
        let class = if operation == 17 { Class::Success } else { Class::Error };
        let mut bytes = Vec::new();
        let message = Builder::new(&mut bytes, class, method, transaction);
        match operation {
            16 => message
                .error_code(ErrorCode::UNAUTHENTICATED)
                .attribute(AttributeType::REALM, b"realm")
                .attribute(AttributeType::NONCE, &[argument])
                .finish(),
            17 => message
                .xor_mapped_address(address(argument))
                .xor_address(AttributeType::XOR_RELAYED_ADDRESS, address(200 + argument % 8))
                .attribute(AttributeType::LIFETIME, &u32::from(argument).to_be_bytes())
                .integrity(&*relay_key())
                .finish(),
            _ => message
                .error_code(CODES[usize::from(argument) % CODES.len()])
                .plain_address(AttributeType::ALTERNATE_SERVER, address(argument))
                .finish(),
        };
        self.arrive(path, &bytes);
    }

    /// Ends a stream, one that is open perhaps.
    fn stream(&mut self, argument: u8) {
        let asked = usize::from(argument).checked_rem(self.asked.len()).map(|at| self.asked[at].0);
        let path = asked.unwrap_or(Path { transport: Transport::Tcp, ..path(argument) });
        self.agent.handle_stream_closed(self.now, &mut self.rng, path);
    }

    fn ask(&mut self, argument: u8) {
        let role = match argument % 2 {
            0 => AttributeType::ICE_CONTROLLED,
            _ => AttributeType::ICE_CONTROLLING,
        };
        let mut bytes = Vec::new();
        let transaction = TransactionId([argument; 12]);
        let mut message = Builder::new(&mut bytes, Class::Request, Method::BINDING, transaction)
            .username("fuzz", "fuzz")
            .attribute(role, &[argument; 8])
            .priority(u32::from(argument) << 24);
        if argument % 4 == 3 {
            message = message.attribute(AttributeType::USE_CANDIDATE, &[]);
        }
        message.integrity(&*self.key).fingerprint();
        self.arrive(path(argument), &bytes);
    }

    fn answer(&mut self, argument: u8, error: Option<ErrorCode>) {
        let Some(at) = usize::from(argument).checked_rem(self.checks.len()) else { return };
        let (path, transaction) = self.checks[at];
        let mut bytes = Vec::new();
        let message = match error {
            None => Builder::new(&mut bytes, Class::Success, Method::BINDING, transaction)
                .xor_mapped_address(if argument.is_multiple_of(4) { address(argument) } else { path.local }),
            Some(code) => {
                Builder::new(&mut bytes, Class::Error, Method::BINDING, transaction).error_code(code)
            }
        };
        message.integrity(&*self.key).fingerprint();
        self.arrive(path, &bytes);
    }

    fn drain(&mut self) {
        const REMEMBERED: usize = 16;
        while let Some(transmit) = self.agent.poll_transmit(self.now, &mut self.buf) {
            assert_eq!(transmit.len, self.buf.len());
            if self.buf.first().is_some_and(|first| *first >= 0x40) {
                self.buf.clear();
                continue;
            }
            let message = Message::parse(&self.buf).expect("what an agent sends is well-formed");
            let (path, transaction) = (transmit.path, message.transaction());
            match (message.class(), message.username()) {
                (Class::Request, Some("fuzz:fuzz" | "fuzz+:fuzz")) => {
                    self.checks.truncate(REMEMBERED - 1);
                    self.checks.insert(0, (path, transaction));
                }
                (Class::Request, _) => {
                    self.asked.truncate(REMEMBERED - 1);
                    self.asked.insert(0, (path, message.method(), transaction));
                }
                _ => {}
            }
            self.buf.clear();
        }
        while self.agent.poll_event().is_some() {}
        while self.agent.poll_action().is_some() {}
        assert!(self.agent.pairs().count() <= 100);
        assert!(self.agent.pairs().filter(|pair| pair.selected).count() <= 1);
        assert!(self.agent.peer_reflexive_candidates().len() <= 16);
        assert!(self.agent.local_candidates().len() <= 100);
    }
}

/// Lets two agents find each other over a network that loses, doubles, delays and mangles as the bytes say, and then over
/// one that does not.
///
/// # Panics
/// If they do not find each other in the end.
pub fn pair(data: &[u8]) {
    let mut rngs = [Counting(1), Counting(2)];
    let mut agents = [0, 1].map(|n| {
        let config = Config::new(Arc::new(SoftwareProvider));
        let role = if n == 0 { Role::Controlling } else { Role::Controlled };
        Agent::new(config, role, credentials(), &mut rngs[n])
    });
    let mut now = Instant::from_millis(1);
    for n in 0..2 {
        let (ours, rng) = (n as u8 * 16, &mut rngs[n]);
        let added = agents[n].add_local_address(now, rng, address(ours));
        added.expect("the address is one of a socket");
        agents[n].start_gathering(now, rng);
        agents[n].set_remote_credentials(now, rng, credentials());
        let theirs = RemoteCandidate::Address(candidate(16 - ours));
        agents[n].add_remote_candidate(now, rng, theirs).expect("there is room for one");
    }
    let mut in_flight: Vec<(usize, Path, Vec<u8>)> = Vec::new();
    let mut fates = data.iter().copied();
    let end = now + Duration::from_secs(30);
    while now < end {
        for (to, path, bytes) in core::mem::take(&mut in_flight) {
            agents[to].handle_datagram(now, &mut rngs[to], path, &bytes);
        }
        for n in 0..2 {
            agents[n].handle_timeout(now, &mut rngs[n]);
            let mut bytes = Vec::new();
            while let Some(transmit) = agents[n].poll_transmit(now, &mut bytes) {
                let sent = core::mem::take(&mut bytes);
                let Path { local, remote, transport } = transmit.path;
                let seen = Path { local: remote, remote: local, transport };
                deliver(&mut in_flight, (1 - n, seen, sent), fates.next().unwrap_or(0));
            }
        }
        now += Duration::from_millis(10);
    }
    assert!(fates.next().is_some() || agents.iter().all(|agent| agent.selected_path().is_some()));
}

fn deliver(in_flight: &mut Vec<(usize, Path, Vec<u8>)>, mut datagram: (usize, Path, Vec<u8>), fate: u8) {
    match fate % 8 {
        0..=2 => in_flight.push(datagram),
        3 | 4 => {}
        5 => in_flight.extend([datagram.clone(), datagram]),
        6 => in_flight.insert(0, datagram),
        _ => {
            let at = usize::from(fate) % datagram.2.len().max(1);
            if let Some(byte) = datagram.2.get_mut(at) {
                *byte ^= fate;
            }
            in_flight.push(datagram);
        }
    }
}
