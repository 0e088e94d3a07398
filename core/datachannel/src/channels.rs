//! Every channel of a connection: what the composer and the application call.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::mem;

use pavane_base::{Instant, Key, Slab};
use pavane_sctp::{self as sctp, Association, StreamId};

use crate::channel::{Channel, ChannelTraffic, Stage};
use crate::dcep::{DCEP_OPTIONS, Dcep};
use crate::ids::{Ids, Parity};
use crate::init::NO_ID;
use crate::message::ppid;
use crate::{ChannelError, ChannelId, ChannelInit, ChannelState, CreateError, Event, Message, SendError};

/// The channels of a connection.
#[derive(Debug)]
pub struct Channels {
    pub(crate) slots: Slab<Channel>,
    pub(crate) ids: Ids,
    parity: Option<Parity>,
    /// Whether the association's set-up has begun, so that messages may be queued.
    started: bool,
    /// Whether the application has ever created a channel.
    asked_for: bool,
    /// The largest message that the peer takes; `None` for any.
    peer_limit: Option<u64>,
    /// The largest message that we take.
    pub(crate) own_limit: usize,
    /// Messages on streams that no channel has yet.
    pub(crate) early: BTreeMap<u16, Vec<sctp::Message>>,
    /// How many bytes of labels and protocols the peer has given us to keep.
    pub(crate) peer_text: usize,
    /// Closed channels that hold what nobody has read, the oldest first, and how much it is.
    unread_closed: VecDeque<(Key, usize)>,
    pub(crate) events: VecDeque<Event>,
    opened: u64,
    closed: u64,
}

/// What never changes about a channel.
#[derive(Clone, Copy, Debug)]
pub struct ChannelInfo<'c> {
    /// Its label.
    pub label: &'c str,
    /// Its options.
    pub init: &'c ChannelInit,
    /// Its stream, once it has one.
    pub stream: Option<StreamId>,
    /// Where it is in its life.
    pub state: ChannelState,
    /// What was sent and read.
    pub traffic: ChannelTraffic,
}

impl<'c> ChannelInfo<'c> {
    fn of(channel: &'c Channel) -> Self {
        Self {
            label: &channel.label,
            init: &channel.init,
            stream: channel.stream.map(StreamId),
            state: channel.state(),
            traffic: channel.traffic,
        }
    }
}

/// How many closed channels may hold what nobody has read.
const MAX_UNREAD_CLOSED: usize = 256;

/// How many bytes they may hold together.
const MAX_UNREAD_CLOSED_BYTES: usize = 8 << 20;

/// RFC 8831 §6.6: what a peer takes that does not say.
const DEFAULT_PEER_LIMIT: u64 = 65_536;

impl Channels {
    /// No channels yet; messages of up to `own_limit` bytes will be taken.
    pub fn new(own_limit: usize) -> Self {
        Self {
            slots: Slab::default(),
            ids: Ids::default(),
            parity: None,
            started: false,
            asked_for: false,
            peer_limit: Some(DEFAULT_PEER_LIMIT),
            own_limit,
            early: BTreeMap::new(),
            peer_text: 0,
            unread_closed: VecDeque::new(),
            events: VecDeque::new(),
            opened: 0,
            closed: 0,
        }
    }

    /// Whether the application has ever asked for a channel.
    pub const fn asked_for(&self) -> bool {
        self.asked_for
    }

    /// How many channels were opened, and closed, so far.
    pub const fn totals(&self) -> (u64, u64) {
        (self.opened, self.closed)
    }

    /// Sets the largest message that the peer takes; `None` for any.
    pub const fn set_peer_limit(&mut self, limit: Option<u64>) {
        self.peer_limit = limit;
    }

    /// The largest message that can be sent; `None` for any.
    pub const fn peer_limit(&self) -> Option<u64> {
        self.peer_limit
    }

    /// Creates a channel. Without an association it waits.
    ///
    /// # Errors
    /// If label and options are not allowed, or its id is taken or out of range.
    pub fn create(
        &mut self,
        now: Instant,
        association: Option<&mut Association>,
        label: &str,
        init: ChannelInit,
    ) -> Result<ChannelId, CreateError> {
        init.check(label)?;
        let limit = association.as_ref().map_or(NO_ID, |association| stream_limit(association));
        if let Some(id) = init.negotiated {
            if self.ids.get(id).is_some() {
                return Err(CreateError::IdTaken);
            }
            if id >= limit {
                return Err(CreateError::IdOutOfRange);
            }
        } else if let Some(parity) = self.parity {
            self.ids.lowest(parity, limit).ok_or(CreateError::NoIdLeft)?;
        }
        self.asked_for = true;
        let key = self.slots.insert(Channel::new(label, init, Stage::Waiting));
        if let Some(id) = self.slots.get(key).and_then(|channel| channel.stream) {
            self.ids.take(id, key);
        }
        if let Some(association) = association.filter(|_| self.started) {
            self.open(now, association, key);
            self.opened_if_connected(association, key);
        }
        Ok(ChannelId(key))
    }

    /// The association's set-up begins: waiting channels get their ids, and their OPENs ride with its first packets.
    pub fn start(&mut self, now: Instant, association: &mut Association, parity: Parity) {
        self.parity = Some(parity);
        self.started = true;
        let waiting: Vec<Key> = self.slots.iter().map(|(key, _)| key).collect();
        for key in waiting {
            self.open(now, association, key);
        }
    }

    /// Gives a waiting channel its id and queues its OPEN.
    fn open(&mut self, now: Instant, association: &mut Association, key: Key) {
        let Some(parity) = self.parity else { return };
        let Some(channel) = self.slots.get_mut(key).filter(|channel| channel.stage == Stage::Waiting) else {
            return;
        };
        channel.stage = Stage::Opening;
        if let Some(id) = channel.init.negotiated {
            association.set_buffered_amount_low_threshold(StreamId(id), channel.low_threshold);
            association.set_weight(StreamId(id), channel.init.priority.code());
            return;
        }
        let Some(id) = self.ids.lowest(parity, stream_limit(association)) else {
            return self.fail(association, key, ChannelError::NoStream);
        };
        channel.stream = Some(id);
        self.ids.take(id, key);
        let open = Dcep::open(&channel.label, &channel.init);
        association.set_buffered_amount_low_threshold(StreamId(id), channel.low_threshold);
        association.set_weight(StreamId(id), channel.init.priority.code());
        if association.send(now, StreamId(id), ppid::DCEP, open, DCEP_OPTIONS).is_err() {
            self.fail(association, key, ChannelError::NotAnnounced);
        }
    }

    /// A channel that cannot be opened ends at once.
    fn fail(&mut self, association: &mut Association, key: Key, error: ChannelError) {
        let stream = self.slots.get(key).and_then(|channel| channel.stream).unwrap_or(NO_ID);
        self.events.push_back(Event::Error(ChannelId(key), error));
        self.finish(Some(association), key, StreamId(stream));
    }

    fn opened_if_connected(&mut self, association: &Association, key: Key) {
        let connected = association.is_connected();
        let Some(channel) = self.slots.get_mut(key) else { return };
        if connected && channel.stage == Stage::Opening {
            // A negotiated channel is known to both sides from the beginning.
            channel.stage = Stage::Open { known_to_peer: channel.init.negotiated.is_some() };
            self.opened += 1;
            self.events.push_back(Event::Opened(ChannelId(key)));
        }
    }

    /// Takes an event of the association.
    pub fn handle_event(&mut self, now: Instant, association: &mut Association, event: sctp::Event) {
        match event {
            sctp::Event::Connected => {
                let keys: Vec<Key> = self.slots.iter().map(|(key, _)| key).collect();
                for key in keys {
                    self.close_beyond(association, key);
                    self.opened_if_connected(association, key);
                }
            }
            sctp::Event::StreamReadable(stream) => self.readable(now, association, stream),
            sctp::Event::StreamsResetByPeer(streams) => {
                streams.into_iter().for_each(|stream| self.reset_by_peer(now, association, stream));
            }
            sctp::Event::StreamsReset(streams) | sctp::Event::ResetFailed(streams) => {
                streams.into_iter().for_each(|stream| self.reset_done(association, stream));
            }
            sctp::Event::BufferedAmountLow(stream) => {
                self.events
                    .extend(self.ids.get(stream.0).map(|key| Event::BufferedAmountLow(ChannelId(key))));
            }
            sctp::Event::Writable => self.events.push_back(Event::Writable),
            sctp::Event::Restarted => {
                self.report_all(ChannelError::Restarted);
                self.transport_closed(Some(association));
            }
            sctp::Event::Closed(reason) => {
                if !matches!(reason, sctp::CloseReason::Shutdown | sctp::CloseReason::Aborted) {
                    self.report_all(ChannelError::AssociationLost);
                }
                self.transport_closed(Some(association));
            }
            _ => {}
        }
    }

    /// Closes a channel whose id turns out to be beyond what the association has (W3C WebRTC §6.1.1.2).
    fn close_beyond(&mut self, association: &mut Association, key: Key) {
        let limit = stream_limit(association);
        let stream = self.slots.get(key).and_then(|channel| channel.stream);
        if let Some(stream) = stream.filter(|stream| *stream >= limit) {
            self.events.push_back(Event::Error(ChannelId(key), ChannelError::NoStream));
            self.finish(Some(association), key, StreamId(stream));
        }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// If the channel is not open, the message is larger than the peer takes, or too much waits already.
    pub fn send(
        &mut self,
        now: Instant,
        association: &mut Association,
        id: ChannelId,
        message: Message,
    ) -> Result<(), SendError> {
        let channel = self.slots.get(id.0).ok_or(SendError::NotOpen)?;
        let (Stage::Open { known_to_peer }, Some(stream)) = (channel.stage, channel.stream) else {
            return Err(SendError::NotOpen);
        };
        match self.peer_limit {
            Some(max) if message.len() as u64 > max => return Err(SendError::TooLarge { max }),
            _ => {}
        }
        let mut options = channel.init.send_options();
        // RFC 8832 §6: nothing may overtake the OPEN.
        options.ordered |= !known_to_peer;
        // An empty message travels as one byte, which the application has not sent.
        options.counted = !message.is_empty();
        let len = message.len() as u64;
        let (ppid, payload) = message.into_wire();
        association.send(now, StreamId(stream), ppid, payload, options).map_err(|error| match error {
            sctp::SendError::Full => SendError::Full,
            sctp::SendError::TooLarge => SendError::TooLarge { max: u32::MAX.into() },
            _ => SendError::NotOpen,
        })?;
        if let Some(channel) = self.slots.get_mut(id.0) {
            channel.traffic.messages_sent += 1;
            channel.traffic.bytes_sent += len;
        }
        Ok(())
    }

    /// Begins to close a channel: what was sent still arrives.
    pub fn close(&mut self, now: Instant, association: Option<&mut Association>, id: ChannelId) {
        let Some(channel) = self.slots.get_mut(id.0) else { return };
        match (channel.stage, channel.stream, association) {
            (Stage::Opening | Stage::Open { .. }, Some(stream), Some(association)) => {
                channel.stage = Stage::Closing { ours: false, theirs: false };
                association.reset_streams(now, &[StreamId(stream)]);
            }
            (Stage::Closing { .. } | Stage::Closed, ..) => {}
            (_, stream, association) => {
                self.finish(association, id.0, StreamId(stream.unwrap_or(NO_ID)));
            }
        }
    }

    /// The peer reset its half: it wants the channel closed, or closes it as we asked.
    fn reset_by_peer(&mut self, now: Instant, association: &mut Association, stream: StreamId) {
        self.early.remove(&stream.0);
        let Some(key) = self.ids.get(stream.0) else { return };
        let Some(channel) = self.slots.get_mut(key) else { return };
        match channel.stage {
            Stage::Waiting | Stage::Opening | Stage::Open { .. } => {
                channel.stage = Stage::Closing { ours: false, theirs: true };
                association.reset_streams(now, &[stream]);
                self.events.push_back(Event::Closing(ChannelId(key)));
            }
            Stage::Closing { ours: true, .. } => self.finish(Some(association), key, stream),
            Stage::Closing { ours: false, .. } => {
                channel.stage = Stage::Closing { ours: false, theirs: true }
            }
            Stage::Closed => {}
        }
    }

    /// Our half is reset.
    fn reset_done(&mut self, association: &mut Association, stream: StreamId) {
        let Some(key) = self.ids.get(stream.0) else { return };
        let Some(channel) = self.slots.get_mut(key) else { return };
        match channel.stage {
            Stage::Closing { theirs: true, .. } => self.finish(Some(association), key, stream),
            Stage::Closing { theirs: false, .. } => {
                channel.stage = Stage::Closing { ours: true, theirs: false }
            }
            _ => {}
        }
    }

    /// Both halves are reset: the id is free, and what was not read is kept with the channel.
    pub(crate) fn finish(&mut self, association: Option<&mut Association>, key: Key, stream: StreamId) {
        if self.ids.get(stream.0) == Some(key) {
            if let Some(association) = association {
                self.keep_unread(association, key, stream);
            }
            self.ids.free(stream.0);
        }
        let Some(channel) = self.slots.get_mut(key) else { return };
        if mem::replace(&mut channel.stage, Stage::Closed) != Stage::Closed {
            self.closed += 1;
            self.remember_closed(key);
            self.events.push_back(Event::Closed(ChannelId(key)));
        }
    }

    /// What closed channels hold unread is bounded: a peer that opens, fills and closes channels that nobody reads pushes
    /// the oldest out.
    fn remember_closed(&mut self, key: Key) {
        let Some(channel) = self.slots.get_mut(key) else { return };
        channel.partial = Vec::new();
        let bytes = channel.unread_bytes();
        if bytes == 0 {
            return;
        }
        self.unread_closed.push_back((key, bytes));
        let mut sum: usize = self.unread_closed.iter().map(|(_, bytes)| bytes).sum();
        while sum > MAX_UNREAD_CLOSED_BYTES || self.unread_closed.len() > MAX_UNREAD_CLOSED {
            let Some((oldest, bytes)) = self.unread_closed.pop_front() else { break };
            sum -= bytes;
            if let Some(channel) = self.slots.get_mut(oldest) {
                channel.unread.clear();
            }
            self.forget_if_read(ChannelId(oldest));
        }
    }

    /// Tells of every channel that it broke.
    fn report_all(&mut self, error: ChannelError) {
        let broken = self.slots.iter().filter(|(_, channel)| channel.stage != Stage::Closed);
        let broken = broken.map(|(key, _)| Event::Error(ChannelId(key), error));
        self.events.extend(broken);
    }

    /// The association has ended, or is another one: every channel is closed (W3C WebRTC §6.2).
    pub fn transport_closed(&mut self, mut association: Option<&mut Association>) {
        let channels: Vec<_> = self.slots.iter().map(|(key, channel)| (key, channel.stream)).collect();
        for (key, stream) in channels {
            self.finish(association.as_deref_mut(), key, StreamId(stream.unwrap_or(NO_ID)));
        }
        self.early.clear();
    }

    /// What happened next. With [`Event::Closed`], a channel that has nothing left to read is forgotten.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Closed(id) = event {
            self.forget_if_read(id);
        }
        Some(event)
    }

    pub(crate) fn forget_if_read(&mut self, id: ChannelId) {
        let done = |channel: &Channel| channel.stage == Stage::Closed && channel.unread.is_empty();
        if self.slots.get(id.0).is_some_and(done) {
            self.peer_text -= self.slots.remove(id.0).map_or(0, |channel| channel.peer_text());
            self.unread_closed.retain(|(key, _)| *key != id.0);
        }
    }

    /// What is known of a channel; `None` once it is forgotten.
    pub fn info(&self, id: ChannelId) -> Option<ChannelInfo<'_>> {
        self.slots.get(id.0).map(ChannelInfo::of)
    }

    /// What is known of each channel that is not forgotten.
    pub fn iter(&self) -> impl Iterator<Item = (ChannelId, ChannelInfo<'_>)> {
        self.slots.iter().map(|(key, channel)| (ChannelId(key), ChannelInfo::of(channel)))
    }

    /// How many bytes of the channel wait to be sent.
    pub fn buffered_amount(&self, association: &Association, id: ChannelId) -> usize {
        let stream = self.slots.get(id.0).and_then(|channel| channel.stream);
        stream.map_or(0, |stream| association.buffered_amount(StreamId(stream)))
    }

    /// Asks for [`Event::BufferedAmountLow`] when no more than `bytes` wait.
    pub fn set_buffered_amount_low_threshold(
        &mut self,
        association: Option<&mut Association>,
        id: ChannelId,
        bytes: usize,
    ) {
        let Some(channel) = self.slots.get_mut(id.0) else { return };
        channel.low_threshold = bytes;
        if let (Some(association), Some(stream)) = (association, channel.stream) {
            association.set_buffered_amount_low_threshold(StreamId(stream), bytes);
        }
    }

    /// The threshold of [`Event::BufferedAmountLow`].
    pub fn buffered_amount_low_threshold(&self, id: ChannelId) -> usize {
        self.slots.get(id.0).map_or(0, |channel| channel.low_threshold)
    }

    pub(crate) const fn count_opened(&mut self) {
        self.opened += 1;
    }
}

/// How many ids can be used in both directions.
fn stream_limit(association: &Association) -> u16 {
    let outgoing = association.max_outgoing_streams().unwrap_or(NO_ID);
    let incoming = association.max_incoming_streams().unwrap_or(NO_ID);
    outgoing.min(incoming)
}
