//! The application's handles of tracks.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use pavane::rtp::frame::Frame;
use pavane::rtp::send::{MediaExtensions, Outgoing, OutgoingFrame};
use pavane::rtp::{PayloadType, RtpTimestamp, SequenceNumber};
use pavane::{
    CodecParameters, Direction, FrameOptions, Instant, MediaKind, ReceivedRtp, ReceiverId, SenderId,
    TrackEvent, TransceiverId, WriteError,
};

use crate::peer::Handles;
use crate::state::State;
use crate::wait::{Attempt, ListId, WaitList, Waiting};

/// A packet of a track of the peer's, with bytes of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RtpPacket {
    /// When it came.
    pub arrived: Instant,
    /// What its payload is, by the number that the descriptions agreed on.
    pub payload_type: PayloadType,
    /// The marker, whose meaning is the codec's.
    pub marker: bool,
    /// Its number in the stream, which does not wrap.
    pub sequence: u64,
    /// The moment of its media, in units of the clock rate; it does not wrap.
    pub timestamp: u64,
    /// The media.
    pub payload: Bytes,
    /// What its header extension says of the media.
    pub extensions: MediaExtensions,
}

impl RtpPacket {
    fn of(arrived: Instant, received: &ReceivedRtp<'_>) -> Self {
        Self {
            arrived,
            payload_type: received.packet.payload_type(),
            marker: received.packet.marker(),
            sequence: received.place.sequence,
            timestamp: received.place.timestamp,
            payload: Bytes::copy_from_slice(received.packet.payload()),
            extensions: MediaExtensions::pass_on(&received.values, Bytes::copy_from_slice),
        }
    }
}

impl RtpPacket {
    /// The packet as it can be passed on: its number aside, which [`LocalTrack::forward`] takes beside it.
    pub fn into_outgoing(self) -> Outgoing {
        Outgoing {
            payload_type: self.payload_type,
            marker: self.marker,
            timestamp: RtpTimestamp(self.timestamp as u32),
            payload: self.payload.into(),
            extensions: self.extensions,
            captured_at: None,
        }
    }
}

/// How many packets of a track wait for the application; beyond, the oldest go, since media does not keep.
const MAX_PACKETS: usize = 1024;

/// Packets of a track that wait, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Announcements of the track that a handle was made of, or may be yet: it is announced anew when its streams change.
    pub(crate) announced: usize,
    packets: VecDeque<RtpPacket>,
    pub(crate) readers: WaitList,
}

impl Inbox {
    /// Takes a packet in; says whether another had to go for it.
    pub(crate) fn push(&mut self, arrived: Instant, received: &ReceivedRtp<'_>) -> bool {
        let full = self.packets.len() >= MAX_PACKETS;
        if full {
            self.packets.pop_front();
        }
        self.packets.push_back(RtpPacket::of(arrived, received));
        full
    }
}

/// A track that the peer sends.
///
/// Clones are handles of the same track, and each packet goes to one of them. When the last is dropped, packets of the track
/// are dropped as they come.
#[derive(Clone, Debug)]
#[doc(alias = "MediaStreamTrack")]
pub struct RemoteTrack {
    hold: Arc<Hold>,
}

#[derive(Debug)]
struct Hold {
    handles: Arc<Handles>,
    announced: TrackEvent,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.handles.shared.lock().close_inbox(self.announced.receiver);
    }
}

impl RemoteTrack {
    pub(crate) fn new(handles: Arc<Handles>, announced: TrackEvent) -> Self {
        Self { hold: Arc::new(Hold { handles, announced }) }
    }

    /// The receiver that it comes by.
    pub fn receiver(&self) -> ReceiverId {
        self.hold.announced.receiver
    }

    /// The transceiver of its section.
    pub fn transceiver(&self) -> TransceiverId {
        self.hold.announced.transceiver
    }

    /// What it carries.
    pub fn kind(&self) -> MediaKind {
        self.hold.announced.kind
    }

    /// The streams that it was announced to be part of.
    pub fn streams(&self) -> &[String] {
        &self.hold.announced.streams
    }

    /// The codecs that the peer may send by, the most preferred first.
    pub fn codecs(&self) -> Vec<CodecParameters> {
        let mut state = self.hold.handles.shared.lock();
        state.peer.receiver(self.receiver()).map_or_else(Vec::new, |receiver| receiver.codecs().to_vec())
    }

    /// The next packet; `None` once the track's transceiver is stopped or the connection has ended.
    ///
    /// # Cancel safety
    /// Dropping the future loses no packet.
    pub async fn recv(&self) -> Option<RtpPacket> {
        let receiver = self.receiver();
        Waiting::new(&self.hold.handles.shared).until(|state| next_packet(state, receiver)).await
    }

    /// The packets as a stream, which ends as [`recv`](Self::recv) does.
    pub fn packets(&self) -> Packets {
        Packets { waiting: Waiting::new(&self.hold.handles.shared), track: self.clone() }
    }

    /// Has whole frames handed over from here on, by [`recv_frame`](Self::recv_frame), in the place of packets. Key frames
    /// are asked for by themselves where only one helps.
    pub fn receive_frames(&self, options: FrameOptions) {
        let id = self.receiver();
        self.hold.handles.shared.command(|peer, _| {
            if let Some(mut receiver) = peer.receiver(id) {
                receiver.receive_frames(options);
            }
        });
    }

    /// The next whole frame, in the order in which they are decoded; `None` once the track's transceiver is stopped or the
    /// connection has ended. [`receive_frames`](Self::receive_frames) has to be called before.
    ///
    /// # Cancel safety
    /// Dropping the future loses no frame.
    pub async fn recv_frame(&self) -> Option<Frame> {
        let receiver = self.receiver();
        Waiting::new(&self.hold.handles.shared).until(|state| next_frame(state, receiver)).await
    }

    /// Asks the peer for a key frame, and again until one begins to come; of a codec whose key frames are not known here,
    /// until [`keyframe_received`](Self::keyframe_received).
    pub fn request_keyframe(&self) {
        let id = self.receiver();
        self.hold.handles.shared.command(|peer, now| {
            if let Some(mut receiver) = peer.receiver(id) {
                receiver.request_keyframe(now);
            }
        });
    }

    /// Tells that a key frame has come, so that none is asked for any more.
    pub fn keyframe_received(&self) {
        let id = self.receiver();
        self.hold.handles.shared.command(|peer, _| {
            if let Some(mut receiver) = peer.receiver(id) {
                receiver.keyframe_received();
            }
        });
    }
}

fn next_packet(state: &mut State, receiver: ReceiverId) -> Attempt<Option<RtpPacket>> {
    let ended = state.ended().is_some() || state.peer.receiver(receiver).is_none();
    match state.inbox(receiver).and_then(|inbox| inbox.packets.pop_front()) {
        Some(packet) => Attempt::Done(Some(packet)),
        None if ended => Attempt::Done(None),
        None => Attempt::Wait(ListId::Packets(receiver), 0),
    }
}

/// The packets of a track, as a stream; see [`RemoteTrack::packets`].
#[derive(Debug)]
pub struct Packets {
    waiting: Waiting,
    track: RemoteTrack,
}

impl Stream for Packets {
    type Item = RtpPacket;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RtpPacket>> {
        let Self { waiting, track } = self.get_mut();
        let receiver = track.receiver();
        waiting.poll(cx, |state| next_packet(state, receiver))
    }
}

fn next_frame(state: &mut State, id: ReceiverId) -> Attempt<Option<Frame>> {
    let now = state.now();
    let ended = state.ended().is_some();
    let Some(mut receiver) = state.peer.receiver(id) else { return Attempt::Done(None) };
    match receiver.recv_frame(now) {
        Some(frame) => Attempt::Done(Some(frame)),
        None if ended => Attempt::Done(None),
        None => Attempt::Wait(ListId::Packets(id), 0),
    }
}

/// A track that is sent.
///
/// Clones are handles of the same track. It goes on when they are dropped, until [`PeerConnection::remove_track`] or the
/// connection's end.
///
/// [`PeerConnection::remove_track`]: crate::PeerConnection::remove_track
#[derive(Clone, Debug)]
pub struct LocalTrack {
    handles: Arc<Handles>,
    sender: SenderId,
    kind: MediaKind,
}

impl LocalTrack {
    pub(crate) const fn new(handles: Arc<Handles>, sender: SenderId, kind: MediaKind) -> Self {
        Self { handles, sender, kind }
    }

    /// The sender that it goes by.
    pub const fn sender(&self) -> SenderId {
        self.sender
    }

    /// The transceiver of its section.
    pub const fn transceiver(&self) -> TransceiverId {
        self.sender.transceiver()
    }

    /// What it carries.
    pub const fn kind(&self) -> MediaKind {
        self.kind
    }

    /// The codecs that the peer takes, the most preferred first; none before an exchange has agreed on any.
    pub fn codecs(&self) -> Vec<CodecParameters> {
        let mut state = self.handles.shared.lock();
        state.peer.sender(self.sender).map_or_else(Vec::new, |sender| sender.codecs().to_vec())
    }

    /// The number that the next packet of ours gets, once an exchange has had the track sent.
    pub fn next_sequence_number(&self) -> Option<SequenceNumber> {
        let mut state = self.handles.shared.lock();
        Some(state.peer.sender(self.sender)?.stream()?.next_sequence_number())
    }

    /// Sends a packet of ours under the stream's next number.
    ///
    /// # Errors
    /// If it is not sent, see [`WriteError`].
    pub fn write(&self, packet: Outgoing) -> Result<SequenceNumber, WriteError> {
        self.handles
            .shared
            .command(|peer, now| peer.sender(self.sender).ok_or(WriteError::NotSending)?.write(now, packet))
    }

    /// Sends a whole frame, which is put into packets as its codec prescribes.
    ///
    /// # Errors
    /// If it is not sent, see [`WriteError`]; no part of it is then.
    pub fn write_frame(&self, frame: OutgoingFrame) -> Result<(), WriteError> {
        self.handles.shared.command(|peer, now| {
            peer.sender(self.sender).ok_or(WriteError::NotSending)?.write_frame(now, frame)
        })
    }

    /// Sends a packet of somebody else's with its number and timestamp.
    ///
    /// # Errors
    /// If it is not sent, see [`WriteError`].
    pub fn forward(&self, number: SequenceNumber, packet: Outgoing) -> Result<(), WriteError> {
        self.handles.shared.command(|peer, now| {
            peer.sender(self.sender).ok_or(WriteError::NotSending)?.forward(now, number, packet)
        })
    }
}

/// A transceiver as it is at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransceiverState {
    /// Which one.
    pub id: TransceiverId,
    /// What it carries.
    pub kind: MediaKind,
    /// The name of its section, once it has one.
    pub mid: Option<String>,
    /// The direction that the application wants.
    pub direction: Direction,
    /// The direction in force, once there is one.
    pub current_direction: Option<Direction>,
    /// Whether it has a track to send.
    pub has_track: bool,
}
