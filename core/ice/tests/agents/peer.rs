//! One agent, and a peer that says what the test wants it to say.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pavane_base::rand_core::SeedableRng;
use pavane_base::{Instant, Path, Transport};
use pavane_crypto::software::SoftwareProvider;
use pavane_crypto::{Mac, MacAlgorithm, Provider};
use pavane_ice::{Agent, Candidate, CandidateKind, Config, Credentials, RemoteCandidate, Role};
use pavane_stun::{AttributeType, Builder, Class, ErrorCode, Message, Method, TransactionId};
use rand_chacha::ChaCha8Rng;

use crate::pair::{address, path};

pub(crate) const OURS: &str = "192.0.2.1:4001";

pub(crate) struct Peer {
    pub(crate) agent: Agent,
    pub(crate) now: Instant,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) credentials: Credentials,
    asked: u8,
}

/// What the agent said.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) path: Path,
    pub(crate) bytes: Vec<u8>,
}

impl Said {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).expect("what an agent sends is well-formed")
    }
}

pub(crate) fn candidate(text: &str, priority: u32) -> Candidate {
    Candidate {
        foundation: "1".into(),
        component: 1,
        transport: Transport::Udp,
        tcp_type: None,
        priority,
        address: address(text),
        kind: CandidateKind::Host,
        related: None,
    }
}

fn key(pwd: &str) -> Box<dyn Mac> {
    SoftwareProvider.mac(MacAlgorithm::HmacSha1, pwd.as_bytes())
}

impl Peer {
    /// An agent that has gathered and knows nothing of us.
    pub(crate) fn unknown(role: Role) -> Self {
        Self::with_config(role, |_| {})
    }

    /// The same, configured otherwise.
    pub(crate) fn with_config(role: Role, configure: impl FnOnce(&mut Config)) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let now = Instant::from_millis(1000);
        let credentials = Credentials::generate(&mut rng);
        let theirs = Credentials::generate(&mut rng);
        let mut config = Config::new(Arc::new(SoftwareProvider));
        configure(&mut config);
        let mut agent = Agent::new(config, role, credentials, &mut rng);
        agent.add_local_address(now, &mut rng, address(OURS)).unwrap();
        agent.end_of_local_addresses(now);
        agent.start_gathering(now, &mut rng);
        Self { agent, now, rng, credentials: theirs, asked: 0 }
    }

    /// An agent that knows our credentials and these candidates, the first the best.
    pub(crate) fn known(role: Role, candidates: &[&str]) -> Self {
        let mut peer = Self::unknown(role);
        for (n, text) in candidates.iter().enumerate() {
            peer.signal(text, 2_000_000_000 - n as u32);
        }
        peer.introduce();
        peer
    }

    pub(crate) fn introduce(&mut self) {
        self.agent.set_remote_credentials(self.now, &mut self.rng, self.credentials.clone());
    }

    pub(crate) fn signal(&mut self, text: &str, priority: u32) {
        let candidate = RemoteCandidate::Address(candidate(text, priority));
        self.agent.add_remote_candidate(self.now, &mut self.rng, candidate).unwrap();
    }

    pub(crate) fn said(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        let mut bytes = Vec::new();
        while let Some(transmit) = self.agent.poll_transmit(self.now, &mut bytes) {
            said.push(Said { path: transmit.path, bytes: std::mem::take(&mut bytes) });
        }
        said
    }

    /// Everything that the agent asks until then, unanswered.
    pub(crate) fn wait(&mut self, duration: Duration) -> Vec<Said> {
        let end = self.now + duration;
        let mut said = self.said();
        while let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.agent.handle_timeout(self.now, &mut self.rng);
            said.extend(self.said());
        }
        self.now = end;
        said
    }

    pub(crate) fn hear(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.agent.handle_datagram(self.now, &mut self.rng, path(address(OURS), from), bytes);
    }

    /// Asks the agent, in this role and with this tiebreaker; says with how many bytes.
    pub(crate) fn ask(&mut self, from: &str, role: (AttributeType, u64), nominates: bool) -> usize {
        let use_candidate = [(AttributeType::USE_CANDIDATE, &[][..])];
        self.ask_with(from, role, if nominates { &use_candidate } else { &[] })
    }

    /// Asks the agent with further attributes.
    pub(crate) fn ask_with(
        &mut self,
        from: &str,
        role: (AttributeType, u64),
        attributes: &[(AttributeType, &[u8])],
    ) -> usize {
        self.asked += 1;
        let ours = self.agent.local_credentials().clone();
        let mut bytes = Vec::new();
        let transaction = TransactionId([self.asked; 12]);
        let mut message = Builder::new(&mut bytes, Class::Request, Method::BINDING, transaction)
            .username(&ours.ufrag, &self.credentials.ufrag)
            // GOOG-NETWORK-INFO, which Chromium puts into every check.
            .attribute(AttributeType(0xc057), &[0, 1, 0, 10])
            .attribute(role.0, &role.1.to_be_bytes())
            .priority(0x6e7f_ffff);
        for (kind, value) in attributes {
            message = message.attribute(*kind, value);
        }
        message.integrity(&*key(&ours.pwd)).fingerprint();
        self.hear(address(from), &bytes);
        bytes.len()
    }

    /// Answers a check well.
    pub(crate) fn answer(&mut self, said: &Said) {
        self.answer_as(said, address(OURS));
    }

    /// Answers a check, having seen it come from elsewhere.
    pub(crate) fn answer_as(&mut self, said: &Said, seen: SocketAddr) {
        let mut bytes = Vec::new();
        let transaction = said.message().transaction();
        Builder::new(&mut bytes, Class::Success, Method::BINDING, transaction)
            .xor_mapped_address(seen)
            .integrity(&*key(&self.credentials.pwd))
            .fingerprint();
        self.hear(said.path.remote, &bytes);
    }

    pub(crate) fn refuse(&mut self, said: &Said, code: ErrorCode) {
        let mut bytes = Vec::new();
        let transaction = said.message().transaction();
        Builder::new(&mut bytes, Class::Error, Method::BINDING, transaction)
            .error_code(code)
            .integrity(&*key(&self.credentials.pwd))
            .fingerprint();
        self.hear(said.path.remote, &bytes);
    }

    pub(crate) fn selected(&self) -> Option<SocketAddr> {
        self.agent.selected_path().map(|path| path.remote)
    }
}
