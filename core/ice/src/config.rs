//! What an agent is made with.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use pavane_crypto::Provider;

use crate::{Candidate, Server};

/// The configuration of an agent.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cryptography for integrity checks.
    pub provider: Arc<dyn Provider>,
    /// Intervals and patience.
    pub timing: Timing,
    /// How many candidate pairs are kept, 1 at least (RFC 8445 §6.1.2.5).
    pub max_pairs: usize,
    /// How much of an agent it is.
    pub mode: Mode,
    /// Servers that help to gather; a lite agent asks none.
    pub servers: Vec<Server>,
    /// Which candidates are used.
    pub policy: TransportPolicy,
    /// What else is told of candidates and used, whatever the policy.
    pub filter: Option<CandidateFilter>,
    /// Which TCP candidates are gathered beside those that listen.
    pub tcp: TcpPolicy,
    /// Whether servers are asked before gathering is told to begin (W3C WebRTC §4.4.1.6: `iceCandidatePoolSize`).
    pub prefetch: Prefetch,
}

/// How much of an agent it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A full agent.
    #[default]
    Full,
    /// A lite one (RFC 8445 §2.5): it has host candidates only, checks nothing, and answers. For servers with public
    /// addresses; the peer has to be a full agent.
    Lite,
}

/// Which candidates are told of and used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "RTCIceTransportPolicy")]
pub enum TransportPolicy {
    /// All.
    #[default]
    All,
    /// Relayed ones only: the peer learns none of our addresses.
    Relay,
}

/// Which TCP candidates are gathered beside those that listen (RFC 6544).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TcpPolicy {
    /// One that connects, for each address.
    #[default]
    Active,
    /// None.
    Off,
}

/// When servers are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefetch {
    /// When gathering begins.
    #[default]
    Off,
    /// As soon as there are sockets; what they tell waits until gathering begins.
    On,
}

/// Whose candidate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Ours.
    Local,
    /// The peer's.
    Remote,
}

/// The caller's say in which candidates are told of and used.
///
/// It is asked once for each candidate, learnt ones among them, and has to say the same of the same.
#[derive(Clone)]
pub struct CandidateFilter(Arc<Keep>);

type Keep = dyn Fn(Origin, &Candidate) -> bool + Send + Sync;

impl CandidateFilter {
    /// A filter that keeps the candidates of which `keep` is true.
    pub fn new(keep: impl Fn(Origin, &Candidate) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(keep))
    }

    pub(crate) fn keeps(&self, origin: Origin, candidate: &Candidate) -> bool {
        (self.0)(origin, candidate)
    }
}

impl fmt::Debug for CandidateFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CandidateFilter")
    }
}

impl Config {
    /// The defaults.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            timing: Timing::default(),
            max_pairs: 100,
            mode: Mode::default(),
            servers: Vec::new(),
            policy: TransportPolicy::default(),
            filter: None,
            tcp: TcpPolicy::default(),
            prefetch: Prefetch::default(),
        }
    }
}

/// Intervals and patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The time between two ordinary checks (RFC 8445 §14.2: Ta).
    pub pacing: Duration,
    /// How long a check waits for its response while no round trip has been measured.
    ///
    /// Deviation: RFC 8445 §14.3 asks for at least 500 ms. A check is one small datagram to an address that was signalled,
    /// and repeated ones are paced; waiting longer only makes users behind lossy links wait.
    pub initial_timeout: Duration,
    /// The mean time between two checks of consent to use the selected pair (RFC 7675 §5.1); each is drawn from 0.8 to 1.2 times it.
    pub consent_interval: Duration,
    /// How long checks go unanswered before the state is disconnected.
    pub disconnected_after: Duration,
    /// How long consent lasts after the last response (RFC 7675 §5.1).
    pub failed_after: Duration,
    /// How long servers are waited for before gathering counts as complete. What they tell later is told all the same.
    ///
    /// Deviation: a server that does not answer is given up after 39.5 s (RFC 8489 §6.2.1). Applications that signal complete
    /// descriptions wait for the end of gathering, and one dead server of several would hold them up for as long.
    pub gathering: Duration,
    /// How long pairs are tried before the first works: the PAC timer (RFC 8863 §4).
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            pacing: Duration::from_millis(50),
            initial_timeout: Duration::from_millis(150),
            consent_interval: Duration::from_secs(5),
            disconnected_after: Duration::from_secs(5),
            failed_after: Duration::from_secs(30),
            gathering: Duration::from_secs(10),
            patience: Duration::from_millis(39_500),
        }
    }
}

/// Who decides which pair is used (RFC 8445 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// This agent nominates.
    Controlling,
    /// The peer nominates.
    Controlled,
}

impl Role {
    /// The peer's role.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}
