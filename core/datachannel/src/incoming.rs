//! Messages on their way in.
//!
//! They wait in SCTP's streams until the application reads them, so that an unread channel closes the receive window. Only
//! what the establishment protocol says is taken ahead.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;
use pavane_base::{Instant, Key};
use pavane_sctp::{self as sctp, Association, StreamId};

use crate::channel::{Channel, Stage};
use crate::dcep::{DCEP_OPTIONS, Dcep};
use crate::message::{Text, ppid};
use crate::{ChannelError, ChannelId, ChannelInit, Channels, Event, Message};

/// How many messages are kept on streams that no channel has yet: a first burst that overtook its OPEN.
const MAX_EARLY_MESSAGES: usize = 64;

/// The largest message that is kept so.
const MAX_EARLY_BYTES: usize = 16 * 1024;

/// How many bytes of labels and protocols are kept for channels that the peer opened.
const MAX_PEER_TEXT: usize = 4 * 1024 * 1024;

/// What a message turned out to be.
enum Content {
    /// One for the application.
    Message(Message),
    /// Nothing for the application.
    Nothing,
    /// Nothing that may come on the stream.
    Unacceptable,
}

impl Channels {
    pub(crate) fn readable(&mut self, now: Instant, association: &mut Association, stream: StreamId) {
        match self.ids.get(stream.0) {
            None => self.readable_unknown(now, association, stream),
            Some(key) => {
                self.take_dcep(now, association, key, stream);
                if association.peek(stream).is_some() {
                    self.events.push_back(Event::Readable(ChannelId(key)));
                }
            }
        }
    }

    /// Takes what the establishment protocol has to say before the next message for the application.
    fn take_dcep(&mut self, now: Instant, association: &mut Association, key: Key, stream: StreamId) {
        while association.peek(stream) == Some(ppid::DCEP) {
            let Some((raw, channel)) = association.recv(stream).zip(self.slots.get_mut(key)) else { return };
            if let Content::Unacceptable = interpret(channel, raw, self.own_limit) {
                self.break_off(now, Some(&mut *association), ChannelId(key));
            }
        }
    }

    /// A stream that no channel has: an OPEN makes one; what comes before it is kept, within bounds.
    fn readable_unknown(&mut self, now: Instant, association: &mut Association, stream: StreamId) {
        while let Some(raw) = association.recv(stream) {
            if raw.ppid == ppid::DCEP {
                match Dcep::parse(&raw.payload) {
                    Some(Dcep::Open { label, init }) => {
                        self.announced(now, association, stream, &label, init);
                        return;
                    }
                    // An acknowledgement for a channel that is gone.
                    Some(Dcep::Ack) => {}
                    None => association.reset_streams(now, &[stream]),
                }
            } else if raw.payload.len() <= MAX_EARLY_BYTES
                && self.early.values().map(Vec::len).sum::<usize>() < MAX_EARLY_MESSAGES
            {
                self.early.entry(stream.0).or_default().push(raw);
            } else {
                self.early.remove(&stream.0);
                association.reset_streams(now, &[stream]);
            }
        }
    }

    /// The peer opens a channel. Which parity its id has is not checked: a free id does no harm.
    fn announced(
        &mut self,
        now: Instant,
        association: &mut Association,
        stream: StreamId,
        label: &str,
        init: ChannelInit,
    ) {
        let text = label.len() + init.protocol.len();
        let early = self.early.remove(&stream.0).unwrap_or_default();
        if self.peer_text + text > MAX_PEER_TEXT {
            association.reset_streams(now, &[stream]);
            return;
        }
        let sent = association.send(now, stream, ppid::DCEP, Dcep::ack(), DCEP_OPTIONS);
        if sent.is_err() {
            association.reset_streams(now, &[stream]);
            return;
        }
        self.peer_text += text;
        association.set_weight(stream, init.priority.code());
        let mut channel = Channel::new(label, init, Stage::Open { known_to_peer: true });
        channel.by_peer = true;
        channel.stream = Some(stream.0);
        for raw in early {
            if let Content::Message(message) = interpret(&mut channel, raw, self.own_limit) {
                channel.unread.push_back(message);
            }
        }
        let readable = !channel.unread.is_empty() || association.peek(stream).is_some();
        let key = self.slots.insert(channel);
        self.ids.take(stream.0, key);
        self.count_opened();
        self.events.push_back(Event::Announced(ChannelId(key)));
        if readable {
            self.events.push_back(Event::Readable(ChannelId(key)));
        }
    }

    /// Takes the next message of a channel; what is read makes room for more.
    pub fn recv(
        &mut self,
        now: Instant,
        mut association: Option<&mut Association>,
        id: ChannelId,
    ) -> Option<Message> {
        let channel = self.slots.get_mut(id.0)?;
        if let Some(message) = channel.unread.pop_front() {
            channel.count_received(&message);
            self.forget_if_read(id);
            return Some(message);
        }
        let stream = StreamId(channel.stream.filter(|_| channel.stage != Stage::Closed)?);
        loop {
            let raw = association.as_deref_mut()?.recv(stream)?;
            let channel = self.slots.get_mut(id.0)?;
            match interpret(channel, raw, self.own_limit) {
                Content::Message(message) => {
                    channel.count_received(&message);
                    return Some(message);
                }
                Content::Nothing => {}
                Content::Unacceptable => self.break_off(now, association.as_deref_mut(), id),
            }
        }
    }

    /// The peer broke the rules on a channel: it is closed, with an error.
    fn break_off(&mut self, now: Instant, association: Option<&mut Association>, id: ChannelId) {
        let open = |channel: &Channel| matches!(channel.stage, Stage::Opening | Stage::Open { .. });
        if self.slots.get(id.0).is_some_and(open) {
            self.events.push_back(Event::Error(id, ChannelError::InvalidMessage));
        }
        self.close(now, association, id);
    }

    /// Whether [`recv`](Self::recv) may have something.
    pub fn is_readable(&self, association: Option<&Association>, id: ChannelId) -> bool {
        self.slots.get(id.0).is_some_and(|channel| {
            let stream = channel.stream.filter(|_| channel.stage != Stage::Closed).map(StreamId);
            let waiting = association.zip(stream).is_some_and(|(a, stream)| a.peek(stream).is_some());
            !channel.unread.is_empty() || waiting
        })
    }

    /// Moves what a stream still holds to its channel, which is about to lose it. SCTP's window has bounded it.
    pub(crate) fn keep_unread(&mut self, association: &mut Association, key: Key, stream: StreamId) {
        let Some(channel) = self.slots.get_mut(key) else { return };
        while let Some(raw) = association.recv(stream) {
            if let Content::Message(message) = interpret(channel, raw, self.own_limit) {
                channel.unread.push_back(message);
            }
        }
    }
}

/// What a message on a channel's stream is.
fn interpret(channel: &mut Channel, raw: sctp::Message, limit: usize) -> Content {
    if let Stage::Open { known_to_peer } = &mut channel.stage {
        // RFC 8832 §6: any message of the peer on the stream shows that the OPEN has arrived.
        *known_to_peer = true;
    }
    match raw.ppid {
        ppid::DCEP => match Dcep::parse(&raw.payload) {
            Some(Dcep::Ack) => Content::Nothing,
            Some(Dcep::Open { .. }) | None => Content::Unacceptable,
        },
        ppid::TEXT => Content::Message(Message::Text(Text::from_wire(whole(channel, raw.payload)))),
        ppid::BINARY => Content::Message(Message::Binary(whole(channel, raw.payload))),
        ppid::TEXT_EMPTY => Content::Message(Message::Text(Text::default())),
        ppid::BINARY_EMPTY => Content::Message(Message::Binary(Bytes::new())),
        ppid::TEXT_PARTIAL | ppid::BINARY_PARTIAL => {
            if channel.partial.len() + raw.payload.len() > limit {
                return Content::Unacceptable;
            }
            channel.partial.extend_from_slice(&raw.payload);
            Content::Nothing
        }
        _ => Content::Unacceptable,
    }
}

/// A message with what came of it before in the deprecated partial form (RFC 8831 §6.6).
fn whole(channel: &mut Channel, payload: Bytes) -> Bytes {
    if channel.partial.is_empty() {
        return payload;
    }
    let mut whole = mem::take(&mut channel.partial);
    whole.extend_from_slice(&payload);
    whole.into()
}
