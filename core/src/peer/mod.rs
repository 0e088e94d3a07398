//! The peer connection: what an application holds.
//!
//! Its methods come in four lists: getters; what the world says (`handle_*`); what the application says; and what the
//! caller does next (`poll_*`). The files beside this one each hold one concern: [`session`] the exchange of
//! descriptions, [`remote`] and [`local`] the descriptions themselves, [`negotiate`] what an exchange means for the
//! transports, [`transport`] ICE and DTLS, [`data`] SCTP and channels, [`route`] a datagram's way in, [`transmit`] its
//! way out.

mod candidate;
mod channel;
mod connection_state;
mod data;
mod figures;
mod frames;
mod kept;
mod local;
mod media;
mod names;
mod negotiate;
mod remote;
mod report;
mod route;
mod sender;
mod session;
mod tracks;
mod transceivers;
mod transmit;
mod transport;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use pavane_base::rand_core::CryptoRng;
use pavane_base::{Datagram, Epoch, Instant, Path, Transmit, earliest};
use pavane_crypto::HashAlgorithm;

pub use channel::Channel;
pub use sender::{RtpReceiver, RtpSender};
pub use tracks::RtpTransceiver;

use self::data::DataTransport;
use self::local::{Identity, Maker, Wish};
use self::names::Names;
use self::session::Session;
use self::transport::Transport;
use crate::config::{Config, ConfigError};
use crate::error::{CandidateError, SignalingError};
use crate::event::Event;
use crate::media::Media;
use crate::stats::{Drops, Stats, StatsReport, Traffic};
use crate::{
    Action, ActionId, ActionOutcome, ChannelId, ChannelInit, ConnectionState, CreateChannelError,
    Description, IceCandidate, IceConnectionState, IceGatheringState, LocalAddress, Received, SignalingState,
    ice, sctp,
};

/// One end of a WebRTC session.
///
/// It does nothing by itself: the caller tells it what time it is and what arrived, and asks it what to send, what
/// happened, and when to come back. See the [crate's documentation](crate) for the loop that does so.
///
/// - **Getters** take `&self` and change nothing; [`create_offer`](Self::create_offer) and
///   [`create_answer`](Self::create_answer) are getters too.
/// - **The world speaks** through `handle_*`, which cannot fail: a datagram that makes no sense is counted, one that ends
///   the connection becomes [`Event::Closed`].
/// - **The application speaks** through commands, which can: an error says what the caller got wrong, and nothing has
///   changed.
/// - **What comes next** is asked with `poll_*`, in any order and as often as one likes.
#[doc(alias = "RTCPeerConnection")]
pub struct PeerConnection {
    config: Arc<Config>,
    rng: Box<dyn CryptoRng + Send>,
    epoch: Epoch,
    session: Session,
    transport: Transport,
    names: Names,
    data: DataTransport,
    media: Media,
    life: Life,
    told: Told,
    events: VecDeque<Event>,
    traffic: Traffic,
    /// How often data took another path.
    path_changes: u64,
    drops: Drops,
}

/// Whether the connection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// It is closed; what says so to the peer is still to be sent, this way.
    Farewell {
        route: Option<ice::Route>,
    },
    Over,
}

/// The states as the application was told them last.
struct Told {
    signaling: SignalingState,
    ice: IceConnectionState,
    gathering: IceGatheringState,
    connection: ConnectionState,
    negotiation_needed: bool,
}

impl PeerConnection {
    /// Makes a connection: every subsystem is there, and none of them does anything before both descriptions are set.
    ///
    /// `rng` feeds everything random in the connection; with the same seed, configuration and calls, it does the same,
    /// byte for byte. In production it has to be seeded from the operating system.
    ///
    /// # Errors
    /// If the configuration's values cannot work together.
    pub fn new(
        config: Arc<Config>,
        mut rng: Box<dyn CryptoRng + Send>,
        epoch: Epoch,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let introduction = sctp::Introduction::new(&mut *rng);
        let identity = Identity {
            session_id: rng.next_u64() >> 1,
            fingerprint: config.certificate.fingerprint(&*config.provider, HashAlgorithm::Sha256),
            max_message_size: config.max_message_size,
            sctp_init: introduction.chunk(&data::sctp_config(&config, local::SCTP_PORT)),
        };
        let credentials = ice::Credentials::generate(&mut *rng);
        let transport = Transport::new(&config, credentials, &mut *rng);
        Ok(Self {
            session: Session::new(identity),
            transport,
            names: Names::default(),
            data: DataTransport::new(&config, introduction),
            media: Media::new(&mut *rng),
            life: Life::Open,
            told: Told {
                signaling: SignalingState::Stable,
                ice: IceConnectionState::New,
                gathering: IceGatheringState::New,
                connection: ConnectionState::New,
                negotiation_needed: false,
            },
            events: VecDeque::new(),
            traffic: Traffic::default(),
            path_changes: 0,
            drops: Drops::default(),
            config,
            rng,
            epoch,
        })
    }
}

/// # Getters
impl PeerConnection {
    /// Where the exchange of offer and answer stands.
    pub fn signaling_state(&self) -> SignalingState {
        self.session.state()
    }

    /// ICE's and DTLS's states as one.
    pub fn connection_state(&self) -> ConnectionState {
        let dtls = self.transport.dtls().map(crate::dtls::Connection::state);
        connection_state::combine(self.ice_connection_state(), dtls)
    }

    /// What ICE has achieved.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        match self.life {
            Life::Open => connection_state::ice_connection_state(self.transport.ice.state()),
            Life::Farewell { .. } | Life::Over => IceConnectionState::Closed,
        }
    }

    /// How far the gathering of candidates has come.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        connection_state::ice_gathering_state(self.transport.ice.gathering_state())
    }

    /// The pending local description, else the one in force; with the candidates gathered so far.
    pub fn local_description(&self) -> Option<Description> {
        self.session.known().local().map(|local| self.with_candidates(local))
    }

    /// The local description in force.
    pub fn current_local_description(&self) -> Option<Description> {
        self.session.known().agreed().map(|agreed| self.with_candidates(&agreed.local))
    }

    /// The local description that waits for the exchange to be completed.
    pub fn pending_local_description(&self) -> Option<Description> {
        self.session.pending_local().map(|local| self.with_candidates(local))
    }

    /// The pending remote description, else the one in force; with the candidates added since.
    pub fn remote_description(&self) -> Option<Description> {
        self.session.known().remote().map(remote::Remote::description)
    }

    /// The remote description in force.
    pub fn current_remote_description(&self) -> Option<Description> {
        self.session.known().agreed().map(|agreed| agreed.remote.description())
    }

    /// The remote description that waits for the exchange to be completed.
    pub fn pending_remote_description(&self) -> Option<Description> {
        self.session.pending_remote().map(remote::Remote::description)
    }

    /// Describes what this side wants, as an offer. Nothing changes: as long as nothing else is asked for, the next offer
    /// is the same.
    ///
    /// # Errors
    /// If the connection is closed.
    pub fn create_offer(&self) -> Result<Description, SignalingError> {
        if self.life != Life::Open {
            return Err(SignalingError::Closed);
        }
        let wish = Wish { data: self.data.wanted(), transceivers: usize::MAX };
        Ok(Description::offer(self.with_known_candidates(self.maker().offer(wish))))
    }

    /// Describes what this side accepts of the pending offer, as an answer. Nothing changes.
    ///
    /// # Errors
    /// If no offer is pending or the connection is closed.
    pub fn create_answer(&self) -> Result<Description, SignalingError> {
        Ok(Description::answer(self.with_known_candidates(self.answer()?)))
    }

    /// Whether something was asked for that an offer has yet to say.
    pub fn negotiation_needed(&self) -> bool {
        self.life == Life::Open
            && self.session.state() == SignalingState::Stable
            && (self.session.restart_wanted()
                || (self.data.wanted() && !self.session.agrees_on_data())
                || self.tracks_need_negotiation())
    }

    /// Where data is sent, once ICE has found a way.
    pub fn selected_path(&self) -> Option<Path> {
        self.transport.path()
    }

    /// Figures about the connection at `now`, in W3C's objects.
    #[doc(alias = "getStats")]
    pub fn stats_report(&self, now: Instant) -> StatsReport {
        self.report(now)
    }

    /// Figures about the connection at `now`, as its layers have them.
    pub fn stats(&self, now: Instant) -> Stats {
        self.figures(now)
    }
}

/// # The world speaks
impl PeerConnection {
    /// Takes a datagram that arrived. Its payload is decrypted in place, and a packet of media handed over where it lies.
    pub fn handle_datagram<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Received<'d> {
        self.traffic.datagrams_received += 1;
        self.traffic.bytes_received += datagram.payload.len() as u64;
        self.route(now, datagram.path, datagram.payload)
    }

    /// Does what is due at `now`. To be called at [`poll_timeout`](Self::poll_timeout); early, late or repeated calls do
    /// no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.life != Life::Open {
            return self.transport.ice.handle_timeout(now, &mut *self.rng);
        }
        self.transport.handle_timeout(now, &mut *self.rng);
        self.data.handle_timeout(now);
        self.handle_frames_timeout(now);
        self.settle(now);
    }

    /// Takes the outcome of an [`Action`].
    pub fn handle_action(&mut self, now: Instant, id: ActionId, outcome: ActionOutcome) {
        self.transport.ice.handle_action(now, &mut *self.rng, id, outcome);
        self.settle(now);
    }

    /// Takes the end of a TCP stream that was opened or accepted: the other end closed it, or it broke.
    pub fn handle_stream_closed(&mut self, now: Instant, path: Path) {
        self.transport.ice.handle_stream_closed(now, &mut *self.rng, path);
        self.settle(now);
    }
}

/// # The application speaks
impl PeerConnection {
    /// Sets a description of [`create_offer`](Self::create_offer) or [`create_answer`](Self::create_answer), or a
    /// rollback; with `None`, the one that the signaling state asks for.
    ///
    /// Gathering begins; with an answer, so does the search for a path.
    ///
    /// # Errors
    /// If the signaling state does not allow it, or the description is not one of ours.
    pub fn set_local_description(
        &mut self,
        now: Instant,
        description: Option<Description>,
    ) -> Result<(), SignalingError> {
        let description = match description {
            Some(description) => description,
            None => match self.session.state() {
                SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => {
                    self.create_answer()?
                }
                _ => self.create_offer()?,
            },
        };
        self.apply_local(now, &description)?;
        self.settle_command(now);
        Ok(())
    }

    /// Sets the peer's description, or a rollback. An offer that meets a pending one of ours takes ours back.
    ///
    /// # Errors
    /// If the signaling state does not allow it, or the description cannot be applied.
    pub fn set_remote_description(
        &mut self,
        now: Instant,
        description: Description,
    ) -> Result<(), SignalingError> {
        self.apply_remote(now, &description)?;
        self.settle_command(now);
        Ok(())
    }

    /// Adds a candidate of the peer; `None`, or one with an empty line, says that no more will come. It concerns ICE alone.
    ///
    /// Candidates of sections that are rejected or that share another section's transport are passed over, and so are
    /// kinds that are of no use here.
    ///
    /// # Errors
    /// If there is no remote description, the candidate belongs to none of its sections or to another generation, or its
    /// text is no candidate.
    pub fn add_ice_candidate(
        &mut self,
        now: Instant,
        candidate: Option<IceCandidate>,
    ) -> Result<(), CandidateError> {
        self.apply_candidate(now, candidate.unwrap_or_default())?;
        self.settle(now);
        Ok(())
    }

    /// Adds the address of a socket that the caller bound, as a host candidate: of UDP, or of TCP that listens. At any time;
    /// a network that comes up in mid-session is added the same way.
    ///
    /// # Errors
    /// If the address is a wildcard or has no port, or there are too many.
    pub fn add_local_address(
        &mut self,
        now: Instant,
        address: impl Into<LocalAddress>,
    ) -> Result<(), CandidateError> {
        if self.life != Life::Open {
            return Err(CandidateError::Closed);
        }
        self.transport
            .ice
            .add_local_address(now, &mut *self.rng, address)
            .map_err(CandidateError::LocalAddress)?;
        self.settle(now);
        Ok(())
    }

    /// Takes an address back whose socket is gone.
    pub fn remove_local_address(&mut self, now: Instant, address: impl Into<LocalAddress>) {
        self.transport.ice.remove_local_address(now, &mut *self.rng, address);
        self.settle(now);
    }

    /// Says that all sockets have been named, so that gathering can complete.
    pub fn end_of_local_addresses(&mut self, now: Instant) {
        self.transport.ice.end_of_local_addresses(now);
        self.settle(now);
    }

    /// Creates a data channel; with the first one comes SCTP, once an exchange of descriptions has agreed on it.
    ///
    /// # Errors
    /// If the label or the options are not allowed, or the id is taken or out of range.
    #[doc(alias = "createDataChannel")]
    pub fn create_data_channel(
        &mut self,
        now: Instant,
        label: &str,
        init: ChannelInit,
    ) -> Result<ChannelId, CreateChannelError> {
        if self.life != Life::Open {
            return Err(CreateChannelError::Closed);
        }
        let (channels, association) = self.data.parts();
        let id = channels.create(now, association, label, init)?;
        self.settle_command(now);
        Ok(id)
    }

    /// From here on the receive window of data channels grows to no more than `bytes`, for those who share memory out among
    /// many connections: what it has grown to is kept, since the peer was promised it.
    pub fn set_max_receive_window(&mut self, bytes: u32) {
        self.data.set_max_receive_window(bytes);
    }

    /// A view of a channel, for reading, writing and closing it; `None` once it is closed and forgotten.
    pub fn channel(&mut self, id: ChannelId) -> Option<Channel<'_>> {
        Channel::new(self, id)
    }

    /// Has the next offer restart ICE; the connection goes on meanwhile.
    #[doc(alias = "restartIce")]
    pub fn restart_ice(&mut self) {
        if self.life == Life::Open && self.session.has_local() && !self.session.restart_wanted() {
            self.session.want_restart(ice::Credentials::generate(&mut *self.rng));
            self.tell_if_negotiation_is_needed();
        }
    }

    /// Closes the connection. What says so to the peer is still to be polled and sent.
    pub fn close(&mut self, now: Instant) {
        if self.life == Life::Open {
            self.say_farewell(now);
            self.events.push_back(Event::Closed(crate::CloseReason::Local));
        }
    }
}

/// # What the caller does next
impl PeerConnection {
    /// Appends datagrams to `buf` and says where to send them; `None` when there is nothing to send.
    ///
    /// At most `max_segments` datagrams of equal size (the last may be shorter) come at a time, all with the same
    /// destination; see [`Transmit::segment_size`]. Packets are built here and only here: not polling is back-pressure.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        max_segments: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let transmit = self.next_transmit(now, max_segments, buf)?;
        self.traffic.datagrams_sent += transmit.datagrams() as u64;
        self.traffic.bytes_sent += transmit.len as u64;
        Some(transmit)
    }

    /// The next effect that the connection needs of its caller.
    pub fn poll_action(&mut self) -> Option<(ActionId, Action)> {
        self.transport.ice.poll_action()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if self.events.is_empty() && !event.comes_with_traffic() {
            self.events = VecDeque::new();
        }
        Some(event)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.life {
            Life::Open if self.transport.ice.can_send() => earliest(
                earliest(self.transport.poll_timeout(), self.data.poll_timeout()),
                self.media.frames_due,
            ),
            // All else that is due above ICE is something to be sent, and waits for a way.
            Life::Open => earliest(self.transport.ice.poll_timeout(), self.media.frames_due),
            // Until relays have confirmed that they have their addresses back, or have not.
            Life::Farewell { .. } | Life::Over => self.transport.ice.poll_timeout(),
        }
    }
}

impl PeerConnection {
    /// Carries news between the layers until there is none, and tells the application what is new to it.
    fn settle(&mut self, now: Instant) {
        self.settle_transport(now);
        self.settle_data(now);
        self.settle_media();
        self.tell_states();
    }

    /// The same after a command that may have changed what descriptions are to say.
    fn settle_command(&mut self, now: Instant) {
        self.settle(now);
        self.tell_if_negotiation_is_needed();
    }

    fn settle_transport(&mut self, now: Instant) {
        while let Some(event) = self.transport.ice.poll_event() {
            match event {
                ice::Event::LocalCandidate(candidate) => {
                    self.name(&candidate);
                    self.tell_candidate(&candidate);
                }
                ice::Event::GatheringStateChanged(ice::GatheringState::Complete) => {
                    self.tell_end_of_candidates();
                }
                ice::Event::SelectedPath(_) => {
                    self.path_changes += 1;
                    self.data.handle_path_change(now);
                    self.path_changed(now);
                }
                ice::Event::RestartAdvised => self.events.push_back(Event::IceRestartAdvised),
                ice::Event::ServerFailed { server, address, failure } => {
                    self.events.push_back(Event::IceServerFailed { server, address, failure });
                }
                _ => {}
            }
        }
        while let Some(event) = self.transport.dtls_mut().and_then(crate::dtls::Connection::poll_event) {
            match event {
                crate::dtls::Event::Connected => self.dtls_connected(now),
                crate::dtls::Event::Closed(reason) => self.dtls_closed(now, reason),
                _ => {}
            }
        }
    }

    fn settle_data(&mut self, now: Instant) {
        self.data.settle(now);
        while let Some(event) = self.data.poll_event() {
            self.events.push_back(event);
        }
    }

    fn path_changed(&mut self, now: Instant) {
        for mut datagram in self.transport.path_found(now, &mut *self.rng) {
            self.take_dtls(now, &mut datagram);
        }
    }

    fn dtls_connected(&mut self, now: Instant) {
        let round_trip_time = self.transport.ice.round_trip_time();
        self.transport.key_media(&self.config);
        self.transport.media.set_round_trip_time(round_trip_time);
        let Some(dtls) = self.transport.dtls_mut() else { return };
        self.data.connect(now, dtls.role(), round_trip_time);
        while let Some(packet) = dtls.poll_early_data() {
            self.data.handle_packet(now, &packet);
        }
    }

    fn dtls_closed(&mut self, now: Instant, reason: crate::dtls::CloseReason) {
        self.data.abort(now);
        let reason = match reason {
            crate::dtls::CloseReason::CloseNotify => {
                self.say_farewell(now);
                crate::CloseReason::Peer
            }
            reason => crate::CloseReason::Dtls(reason),
        };
        self.settle_data(now);
        self.tell_states();
        self.events.push_back(Event::Closed(reason));
    }

    fn say_farewell(&mut self, now: Instant) {
        let route = self.transport.ice.route();
        self.data.abort(now);
        self.transport.media.leave();
        self.session.close();
        self.transport.ice.close(now, &mut *self.rng);
        self.withdraw_names();
        self.life = Life::Farewell { route };
        self.tell_states();
    }

    fn tell_states(&mut self) {
        let signaling = self.signaling_state();
        if core::mem::replace(&mut self.told.signaling, signaling) != signaling {
            self.events.push_back(Event::SignalingStateChanged(signaling));
        }
        let gathering = self.ice_gathering_state();
        if core::mem::replace(&mut self.told.gathering, gathering) != gathering {
            self.events.push_back(Event::IceGatheringStateChanged(gathering));
        }
        let ice = self.ice_connection_state();
        if core::mem::replace(&mut self.told.ice, ice) != ice {
            self.events.push_back(Event::IceConnectionStateChanged(ice));
        }
        let connection = self.connection_state();
        if core::mem::replace(&mut self.told.connection, connection) != connection {
            self.events.push_back(Event::ConnectionStateChanged(connection));
        }
    }

    /// RFC 8829 §4.1.1's event fires once for each need, and only while no exchange is under way.
    fn tell_if_negotiation_is_needed(&mut self) {
        let needed = self.negotiation_needed();
        if !core::mem::replace(&mut self.told.negotiation_needed, needed) && needed {
            self.events.push_back(Event::NegotiationNeeded);
        }
    }

    /// What makes descriptions.
    fn maker(&self) -> Maker<'_> {
        self.maker_with(self.session.terms(self.transport.ice.local_credentials()))
    }

    fn maker_with<'a>(&'a self, terms: local::Terms<'a>) -> Maker<'a> {
        Maker { terms, config: &self.config, known: self.session.known(), media: &self.media }
    }

    /// The answer to the pending offer.
    fn answer(&self) -> Result<crate::sdp::SessionDescription, SignalingError> {
        let current = self.transport.ice.local_credentials();
        let (terms, offer) = self.session.answering_terms(current, self.transport.dtls_role())?;
        Ok(self.maker_with(terms).answer(offer))
    }

    /// The text of a description, with our candidates once gathering has begun.
    fn with_known_candidates(&self, sdp: crate::sdp::SessionDescription) -> alloc::string::String {
        match self.session.has_local() {
            true => self.fill_in_candidates(&sdp).to_string(),
            false => sdp.to_string(),
        }
    }
}

impl fmt::Debug for PeerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerConnection")
            .field("signaling", &self.signaling_state())
            .field("ice", &self.ice_connection_state())
            .field("connection", &self.connection_state())
            .finish_non_exhaustive()
    }
}
