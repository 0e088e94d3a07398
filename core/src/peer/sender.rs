//! One sender and one receiver of tracks, as an application holds them for a moment.

use pavane_base::Instant;

use super::PeerConnection;
use crate::error::WriteError;
use crate::media::{CodecParameters, MediaKind, ReceiverId, SenderId, Track, Transceiver};
use crate::rtp::{SequenceNumber, Ssrc, receive, send};

impl PeerConnection {
    /// A view of a sender, for writing to it; `None` once its transceiver is stopped and forgotten.
    pub fn sender(&mut self, id: SenderId) -> Option<RtpSender<'_>> {
        self.media.get(id.0).is_some().then_some(RtpSender { peer: self, id })
    }

    /// A view of a receiver; `None` once its transceiver is stopped and forgotten.
    pub fn receiver(&mut self, id: ReceiverId) -> Option<RtpReceiver<'_>> {
        self.media.get(id.0).is_some().then_some(RtpReceiver { peer: self, id })
    }
}

/// A view of one sender of a [`PeerConnection`].
#[doc(alias = "RTCRtpSender")]
#[derive(Debug)]
pub struct RtpSender<'p> {
    peer: &'p mut PeerConnection,
    id: SenderId,
}

impl RtpSender<'_> {
    fn state(&self) -> &Transceiver {
        self.peer
            .media
            .get(self.id.0)
            .expect("the sender is there as long as the view borrows its connection")
    }

    /// The handle that events name it by.
    pub const fn id(&self) -> SenderId {
        self.id
    }

    /// What it carries.
    pub fn kind(&self) -> MediaKind {
        self.state().kind
    }

    /// The track that it sends, if any.
    pub fn track(&self) -> Option<&Track> {
        self.state().track.as_ref()
    }

    /// The source that its packets are sent as.
    pub fn ssrc(&self) -> Ssrc {
        Ssrc(self.state().ssrc)
    }

    /// The codecs that the peer takes, the most preferred first, with their payload types; none before an exchange has
    /// agreed on any.
    #[doc(alias = "getParameters")]
    pub fn codecs(&self) -> &[CodecParameters] {
        self.state().agreement.as_ref().map_or(&[], |agreement| &agreement.send)
    }

    /// Whether what is written is sent: an exchange has agreed on it, there is a track, and the connection has keys.
    pub fn is_sending(&self) -> bool {
        self.state().sends() && self.peer.transport.media.is_keyed()
    }

    /// Queues a packet of ours: it gets the stream's next sequence number, and its timestamp a random offset.
    ///
    /// The payload is not copied before it is written into a datagram, nor when it is sent again.
    ///
    /// # Errors
    /// If it is not sent, see [`WriteError`].
    pub fn write(&mut self, now: Instant, packet: send::Outgoing) -> Result<SequenceNumber, WriteError> {
        let key = self.check(packet.payload_type.get())?;
        let rtp = self.peer.transport.media.rtp_mut().ok_or(WriteError::NotSending)?;
        rtp.send(now, key, packet).map_err(WriteError::from)
    }

    /// Queues a packet of another sender's, with its sequence number and timestamp as they are: gaps and disorder stay what
    /// they were.
    ///
    /// # Errors
    /// If it is not sent, see [`WriteError`].
    pub fn forward(
        &mut self,
        now: Instant,
        number: SequenceNumber,
        packet: send::Outgoing,
    ) -> Result<(), WriteError> {
        let key = self.check(packet.payload_type.get())?;
        let rtp = self.peer.transport.media.rtp_mut().ok_or(WriteError::NotSending)?;
        rtp.forward(now, key, number, packet).map_err(WriteError::from)
    }

    /// Queues a whole frame, which is put into packets as its codec prescribes; its timestamp gets a random offset.
    ///
    /// Nothing is copied before a packet is written into a datagram.
    ///
    /// # Errors
    /// If it is not sent, see [`WriteError`]; no part of it is then.
    pub fn write_frame(&mut self, now: Instant, frame: send::OutgoingFrame) -> Result<(), WriteError> {
        let key = self.check(frame.payload_type.get())?;
        let payload_type = frame.payload_type.get();
        let codec = self.codecs().iter().find(|codec| codec.payload_type == payload_type);
        let format =
            codec.and_then(|codec| codec.codec.payload_format()).ok_or(WriteError::NoPayloadFormat)?;
        let rtp = self.peer.transport.media.rtp_mut().ok_or(WriteError::NotSending)?;
        rtp.send_frame(now, key, format, frame).map_err(WriteError::from)
    }

    fn check(&self, payload_type: u8) -> Result<crate::rtp::SenderKey, WriteError> {
        let state = self.state();
        let key = state.sending.filter(|_| state.sends()).ok_or(WriteError::NotSending)?;
        let codecs: &[CodecParameters] = state.agreement.as_ref().map_or(&[], |agreement| &agreement.send);
        match codecs.iter().any(|codec| codec.payload_type == payload_type) {
            _ if !self.peer.transport.media.is_keyed() => Err(WriteError::NotConnected),
            true => Ok(key),
            false => Err(WriteError::UnknownPayloadType),
        }
    }

    /// How many packets wait to be sent.
    pub fn queued_packets(&self) -> usize {
        self.stream().map_or(0, send::Stream::queued_packets)
    }

    /// Its stream, with what was counted of it, once an exchange has had it send.
    pub fn stream(&self) -> Option<&send::Stream> {
        self.peer.transport.media.rtp()?.sender(self.state().sending?)
    }
}

/// A view of one receiver of a [`PeerConnection`].
#[doc(alias = "RTCRtpReceiver")]
#[derive(Debug)]
pub struct RtpReceiver<'p> {
    pub(super) peer: &'p mut PeerConnection,
    id: ReceiverId,
}

impl RtpReceiver<'_> {
    fn state(&self) -> &Transceiver {
        self.peer
            .media
            .get(self.id.0)
            .expect("the receiver is there as long as the view borrows its connection")
    }

    /// The handle that events name it by.
    pub const fn id(&self) -> ReceiverId {
        self.id
    }

    /// What it carries.
    pub fn kind(&self) -> MediaKind {
        self.state().kind
    }

    /// The streams that the peer's track is part of.
    pub fn remote_streams(&self) -> &[alloc::string::String] {
        &self.state().remote_streams
    }

    /// The codecs that may come, with their payload types; none before an exchange has agreed on any.
    #[doc(alias = "getParameters")]
    pub fn codecs(&self) -> &[CodecParameters] {
        self.state().agreement.as_ref().map_or(&[], |agreement| &agreement.receive)
    }

    /// Asks the peer for a key frame, and again until one begins to come; of a codec whose key frames are not known here,
    /// until [`keyframe_received`](Self::keyframe_received) tells.
    pub fn request_keyframe(&mut self, now: Instant) {
        let keys: alloc::vec::Vec<_> = self.keyed_streams().map(|(key, _)| key).collect();
        if let Some(rtp) = self.peer.transport.media.rtp_mut() {
            keys.into_iter().for_each(|key| rtp.request_keyframe(now, key));
        }
    }

    /// Tells that a key frame has come.
    pub fn keyframe_received(&mut self) {
        let keys: alloc::vec::Vec<_> = self.keyed_streams().map(|(key, _)| key).collect();
        if let Some(rtp) = self.peer.transport.media.rtp_mut() {
            keys.into_iter().for_each(|key| rtp.keyframe_received(key));
        }
    }

    /// Its streams, with what was counted of them.
    pub fn rtp_streams(&self) -> impl Iterator<Item = &receive::Stream> {
        self.keyed_streams().map(|(_, stream)| stream)
    }

    fn keyed_streams(&self) -> impl Iterator<Item = (crate::rtp::ReceiverKey, &receive::Stream)> {
        let section = self.state().index();
        let rtp = self.peer.transport.media.rtp();
        let all = rtp.into_iter().flat_map(crate::rtp::Session::receivers);
        all.filter(move |(_, known, _)| section == Some(usize::from(known.0)))
            .map(|(key, _, stream)| (key, stream))
    }
}
