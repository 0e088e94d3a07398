//! What a connection tells its application, and what it asks of it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use pavane_datachannel::{ChannelError, ChannelId};

use crate::media::{MediaKind, ReceiverId, SenderId, TransceiverId};
use crate::{ConnectionState, IceCandidate, IceConnectionState, IceGatheringState, SignalingState};

/// Something happened to a [`PeerConnection`](crate::PeerConnection).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An offer is due: what the application asked for is not in the descriptions yet.
    #[doc(alias = "negotiationneeded")]
    NegotiationNeeded,
    /// The signaling state is another.
    #[doc(alias = "signalingstatechange")]
    SignalingStateChanged(SignalingState),
    /// The ICE connection's state is another.
    #[doc(alias = "iceconnectionstatechange")]
    IceConnectionStateChanged(IceConnectionState),
    /// The gathering of candidates is at another stage.
    #[doc(alias = "icegatheringstatechange")]
    IceGatheringStateChanged(IceGatheringState),
    /// The connection's state is another.
    #[doc(alias = "connectionstatechange")]
    ConnectionStateChanged(ConnectionState),
    /// A local candidate to be signalled to the peer; an empty one ends the generation.
    #[doc(alias = "icecandidate")]
    LocalCandidate(IceCandidate),
    /// The peer opened a channel; it is open.
    #[doc(alias = "ondatachannel")]
    ChannelAnnounced(ChannelId),
    /// A channel that the application created is open.
    ChannelOpened(ChannelId),
    /// Messages wait to be read, where none did.
    ChannelReadable(ChannelId),
    /// The amount of buffered bytes fell to the channel's threshold or below.
    #[doc(alias = "bufferedamountlow")]
    ChannelBufferedAmountLow(ChannelId),
    /// There is room again after [`SendError::Full`](crate::SendError::Full), for whichever channel.
    Writable,
    /// The channel broke; its end follows.
    #[doc(alias = "onerror")]
    ChannelFailed(ChannelId, ChannelError),
    /// The peer began to close the channel.
    ChannelClosing(ChannelId),
    /// The channel is closed; what it received can still be read.
    ChannelClosed(ChannelId),
    /// The peer sends a track, or says so; of what it sends nothing need have arrived.
    #[doc(alias = "ontrack")]
    Track(TrackEvent),
    /// The first packet of a track came, or the first again.
    #[doc(alias = "onunmute")]
    TrackUnmuted(ReceiverId),
    /// Whole frames wait to be read, where none did; of a receiver that wants them.
    FrameReadable(ReceiverId),
    /// The peer sends a track no more.
    #[doc(alias = "onmute")]
    TrackMuted(ReceiverId),
    /// The peer needs a key frame of what is sent.
    KeyframeWanted(SenderId),
    /// A transceiver is stopped, by whichever side, and gone.
    TransceiverStopped(TransceiverId),
    /// The connection has ended, and why; nothing follows but what is already queued.
    Closed(CloseReason),
}

/// A track that the peer announced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "RTCTrackEvent")]
pub struct TrackEvent {
    /// The transceiver of its section.
    pub transceiver: TransceiverId,
    /// Where it arrives.
    pub receiver: ReceiverId,
    /// What it carries.
    pub kind: MediaKind,
    /// The streams that it is part of.
    pub streams: Vec<String>,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The application closed it.
    Local,
    /// The peer closed it in good order.
    Peer,
    /// DTLS failed.
    Dtls(pavane_dtls::CloseReason),
}

/// The number of an [`Action`], with which its outcome is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub(crate) pavane_ice::ResolveId);

/// An effect that the core needs and cannot have by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Resolve a `.local` name by multicast DNS.
    ResolveMdns {
        /// The name, as the candidate has it.
        name: String,
    },
}

/// What became of an [`Action`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionOutcome {
    /// The name has this address.
    Resolved(IpAddr),
    /// It cannot be done.
    Failed,
}
