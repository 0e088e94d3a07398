//! Browsers that chat through this program.
//!
//! ```sh
//! cargo run --example chat -p pavane-tokio
//! ```
//!
//! It prints an address; what is said in one browser there is heard in all. A browser posts its offer and gets the answer
//! back, with all candidates inside, and needs no other signalling. All of them are behind one UDP port.

use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use pavane_tokio::{
    BuildError, Builder, ConnectionState, DataChannel, Description, Event, Message, PeerConnection, Port,
};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

#[derive(Clone)]
struct Room {
    port: Port,
    said: broadcast::Sender<Message>,
}

/// Messages that a guest may be behind by; beyond, it misses some.
const BACKLOG: usize = 256;

/// What a guest may say at once, in bytes.
const MAX_MESSAGE: u64 = 4096;

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8080);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("Open http://localhost:{} in two browsers.", listener.local_addr()?.port());
    serve(listener).await
}

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let port = Builder::new().include_loopback(true).max_message_size(MAX_MESSAGE).build_port();
    let port = port.map_err(|error: BuildError| io::Error::other(error.to_string()))?;
    let room = Room { port, said: broadcast::Sender::new(BACKLOG) };
    let app =
        Router::new().route("/", get(|| async { Html(PAGE) })).route("/join", post(join)).with_state(room);
    axum::serve(listener, app).await
}

/// Answers a browser's offer.
async fn join(State(room): State<Room>, offer: String) -> Result<String, StatusCode> {
    let peer = room.port.peer().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    peer.set_remote_description(Description::offer(offer)).map_err(|_| StatusCode::BAD_REQUEST)?;
    peer.set_local_description(None).map_err(|_| StatusCode::BAD_REQUEST)?;
    peer.gathering_complete().await;
    let answer = peer.local_description().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    tokio::spawn(host(peer, room));
    Ok(answer.sdp)
}

/// Sees a guest through its connection.
async fn host(peer: PeerConnection, room: Room) {
    while let Some(event) = peer.next_event().await {
        match event {
            Event::Channel(channel) => {
                tokio::spawn(chat(channel, room.clone()));
            }
            Event::ConnectionStateChanged(ConnectionState::Failed) => peer.close(),
            _ => {}
        }
    }
}

/// Passes on what a guest says, and tells it what the others say.
async fn chat(channel: DataChannel, room: Room) {
    let mut said = room.said.subscribe();
    loop {
        tokio::select! {
            message = channel.recv() => match message {
                // Whoever says it hears it too; somebody listens, if only the guest.
                Some(message) => drop(room.said.send(message)),
                None => return,
            },
            message = said.recv() => match message {
                Ok(message) => match channel.send(message).await {
                    Ok(()) => {}
                    Err(_) => return,
                },
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}

const PAGE: &str = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Chat</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
  input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem }
  #said { list-style: none; padding: 0; min-height: 10rem }
</style>
<h1>Chat</h1>
<ul id="said" aria-live="polite"></ul>
<form><input id="line" placeholder="Not connected yet" aria-label="What to say" disabled autocomplete="off"></form>
<script>
  const line = document.getElementById("line");
  const peer = new RTCPeerConnection();
  const chat = peer.createDataChannel("chat");
  const say = (text) => document.getElementById("said").appendChild(document.createElement("li")).textContent = text;

  chat.onopen = () => { line.disabled = false; line.placeholder = "Say something"; line.focus(); };
  chat.onclose = () => { line.disabled = true; say("The connection has ended."); };
  chat.onmessage = ({ data }) => say(data);
  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    if (line.value) chat.send(line.value);
    line.value = "";
  };

  peer.onicegatheringstatechange = async () => {
    if (peer.iceGatheringState !== "complete") return;
    const response = await fetch("/join", { method: "POST", body: peer.localDescription.sdp });
    if (response.ok) peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    else say(`The program says ${response.status}.`);
  };
  peer.setLocalDescription();
</script>
</html>
"#;
