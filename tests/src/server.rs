//! A STUN and TURN server without I/O (RFC 8489, RFC 8656): enough of one to be asked by our agents, and strict about it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pavane::crypto::{MacAlgorithm, Provider};
use pavane::{Instant, Path, Transport};
use pavane_stun::{
    AttributeType, Builder, Class, ErrorCode, LongTermCredentials, Message, Method, PasswordAlgorithm,
};

/// What the server is like.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where it listens; and whether it relays there.
    pub addresses: Vec<SocketAddr>,
    /// The addresses that it lends.
    pub relays: Vec<IpAddr>,
    /// How passwords become keys.
    pub algorithm: PasswordAlgorithm,
    /// How long a nonce is good for.
    pub nonce_lifetime: Duration,
    /// How long an allocation lasts.
    pub lifetime: Duration,
    /// How many allocations there may be (RFC 8656 §7.2: else 486).
    pub quota: usize,
    /// Where everybody is sent on to, if anywhere (RFC 8489 §10).
    pub alternate: Option<SocketAddr>,
}

/// The server.
pub struct Server {
    /// What it is like.
    pub config: ServerConfig,
    provider: Arc<dyn Provider>,
    allocations: BTreeMap<Way, Allocated>,
    next_port: u16,
    out: Vec<(Path, Vec<u8>)>,
    /// Requests that were refused, by code.
    pub refusals: BTreeMap<u16, usize>,
}

/// A client's 5-tuple, the server's address first.
type Way = Path;

struct Allocated {
    relayed: Vec<SocketAddr>,
    expires_at: Instant,
    permissions: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<u16, (SocketAddr, Instant)>,
}

/// The server's only user.
pub const USER: &str = "user";
/// The user's password.
pub const PASSWORD: &str = "secret";
const REALM: &str = "pavane.example";
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);
/// RFC 8489 §9.2: the nonce says that password algorithms are offered.
const NONCE_COOKIE: &str = "obMatJos2gAAA";

impl Server {
    /// A server that listens at these addresses and lends those.
    pub fn new(addresses: Vec<SocketAddr>, relays: Vec<IpAddr>) -> Self {
        let config = ServerConfig {
            addresses,
            relays,
            algorithm: PasswordAlgorithm::Md5,
            nonce_lifetime: Duration::from_secs(600),
            lifetime: Duration::from_secs(600),
            quota: 100,
            alternate: None,
        };
        Self {
            config,
            provider: pavane_crypto_rustls::provider(),
            allocations: BTreeMap::new(),
            next_port: 49_152,
            out: Vec::new(),
            refusals: BTreeMap::new(),
        }
    }

    /// Whether datagrams to this address are for it.
    pub fn owns(&self, address: SocketAddr) -> bool {
        self.config.addresses.contains(&address) || self.config.relays.contains(&address.ip())
    }

    /// How many allocations there are.
    pub fn allocations(&self, now: Instant) -> usize {
        self.allocations.values().filter(|allocated| allocated.expires_at > now).count()
    }

    /// Forgets every allocation, as by a restart.
    pub fn forget(&mut self) {
        self.allocations.clear();
    }

    /// Takes a datagram or a stream's message; what is to be sent comes out.
    pub fn handle(&mut self, now: Instant, path: Path, payload: &[u8]) -> Vec<(Path, Vec<u8>)> {
        self.allocations.retain(|_, allocated| allocated.expires_at > now);
        if self.config.addresses.contains(&path.local) {
            self.take_from_client(now, path, payload);
        } else {
            self.take_from_peer(now, path, payload);
        }
        std::mem::take(&mut self.out)
    }

    fn take_from_client(&mut self, now: Instant, way: Way, payload: &[u8]) {
        if let Some(0x40..=0x4f) = payload.first() {
            let number = u16::from_be_bytes([payload[0], payload[1]]);
            let len = usize::from(u16::from_be_bytes([payload[2], payload[3]]));
            assert!(way.transport == Transport::Udp || payload.len() == 4 + len.next_multiple_of(4));
            let channel = self.allocations.get(&way).and_then(|allocated| allocated.channels.get(&number));
            if let Some((peer, _)) = channel.filter(|(_, until)| *until > now) {
                self.relay(now, way, *peer, &payload[4..4 + len]);
            }
            return;
        }
        let message = Message::parse(payload).expect("our agents send what is well-formed");
        match (message.class(), message.method()) {
            (Class::Request, Method::BINDING) => {
                let mut bytes = Vec::new();
                Builder::new(&mut bytes, Class::Success, Method::BINDING, message.transaction())
                    .xor_mapped_address(way.remote)
                    .finish();
                self.out.push((way, bytes));
            }
            (Class::Request, _) => self.take_request(now, way, &message),
            (Class::Indication, Method::SEND) => {
                let peer = message.xor_address(AttributeType::XOR_PEER_ADDRESS).expect("it is for somebody");
                let data = message.attribute(AttributeType::DATA).expect("it brings something").to_vec();
                self.relay(now, way, peer, &data);
            }
            _ => {}
        }
    }

    /// Sends a client's datagram on, if the peer is permitted.
    fn relay(&mut self, now: Instant, way: Way, peer: SocketAddr, data: &[u8]) {
        let Some(allocated) = self.allocations.get(&way) else { return };
        let is_permitted = allocated.permissions.get(&peer.ip()).is_some_and(|until| *until > now);
        let relayed = allocated.relayed.iter().find(|relayed| relayed.is_ipv4() == peer.is_ipv4());
        if let Some(relayed) = relayed.filter(|_| is_permitted) {
            let path = Path { local: *relayed, remote: peer, transport: Transport::Udp };
            self.out.push((path, data.to_vec()));
        }
    }

    fn take_from_peer(&mut self, now: Instant, path: Path, payload: &[u8]) {
        let lent = self.allocations.iter().find(|(_, allocated)| allocated.relayed.contains(&path.local));
        let Some((way, allocated)) = lent else { return };
        if allocated.permissions.get(&path.remote.ip()).is_none_or(|until| *until <= now) {
            return;
        }
        let channel =
            allocated.channels.iter().find(|(_, (peer, until))| *peer == path.remote && *until > now);
        let mut bytes = Vec::new();
        match channel {
            Some((number, _)) => {
                bytes.extend_from_slice(&number.to_be_bytes());
                bytes.extend_from_slice(&(payload.len() as u16).to_be_bytes());
                bytes.extend_from_slice(payload);
                if way.transport == Transport::Tcp {
                    bytes.resize(bytes.len().next_multiple_of(4), 0);
                }
            }
            None => {
                let id = pavane_stun::TransactionId([7; 12]);
                Builder::new(&mut bytes, Class::Indication, Method::DATA, id)
                    .xor_address(AttributeType::XOR_PEER_ADDRESS, path.remote)
                    .attribute(AttributeType::DATA, payload)
                    .finish();
            }
        }
        self.out.push((*way, bytes));
    }

    fn take_request(&mut self, now: Instant, way: Way, message: &Message<'_>) {
        if let Err(code) = self.authenticate(now, message) {
            return self.refuse(now, way, message, code);
        }
        let outcome = match message.method() {
            Method::ALLOCATE => self.allocate(now, way, message),
            _ if !self.allocations.contains_key(&way) => Err(ErrorCode::ALLOCATION_MISMATCH),
            Method::REFRESH => {
                let lifetime = message.lifetime().map_or(self.config.lifetime, |_| Duration::ZERO);
                self.allocations.get_mut(&way).expect("it is there").expires_at = now + lifetime;
                Ok(vec![])
            }
            Method::CREATE_PERMISSION => self.permit(now, way, message).map(|()| vec![]),
            Method::CHANNEL_BIND => self.bind(now, way, message).map(|()| vec![]),
            _ => Err(ErrorCode::BAD_REQUEST),
        };
        match outcome {
            Ok(relayed) => self.accept(way, message, &relayed),
            Err(code) => self.refuse(now, way, message, code),
        }
    }

    fn allocate(
        &mut self,
        now: Instant,
        way: Way,
        message: &Message<'_>,
    ) -> Result<Vec<SocketAddr>, ErrorCode> {
        let transport = message.attribute(AttributeType::REQUESTED_TRANSPORT);
        assert_eq!(transport, Some(&[17, 0, 0, 0][..]), "RFC 8656 §7.1: REQUESTED-TRANSPORT is UDP");
        if self.allocations.contains_key(&way) {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        }
        if self.allocations.len() >= self.config.quota {
            return Err(ErrorCode::QUOTA_REACHED);
        }
        if self.config.alternate.is_some() {
            return Err(ErrorCode::TRY_ALTERNATE);
        }
        let both = message.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY).is_some();
        let mut relayed = Vec::new();
        for ip in self.config.relays.iter().filter(|ip| ip.is_ipv4() || both) {
            self.next_port += 1;
            relayed.push(SocketAddr::new(*ip, self.next_port));
        }
        let expires_at = now + self.config.lifetime;
        let (permissions, channels) = Default::default();
        let allocated = Allocated { relayed: relayed.clone(), expires_at, permissions, channels };
        self.allocations.insert(way, allocated);
        Ok(relayed)
    }

    fn permit(&mut self, now: Instant, way: Way, message: &Message<'_>) -> Result<(), ErrorCode> {
        let allocated = self.allocations.get_mut(&way).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        for peer in message.xor_addresses(AttributeType::XOR_PEER_ADDRESS) {
            let peer = peer.ok_or(ErrorCode::BAD_REQUEST)?;
            if peer.ip().is_loopback() {
                return Err(ErrorCode::FORBIDDEN);
            }
            if !allocated.relayed.iter().any(|relayed| relayed.is_ipv4() == peer.is_ipv4()) {
                return Err(ErrorCode::PEER_FAMILY_MISMATCH);
            }
            allocated.permissions.insert(peer.ip(), now + PERMISSION_LIFETIME);
        }
        Ok(())
    }

    fn bind(&mut self, now: Instant, way: Way, message: &Message<'_>) -> Result<(), ErrorCode> {
        let number = message.channel_number().ok_or(ErrorCode::BAD_REQUEST)?;
        let peer = message.xor_address(AttributeType::XOR_PEER_ADDRESS).ok_or(ErrorCode::BAD_REQUEST)?;
        let allocated = self.allocations.get_mut(&way).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let is_other =
            |(other, (bound, _)): (&u16, &(SocketAddr, Instant))| (*other == number) != (*bound == peer);
        if allocated.channels.iter().any(is_other) {
            return Err(ErrorCode::BAD_REQUEST);
        }
        allocated.channels.insert(number, (peer, now + CHANNEL_LIFETIME));
        allocated.permissions.insert(peer.ip(), now + PERMISSION_LIFETIME);
        Ok(())
    }

    fn user() -> LongTermCredentials {
        LongTermCredentials { username: USER.into(), password: PASSWORD.into() }
    }

    fn key(&self) -> Box<dyn pavane::crypto::Mac> {
        let key = self.config.algorithm.key(&*self.provider, &Self::user(), REALM);
        let mac = match self.config.algorithm {
            PasswordAlgorithm::Md5 => MacAlgorithm::HmacSha1,
            PasswordAlgorithm::Sha256 => MacAlgorithm::HmacSha256,
        };
        self.provider.mac(mac, &key)
    }

    fn nonce(&self, now: Instant) -> String {
        let age = (now - Instant::ZERO).as_nanos() / self.config.nonce_lifetime.as_nanos();
        match self.config.algorithm {
            PasswordAlgorithm::Md5 => format!("nonce{age}"),
            PasswordAlgorithm::Sha256 => format!("{NONCE_COOKIE}{age}"),
        }
    }

    fn authenticate(&self, now: Instant, message: &Message<'_>) -> Result<(), ErrorCode> {
        let is_good = match self.config.algorithm {
            PasswordAlgorithm::Md5 => {
                message.username() == Some(USER) && message.verify_integrity(&*self.key())
            }
            PasswordAlgorithm::Sha256 => {
                message.username() == Some(USER) && message.verify_integrity_sha256(&*self.key())
            }
        };
        if message.attribute(AttributeType::REALM) != Some(REALM.as_bytes()) || !is_good {
            return Err(ErrorCode::UNAUTHENTICATED);
        }
        match message.attribute(AttributeType::NONCE) == Some(self.nonce(now).as_bytes()) {
            true => Ok(()),
            false => Err(ErrorCode::STALE_NONCE),
        }
    }

    fn accept(&mut self, way: Way, message: &Message<'_>, relayed: &[SocketAddr]) {
        let mut bytes = Vec::new();
        let mut answer = Builder::new(&mut bytes, Class::Success, message.method(), message.transaction());
        for address in relayed {
            answer = answer.xor_address(AttributeType::XOR_RELAYED_ADDRESS, *address);
        }
        if message.method() == Method::ALLOCATE {
            answer = answer.xor_mapped_address(way.remote);
        }
        let lifetime = message.lifetime().unwrap_or(self.config.lifetime.as_secs() as u32);
        answer = answer.attribute(AttributeType::LIFETIME, &lifetime.to_be_bytes());
        match self.config.algorithm {
            PasswordAlgorithm::Md5 => answer.integrity(&*self.key()).finish(),
            PasswordAlgorithm::Sha256 => answer.integrity_sha256(&*self.key()).finish(),
        };
        self.out.push((way, bytes));
    }

    fn refuse(&mut self, now: Instant, way: Way, message: &Message<'_>, code: ErrorCode) {
        *self.refusals.entry(code.0).or_default() += 1;
        let mut bytes = Vec::new();
        let mut answer = Builder::new(&mut bytes, Class::Error, message.method(), message.transaction());
        answer = answer.error_code(code);
        if matches!(code, ErrorCode::UNAUTHENTICATED | ErrorCode::STALE_NONCE) {
            answer = answer
                .attribute(AttributeType::REALM, REALM.as_bytes())
                .attribute(AttributeType::NONCE, self.nonce(now).as_bytes());
            if self.config.algorithm == PasswordAlgorithm::Sha256 {
                let offered = [0, PasswordAlgorithm::Sha256.number() as u8, 0, 0];
                answer = answer.attribute(AttributeType::PASSWORD_ALGORITHMS, &offered);
            }
        }
        if let (ErrorCode::TRY_ALTERNATE, Some(alternate)) = (code, self.config.alternate) {
            answer = answer.plain_address(AttributeType::ALTERNATE_SERVER, alternate);
        }
        answer.finish();
        self.out.push((way, bytes));
    }
}
