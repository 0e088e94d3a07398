//! What a connection is made with.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use pavane_base::Epoch;
use pavane_base::rand_core::CryptoRng;
use pavane_crypto::{Certificate, Provider};

use crate::ice;
use crate::ice_server::{self, IceServer, IceServerError};
use crate::media::{CodecParameters, HeaderExtension, default_codecs, default_extensions};
use crate::srtp::Profile;

/// The configuration of a [`PeerConnection`](crate::PeerConnection), shared by as many connections as one likes.
#[derive(Clone, Debug)]
#[doc(alias = "RTCConfiguration")]
pub struct Config {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) certificate: Certificate,
    pub(crate) ice: IceTiming,
    pub(crate) servers: Vec<ice::Server>,
    pub(crate) transport_policy: ice::TransportPolicy,
    pub(crate) candidate_filter: Option<ice::CandidateFilter>,
    pub(crate) host_addresses: HostAddresses,
    pub(crate) ice_mode: ice::Mode,
    pub(crate) tcp: ice::TcpPolicy,
    pub(crate) prefetch: ice::Prefetch,
    pub(crate) max_message_size: u64,
    pub(crate) receive_window: u32,
    pub(crate) max_receive_window: u32,
    pub(crate) send_buffer: usize,
    pub(crate) max_path_mtu: u16,
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) header_extensions: Vec<HeaderExtension>,
    pub(crate) srtp_profiles: Vec<Profile>,
}

pub use pavane_ice::Timing as IceTiming;

impl Config {
    /// The defaults, with a fresh certificate whose key is drawn from `rng`.
    pub fn new(provider: Arc<dyn Provider>, rng: &mut dyn CryptoRng, epoch: &Epoch) -> Self {
        let certificate = Certificate::generate(&*provider, rng, epoch);
        Self::with_certificate(provider, certificate)
    }

    /// The defaults, with a certificate that the caller keeps.
    pub fn with_certificate(provider: Arc<dyn Provider>, certificate: Certificate) -> Self {
        Self {
            provider,
            certificate,
            ice: IceTiming::default(),
            servers: Vec::new(),
            transport_policy: ice::TransportPolicy::default(),
            candidate_filter: None,
            host_addresses: HostAddresses::default(),
            ice_mode: ice::Mode::default(),
            tcp: ice::TcpPolicy::default(),
            prefetch: ice::Prefetch::default(),
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            receive_window: DEFAULT_RECEIVE_WINDOW,
            max_receive_window: DEFAULT_MAX_RECEIVE_WINDOW,
            send_buffer: DEFAULT_SEND_BUFFER,
            max_path_mtu: ETHERNET_MTU,
            codecs: default_codecs(),
            header_extensions: default_extensions(),
            srtp_profiles: DEFAULT_SRTP_PROFILES.to_vec(),
        }
    }

    /// Sets ICE's intervals and patience.
    #[must_use]
    pub const fn ice_timing(mut self, timing: IceTiming) -> Self {
        self.ice = timing;
        self
    }

    /// Sets the STUN and TURN servers that help to gather candidates.
    ///
    /// # Errors
    /// If one of them cannot be used.
    #[doc(alias = "iceServers")]
    pub fn ice_servers(mut self, servers: &[IceServer]) -> Result<Self, IceServerError> {
        self.servers = ice_server::resolve(servers)?;
        Ok(self)
    }

    /// Sets which candidates are told of and used.
    #[must_use]
    #[doc(alias = "iceTransportPolicy")]
    pub const fn ice_transport_policy(mut self, policy: ice::TransportPolicy) -> Self {
        self.transport_policy = policy;
        self
    }

    /// Has a filter decide which candidates are told of and used, the peer's among them.
    #[must_use]
    pub fn candidate_filter(mut self, filter: ice::CandidateFilter) -> Self {
        self.candidate_filter = Some(filter);
        self
    }

    /// Sets whether the peer is told the addresses of our interfaces.
    #[must_use]
    pub const fn host_addresses(mut self, host_addresses: HostAddresses) -> Self {
        self.host_addresses = host_addresses;
        self
    }

    /// Sets how much of an ICE agent this side is: full, or lite for servers with public addresses.
    #[must_use]
    pub const fn ice_mode(mut self, mode: ice::Mode) -> Self {
        self.ice_mode = mode;
        self
    }

    /// Sets which TCP candidates are gathered beside those that listen.
    #[must_use]
    pub const fn ice_tcp_policy(mut self, policy: ice::TcpPolicy) -> Self {
        self.tcp = policy;
        self
    }

    /// With any number but zero, servers are asked as soon as there are sockets, so that the candidates are there when a
    /// local description is set. There is one transport, so that more than one set of candidates is of no use.
    #[must_use]
    #[doc(alias = "iceCandidatePoolSize")]
    pub const fn ice_candidate_pool_size(mut self, size: u8) -> Self {
        self.prefetch = if size == 0 { ice::Prefetch::Off } else { ice::Prefetch::On };
        self
    }

    /// Sets the largest message that the peer may send, in bytes; the description announces it (RFC 8841 §6).
    #[must_use]
    pub const fn max_message_size(mut self, bytes: u64) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets how many bytes of data-channel messages may be on the way to the application, over all channels; it stays so
    /// unless [`max_receive_window`](Self::max_receive_window) is set afterwards.
    #[must_use]
    pub const fn receive_window(mut self, bytes: u32) -> Self {
        self.receive_window = bytes;
        self.max_receive_window = bytes;
        self
    }

    /// Sets how many bytes the receive window may grow to where the path is fast and long and the application reads as
    /// quickly as data comes.
    #[must_use]
    pub const fn max_receive_window(mut self, bytes: u32) -> Self {
        self.max_receive_window = bytes;
        self
    }

    /// Sets how many bytes of data-channel messages may wait to be sent, over all channels.
    #[must_use]
    pub const fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = bytes;
        self
    }

    /// Sets up to which size of IP packets data channels look for what the path takes (RFC 8899); 1500 unless set. They
    /// begin with 1280, which passes everywhere, and send larger ones once it is proven that they pass; with 1280 they do
    /// not look.
    #[must_use]
    pub const fn max_path_mtu(mut self, bytes: u16) -> Self {
        self.max_path_mtu = bytes;
        self
    }

    /// Sets the codecs of tracks, the most preferred first, with the payload types that they have in our offers.
    #[must_use]
    pub fn codecs(mut self, codecs: Vec<CodecParameters>) -> Self {
        self.codecs = codecs;
        self
    }

    /// Sets the header extensions that RTP packets may carry, with the numbers that they have in our offers.
    #[must_use]
    pub fn header_extensions(mut self, extensions: Vec<HeaderExtension>) -> Self {
        self.header_extensions = extensions;
        self
    }

    /// Sets the protection profiles of media, the most preferred first: by default the AEADs with AES-GCM, then AES-CM with
    /// 80 bits of HMAC-SHA1, which every WebRTC peer has (RFC 8827 §6.5). With none there is no media.
    #[must_use]
    pub fn srtp_profiles(mut self, profiles: Vec<Profile>) -> Self {
        self.srtp_profiles = profiles;
        self
    }

    /// Whether the values can work together.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.max_message_size == 0 || self.max_message_size > u64::from(self.receive_window) {
            return Err(ConfigError::MessageLargerThanWindow);
        }
        if self.ice.pacing < Duration::from_millis(5) {
            return Err(ConfigError::PacingTooFast);
        }
        let mut types: Vec<u8> =
            self.codecs.iter().flat_map(|codec| [Some(codec.payload_type), codec.rtx]).flatten().collect();
        types.sort_unstable();
        // RFC 5761 §4: 64 to 95 would be taken for RTCP.
        let wrong = |number: &u8| matches!(number, 64..=95 | 128..);
        if types.iter().any(wrong) || types.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::PayloadTypes);
        }
        let mut ids: Vec<u8> = self.header_extensions.iter().map(|extension| extension.id).collect();
        ids.sort_unstable();
        if ids.iter().any(|id| matches!(id, 0 | 15)) || ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::ExtensionIds);
        }
        Ok(())
    }
}

/// What descriptions, candidates and [statistics](crate::PeerConnection::stats_report) say of the addresses of our interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostAddresses {
    /// What they are.
    #[default]
    Shown,
    /// Random names of multicast DNS, others with each ICE restart, that only peers on the same link can resolve
    /// (draft-ietf-mmusic-mdns-ice-candidates). Whoever drives the connection answers for them:
    /// [`PublishMdns`](crate::Action::PublishMdns).
    Hidden,
}

/// What browsers announce, and so what applications count on.
const DEFAULT_MAX_MESSAGE_SIZE: u64 = 262_144;

/// Enough for 640 Mbit/s at 100 ms of round trip.
const DEFAULT_RECEIVE_WINDOW: u32 = 8 * 1024 * 1024;

/// Two and a half times what is under way at 1 Gbit/s and 200 ms.
const DEFAULT_MAX_RECEIVE_WINDOW: u32 = 64 * 1024 * 1024;

/// What Chromium gives a channel, here for all of them together.
const DEFAULT_SEND_BUFFER: usize = 16 * 1024 * 1024;

const DEFAULT_SRTP_PROFILES: [Profile; 3] =
    [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmHmacSha1_80];

/// What most paths take.
const ETHERNET_MTU: u16 = 1500;

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The largest message is zero or does not fit into the receive window.
    MessageLargerThanWindow,
    /// Connectivity checks would follow each other in less than 5 ms (RFC 8445 §14.2).
    PacingTooFast,
    /// A codec's payload type is out of range, or two have the same.
    PayloadTypes,
    /// A header extension's number is out of range, or two have the same.
    ExtensionIds,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageLargerThanWindow => "the largest message is zero or larger than the receive window",
            Self::PacingTooFast => "connectivity checks are paced faster than one in 5 ms",
            Self::PayloadTypes => "a payload type is given twice or out of range",
            Self::ExtensionIds => "a header extension's number is given twice or out of range",
        })
    }
}

impl core::error::Error for ConfigError {}
