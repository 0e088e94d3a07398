//! The application's handle of a connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pavane::{
    CandidateError, ChannelId, ChannelInit, CloseReason, ConnectionState, CreateChannelError, Description,
    Direction, IceCandidate, IceConnectionState, IceGatheringState, MediaKind, Path, SignalingError,
    SignalingState, Stats, StatsReport, TrackError, TrackInit, TransceiverId, TransceiverInit,
};

use crate::state::{Counters, Shared, State};
use crate::wait::{Attempt, ListId, Waiting};
use crate::{ConnectError, DataChannel, Event, LocalTrack, RemoteTrack, TransceiverState};

/// A connection to a peer, driven by a [`Driver`](crate::Driver) somewhere.
///
/// Clones are handles of the same connection, usable from any task or thread. When the last of them and of the
/// [`DataChannel`]s is dropped, the connection is closed.
///
/// What does not have to wait is an ordinary function. The asynchronous functions are bound to no runtime, can be waited
/// on by any number of tasks at once, and are safe to cancel: a future that is dropped has changed nothing and lost
/// nothing.
#[derive(Clone, Debug)]
#[doc(alias = "RTCPeerConnection")]
pub struct PeerConnection {
    handles: Arc<Handles>,
}

/// Exists as long as a handle does.
#[derive(Debug)]
pub(crate) struct Handles {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Handles {
    fn drop(&mut self) {
        self.shared.command(|peer, now| peer.close(now));
    }
}

impl PeerConnection {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { handles: Arc::new(Handles { shared }) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handles.shared
    }

    fn get<T>(&self, getter: impl FnOnce(&pavane::PeerConnection) -> T) -> T {
        getter(&self.shared().lock().peer)
    }

    /// Describes what this side offers; changes nothing.
    ///
    /// # Errors
    /// If the connection is closed or the signaling state does not allow it.
    pub fn create_offer(&self) -> Result<Description, SignalingError> {
        self.get(pavane::PeerConnection::create_offer)
    }

    /// Describes what this side answers to the pending offer; changes nothing.
    ///
    /// # Errors
    /// If there is no offer to answer.
    pub fn create_answer(&self) -> Result<Description, SignalingError> {
        self.get(pavane::PeerConnection::create_answer)
    }

    /// Commits a description that was created, or with `None` creates the one that is due first. Gathering begins.
    ///
    /// # Errors
    /// If the state does not allow it or the description is not the one that was created; nothing has changed then.
    pub fn set_local_description(&self, description: Option<Description>) -> Result<(), SignalingError> {
        self.shared().command(|peer, now| peer.set_local_description(now, description))
    }

    /// Takes the peer's description.
    ///
    /// # Errors
    /// If the state does not allow it or the description cannot be used; nothing has changed then.
    pub fn set_remote_description(&self, description: Description) -> Result<(), SignalingError> {
        self.shared().command(|peer, now| peer.set_remote_description(now, description))
    }

    /// Takes a candidate of the peer; `None` ends them for all sections.
    ///
    /// # Errors
    /// If the candidate cannot be used; nothing has changed then.
    pub fn add_ice_candidate(&self, candidate: Option<IceCandidate>) -> Result<(), CandidateError> {
        self.shared().command(|peer, now| peer.add_ice_candidate(now, candidate))
    }

    /// Creates a data channel; it opens once both sides are connected.
    ///
    /// # Errors
    /// If the connection is closed or the channel cannot be as `init` wants it.
    pub fn create_data_channel(
        &self,
        label: &str,
        init: ChannelInit,
    ) -> Result<DataChannel, CreateChannelError> {
        let mut state = self.shared().lock();
        let now = state.now();
        let id = state.peer.create_data_channel(now, label, init)?;
        let info = state.adopt(id).expect("a channel that was just created exists");
        state.dispatch();
        state.wake_driver();
        drop(state);
        Ok(DataChannel::new(self.handles.clone(), id, info))
    }

    /// Adds a track that is to be sent; an offer is due by it.
    ///
    /// # Errors
    /// If the connection is closed, a name is not allowed, or there are too many tracks.
    pub fn add_track(&self, track: TrackInit) -> Result<LocalTrack, TrackError> {
        let kind = track.kind();
        let sender = self.shared().command(|peer, _| peer.add_track(track))?;
        Ok(LocalTrack::new(self.handles.clone(), sender, kind))
    }

    /// Takes a track back. Nothing of it is sent any more; the peer is told by the next offer.
    ///
    /// # Errors
    /// If the connection is closed or has no such track.
    pub fn remove_track(&self, track: &LocalTrack) -> Result<(), TrackError> {
        self.shared().command(|peer, _| peer.remove_track(track.sender()))
    }

    /// Adds a transceiver: a sender and a receiver with a section of their own.
    ///
    /// # Errors
    /// If the connection is closed, a name is not allowed, or there are too many tracks.
    pub fn add_transceiver(
        &self,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<TransceiverId, TrackError> {
        self.shared().command(|peer, _| peer.add_transceiver(kind, init))
    }

    /// The transceivers as they are, in the order of their creation.
    pub fn transceivers(&self) -> Vec<TransceiverState> {
        let mut state = self.shared().lock();
        let ids: Vec<_> = state.peer.transceivers().collect();
        ids.into_iter().filter_map(|id| transceiver_state(&mut state.peer, id)).collect()
    }

    /// The track that a transceiver sends, if it has one.
    pub fn local_track(&self, id: TransceiverId) -> Option<LocalTrack> {
        let mut state = self.shared().lock();
        let transceiver = state.peer.transceiver(id)?;
        transceiver.track()?;
        Some(LocalTrack::new(self.handles.clone(), transceiver.sender(), transceiver.kind()))
    }

    /// Wants another direction of a transceiver; an offer is due by it.
    pub fn set_direction(&self, id: TransceiverId, direction: Direction) {
        self.shared().command(|peer, _| {
            if let Some(mut transceiver) = peer.transceiver(id) {
                transceiver.set_direction(direction);
            }
        });
    }

    /// Stops a transceiver for good; the peer is told by the next offer.
    pub fn stop(&self, id: TransceiverId) {
        self.shared().command(|peer, now| {
            if let Some(transceiver) = peer.transceiver(id) {
                transceiver.stop(now);
            }
        });
    }

    /// The next event; `None` after [`Event::Closed`].
    ///
    /// An application that takes no events loses the channels that the peer opens once a thousand events wait.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event. Of several waiters each event goes to one.
    pub async fn next_event(&self) -> Option<Event> {
        let handles = &self.handles;
        Waiting::new(self.shared()).until(|state| next_event(state, handles)).await
    }

    /// The next event if there is one.
    pub fn try_next_event(&self) -> Option<Event> {
        match next_event(&mut self.shared().lock(), &self.handles) {
            Attempt::Done(event) => event,
            Attempt::Wait(..) => None,
        }
    }

    /// The events as a stream, which ends after [`Event::Closed`].
    pub fn events(&self) -> Events {
        Events { waiting: Waiting::new(self.shared()), handles: self.handles.clone() }
    }

    /// Waits until the connection is usable: ICE has found a way and DTLS has shaken hands.
    ///
    /// # Errors
    /// If it failed or ended before.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn connected(&self) -> Result<(), ConnectError> {
        let attempt = |state: &mut State| match (state.peer.connection_state(), state.ended()) {
            (_, Some(reason)) => Attempt::Done(Err(ConnectError::Closed(reason.clone()))),
            (ConnectionState::Connected, None) => Attempt::Done(Ok(())),
            (ConnectionState::Failed, None) => Attempt::Done(Err(ConnectError::Failed)),
            _ => Attempt::Wait(ListId::Status, 0),
        };
        Waiting::new(self.shared()).until(attempt).await
    }

    /// Waits until all local candidates are known, and so are in [`local_description`](Self::local_description); also
    /// returns when the connection ends.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn gathering_complete(&self) {
        let attempt = |state: &mut State| {
            let complete = state.peer.ice_gathering_state() == IceGatheringState::Complete;
            match complete || state.ended().is_some() {
                true => Attempt::Done(()),
                false => Attempt::Wait(ListId::Status, 0),
            }
        };
        Waiting::new(self.shared()).until(attempt).await;
    }

    /// Waits until the connection has ended and what this side had to say about it is sent; returns why it ended.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn closed(&self) -> CloseReason {
        let attempt = |state: &mut State| match (state.ended(), state.driver_gone()) {
            (Some(reason), true) => Attempt::Done(reason.clone()),
            _ => Attempt::Wait(ListId::Status, 0),
        };
        Waiting::new(self.shared()).until(attempt).await
    }

    /// Closes the connection and all its channels; what is not sent is lost. [`closed`](Self::closed) waits for it to
    /// be done.
    pub fn close(&self) {
        self.shared().command(|peer, now| peer.close(now));
    }

    /// Makes the next offer restart ICE.
    pub fn restart_ice(&self) {
        self.shared().command(|peer, _| peer.restart_ice());
    }

    /// The description of this side, the pending one if there is one, with the candidates gathered so far.
    pub fn local_description(&self) -> Option<Description> {
        self.get(pavane::PeerConnection::local_description)
    }

    /// The description of the peer, the pending one if there is one.
    pub fn remote_description(&self) -> Option<Description> {
        self.get(pavane::PeerConnection::remote_description)
    }

    /// Where the exchange of offer and answer stands.
    pub fn signaling_state(&self) -> SignalingState {
        self.get(pavane::PeerConnection::signaling_state)
    }

    /// ICE's and DTLS's states as one.
    pub fn connection_state(&self) -> ConnectionState {
        self.get(pavane::PeerConnection::connection_state)
    }

    /// What ICE has achieved.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.get(pavane::PeerConnection::ice_connection_state)
    }

    /// How far the gathering of candidates has come.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.get(pavane::PeerConnection::ice_gathering_state)
    }

    /// Whether an offer is due.
    pub fn negotiation_needed(&self) -> bool {
        self.get(pavane::PeerConnection::negotiation_needed)
    }

    /// The way that data takes.
    pub fn selected_path(&self) -> Option<Path> {
        self.get(pavane::PeerConnection::selected_path)
    }

    /// Figures about the connection.
    pub fn stats(&self) -> Stats {
        let mut state = self.shared().lock();
        let now = state.now();
        state.peer.stats(now)
    }

    /// Figures about the connection as it is, in W3C's objects.
    pub fn stats_report(&self) -> StatsReport {
        let mut state = self.shared().lock();
        let now = state.now();
        state.peer.stats_report(now)
    }

    /// What went wrong beside the protocols.
    pub fn counters(&self) -> Counters {
        self.shared().lock().counters
    }
}

fn transceiver_state(peer: &mut pavane::PeerConnection, id: TransceiverId) -> Option<TransceiverState> {
    let transceiver = peer.transceiver(id)?;
    Some(TransceiverState {
        id,
        kind: transceiver.kind(),
        mid: transceiver.mid().map(str::to_owned),
        direction: transceiver.direction(),
        current_direction: transceiver.current_direction(),
        has_track: transceiver.track().is_some(),
    })
}

fn next_event(state: &mut State, handles: &Arc<Handles>) -> Attempt<Option<Event>> {
    while let Some(event) = state.pop_event() {
        if let Some(event) = translate(state, handles, event) {
            return Attempt::Done(Some(event));
        }
    }
    match state.ended() {
        Some(_) => Attempt::Done(None),
        None => Attempt::Wait(ListId::Events, 0),
    }
}

fn translate(state: &State, handles: &Arc<Handles>, event: pavane::Event) -> Option<Event> {
    use pavane::Event as Core;

    Some(match event {
        Core::NegotiationNeeded => Event::NegotiationNeeded,
        Core::SignalingStateChanged(state) => Event::SignalingStateChanged(state),
        Core::IceConnectionStateChanged(state) => Event::IceConnectionStateChanged(state),
        Core::IceGatheringStateChanged(state) => Event::IceGatheringStateChanged(state),
        Core::ConnectionStateChanged(state) => Event::ConnectionStateChanged(state),
        Core::LocalCandidate(candidate) => Event::LocalCandidate(candidate),
        Core::ChannelAnnounced(id) => Event::Channel(announced(state, handles, id)?),
        Core::Track(track) => Event::Track(RemoteTrack::new(handles.clone(), track)),
        Core::TrackUnmuted(id) => Event::TrackUnmuted(id),
        Core::TrackMuted(id) => Event::TrackMuted(id),
        Core::KeyframeWanted(id) => Event::KeyframeWanted(id),
        Core::TransceiverStopped(id) => Event::TransceiverStopped(id),
        Core::IceRestartAdvised => Event::IceRestartAdvised,
        Core::IceServerFailed { server, address, failure } => {
            Event::IceServerFailed { server, address, failure }
        }
        Core::Closed(reason) => Event::Closed(reason),
        _ => return None,
    })
}

fn announced(state: &State, handles: &Arc<Handles>, id: ChannelId) -> Option<DataChannel> {
    let info = state.info(id)?;
    Some(DataChannel::new(handles.clone(), id, info))
}

/// The events of a connection, as a stream; see [`PeerConnection::events`].
#[derive(Debug)]
pub struct Events {
    waiting: Waiting,
    handles: Arc<Handles>,
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Self { waiting, handles } = self.get_mut();
        waiting.poll(cx, |state| next_event(state, handles))
    }
}
