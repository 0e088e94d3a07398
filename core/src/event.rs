//! What a connection tells its application.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use pavane_datachannel::{ChannelError, ChannelId};
use pavane_ice::ServerFailure;

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
    /// All ways that worked are gone with an address or stream of ours. What is left is tried;
    /// [`restart_ice`](crate::PeerConnection::restart_ice) has the peer look for new ways as well.
    IceRestartAdvised,
    /// A STUN or TURN server is of no help in gathering candidates; others may be.
    #[doc(alias = "icecandidateerror")]
    IceServerFailed {
        /// Its URL's index among all URLs of [`Config::ice_servers`](crate::Config::ice_servers).
        server: usize,
        /// Its address, if it was known.
        address: Option<SocketAddr>,
        /// Why.
        failure: ServerFailure,
    },
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

impl Event {
    /// Whether it may come again and again while nothing changes but what is sent and received.
    pub(crate) const fn comes_with_traffic(&self) -> bool {
        matches!(
            self,
            Self::ChannelReadable(_)
                | Self::ChannelBufferedAmountLow(_)
                | Self::Writable
                | Self::FrameReadable(_)
                | Self::KeyframeWanted(_)
        )
    }
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
