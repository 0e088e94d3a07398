//! One WebSocket, one peer: what the page and this program tell each other so that they can connect.

use std::error::Error;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use pavane_tokio::{
    Builder, CandidateError, DataChannel, Description, Event, IceCandidate, PeerConnection, Stats,
};
use serde_json::{Value, json};

use crate::channels;
use crate::media::{Mode, Studio};
use crate::room::Room;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Holds a conversation as long as the WebSocket and the connection last.
pub(crate) async fn serve(mut socket: WebSocket, room: Room) {
    if let Err(error) = converse(&mut socket, &room).await {
        // If it is the WebSocket that failed, nobody can be told.
        let _ = send(&mut socket, &json!({"type": "error", "message": error.to_string()})).await;
    }
}

async fn converse(socket: &mut WebSocket, room: &Room) -> Result<()> {
    let Some(start) = receive(socket).await? else { return Ok(()) };
    // The page may well be on this machine, and the machine without a network.
    let peer = Builder::new().include_loopback(true).build()?;
    let serve = |channel: DataChannel| tokio::spawn(channels::serve(channel, room.clone()));
    if start["offerer"] == "program" {
        for (label, init) in channels::all() {
            serve(peer.create_data_channel(label, init)?);
        }
        describe(&peer, socket).await?;
    }

    let mut early = Vec::new();
    let mut studio = Studio::default();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            line = receive(socket) => match line? {
                Some(line) => signal(&peer, socket, &mut early, &mut studio, &line).await?,
                None => break,
            },
            event = peer.next_event() => match event {
                Some(Event::LocalCandidate(candidate)) => send(socket, &candidate_line(&candidate)).await?,
                Some(Event::Channel(channel)) => drop(serve(channel)),
                Some(Event::Track(track)) => studio.heard(track),
                Some(Event::KeyframeWanted(sender)) => studio.keyframe_wanted(sender),
                Some(Event::Closed(_)) | None => break,
                Some(_) => {}
            },
            _ = second.tick() => send(socket, &stats_line(&peer)).await?,
        }
    }
    peer.close();
    Ok(())
}

/// Sets the description that is due, an offer or an answer, and sends it. Candidates follow as they are found.
async fn describe(peer: &PeerConnection, socket: &mut WebSocket) -> Result<()> {
    peer.set_local_description(None)?;
    let Description { kind, sdp } = peer.local_description().ok_or("there is no description")?;
    send(socket, &json!({"type": kind.as_str(), "sdp": sdp})).await
}

/// Takes what the page says.
async fn signal(
    peer: &PeerConnection,
    socket: &mut WebSocket,
    early: &mut Vec<IceCandidate>,
    studio: &mut Studio,
    line: &Value,
) -> Result<()> {
    let sdp = line["sdp"].as_str().unwrap_or_default();
    match line["type"].as_str() {
        Some("offer") => {
            peer.set_remote_description(Description::offer(sdp))?;
            studio.answer(peer)?;
            describe(peer, socket).await?;
        }
        Some("answer") => peer.set_remote_description(Description::answer(sdp))?,
        Some("candidate") => early.push(candidate(line)),
        Some("media") => {
            studio.set_mode(line["mode"].as_str().and_then(Mode::named).ok_or("that is no mode")?);
            if line["offerer"] == "program" {
                studio.offer(peer)?;
                describe(peer, socket).await?;
            }
        }
        _ => return Err("that is no signalling".into()),
    }
    // A candidate that comes before its description is kept until it is there.
    let candidates = std::mem::take(early);
    for candidate in candidates {
        match peer.add_ice_candidate(Some(candidate.clone())) {
            Err(CandidateError::NoRemoteDescription) => early.push(candidate),
            result => result?,
        }
    }
    Ok(())
}

fn candidate(line: &Value) -> IceCandidate {
    let text = |key: &str| line[key].as_str().map(str::to_owned);
    IceCandidate {
        candidate: text("candidate").unwrap_or_default(),
        sdp_mid: text("sdpMid"),
        sdp_m_line_index: line["sdpMLineIndex"].as_u64().and_then(|index| u16::try_from(index).ok()),
        username_fragment: text("usernameFragment"),
    }
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

fn stats_line(peer: &PeerConnection) -> Value {
    let Stats { traffic, selected_path, round_trip_time, dtls, sctp, .. } = peer.stats();
    let millis = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    json!({
        "type": "stats",
        "state": peer.connection_state().as_str(),
        "ice": peer.ice_connection_state().as_str(),
        "path": selected_path.map(|path| format!("{} to {}", path.local, path.remote)),
        "rttMs": round_trip_time.map(millis),
        "bytesSent": traffic.bytes_sent,
        "bytesReceived": traffic.bytes_received,
        "datagramsSent": traffic.datagrams_sent,
        "datagramsReceived": traffic.datagrams_received,
        "cipher": dtls.and_then(|dtls| dtls.cipher_suite).map(|suite| suite.name()),
        "sctp": sctp.map(|sctp| json!({
            "rttMs": sctp.round_trip_time.map(millis),
            "congestionWindowBytes": sctp.congestion_window,
            "inFlightBytes": sctp.in_flight,
        })),
    })
}

/// The next object; `None` when the page has gone.
async fn receive(socket: &mut WebSocket) -> Result<Option<Value>> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => return Ok(Some(serde_json::from_str(&text)?)),
            Some(Ok(Message::Close(_))) | None => return Ok(None),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

async fn send(socket: &mut WebSocket, line: &Value) -> Result<()> {
    Ok(socket.send(Message::text(line.to_string())).await?)
}
