//! The application's handle of a data channel.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pavane::{Channel, ChannelId, ChannelState, Message, SendError};

use crate::peer::Handles;
use crate::state::State;
use crate::wait::{Attempt, ListId, Waiting};

/// A data channel of a [`PeerConnection`](crate::PeerConnection).
///
/// Clones are handles of the same channel, usable from any task or thread. When the last of them is dropped, the channel
/// is closed once all that was sent on it has been delivered.
///
/// Reading is what lets the peer send: messages that are not received fill the window of the connection, and then the
/// peer waits, on this channel and on the others. Sending waits while too much is buffered.
///
/// The asynchronous functions are bound to no runtime, can be waited on by any number of tasks at once, and are safe to
/// cancel.
#[derive(Clone, Debug)]
#[doc(alias = "RTCDataChannel")]
pub struct DataChannel {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    handles: Arc<Handles>,
    id: ChannelId,
    info: Arc<Info>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.handles.shared.lock().abandon(self.id);
    }
}

/// What never changes about a channel.
#[derive(Debug)]
pub(crate) struct Info {
    label: String,
    protocol: String,
    ordered: bool,
    max_retransmits: Option<u16>,
    max_packet_life_time: Option<u16>,
    negotiated: bool,
}

impl Info {
    pub(crate) fn of(channel: &Channel<'_>) -> Self {
        Self {
            label: channel.label().to_owned(),
            protocol: channel.protocol().to_owned(),
            ordered: channel.ordered(),
            max_retransmits: channel.max_retransmits(),
            max_packet_life_time: channel.max_packet_life_time(),
            negotiated: channel.negotiated(),
        }
    }
}

/// While more than this is buffered on a channel, sending on it waits.
const SEND_LIMIT: usize = 1024 * 1024;

/// Senders that wait go on when no more than this is buffered.
const SEND_RESUME: usize = SEND_LIMIT / 2;

impl DataChannel {
    pub(crate) fn new(handles: Arc<Handles>, id: ChannelId, info: Arc<Info>) -> Self {
        Self { inner: Arc::new(Inner { handles, id, info }) }
    }

    /// The core's name of the channel.
    pub fn id(&self) -> ChannelId {
        self.inner.id
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.inner.info.label
    }

    /// The subprotocol, empty if there is none.
    pub fn protocol(&self) -> &str {
        &self.inner.info.protocol
    }

    /// Whether messages arrive in the order in which they were sent.
    pub fn ordered(&self) -> bool {
        self.inner.info.ordered
    }

    /// How often a message is sent again at most, if that is limited.
    pub fn max_retransmits(&self) -> Option<u16> {
        self.inner.info.max_retransmits
    }

    /// For how many milliseconds a message is sent again at most, if that is limited.
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.inner.info.max_packet_life_time
    }

    /// Whether the application agreed on the channel by its own means.
    pub fn negotiated(&self) -> bool {
        self.inner.info.negotiated
    }

    /// The number of the channel's SCTP streams, once it is known.
    #[doc(alias = "id")]
    pub fn stream_id(&self) -> Option<u16> {
        self.with(|channel| channel.stream_id()).flatten().map(|stream| stream.0)
    }

    /// The state.
    #[doc(alias = "readyState")]
    pub fn state(&self) -> ChannelState {
        current_state(&mut self.inner.handles.shared.lock(), self.inner.id)
    }

    /// How many bytes of messages wait to be sent.
    pub fn buffered_amount(&self) -> usize {
        self.with(|channel| channel.buffered_amount()).unwrap_or(0)
    }

    fn with<T>(&self, getter: impl FnOnce(Channel<'_>) -> T) -> Option<T> {
        self.inner.handles.shared.lock().peer.channel(self.inner.id).map(getter)
    }

    pub(crate) fn waiting(&self) -> Waiting {
        Waiting::new(&self.inner.handles.shared)
    }

    /// Sends a message; waits while the channel is not open yet, and while too much is buffered.
    ///
    /// # Errors
    /// If the channel is closed or closing, or the message is larger than the peer takes.
    ///
    /// # Cancel safety
    /// Dropping the future before it is done means that the message is not sent.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        let id = self.inner.id;
        self.waiting().until(|state| send(state, id, || message.clone())).await
    }

    /// Sends a message if that is possible at once.
    ///
    /// # Errors
    /// [`SendError::Full`] while too much is buffered; or if the channel is not open, or the message is larger than the
    /// peer takes.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        try_send(&mut self.inner.handles.shared.lock(), self.inner.id, || message.into())
    }

    /// The next message; `None` once the channel is closed and everything is read.
    ///
    /// # Cancel safety
    /// Dropping the future loses no message. Of several waiters each message goes to one.
    pub async fn recv(&self) -> Option<Message> {
        let id = self.inner.id;
        self.waiting().until(|state| recv(state, id)).await
    }

    /// The next message if there is one.
    pub fn try_recv(&self) -> Option<Message> {
        match recv(&mut self.inner.handles.shared.lock(), self.inner.id) {
            Attempt::Done(message) => message,
            Attempt::Wait(..) => None,
        }
    }

    /// The messages as a stream, which ends when the channel is closed and everything is read.
    pub fn messages(&self) -> Messages {
        Messages { waiting: self.waiting(), channel: self.clone() }
    }

    /// Waits until the channel is open; returns whether it is, `false` if it closed before.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn opened(&self) -> bool {
        let id = self.inner.id;
        let attempt = |state: &mut State| match current_state(state, id) {
            ChannelState::Connecting => Attempt::Wait(ListId::ChannelStatus(id), 0),
            other => Attempt::Done(other == ChannelState::Open),
        };
        self.waiting().until(attempt).await
    }

    /// Waits until the channel is closed.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn closed(&self) {
        let id = self.inner.id;
        self.waiting().until(|state| closed(state, id)).await;
    }

    /// Waits until no more than `bytes` are buffered, or the channel is closed.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    #[doc(alias = "bufferedamountlow")]
    pub async fn buffered_below(&self, bytes: usize) {
        let id = self.inner.id;
        let attempt = |state: &mut State| {
            let closed = current_state(state, id) == ChannelState::Closed;
            match closed || buffered_amount(state, id) <= bytes {
                true => Attempt::Done(()),
                false => Attempt::Wait(ListId::Writers(id), bytes),
            }
        };
        self.waiting().until(attempt).await;
    }

    /// Closes the channel once all that was sent has been delivered; [`closed`](Self::closed) waits for that.
    pub fn close(&self) {
        let id = self.inner.id;
        self.inner.handles.shared.command(|peer, now| {
            if let Some(mut channel) = peer.channel(id) {
                channel.close(now);
            }
        });
    }
}

fn current_state(state: &mut State, id: ChannelId) -> ChannelState {
    match state.ended() {
        Some(_) => ChannelState::Closed,
        None => state.peer.channel(id).map_or(ChannelState::Closed, |channel| channel.state()),
    }
}

/// Done once the channel is closed.
pub(crate) fn closed(state: &mut State, id: ChannelId) -> Attempt<()> {
    match current_state(state, id) {
        ChannelState::Closed => Attempt::Done(()),
        _ => Attempt::Wait(ListId::ChannelStatus(id), 0),
    }
}

fn buffered_amount(state: &mut State, id: ChannelId) -> usize {
    state.peer.channel(id).map_or(0, |channel| channel.buffered_amount())
}

/// Sends a message that is made when there is room for it, or says what to wait for.
pub(crate) fn send(
    state: &mut State,
    id: ChannelId,
    message: impl FnOnce() -> Message,
) -> Attempt<Result<(), SendError>> {
    if current_state(state, id) == ChannelState::Connecting {
        return Attempt::Wait(ListId::ChannelStatus(id), 0);
    }
    match try_send(state, id, message) {
        Err(SendError::Full) if buffered_amount(state, id) > SEND_RESUME => {
            Attempt::Wait(ListId::Writers(id), SEND_RESUME)
        }
        Err(SendError::Full) => Attempt::Wait(ListId::Room, 0),
        result => Attempt::Done(result),
    }
}

fn try_send(state: &mut State, id: ChannelId, message: impl FnOnce() -> Message) -> Result<(), SendError> {
    let now = state.now();
    if state.ended().is_some() {
        return Err(SendError::NotOpen);
    }
    let mut channel = state.peer.channel(id).ok_or(SendError::NotOpen)?;
    if channel.buffered_amount() > SEND_LIMIT {
        return Err(SendError::Full);
    }
    channel.send(now, message())?;
    state.dispatch();
    state.wake_driver();
    Ok(())
}

/// The next message, or what to wait for.
pub(crate) fn recv(state: &mut State, id: ChannelId) -> Attempt<Option<Message>> {
    let closed = current_state(state, id) == ChannelState::Closed;
    let now = state.now();
    match state.peer.channel(id).and_then(|mut channel| channel.recv(now)) {
        Some(message) => {
            state.dispatch();
            state.wake_driver();
            Attempt::Done(Some(message))
        }
        None if closed => Attempt::Done(None),
        None => Attempt::Wait(ListId::Readers(id), 0),
    }
}

/// The messages of a channel, as a stream; see [`DataChannel::messages`].
#[derive(Debug)]
pub struct Messages {
    waiting: Waiting,
    channel: DataChannel,
}

impl Stream for Messages {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let Self { waiting, channel } = self.get_mut();
        let id = channel.inner.id;
        waiting.poll(cx, |state| recv(state, id))
    }
}
