//! What a connection tells its application.

use core::fmt;
use core::net::SocketAddr;

use pavane::{
    CloseReason, ConnectionState, IceCandidate, IceConnectionState, IceGatheringState, ReceiverId, SenderId,
    ServerFailure, SignalingState, TransceiverId,
};

use crate::{DataChannel, RemoteTrack};

/// Something happened to a [`PeerConnection`](crate::PeerConnection).
///
/// These are the core's events but for those about one channel, which wake whoever waits on that [`DataChannel`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// An offer is due: what the application asked for is not in the descriptions yet.
    NegotiationNeeded,
    /// The signaling state is another.
    SignalingStateChanged(SignalingState),
    /// The ICE connection's state is another.
    IceConnectionStateChanged(IceConnectionState),
    /// The gathering of candidates is at another stage.
    IceGatheringStateChanged(IceGatheringState),
    /// The connection's state is another.
    ConnectionStateChanged(ConnectionState),
    /// A local candidate to be signalled to the peer; an empty one ends the generation.
    LocalCandidate(IceCandidate),
    /// The peer opened this channel; it is open.
    Channel(DataChannel),
    /// The peer sends a track, or says so.
    Track(RemoteTrack),
    /// Packets of a track come.
    TrackUnmuted(ReceiverId),
    /// Packets of a track come no more.
    TrackMuted(ReceiverId),
    /// The peer needs a key frame of what is sent.
    KeyframeWanted(SenderId),
    /// A transceiver is stopped, by whichever side, and gone.
    TransceiverStopped(TransceiverId),
    /// All ways that worked are gone with an address or a stream of ours: an ICE restart would find others.
    IceRestartAdvised,
    /// A STUN or TURN server is of no help in gathering candidates; others may be.
    IceServerFailed {
        /// Its URL's index among all URLs of all servers.
        server: usize,
        /// Its address, if it was known.
        address: Option<SocketAddr>,
        /// Why.
        failure: ServerFailure,
    },
    /// The connection has ended, and why; it is the last event.
    Closed(CloseReason),
}

/// Why a connection did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// ICE or DTLS failed.
    Failed,
    /// The connection ended, and why.
    Closed(CloseReason),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed => f.write_str("ICE or DTLS failed"),
            Self::Closed(reason) => write!(f, "the connection ended: {reason:?}"),
        }
    }
}

impl core::error::Error for ConnectError {}
