//! One channel.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::{ChannelInit, Message};

/// Where a channel is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "RTCDataChannelState")]
pub enum ChannelState {
    /// There is nothing yet to carry it.
    Connecting,
    /// Messages can be sent.
    Open,
    /// It is being closed.
    Closing,
    /// It is closed.
    Closed,
}

impl ChannelState {
    /// The state's name in W3C's API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
        }
    }
}

/// Messages of a channel and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelTraffic {
    /// Messages that were taken to be sent.
    pub messages_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Messages that were read.
    pub messages_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
}

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) label: Box<str>,
    pub(crate) init: Box<ChannelInit>,
    pub(crate) stream: Option<u16>,
    pub(crate) stage: Stage,
    pub(crate) low_threshold: usize,
    /// What was read ahead of the application.
    pub(crate) unread: VecDeque<Message>,
    /// Whether the peer opened it, so that its names count as the peer's.
    pub(crate) by_peer: bool,
    /// The beginning of a message that comes in the deprecated partial form.
    pub(crate) partial: Vec<u8>,
    pub(crate) traffic: ChannelTraffic,
}

/// Where a channel is, in more detail than its state tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for an association.
    Waiting,
    /// Our OPEN waits for, or is on its way with, the association's first packets.
    Opening,
    /// It is open; until the peer has shown that it knows it, everything is sent in order (RFC 8832 §6).
    Open { known_to_peer: bool },
    /// Its stream is being reset.
    Closing { ours: bool, theirs: bool },
    /// Both directions are reset, or the association has ended.
    Closed,
}

impl Channel {
    pub(crate) fn new(label: &str, init: ChannelInit, stage: Stage) -> Self {
        Self {
            label: label.into(),
            stream: init.negotiated,
            init: Box::new(init),
            stage,
            low_threshold: 0,
            unread: VecDeque::new(),
            by_peer: false,
            partial: Vec::new(),
            traffic: ChannelTraffic::default(),
        }
    }

    pub(crate) fn count_received(&mut self, message: &Message) {
        self.traffic.messages_received += 1;
        self.traffic.bytes_received += message.len() as u64;
    }

    /// How many bytes its names have, if the peer gave them.
    pub(crate) fn peer_text(&self) -> usize {
        if self.by_peer { self.label.len() + self.init.protocol.len() } else { 0 }
    }

    /// How many bytes of it nobody has read.
    pub(crate) fn unread_bytes(&self) -> usize {
        self.unread.iter().map(|message| message.len() + MESSAGE_OVERHEAD).sum()
    }

    pub(crate) const fn state(&self) -> ChannelState {
        match self.stage {
            Stage::Waiting | Stage::Opening => ChannelState::Connecting,
            Stage::Open { .. } => ChannelState::Open,
            Stage::Closing { .. } => ChannelState::Closing,
            Stage::Closed => ChannelState::Closed,
        }
    }
}

/// What a message in a queue costs beside its bytes.
const MESSAGE_OVERHEAD: usize = 64;
