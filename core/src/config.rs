//! What a connection is made with.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use pavane_base::Epoch;
use pavane_base::rand_core::CryptoRng;
use pavane_crypto::{Certificate, Provider};

/// The configuration of a [`PeerConnection`](crate::PeerConnection), shared by as many connections as one likes.
#[derive(Clone, Debug)]
#[doc(alias = "RTCConfiguration")]
pub struct Config {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) certificate: Certificate,
    pub(crate) ice: IceTiming,
    pub(crate) max_message_size: u64,
    pub(crate) receive_window: u32,
    pub(crate) send_buffer: usize,
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
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            receive_window: DEFAULT_RECEIVE_WINDOW,
            send_buffer: DEFAULT_SEND_BUFFER,
        }
    }

    /// Sets ICE's intervals and patience.
    #[must_use]
    pub const fn ice_timing(mut self, timing: IceTiming) -> Self {
        self.ice = timing;
        self
    }

    /// Sets the largest message that the peer may send, in bytes; the description announces it (RFC 8841 §6).
    #[must_use]
    pub const fn max_message_size(mut self, bytes: u64) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets how many bytes of data-channel messages may be on the way to the application, over all channels.
    #[must_use]
    pub const fn receive_window(mut self, bytes: u32) -> Self {
        self.receive_window = bytes;
        self
    }

    /// Sets how many bytes of data-channel messages may wait to be sent, over all channels.
    #[must_use]
    pub const fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = bytes;
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
        Ok(())
    }
}

/// What browsers announce, and so what applications count on.
const DEFAULT_MAX_MESSAGE_SIZE: u64 = 262_144;

/// Enough for 640 Mbit/s at 100 ms of round trip.
const DEFAULT_RECEIVE_WINDOW: u32 = 8 * 1024 * 1024;

/// What Chromium gives a channel, here for all of them together.
const DEFAULT_SEND_BUFFER: usize = 16 * 1024 * 1024;

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The largest message is zero or does not fit into the receive window.
    MessageLargerThanWindow,
    /// Connectivity checks would follow each other in less than 5 ms (RFC 8445 §14.2).
    PacingTooFast,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageLargerThanWindow => "the largest message is zero or larger than the receive window",
            Self::PacingTooFast => "connectivity checks are paced faster than one in 5 ms",
        })
    }
}

impl core::error::Error for ConfigError {}
