//! What a channel is created with.

use alloc::string::String;
use core::time::Duration;

use pavane_sctp::{Reliability, SendOptions};

use crate::CreateError;

/// A channel's options; the default is an ordered, reliable one that is announced to the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RTCDataChannelInit")]
pub struct ChannelInit {
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// For how many milliseconds a message is sent again.
    pub max_packet_life_time: Option<u16>,
    /// How often a message is sent again.
    pub max_retransmits: Option<u16>,
    /// A subprotocol's name.
    pub protocol: String,
    /// The id of a channel that both sides create by themselves, without announcing it.
    pub negotiated: Option<u16>,
    /// How important it is beside the others.
    pub priority: Priority,
}

impl Default for ChannelInit {
    fn default() -> Self {
        Self {
            ordered: true,
            max_packet_life_time: None,
            max_retransmits: None,
            protocol: String::new(),
            negotiated: None,
            priority: Priority::Low,
        }
    }
}

/// A channel's importance: its weight among the channels of its end that have something to send (RFC 8831 §6.4). One of
/// twice the weight sends twice as much, fragment by fragment where the peer interleaves messages (RFC 8260), else message
/// by message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Below normal, 128.
    VeryLow,
    /// Normal, 256.
    #[default]
    Low,
    /// High, 512.
    Medium,
    /// Extra high, 1024.
    High,
}

impl Priority {
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::VeryLow => 128,
            Self::Low => 256,
            Self::Medium => 512,
            Self::High => 1024,
        }
    }

    pub(crate) const fn from_code(code: u16) -> Self {
        match code {
            0..=128 => Self::VeryLow,
            129..=256 => Self::Low,
            257..=512 => Self::Medium,
            _ => Self::High,
        }
    }
}

/// The id that stands for none (RFC 8832 §4, RFC 8831 §6.5).
pub(crate) const NO_ID: u16 = 65_535;

impl ChannelInit {
    /// Whether label and options can work together (W3C WebRTC §6.2).
    pub(crate) fn check(&self, label: &str) -> Result<(), CreateError> {
        const MAX_LEN: usize = 65_535;
        if label.len() > MAX_LEN {
            return Err(CreateError::LabelTooLong);
        }
        if self.protocol.len() > MAX_LEN {
            return Err(CreateError::ProtocolTooLong);
        }
        if self.max_packet_life_time.is_some() && self.max_retransmits.is_some() {
            return Err(CreateError::BothLimits);
        }
        if self.negotiated == Some(NO_ID) {
            return Err(CreateError::InvalidId);
        }
        Ok(())
    }

    pub(crate) fn send_options(&self) -> SendOptions {
        let reliability = match (self.max_packet_life_time, self.max_retransmits) {
            (Some(millis), _) => Reliability::MaxLifetime(Duration::from_millis(millis.into())),
            (None, Some(times)) => Reliability::MaxRetransmits(times),
            (None, None) => Reliability::Reliable,
        };
        SendOptions { ordered: self.ordered, reliability, counted: true }
    }
}
