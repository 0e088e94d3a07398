//! Making a connection.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use pavane::base::rand_core::CryptoRng;
use pavane::crypto::Provider;
use pavane::{CandidateError, Config, ConfigError, IceTiming};
use pavane_drive::{Clock, Driver, PeerConnection};

use crate::interfaces;
use crate::socket::TokioSocket;
use crate::task::Task;

/// Makes [`PeerConnection`]s that tokio drives.
///
/// Without more ado a connection binds a UDP socket to each of the machine's addresses but the loopback ones, makes a
/// certificate of its own, and draws its randomness from the operating system.
pub struct Builder {
    source: Source,
    include_loopback: bool,
    addresses: Option<Vec<SocketAddr>>,
    rng: Option<Box<dyn CryptoRng + Send>>,
    changes: Vec<Change>,
}

/// Where the configuration comes from.
enum Source {
    /// It is made, with a fresh certificate.
    Provider(Arc<dyn Provider>),
    /// It is there.
    Config(Config),
}

type Change = Box<dyn FnOnce(Config) -> Config + Send>;

impl Builder {
    /// A builder with the default provider of cryptography.
    #[cfg(feature = "rustls")]
    #[expect(
        clippy::new_without_default,
        reason = "a default that draws on a cryptographic library would surprise"
    )]
    pub fn new() -> Self {
        Self::with_provider(pavane_crypto_rustls::provider())
    }

    /// A builder with another provider of cryptography.
    pub fn with_provider(provider: Arc<dyn Provider>) -> Self {
        Self::with_source(Source::Provider(provider))
    }

    /// A builder with a configuration: the way to a certificate that lives longer than one connection.
    pub fn with_config(config: Config) -> Self {
        Self::with_source(Source::Config(config))
    }

    const fn with_source(source: Source) -> Self {
        Self { source, include_loopback: false, addresses: None, rng: None, changes: Vec::new() }
    }

    /// Whether the loopback addresses are used too, so that peers on the same machine find each other without a network.
    #[must_use]
    pub const fn include_loopback(mut self, include: bool) -> Self {
        self.include_loopback = include;
        self
    }

    /// Binds to these addresses instead of the machine's own; with port 0 the operating system chooses the port.
    #[must_use]
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.addresses = Some(addresses.into_iter().collect());
        self
    }

    /// Draws everything random from this generator instead of the operating system's; see
    /// [`seeded_rng`](crate::seeded_rng).
    #[must_use]
    pub fn rng(mut self, rng: Box<dyn CryptoRng + Send>) -> Self {
        self.rng = Some(rng);
        self
    }

    /// Sets ICE's intervals and patience.
    #[must_use]
    pub fn ice_timing(self, timing: IceTiming) -> Self {
        self.change(move |config| config.ice_timing(timing))
    }

    /// Sets the largest message that the peer may send, in bytes.
    #[must_use]
    pub fn max_message_size(self, bytes: u64) -> Self {
        self.change(move |config| config.max_message_size(bytes))
    }

    /// Sets how many received bytes may wait for the application before the peer has to wait.
    #[must_use]
    pub fn receive_window(self, bytes: u32) -> Self {
        self.change(move |config| config.receive_window(bytes))
    }

    fn change(mut self, change: impl FnOnce(Config) -> Config + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Makes the connection and spawns the task that drives it, which ends with the connection.
    ///
    /// # Errors
    /// If there is no address to use, a socket cannot be bound, or the configuration's values cannot work together.
    ///
    /// # Panics
    /// Outside of a tokio runtime, or in one without I/O or time.
    pub fn build(self) -> Result<PeerConnection, BuildError> {
        let sockets = match &self.addresses {
            Some(addresses) => bind_all(addresses).map_err(BuildError::Io)?,
            None => bind_interfaces(self.include_loopback).map_err(BuildError::Io)?,
        };
        let mut rng = match self.rng {
            Some(rng) => rng,
            None => pavane_drive::system_rng().map_err(BuildError::Io)?,
        };
        let clock = Clock::new(|| tokio::time::Instant::now().into_std());
        let config = match self.source {
            Source::Provider(provider) => Config::new(provider, &mut *rng, &clock.epoch()),
            Source::Config(config) => config,
        };
        let config = self.changes.into_iter().fold(config, |config, change| change(config));
        let (mut driver, peer) = Driver::new(Arc::new(config), rng, clock).map_err(BuildError::Config)?;
        for socket in sockets {
            driver.add_socket(socket).map_err(BuildError::Address)?;
        }
        driver.end_of_sockets();
        tokio::spawn(Task::new(driver));
        Ok(peer)
    }
}

fn bind_all(addresses: &[SocketAddr]) -> io::Result<Vec<TokioSocket>> {
    addresses.iter().map(|address| TokioSocket::bind(*address)).collect()
}

/// Binds to the addresses that can be bound to: an interface may have one that is not ready yet.
fn bind_interfaces(include_loopback: bool) -> io::Result<Vec<TokioSocket>> {
    let addresses = interfaces::addresses(include_loopback)?;
    let bind = |address: IpAddr| TokioSocket::bind(SocketAddr::new(address, 0)).ok();
    let sockets: Vec<_> = addresses.into_iter().filter_map(bind).take(MAX_SOCKETS).collect();
    match sockets.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no interface has a usable address")),
        false => Ok(sockets),
    }
}

/// Addresses that are used at most: a machine full of virtual networks has more than a peer can check in time.
const MAX_SOCKETS: usize = 16;

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("include_loopback", &self.include_loopback)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// A connection that could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The operating system refused something.
    Io(io::Error),
    /// The configuration's values cannot work together.
    Config(ConfigError),
    /// An address cannot be a candidate.
    Address(CandidateError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Address(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BuildError {}
