//! The three channels of the page. Which is which is in their labels, so that either side can create them.

use std::fmt::Write;

use pavane_tokio::{ChannelInit, DataChannel, Message, SendError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::room::{Guest, Room};

/// The channels, as whoever offers creates them.
pub(crate) fn all() -> [(&'static str, ChannelInit); 3] {
    let lossy = ChannelInit { ordered: false, max_retransmits: Some(0), ..ChannelInit::default() };
    [("chat", ChannelInit::default()), ("echo", lossy), ("throughput", ChannelInit::default())]
}

/// Does what the channel is for, until it closes.
pub(crate) async fn serve(channel: DataChannel, room: Room) {
    // Sending fails once the channel is closed, and then there is nothing left to do.
    let _ = match channel.label() {
        "chat" => chat(channel, room.enter()).await,
        "throughput" => transfer(channel).await,
        _ => echo(channel).await,
    };
}

async fn echo(channel: DataChannel) -> Result<(), SendError> {
    while let Some(message) = channel.recv().await {
        channel.send(message).await?;
    }
    Ok(())
}

/// Passes on what this guest says and what the others say.
async fn chat(channel: DataChannel, mut guest: Guest) -> Result<(), SendError> {
    let welcome = format!("You are guest {} of this program, which speaks WebRTC in Rust.", guest.number());
    channel.send(Message::text(welcome)).await?;
    loop {
        tokio::select! {
            message = channel.recv() => match message {
                Some(Message::Text(text)) => {
                    guest.say(&text);
                    channel.send(Message::text(answer(&text, &guest))).await?;
                }
                Some(Message::Binary(_)) => {}
                None => return Ok(()),
            },
            text = guest.hear() => channel.send(Message::text(text)).await?,
        }
    }
}

fn answer(text: &str, guest: &Guest) -> String {
    match guest.company() {
        1 => {
            let backwards: String = text.chars().rev().collect();
            format!("Backwards: {backwards}\nOpen the page in another tab, and you will have company.")
        }
        2 => "The other guest has heard it.".to_owned(),
        many => format!("{} others have heard it.", many - 1),
    }
}

/// The most that one transfer may have.
const MAX_TRANSFER: u64 = 4 << 30;

/// Sends or takes as many bytes as the page asks for, one transfer at a time, and says what they hash to.
async fn transfer(channel: DataChannel) -> Result<(), SendError> {
    while let Some(message) = channel.recv().await {
        // Bytes that belong to no transfer are left over from one that failed.
        let Message::Text(text) = message else { continue };
        let request: Value = serde_json::from_str(&text).unwrap_or_default();
        let report = match (request["op"].as_str(), request["bytes"].as_u64()) {
            (_, Some(MAX_TRANSFER..)) => json!({"op": "error", "message": "that is too much"}),
            (Some("upload"), Some(bytes)) => match take(&channel, bytes).await {
                Some(sha256) => json!({"op": "uploaded", "bytes": bytes, "sha256": sha256}),
                None => json!({"op": "error", "message": "that is not what was announced"}),
            },
            (Some("download"), Some(bytes)) => {
                let sha256 = give(&channel, bytes).await?;
                json!({"op": "downloaded", "bytes": bytes, "sha256": sha256})
            }
            _ => json!({"op": "error", "message": "that is no transfer"}),
        };
        channel.send(Message::text(report.to_string())).await?;
    }
    Ok(())
}

async fn take(channel: &DataChannel, bytes: u64) -> Option<String> {
    let mut hash = Sha256::new();
    let mut left = bytes;
    while left > 0 {
        let Some(Message::Binary(piece)) = channel.recv().await else { return None };
        left = left.checked_sub(piece.len() as u64)?;
        hash.update(&piece);
    }
    Some(hex(&hash.finalize()))
}

/// `send` waits while enough is buffered, so that this goes no faster than the network.
async fn give(channel: &DataChannel, bytes: u64) -> Result<String, SendError> {
    const PIECE: u64 = 16 * 1024;

    let mut hash = Sha256::new();
    let mut left = bytes;
    while left > 0 {
        let size = left.min(PIECE);
        let piece: Vec<u8> = (0..size).map(|index| (left + index * 7) as u8).collect();
        hash.update(&piece);
        channel.send(Message::binary(piece)).await?;
        left -= size;
    }
    Ok(hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
