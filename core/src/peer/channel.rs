//! One data channel, as an application holds it for a moment.

use pavane_base::Instant;

use super::PeerConnection;
use crate::datachannel::ChannelInfo;
use crate::{ChannelId, ChannelInit, ChannelState, Message, SendError, StreamId};

/// A view of one data channel of a [`PeerConnection`].
#[doc(alias = "RTCDataChannel")]
#[derive(Debug)]
pub struct Channel<'p> {
    peer: &'p mut PeerConnection,
    id: ChannelId,
}

impl<'p> Channel<'p> {
    pub(super) fn new(peer: &'p mut PeerConnection, id: ChannelId) -> Option<Self> {
        peer.data.channels.info(id).is_some().then_some(Self { peer, id })
    }

    fn info(&self) -> ChannelInfo<'_> {
        self.peer
            .data
            .channels
            .info(self.id)
            .expect("the channel is there as long as the view borrows its connection")
    }

    /// The handle that events name it by.
    pub const fn id(&self) -> ChannelId {
        self.id
    }

    /// The label that its creator gave it.
    pub fn label(&self) -> &str {
        self.info().label
    }

    /// The subprotocol's name, empty for none.
    pub fn protocol(&self) -> &str {
        &self.info().init.protocol
    }

    /// The options that it was created with.
    pub fn init(&self) -> &ChannelInit {
        self.info().init
    }

    /// Whether messages arrive in the order in which they were sent.
    pub fn ordered(&self) -> bool {
        self.info().init.ordered
    }

    /// How often a message is sent again, where that is limited.
    pub fn max_retransmits(&self) -> Option<u16> {
        self.info().init.max_retransmits
    }

    /// For how many milliseconds a message is sent again, where that is limited.
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.info().init.max_packet_life_time
    }

    /// Whether both sides created it by themselves.
    pub fn negotiated(&self) -> bool {
        self.info().init.negotiated.is_some()
    }

    /// Its SCTP stream, once it has one.
    #[doc(alias = "id")]
    pub fn stream_id(&self) -> Option<StreamId> {
        self.info().stream
    }

    /// Where it is in its life.
    #[doc(alias = "readyState")]
    pub fn state(&self) -> ChannelState {
        self.info().state
    }

    /// How many bytes of messages wait to be sent.
    pub fn buffered_amount(&self) -> usize {
        let data = &self.peer.data;
        data.association().map_or(0, |association| data.channels.buffered_amount(association, self.id))
    }

    /// Asks for [`Event::ChannelBufferedAmountLow`](crate::Event::ChannelBufferedAmountLow) when no more than `bytes` wait;
    /// zero at first.
    pub fn set_buffered_amount_low_threshold(&mut self, bytes: usize) {
        let (channels, association) = self.peer.data.parts();
        channels.set_buffered_amount_low_threshold(association, self.id, bytes);
    }

    /// Queues a message. Its bytes are not copied before they are written into a packet.
    ///
    /// # Errors
    /// If the channel is not open, the message is larger than the peer takes, or the connection's send buffer
    /// ([`Config::send_buffer`](crate::Config::send_buffer)) is full.
    pub fn send(&mut self, now: Instant, message: Message) -> Result<(), SendError> {
        let (channels, association) = self.peer.data.parts();
        let association = association.ok_or(SendError::NotOpen)?;
        channels.send(now, association, self.id, message)
    }

    /// Takes the next message. What is read makes room for more: not reading is what tells the peer to wait.
    pub fn recv(&mut self, now: Instant) -> Option<Message> {
        let (channels, association) = self.peer.data.parts();
        channels.recv(now, association, self.id)
    }

    /// Closes the channel, after what was sent has arrived.
    pub fn close(&mut self, now: Instant) {
        let (channels, association) = self.peer.data.parts();
        channels.close(now, association, self.id);
        self.peer.settle(now);
    }
}
