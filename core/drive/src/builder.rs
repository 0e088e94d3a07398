//! Making a connection.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::sync::Arc;

use pavane::base::rand_core::CryptoRng;
use pavane::crypto::Provider;
use pavane::{
    CandidateError, CodecParameters, Config, ConfigError, HostAddresses, IceServer, IceServerError,
    IceTiming, IceTransportPolicy,
};

use crate::{
    Demux, Demuxes, Driver, DriverTask, Host, MdnsMode, PeerConnection, Port, Runtime, Task, TlsConnector,
};
use crate::{interfaces, streams};

/// Makes [`PeerConnection`]s that a runtime drives.
///
/// Without more ado a connection binds a UDP socket to each of the machine's addresses but the loopback ones, makes a
/// certificate of its own, and draws its randomness from the operating system.
pub struct Builder<R> {
    source: Source,
    include_loopback: bool,
    addresses: Option<Vec<SocketAddr>>,
    mdns: MdnsMode,
    listens: bool,
    tls: Option<TlsConnector>,
    rng: Option<Box<dyn CryptoRng + Send>>,
    changes: Vec<Change>,
    host: PhantomData<fn() -> R>,
}

/// Where the configuration comes from.
enum Source {
    /// It is made, with a fresh certificate.
    Provider(Arc<dyn Provider>),
    /// It is there.
    Config(Box<Config>),
}

type Change = Box<dyn FnOnce(Config) -> Result<Config, BuildError> + Send>;

impl<R: Host> Builder<R> {
    /// A builder with the provider of cryptography that the features name.
    #[cfg(any(feature = "rustls", feature = "openssl"))]
    #[expect(
        clippy::new_without_default,
        reason = "a default that draws on a cryptographic library would surprise"
    )]
    pub fn new() -> Self {
        Self::with_provider(crate::default_provider())
    }

    /// A builder with another provider of cryptography.
    pub fn with_provider(provider: Arc<dyn Provider>) -> Self {
        Self::with_source(Source::Provider(provider))
    }

    /// A builder with a configuration: the way to a certificate that lives longer than one connection.
    pub fn with_config(config: Config) -> Self {
        Self::with_source(Source::Config(Box::new(config)))
    }

    const fn with_source(source: Source) -> Self {
        Self {
            source,
            include_loopback: false,
            addresses: None,
            mdns: MdnsMode::Resolve,
            listens: false,
            tls: None,
            rng: None,
            changes: Vec::new(),
            host: PhantomData,
        }
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

    /// Whether a TCP socket listens on each address too, for peers that UDP does not get to (RFC 6544). Its port is the
    /// address's, or one that the operating system chooses.
    #[must_use]
    pub const fn listen(mut self, listens: bool) -> Self {
        self.listens = listens;
        self
    }

    /// Sets what TLS to TURN servers is spoken with, in place of [`TlsConnector::system`].
    #[must_use]
    pub fn tls(mut self, connector: TlsConnector) -> Self {
        self.tls = Some(connector);
        self
    }

    /// Sets the STUN and TURN servers; whether they can be used turns out as the connection is made.
    #[must_use]
    pub fn ice_servers(self, servers: impl IntoIterator<Item = IceServer>) -> Self {
        let servers: Vec<IceServer> = servers.into_iter().collect();
        self.try_change(move |config| config.ice_servers(&servers).map_err(BuildError::IceServers))
    }

    /// Sets whether every way may be tried, or those through relays alone.
    #[must_use]
    pub fn ice_transport_policy(self, policy: IceTransportPolicy) -> Self {
        self.change(move |config| config.ice_transport_policy(policy))
    }

    /// Sets what multicast DNS is used for: by default, to resolve the names that browsers hide their addresses behind. Ours
    /// hide as well with [`MdnsMode::ResolveAndHide`].
    #[must_use]
    pub const fn mdns(mut self, mode: MdnsMode) -> Self {
        self.mdns = mode;
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

    /// Sets the codecs of tracks, the most preferred first, with the payload types that they have in our offers.
    #[must_use]
    pub fn codecs(self, codecs: Vec<CodecParameters>) -> Self {
        self.change(move |config| config.codecs(codecs))
    }

    fn change(self, change: impl FnOnce(Config) -> Config + Send + 'static) -> Self {
        self.try_change(|config| Ok(change(config)))
    }

    fn try_change(
        mut self,
        change: impl FnOnce(Config) -> Result<Config, BuildError> + Send + 'static,
    ) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Makes the connection, and the driver that the caller turns.
    ///
    /// # Errors
    /// If there is no address to use, a socket cannot be bound, or the configuration's values cannot work together.
    pub fn into_driver(self) -> Result<(Driver<R>, PeerConnection), BuildError> {
        let (mdns, tls) = (self.mdns, self.tls.clone());
        let Parts { sockets, listeners, making: Making { config, rng } } = self.into_parts()?;
        let (mut driver, peer) = Driver::new(config, rng, R::clock()).map_err(BuildError::Config)?;
        driver.set_mdns(mdns);
        tls.into_iter().for_each(|tls| driver.set_tls(tls));
        for socket in sockets {
            driver.add_socket(socket).map_err(BuildError::Address)?;
        }
        for listener in listeners {
            driver.add_listener(listener).map_err(BuildError::Address)?;
        }
        driver.end_of_sockets();
        Ok((driver, peer))
    }

    /// Binds the sockets, and makes what moves connections behind them and the port that makes those; the caller turns it.
    ///
    /// # Errors
    /// As [`into_driver`](Self::into_driver).
    pub fn into_demux(self) -> Result<(Demux<R>, Port), BuildError> {
        let (mdns, tls) = (self.mdns, self.tls.clone());
        let Parts { sockets, listeners, making: Making { config, rng } } = self.into_parts()?;
        let (mut demux, port) = Demux::new(config, rng, R::clock(), sockets, listeners)?;
        demux.set_mdns(mdns);
        tls.into_iter().for_each(|tls| demux.set_tls(tls));
        Ok((demux, port))
    }

    /// Binds as many sockets to each address as there are to be drivers (`SO_REUSEPORT`), and makes what moves connections
    /// behind them and the port that makes those. Each demultiplexer is turned by a thread or task of its own; a connection
    /// is served by the one that the kernel gives its datagrams to.
    ///
    /// # Errors
    /// As [`into_driver`](Self::into_driver), where the system has sockets share an address in no such way, and where
    /// [`listen`](Self::listen) is set.
    pub fn into_demuxes(self, drivers: NonZeroU16) -> Result<Demuxes<R>, BuildError> {
        if drivers == NonZeroU16::MIN {
            return self.into_demux().map(|(demux, port)| (vec![demux], port));
        }
        if self.listens {
            // A stream stays with whoever accepted it, and a connection may be any driver's.
            return Err(BuildError::Io(io::ErrorKind::Unsupported.into()));
        }
        let (mdns, tls) = (self.mdns, self.tls.clone());
        let (sockets, Making { config, rng }) = self.into_parts_with(bind_shared)?;
        let addresses: Vec<_> =
            sockets.iter().map(UdpSocket::local_addr).collect::<io::Result<_>>().map_err(BuildError::Io)?;
        let mut sets = vec![sockets];
        for _ in 1..drivers.get() {
            let set = addresses.iter().map(bind_shared).collect::<io::Result<_>>();
            sets.push(set.map_err(BuildError::Io)?);
        }
        let take = |set: Vec<UdpSocket>| set.into_iter().map(R::socket).collect::<io::Result<Vec<_>>>();
        let sets = sets.into_iter().map(take).collect::<io::Result<_>>().map_err(BuildError::Io)?;
        let (mut demuxes, port) = Demux::several(config, rng, R::clock(), sets)?;
        for demux in &mut demuxes {
            demux.set_mdns(mdns);
            tls.iter().for_each(|tls| demux.set_tls(tls.clone()));
        }
        Ok((demuxes, port))
    }

    fn into_parts(self) -> Result<Parts<R>, BuildError> {
        let listens = self.listens;
        let ports: Vec<u16> = self.addresses.iter().flatten().map(SocketAddr::port).collect();
        let (sockets, making) = self.into_parts_with(bind)?;
        let listeners = if listens { listen::<R>(&sockets, &ports) } else { Ok(Vec::new()) };
        let sockets = sockets.into_iter().map(R::socket).collect::<io::Result<_>>();
        let (sockets, listeners) = (sockets.map_err(BuildError::Io)?, listeners.map_err(BuildError::Io)?);
        Ok(Parts { sockets, listeners, making })
    }

    fn into_parts_with(self, bind: Bind) -> Result<(Vec<UdpSocket>, Making), BuildError> {
        let sockets = match &self.addresses {
            Some(addresses) => addresses.iter().map(bind).collect::<io::Result<_>>(),
            None => bind_interfaces(bind, self.include_loopback),
        };
        let sockets = sockets.map_err(BuildError::Io)?;
        let mut rng = match self.rng {
            Some(rng) => rng,
            None => crate::system_rng().map_err(BuildError::Io)?,
        };
        let config = match self.source {
            Source::Provider(provider) => Config::new(provider, &mut *rng, &R::clock().epoch()),
            Source::Config(config) => *config,
        };
        let config = self.changes.into_iter().try_fold(config, |config, change| change(config))?;
        let config = match self.mdns {
            MdnsMode::ResolveAndHide => config.host_addresses(HostAddresses::Hidden),
            MdnsMode::Off | MdnsMode::Resolve => config,
        };
        Ok((sockets, Making { config: Arc::new(config), rng }))
    }
}

impl<R: Runtime> Builder<R> {
    /// Makes the connection and spawns the task that drives it, which ends with the connection.
    ///
    /// # Errors
    /// If there is no address to use, a socket cannot be bound, or the configuration's values cannot work together.
    ///
    /// # Panics
    /// Where the runtime has to be entered for that and is not.
    pub fn build(self) -> Result<PeerConnection, BuildError> {
        let (peer, task) = self.build_task()?;
        R::spawn(task);
        Ok(peer)
    }

    /// Makes the connection and the task that drives it, for an executor of the caller's choice.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    ///
    /// # Panics
    /// As [`build`](Self::build).
    pub fn build_task(self) -> Result<(PeerConnection, DriverTask<R>), BuildError> {
        let (driver, peer) = self.into_driver()?;
        Ok((peer, Task::new(driver)))
    }

    /// Binds the sockets and spawns the task that drives the connections which the port makes: the way to thousands of
    /// them behind one port.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    ///
    /// # Panics
    /// As [`build`](Self::build).
    pub fn build_port(self) -> Result<Port, BuildError> {
        let (demux, port) = self.into_demux()?;
        R::spawn(Task::<R, _>::new(demux));
        Ok(port)
    }

    /// As [`build_port`](Self::build_port), with as many tasks as this, between which the connections are divided: a driver a
    /// core, on a runtime that has threads for them.
    ///
    /// # Errors
    /// As [`into_demuxes`](Self::into_demuxes).
    ///
    /// # Panics
    /// As [`build`](Self::build).
    pub fn build_shared_port(self, drivers: NonZeroU16) -> Result<Port, BuildError> {
        let (demuxes, port) = self.into_demuxes(drivers)?;
        for demux in demuxes {
            R::spawn(Task::<R, _>::new(demux));
        }
        Ok(port)
    }
}

/// What a builder comes to.
struct Parts<R: Host> {
    sockets: Vec<R::Socket>,
    listeners: Vec<R::Listener>,
    making: Making,
}

/// What connections are made with.
struct Making {
    config: Arc<Config>,
    rng: Box<dyn CryptoRng + Send>,
}

/// Makes a socket for an address.
type Bind = fn(&SocketAddr) -> io::Result<UdpSocket>;

fn bind(address: &SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Binds a socket that shares its address with others, among which the kernel deals out what comes.
#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
fn bind_shared(address: &SocketAddr) -> io::Result<UdpSocket> {
    let domain = socket2::Domain::for_address(*address);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&(*address).into())?;
    Ok(socket.into())
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin")))))]
fn bind_shared(_: &SocketAddr) -> io::Result<UdpSocket> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Listens on the addresses that sockets are bound to, on the ports that were asked for, if they were.
fn listen<R: Host>(sockets: &[UdpSocket], ports: &[u16]) -> io::Result<Vec<R::Listener>> {
    let listen = |(socket, port): (&UdpSocket, u16)| {
        let address = socket.local_addr()?;
        R::listener(streams::listen(SocketAddr::new(address.ip(), port))?)
    };
    let ports = ports.iter().copied().chain(std::iter::repeat(0));
    sockets.iter().zip(ports).map(listen).collect()
}

/// Binds to the addresses that can be bound to: an interface may have one that is not ready yet.
fn bind_interfaces(bind: Bind, include_loopback: bool) -> io::Result<Vec<UdpSocket>> {
    let addresses = interfaces::addresses(include_loopback)?;
    let bind = |address: IpAddr| bind(&SocketAddr::new(address, 0)).ok();
    let sockets: Vec<_> = addresses.into_iter().filter_map(bind).take(MAX_SOCKETS).collect();
    match sockets.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no interface has a usable address")),
        false => Ok(sockets),
    }
}

/// Addresses that are used at most: a machine full of virtual networks has more than a peer can check in time.
const MAX_SOCKETS: usize = 16;

impl<R> fmt::Debug for Builder<R> {
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
    /// A STUN or TURN server cannot be used.
    IceServers(IceServerError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Address(error) => error.fmt(f),
            Self::IceServers(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BuildError {}
