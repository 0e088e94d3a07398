//! Two sets of channels over two associations that are joined back to back.

use std::vec::Vec;
use std::{format, vec};

use bytes::Bytes;
use pavane_base::Instant;
use pavane_base::rand_core::{Rng, SeedableRng};
use pavane_sctp::{Association, Config, Event as SctpEvent, Ppid, SendOptions, State, StreamId};
use rand_chacha::ChaCha8Rng;

use crate::{ChannelId, ChannelInit, ChannelState, Channels, CreateError, Event, Message, Parity, SendError};

const LIMIT: usize = 256 * 1024;

struct End {
    channels: Channels,
    association: Association,
    events: Vec<Event>,
}

struct Pair {
    now: Instant,
    ends: [End; 2],
    /// Whether packets towards the first end wait.
    held: bool,
}

impl Pair {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let ends = [0, 1].map(|_| End {
            channels: Channels::new(LIMIT),
            association: Association::new(Config::default(), &mut rng),
            events: Vec::new(),
        });
        Self { now: Instant::from_millis(1), ends, held: false }
    }

    fn connect(&mut self) {
        for (n, parity) in [Parity::Even, Parity::Odd].into_iter().enumerate() {
            let end = &mut self.ends[n];
            end.channels.set_peer_limit(Some(LIMIT as u64));
            end.channels.start(self.now, &mut end.association, parity);
            end.association.connect(self.now);
        }
        self.settle();
        assert!(self.ends.iter().all(|end| end.association.state() == State::Established));
    }

    fn connected() -> Self {
        let mut pair = Self::new();
        pair.connect();
        pair
    }

    /// Carries everything to and fro until nothing moves, timers included.
    fn settle(&mut self) {
        let mut buf = Vec::new();
        for _ in 0..10_000 {
            let mut moved = false;
            for from in 0..2 {
                if from == 1 && self.held {
                    continue;
                }
                while self.ends[from].association.poll_transmit(self.now, &mut buf).is_some() {
                    self.ends[1 - from].association.handle_packet(self.now, &buf);
                    buf.clear();
                    moved = true;
                }
            }
            for end in &mut self.ends {
                while let Some(event) = end.association.poll_event() {
                    end.channels.handle_event(self.now, &mut end.association, event);
                }
                end.events.extend(core::iter::from_fn(|| end.channels.poll_event()));
            }
            if !moved {
                let next = self.ends.iter().filter_map(|end| end.association.poll_timeout()).min();
                let soon = self.now + core::time::Duration::from_secs(2);
                let Some(next) = next.filter(|next| *next < soon && !self.held) else { return };
                self.now = self.now.max(next);
                self.ends.iter_mut().for_each(|end| end.association.handle_timeout(self.now));
            }
        }
        panic!("it never settles");
    }

    fn create(&mut self, n: usize, label: &str, init: ChannelInit) -> Result<ChannelId, CreateError> {
        let end = &mut self.ends[n];
        let association = end.channels_started().then_some(&mut end.association);
        end.channels.create(self.now, association, label, init)
    }

    fn send(&mut self, n: usize, id: ChannelId, message: Message) -> Result<(), SendError> {
        let end = &mut self.ends[n];
        end.channels.send(self.now, &mut end.association, id, message)
    }

    fn recv(&mut self, n: usize, id: ChannelId) -> Option<Message> {
        let end = &mut self.ends[n];
        end.channels.recv(self.now, Some(&mut end.association), id)
    }

    fn close(&mut self, n: usize, id: ChannelId) {
        let end = &mut self.ends[n];
        end.channels.close(self.now, Some(&mut end.association), id);
    }

    /// A channel that the first end opened, by its names at both.
    fn channel(&mut self, init: ChannelInit) -> [ChannelId; 2] {
        let ours = self.create(0, "label", init).unwrap();
        self.settle();
        [ours, self.announced(1)]
    }

    fn announced(&self, n: usize) -> ChannelId {
        let announced = self.ends[n].events.iter().rev().find_map(|event| match event {
            Event::Announced(id) => Some(*id),
            _ => None,
        });
        announced.expect("a channel was announced")
    }

    fn state(&self, n: usize, id: ChannelId) -> ChannelState {
        self.ends[n].channels.info(id).map_or(ChannelState::Closed, |info| info.state)
    }
}

impl End {
    fn channels_started(&self) -> bool {
        self.association.state() != State::Closed
    }
}

#[test]
fn a_channel_created_early_opens_with_the_association() {
    let mut pair = Pair::new();
    let init = ChannelInit {
        protocol: "proto".into(),
        ordered: false,
        max_retransmits: Some(2),
        ..ChannelInit::default()
    };
    let ours = pair.create(0, "früh", init.clone()).unwrap();
    assert_eq!(pair.state(0, ours), ChannelState::Connecting);
    assert_eq!(pair.send(0, ours, Message::text("too soon")), Err(SendError::NotOpen));
    pair.connect();
    assert_eq!(pair.ends[0].events, [Event::Opened(ours)]);
    let theirs = pair.announced(1);
    let info = pair.ends[1].channels.info(theirs).unwrap();
    assert_eq!((info.label, info.init, info.state), ("früh", &init, ChannelState::Open));
    assert_eq!(info.stream, Some(StreamId(0)));
}

#[test]
fn messages_arrive_as_they_were_sent() {
    let mut pair = Pair::connected();
    let [a, b] = pair.channel(ChannelInit::default());
    let messages = [
        Message::text("text"),
        Message::text(""),
        Message::binary(vec![1, 2, 3]),
        Message::binary(Vec::new()),
        Message::binary(vec![7; LIMIT]),
    ];
    for (from, id, to, other) in [(0, a, 1, b), (1, b, 0, a)] {
        for message in &messages {
            pair.send(from, id, message.clone()).unwrap();
        }
        pair.settle();
        for message in &messages {
            assert_eq!(pair.recv(to, other).as_ref(), Some(message));
        }
        assert_eq!(pair.recv(to, other), None);
    }
}

#[test]
fn ids_follow_the_role_and_negotiated_ones_are_kept_clear() {
    let mut pair = Pair::connected();
    let negotiated = |id| ChannelInit { negotiated: Some(id), ..ChannelInit::default() };
    pair.create(0, "n", negotiated(2)).unwrap();
    assert_eq!(pair.create(0, "n", negotiated(2)), Err(CreateError::IdTaken));
    assert_eq!(pair.create(0, "n", negotiated(65_535)), Err(CreateError::InvalidId));
    let stream = |pair: &mut Pair, n: usize| {
        let id = pair.create(n, "x", ChannelInit::default()).unwrap();
        pair.ends[n].channels.info(id).unwrap().stream.unwrap().0
    };
    assert_eq!([stream(&mut pair, 0), stream(&mut pair, 0), stream(&mut pair, 0)], [0, 4, 6]);
    assert_eq!([stream(&mut pair, 1), stream(&mut pair, 1)], [1, 3]);
}

#[test]
fn what_is_not_allowed_is_refused_by_name() {
    let mut pair = Pair::connected();
    let long = "x".repeat(65_536);
    let table = [
        (long.as_str(), ChannelInit::default(), CreateError::LabelTooLong, "TypeError"),
        (
            "",
            ChannelInit { protocol: long.clone(), ..ChannelInit::default() },
            CreateError::ProtocolTooLong,
            "TypeError",
        ),
        (
            "",
            ChannelInit { max_retransmits: Some(1), max_packet_life_time: Some(1), ..ChannelInit::default() },
            CreateError::BothLimits,
            "TypeError",
        ),
    ];
    for (label, init, error, name) in table {
        assert_eq!(pair.create(0, label, init), Err(error));
        assert_eq!(error.dom_name(), name);
    }
    assert!(!pair.ends[0].channels.asked_for(), "a refused channel was not asked for");
    let [a, _] = pair.channel(ChannelInit::default());
    let too_large = Message::binary(vec![0; LIMIT + 1]);
    assert_eq!(pair.send(0, a, too_large), Err(SendError::TooLarge { max: LIMIT as u64 }));
}

#[test]
fn negotiated_channels_need_no_announcement() {
    let mut pair = Pair::connected();
    let init = ChannelInit { negotiated: Some(100), ..ChannelInit::default() };
    let [a, b] = [0, 1].map(|n| pair.create(n, "n", init.clone()).unwrap());
    pair.send(0, a, Message::text("hello")).unwrap();
    pair.settle();
    assert_eq!(pair.recv(1, b), Some(Message::text("hello")));
    assert!(!pair.ends[1].events.iter().any(|event| matches!(event, Event::Announced(_))));
}

#[test]
fn closing_from_either_side_is_seen_by_the_other_and_frees_the_id() {
    for closer in 0..2 {
        let mut pair = Pair::connected();
        let ids = pair.channel(ChannelInit::default());
        pair.send(closer, ids[closer], Message::text("last words")).unwrap();
        pair.close(closer, ids[closer]);
        assert_eq!(pair.state(closer, ids[closer]), ChannelState::Closing);
        assert_eq!(pair.send(closer, ids[closer], Message::text("more")), Err(SendError::NotOpen));
        pair.settle();
        let other = 1 - closer;
        assert!(pair.ends[other].events.contains(&Event::Closing(ids[other])));
        for (n, id) in ids.into_iter().enumerate() {
            assert!(pair.ends[n].events.contains(&Event::Closed(id)), "end {n}");
        }
        assert_eq!(
            pair.recv(other, ids[other]),
            Some(Message::text("last words")),
            "what arrived can be read"
        );
        assert_eq!(pair.recv(other, ids[other]), None);
        assert!(pair.ends[other].channels.info(ids[other]).is_none(), "and then it is forgotten");
        let [a, b] = pair.channel(ChannelInit::default());
        assert_eq!(pair.ends[0].channels.info(a).unwrap().stream, Some(StreamId(0)), "the id is used again");
        assert_ne!(a, ids[0]);
        pair.send(0, a, Message::text("a new life")).unwrap();
        pair.settle();
        assert_eq!(pair.recv(1, b), Some(Message::text("a new life")));
    }
}

#[test]
fn both_may_close_at_once() {
    let mut pair = Pair::connected();
    let ids = pair.channel(ChannelInit::default());
    pair.close(0, ids[0]);
    pair.close(1, ids[1]);
    pair.settle();
    for (n, id) in ids.into_iter().enumerate() {
        let closed = pair.ends[n].events.iter().filter(|event| **event == Event::Closed(id)).count();
        assert_eq!(closed, 1, "end {n}");
    }
}

#[test]
fn nothing_overtakes_the_opening() {
    let mut pair = Pair::connected();
    pair.held = true;
    let init = ChannelInit { ordered: false, ..ChannelInit::default() };
    let a = pair.create(0, "loose", init).unwrap();
    pair.send(0, a, Message::text("at once")).unwrap();
    pair.settle();
    let b = pair.announced(1);
    assert_eq!(pair.recv(1, b), Some(Message::text("at once")));
    pair.send(1, b, Message::text("answer before the acknowledgement is read")).unwrap();
    pair.held = false;
    pair.settle();
    assert!(pair.recv(0, a).is_some());
}

#[test]
fn what_comes_before_its_opening_is_kept() {
    let mut pair = Pair::connected();
    let raw = |pair: &mut Pair, ppid, payload: &[u8]| {
        let (now, payload) = (pair.now, Bytes::copy_from_slice(payload));
        let unordered = SendOptions { ordered: false, ..SendOptions::default() };
        pair.ends[1].association.send(now, StreamId(9), Ppid(ppid), payload, unordered).unwrap();
        pair.settle();
    };
    raw(&mut pair, 51, b"early");
    raw(&mut pair, 50, &[3, 0x80, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, b'x']);
    let channel = pair.announced(0);
    assert_eq!(pair.recv(0, channel), Some(Message::text("early")));
}

#[test]
fn nonsense_on_a_stream_has_it_reset() {
    for payload in [&[9, 9, 9][..], &[3, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[3, 0]] {
        let mut pair = Pair::connected();
        let (now, payload) = (pair.now, Bytes::copy_from_slice(payload));
        pair.ends[1].association.send(now, StreamId(5), Ppid(50), payload, SendOptions::default()).unwrap();
        let mut buf = Vec::new();
        let mut reset = false;
        for _ in 0..20 {
            for from in 0..2 {
                while pair.ends[from].association.poll_transmit(pair.now, &mut buf).is_some() {
                    pair.ends[1 - from].association.handle_packet(pair.now, &buf);
                    buf.clear();
                }
            }
            while let Some(event) = pair.ends[0].association.poll_event() {
                let end = &mut pair.ends[0];
                end.channels.handle_event(pair.now, &mut end.association, event);
            }
            while let Some(event) = pair.ends[1].association.poll_event() {
                reset |= matches!(event, SctpEvent::StreamsResetByPeer(_));
            }
        }
        assert!(reset, "it was not refused");
        assert_eq!(pair.ends[0].events, []);
    }
}

#[test]
fn an_unknown_payload_closes_the_channel() {
    let mut pair = Pair::connected();
    let [a, b] = pair.channel(ChannelInit::default());
    let now = pair.now;
    let odd = Bytes::from_static(b"?");
    pair.ends[0].association.send(now, StreamId(0), Ppid(99), odd, SendOptions::default()).unwrap();
    pair.settle();
    assert_eq!(pair.recv(1, b), None);
    pair.settle();
    assert_eq!(pair.state(0, a), ChannelState::Closed);
    assert_eq!(pair.state(1, b), ChannelState::Closed);
}

#[test]
fn messages_in_the_deprecated_partial_form_are_put_together() {
    let mut pair = Pair::connected();
    let [_, b] = pair.channel(ChannelInit::default());
    for (ppid, part) in [(52, "one "), (52, "two "), (53, "three"), (54, "a"), (51, "b")] {
        let (now, part) = (pair.now, Bytes::from(part));
        pair.ends[0].association.send(now, StreamId(0), Ppid(ppid), part, SendOptions::default()).unwrap();
    }
    pair.settle();
    assert_eq!(pair.recv(1, b), Some(Message::binary(&b"one two three"[..])));
    assert_eq!(pair.recv(1, b), Some(Message::text("ab")));
}

#[test]
fn the_buffered_amount_is_the_applications_bytes_and_its_threshold_is_told() {
    let mut pair = Pair::connected();
    let [a, _] = pair.channel(ChannelInit::default());
    let end = &mut pair.ends[0];
    end.channels.set_buffered_amount_low_threshold(Some(&mut end.association), a, 1000);
    for _ in 0..5 {
        pair.send(0, a, Message::binary(vec![0; 1000])).unwrap();
    }
    assert_eq!(pair.ends[0].channels.buffered_amount(&pair.ends[0].association, a), 5000);
    pair.settle();
    assert_eq!(pair.ends[0].channels.buffered_amount(&pair.ends[0].association, a), 0);
    let low = pair.ends[0].events.iter().filter(|event| **event == Event::BufferedAmountLow(a)).count();
    assert_eq!(low, 1);
}

#[test]
fn thousands_of_channels_open_and_close() {
    const COUNT: usize = 3000;
    let mut pair = Pair::connected();
    for _ in 0..2 {
        let ids: Vec<_> = (0..COUNT)
            .map(|n| pair.create(0, &format!("channel {n}"), ChannelInit::default()).unwrap())
            .collect();
        pair.settle();
        let announced =
            pair.ends[1].events.iter().filter(|event| matches!(event, Event::Announced(_))).count();
        assert_eq!(announced, COUNT);
        for id in ids {
            pair.close(0, id);
        }
        pair.settle();
        for end in &mut pair.ends {
            assert_eq!(end.channels.slots.len(), 0, "nothing is left behind");
            end.events.clear();
        }
    }
}

#[test]
fn the_associations_end_closes_every_channel() {
    let mut pair = Pair::connected();
    let [a, b] = pair.channel(ChannelInit::default());
    pair.send(0, a, Message::text("unread")).unwrap();
    pair.settle();
    pair.ends[0].association.abort(pair.now, b"enough");
    pair.settle();
    assert_eq!([pair.state(0, a), pair.state(1, b)], [ChannelState::Closed; 2]);
    assert_eq!(pair.recv(1, b), Some(Message::text("unread")));
}

#[test]
fn any_messages_of_a_peer_are_survived() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut script = vec![0; 300];
    for _ in 0..500 {
        rng.fill_bytes(&mut script);
        crate::fuzzing::messages(&script);
    }
}
