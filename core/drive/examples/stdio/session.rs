//! One connection, and what the lines about it mean.

use std::collections::BTreeMap;
use std::error::Error;

use async_channel::{Receiver, Sender};
use pavane::{
    CandidateError, ChannelInit, CloseReason, ConnectionState, Description, Direction, DtlsRole,
    IceCandidate, IceConnectionState, IceServer, IceTransportPolicy, MediaKind, SdpType, SignalingState,
    StatsObject,
};
use pavane_drive::{DataChannel, Event, MdnsMode, PeerConnection, seeded_rng};
use serde_json::{Value, json};

use super::channel::{self, OnMessage};
use super::media::{self, Media};
use super::{say, say_error};
use crate::{Builder, build, spawn};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) struct Session {
    peer: PeerConnection,
    channels: BTreeMap<String, Channel>,
    media: Media,
    on_message: OnMessage,
    trickle: bool,
    polite: bool,
    /// Our offer was taken back for the other side's: what it offered is to be offered again.
    offer_again: bool,
    /// Candidates that came before the description that they belong to.
    early: Vec<IceCandidate>,
    /// The states as the line about the latest change has them.
    states: States,
}

/// One state for each layer. Each change is told, also where the next one has happened meanwhile.
struct States {
    connection: ConnectionState,
    ice: IceConnectionState,
    signaling: SignalingState,
}

/// A channel, and the `send` lines that wait for it.
struct Channel {
    channel: DataChannel,
    sends: Sender<Value>,
}

/// Candidates that are kept for a description to come.
const MAX_EARLY: usize = 256;

impl Session {
    pub(crate) fn start(line: &Value) -> Result<Self> {
        if line["dtls"] == "1.3" {
            return Err("DTLS 1.3 is not supported".into());
        }
        let mut builder = Builder::new().include_loopback(true).ice_servers(ice_servers(line)?);
        builder = builder.listen(line["listen"] == true);
        if line["hideAddresses"] == true {
            builder = builder.mdns(MdnsMode::ResolveAndHide);
        }
        if line["iceTransportPolicy"] == "relay" {
            builder = builder.ice_transport_policy(IceTransportPolicy::Relay);
        }
        if let Some(seed) = line["seed"].as_u64() {
            builder = builder.rng(seeded_rng(seed));
        }
        Ok(Self {
            peer: build(builder)?,
            channels: BTreeMap::new(),
            media: Media::default(),
            on_message: if line["onMessage"] == "report" { OnMessage::Report } else { OnMessage::Echo },
            trickle: line["trickle"].as_bool().unwrap_or(true),
            polite: line["polite"].as_bool().unwrap_or(true),
            offer_again: false,
            early: Vec::new(),
            states: States {
                connection: ConnectionState::New,
                ice: IceConnectionState::New,
                signaling: SignalingState::Stable,
            },
        })
    }

    pub(crate) async fn next_event(&self) -> Option<Event> {
        self.peer.next_event().await
    }

    pub(crate) fn close(&self) {
        self.peer.close();
    }

    pub(crate) async fn closed(&self) -> CloseReason {
        self.peer.closed().await
    }

    pub(crate) fn handle_event(&mut self, event: Event) {
        match event {
            Event::LocalCandidate(candidate) if self.trickle => say(&candidate_line(&candidate)),
            Event::SignalingStateChanged(signaling) => {
                self.tell_states(|states| states.signaling = signaling)
            }
            Event::IceConnectionStateChanged(ice) => self.tell_states(|states| states.ice = ice),
            Event::ConnectionStateChanged(connection) => {
                self.tell_states(|states| states.connection = connection);
            }
            Event::Channel(channel) => {
                say(&channel::announcement(&channel));
                self.adopt(channel);
            }
            Event::Track(track) => self.media.heard(&self.peer, track),
            Event::KeyframeWanted(sender) => self.media.keyframe_wanted(sender),
            Event::Closed(CloseReason::Local | CloseReason::Peer) => {}
            Event::Closed(reason) => say_error(format!("the connection ended: {reason:?}")),
            _ => {}
        }
    }

    fn tell_states(&mut self, change: impl FnOnce(&mut States)) {
        change(&mut self.states);
        let States { connection, ice, signaling } = &self.states;
        say(&json!({
            "type": "state",
            "connection": connection.as_str(),
            "ice": ice.as_str(),
            "signaling": signaling.as_str(),
        }));
    }

    fn adopt(&mut self, channel: DataChannel) {
        let (sends, lines) = async_channel::unbounded();
        spawn(channel::serve(channel.clone(), self.on_message));
        spawn(send_all(channel.clone(), lines));
        self.channels.insert(channel.label().to_owned(), Channel { channel, sends });
    }

    /// Takes an offer, an answer or a candidate.
    pub(crate) async fn handle_signal(&mut self, kind: &str, line: &Value) -> Result<()> {
        match kind {
            "offer" => self.handle_offer(Description::offer(text(line, "sdp")?)).await,
            "answer" => {
                self.peer.set_remote_description(Description::answer(text(line, "sdp")?))?;
                self.add_early_candidates();
                self.offer_what_is_left().await
            }
            "candidate" => self.handle_candidate(candidate(line)?),
            _ => Err(format!("a line of type {kind} is not known").into()),
        }
    }

    /// Perfect negotiation: of two offers that meet, the polite side's gives way.
    async fn handle_offer(&mut self, offer: Description) -> Result<()> {
        let collision = self.peer.signaling_state() == SignalingState::HaveLocalOffer;
        if collision && !self.polite {
            return Ok(());
        }
        self.peer.set_remote_description(offer)?;
        self.offer_again |= collision;
        self.add_early_candidates();
        self.media.answer(&self.peer)?;
        self.describe().await?;
        self.offer_what_is_left().await
    }

    async fn offer_what_is_left(&mut self) -> Result<()> {
        let settled = self.peer.signaling_state() == SignalingState::Stable;
        if settled && std::mem::take(&mut self.offer_again) && self.peer.negotiation_needed() {
            self.describe().await?;
        }
        Ok(())
    }

    /// Sets and emits the description that is due: an answer to a pending offer, else an offer.
    async fn describe(&self) -> Result<()> {
        self.peer.set_local_description(None)?;
        if !self.trickle {
            self.peer.gathering_complete().await;
        }
        // An answer ends the exchange, so that the local description is the current one; either way it is the last set.
        let Description { kind, sdp } = self.peer.local_description().ok_or("there is no description")?;
        debug_assert!(matches!(kind, SdpType::Offer | SdpType::Answer));
        say(&json!({ "type": kind.as_str(), "sdp": sdp }));
        Ok(())
    }

    /// Adds a candidate, or keeps it until its description comes.
    fn handle_candidate(&mut self, candidate: IceCandidate) -> Result<()> {
        match self.peer.add_ice_candidate(Some(candidate.clone())) {
            Err(CandidateError::NoRemoteDescription | CandidateError::UnknownUfrag)
                if self.early.len() < MAX_EARLY =>
            {
                self.early.push(candidate);
                Ok(())
            }
            result => Ok(result?),
        }
    }

    fn add_early_candidates(&mut self) {
        for candidate in std::mem::take(&mut self.early) {
            if let Err(error) = self.handle_candidate(candidate) {
                say_error(error);
            }
        }
    }

    /// Does what is asked for and says that it is done, or why not.
    pub(crate) async fn handle_op(&mut self, line: &Value) {
        let id = line["id"].clone();
        let result = match line["op"].as_str() {
            Some("channel") => self.create_channel(line),
            Some("close-channel") => self.channel(line).map(|channel| {
                channel.channel.close();
                Value::Null
            }),
            // Sending may take its time; what follows must not wait for it, but on the same channel.
            Some("send") => match self.channel(line).map(|channel| channel.sends.try_send(line.clone())) {
                Ok(_) => return,
                Err(error) => Err(error),
            },
            Some("transceiver") => self.add_transceiver(line),
            Some("offer") => self.offer(line).await,
            Some("stats") => Ok(self.stats()),
            Some("close") => {
                self.peer.close();
                Ok(Value::Null)
            }
            other => Err(format!("{} is not supported", other.unwrap_or("an op without a name")).into()),
        };
        report(id, result);
    }

    fn create_channel(&mut self, line: &Value) -> Result<Value> {
        let number = |key: &str| line[key].as_u64().and_then(|number| u16::try_from(number).ok());
        let init = ChannelInit {
            ordered: line["ordered"].as_bool().unwrap_or(true),
            max_retransmits: number("maxRetransmits"),
            max_packet_life_time: number("maxPacketLifeTime"),
            protocol: line["protocol"].as_str().unwrap_or_default().into(),
            negotiated: number("channelId").filter(|_| line["negotiated"] == true),
            ..ChannelInit::default()
        };
        let channel = self.peer.create_data_channel(text(line, "label")?, init)?;
        self.adopt(channel);
        Ok(Value::Null)
    }

    fn add_transceiver(&mut self, line: &Value) -> Result<Value> {
        let kind = match text(line, "kind")? {
            "audio" => MediaKind::Audio,
            "video" => MediaKind::Video,
            other => return Err(format!("{other} is no kind of media").into()),
        };
        let direction = line["direction"].as_str().unwrap_or("sendrecv");
        let direction = match direction {
            "sendrecv" => Direction::Sendrecv,
            "sendonly" => Direction::Sendonly,
            "recvonly" => Direction::Recvonly,
            "inactive" => Direction::Inactive,
            other => return Err(format!("{other} is no direction").into()),
        };
        self.media.add(&self.peer, kind, direction)?;
        Ok(Value::Null)
    }

    fn channel(&self, line: &Value) -> Result<&Channel> {
        let label = text(line, "label")?;
        self.channels.get(label).ok_or_else(|| format!("there is no channel {label}").into())
    }

    async fn offer(&self, line: &Value) -> Result<Value> {
        if line["iceRestart"] == true {
            self.peer.restart_ice();
        }
        self.describe().await?;
        Ok(Value::Null)
    }

    fn stats(&self) -> Value {
        let report = self.peer.stats_report();
        let transport = report.iter().find_map(|entry| match &entry.object {
            StatsObject::Transport(transport) => Some(transport),
            _ => None,
        });
        let dtls = transport.filter(|transport| transport.dtls_role != DtlsRole::Unknown).map(|transport| {
            json!({
                "version": transport.tls_version.as_deref().map(|version| match version {
                    "FEFD" => "1.2",
                    _ => "1.3",
                }),
                "cipher": transport.dtls_cipher,
                "srtp": transport.srtp_cipher,
                "role": transport.dtls_role.name(),
            })
        });
        let stats = self.peer.stats();
        let pair = stats.pairs.iter().find(|pair| pair.selected).map(|pair| {
            let kind = |kind| format!("{kind:?}").to_lowercase();
            let transport = format!("{:?}", pair.path.transport).to_lowercase();
            json!({ "local": kind(pair.local_kind), "remote": kind(pair.remote_kind), "transport": transport })
        });
        let inbound: Vec<_> = report.iter().filter_map(media::inbound).collect();
        let connection = self.peer.connection_state().as_str();
        json!({ "connection": connection, "dtls": dtls, "pair": pair, "inbound": inbound })
    }
}

/// Does what a channel's `send` lines ask for, one after the other.
async fn send_all(channel: DataChannel, lines: Receiver<Value>) {
    while let Ok(line) = lines.recv().await {
        report(line["id"].clone(), channel::send(&channel, &line).await.map(|()| Value::Null));
    }
}

/// Answers a `do` line.
fn report(id: Value, result: Result<Value>) {
    say(&match result {
        Ok(Value::Null) => json!({ "type": "done", "id": id }),
        Ok(stats) => json!({ "type": "done", "id": id, "stats": stats }),
        Err(error) => json!({ "type": "error", "id": id, "message": error.to_string() }),
    });
}

fn text<'l>(line: &'l Value, key: &str) -> Result<&'l str> {
    line[key].as_str().ok_or_else(|| format!("the line lacks {key}").into())
}

/// The servers as `RTCConfiguration` has them.
fn ice_servers(line: &Value) -> Result<Vec<IceServer>> {
    let servers = line["iceServers"].as_array().map(Vec::as_slice).unwrap_or_default();
    servers.iter().map(ice_server).collect()
}

fn ice_server(server: &Value) -> Result<IceServer> {
    let urls = match &server["urls"] {
        Value::Array(urls) => urls.iter().filter_map(Value::as_str).collect(),
        url => vec![url.as_str().ok_or("a server has no URL")?],
    };
    let known = IceServer::new(urls);
    match (server["username"].as_str(), server["credential"].as_str()) {
        (Some(username), Some(credential)) => Ok(known.credentials(username, credential)),
        _ => Ok(known),
    }
}

fn candidate(line: &Value) -> Result<IceCandidate> {
    let optional = |key: &str| line[key].as_str().map(str::to_owned);
    Ok(IceCandidate {
        candidate: text(line, "candidate")?.to_owned(),
        sdp_mid: optional("sdpMid"),
        sdp_m_line_index: line["sdpMLineIndex"].as_u64().and_then(|index| u16::try_from(index).ok()),
        username_fragment: optional("usernameFragment"),
    })
}

fn candidate_line(candidate: &IceCandidate) -> Value {
    json!({
        "type": "candidate",
        "candidate": candidate.candidate,
        "sdpMid": candidate.sdp_mid,
        "sdpMLineIndex": candidate.sdp_m_line_index,
        "usernameFragment": candidate.username_fragment,
    })
}
