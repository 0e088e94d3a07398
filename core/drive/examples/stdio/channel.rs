//! What happens on a channel.

use std::error::Error;
use std::fmt::Write;

use pavane::Message;
use pavane_drive::DataChannel;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::say;

/// What becomes of a message.
#[derive(Clone, Copy)]
pub(crate) enum OnMessage {
    /// It is sent back as it came.
    Echo,
    /// It is told as a line.
    Report,
}

/// The line about a channel that the other side opened.
pub(crate) fn announcement(channel: &DataChannel) -> Value {
    json!({
        "type": "channel",
        "label": channel.label(),
        "protocol": channel.protocol(),
        "ordered": channel.ordered(),
        "maxRetransmits": channel.max_retransmits(),
        "maxPacketLifeTime": channel.max_packet_life_time(),
        "channelId": channel.stream_id(),
    })
}

/// Takes a channel's messages until it closes.
pub(crate) async fn serve(channel: DataChannel, on_message: OnMessage) {
    if channel.opened().await {
        say(&json!({ "type": "channel-open", "label": channel.label() }));
    }
    let mut sink = channel.label().starts_with("sink").then(Sink::default);
    while let Some(message) = channel.recv().await {
        let answer = match (&mut sink, on_message) {
            (Some(sink), _) => sink.take(&message),
            (None, OnMessage::Echo) => Some(message),
            (None, OnMessage::Report) => {
                say(&message_line(channel.label(), &message));
                None
            }
        };
        if let Some(answer) = answer
            && channel.send(answer).await.is_err()
        {
            break;
        }
    }
    channel.closed().await;
    say(&json!({ "type": "channel-closed", "label": channel.label() }));
}

/// Counts and hashes what it is given, until it is asked for the result.
#[derive(Default)]
struct Sink {
    count: u64,
    bytes: u64,
    hash: Sha256,
}

impl Sink {
    fn take(&mut self, message: &Message) -> Option<Message> {
        if is_text(message, "report") {
            let hash = hex(&self.hash.clone().finalize());
            let report = json!({ "count": self.count, "bytes": self.bytes, "sha256": hash });
            return Some(Message::text(report.to_string()));
        }
        self.count += 1;
        self.bytes += message.as_bytes().len() as u64;
        self.hash.update(message.as_bytes());
        None
    }
}

fn is_text(message: &Message, expected: &str) -> bool {
    matches!(message, Message::Text(text) if **text == *expected)
}

fn message_line(label: &str, message: &Message) -> Value {
    match message {
        Message::Text(text) => json!({ "type": "message", "label": label, "text": &**text }),
        Message::Binary(bytes) => {
            let hash = hex(&Sha256::digest(bytes));
            json!({ "type": "message", "label": label, "size": bytes.len(), "sha256": hash })
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Sends what a `send` line asks for, no faster than the channel takes it.
pub(crate) async fn send(channel: &DataChannel, line: &Value) -> Result<(), Box<dyn Error + Send + Sync>> {
    if let Some(text) = line["text"].as_str() {
        return Ok(channel.send(Message::text(text)).await?);
    }
    let (Some(size), Some(count)) = (line["pattern"]["size"].as_u64(), line["pattern"]["count"].as_u64())
    else {
        return Err("there is neither a text nor a pattern to send".into());
    };
    for number in 0..count {
        channel.send(pattern(number, size)).await?;
    }
    Ok(())
}

/// Message `number`: bytes that are easy to make on the other side, and different in every message.
fn pattern(number: u64, size: u64) -> Message {
    let byte = |index: u64| (index * 7 + (index >> 8) + number) as u8;
    Message::binary((0..size).map(byte).collect::<Vec<u8>>())
}
