//! What fuzzers call.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use pavane_base::rand_core::{Infallible, TryCryptoRng, TryRng};
use pavane_base::{Instant, Reader};
use pavane_sctp::{Association, Config, Ppid, SendOptions, StreamId};

use crate::{ChannelId, ChannelInit, Channels, Event, Message, Parity};

/// A generator that gives the same number always: nothing here depends on it.
struct Constant;

impl TryRng for Constant {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x1234_5678)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x1234_5678)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.fill(0x55);
        Ok(())
    }
}

impl TryCryptoRng for Constant {}

/// An association whose peer says what the bytes say, and the channels above it.
struct Stage {
    peer: Association,
    ours: Association,
    channels: Channels,
    known: Vec<ChannelId>,
    now: Instant,
}

/// Has a peer send arbitrary messages on arbitrary streams and reset them, while channels are created, used and closed.
///
/// # Panics
/// If a channel is told of twice.
pub fn messages(data: &[u8]) {
    let config = || Config { outgoing_streams: 16, incoming_streams: 16, ..Config::default() };
    let mut stage = Stage {
        peer: Association::new(config(), &mut Constant),
        ours: Association::new(config(), &mut Constant),
        channels: Channels::new(4096),
        known: Vec::new(),
        now: Instant::from_millis(1),
    };
    stage.peer.connect(stage.now);
    stage.channels.start(stage.now, &mut stage.ours, Parity::Even);
    stage.ours.connect(stage.now);
    stage.settle();
    let mut reader = Reader::new(data);
    while let (Ok(operation), Ok(argument)) = (reader.u8(), reader.u8()) {
        stage.operate(operation, argument, &mut reader);
        stage.settle();
    }
}

impl Stage {
    fn operate(&mut self, operation: u8, argument: u8, reader: &mut Reader<'_>) {
        let stream = StreamId(u16::from(argument % 16));
        let known = self.known.get(usize::from(argument) % self.known.len().max(1)).copied();
        match (operation % 8, known) {
            (0..=2, _) => {
                let len = reader.remaining().min(usize::from(argument));
                let payload = Bytes::copy_from_slice(reader.take(len).unwrap_or_default());
                let ppid = Ppid(50 + u32::from(operation / 8) % 8);
                let _ = self.peer.send(self.now, stream, ppid, payload, SendOptions::default());
            }
            (3, _) => self.peer.reset_streams(self.now, &[stream]),
            (4, _) => {
                let negotiated = argument.is_multiple_of(2).then_some(stream.0);
                let init = ChannelInit { negotiated, ..ChannelInit::default() };
                let created = self.channels.create(self.now, Some(&mut self.ours), "label", init);
                self.known.extend(created.ok());
            }
            (5, Some(id)) => self.channels.close(self.now, Some(&mut self.ours), id),
            (6, Some(id)) => {
                let message = Message::text(String::from("hello"));
                let _ = self.channels.send(self.now, &mut self.ours, id, message);
            }
            (_, Some(id)) => while self.channels.recv(self.now, Some(&mut self.ours), id).is_some() {},
            (_, None) => {}
        }
    }

    /// Carries packets to and fro until there are none, and events to the channels.
    fn settle(&mut self) {
        let mut buf = Vec::new();
        loop {
            let mut moved = false;
            while self.peer.poll_transmit(self.now, &mut buf).is_some() {
                self.ours.handle_packet(self.now, &buf);
                buf.clear();
                moved = true;
            }
            while self.ours.poll_transmit(self.now, &mut buf).is_some() {
                self.peer.handle_packet(self.now, &buf);
                buf.clear();
                moved = true;
            }
            while self.peer.poll_event().is_some() {}
            while let Some(event) = self.ours.poll_event() {
                self.channels.handle_event(self.now, &mut self.ours, event);
            }
            while let Some(event) = self.channels.poll_event() {
                if let Event::Announced(id) = event {
                    assert!(!self.known.contains(&id), "told of twice");
                    self.known.push(id);
                }
            }
            if !moved {
                return;
            }
        }
    }
}
