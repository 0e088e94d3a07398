//! Our SCTP understands that of libwebrtc, over networks that lose and reorder, interleaved and not, whoever begins and ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions as DcSendOptions, SocketEvent, SocketTime,
    StreamId as DcStream, ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
};
use pavane::Instant;
use pavane::sctp::{
    Association, CloseReason, Config, Event, Ppid, Reliability, SendOptions, State, StreamId,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The two and the network between them.
struct Meeting {
    now: Duration,
    ours: Association,
    theirs: Box<dyn DcSctpSocket>,
    rng: ChaCha8Rng,
    /// Of a thousand packets so many are lost.
    loss: u32,
    jitter: u32,
    wire: BTreeMap<(Duration, u64), (bool, Vec<u8>)>,
    count: u64,
    events: Vec<Event>,
    connected: bool,
    closed: bool,
    /// Streams that the other side has reset, and that were reset as we asked it to.
    reset: BTreeSet<u16>,
    heard: BTreeMap<u16, Vec<Vec<u8>>>,
}

const DELAY: Duration = Duration::from_millis(20);

impl Meeting {
    fn new(seed: u64, loss: u32, interleaving: bool) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let ours = Association::new(Config { interleaving, ..Config::default() }, &mut rng);
        let options = Options {
            enable_message_interleaving: interleaving,
            zero_checksum_alternate_error_detection_method:
                ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
            ..Options::default()
        };
        Self {
            now: Duration::ZERO,
            ours,
            theirs: dcsctp::new_socket("theirs", &options),
            rng,
            loss,
            jitter: if loss == 0 { 0 } else { 15_000 },
            wire: BTreeMap::new(),
            count: 0,
            events: Vec::new(),
            connected: false,
            closed: false,
            reset: BTreeSet::new(),
            heard: BTreeMap::new(),
        }
    }

    fn at(&self) -> Instant {
        Instant::ZERO + self.now
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(120);
        loop {
            self.settle();
            if done(self) {
                return;
            }
            self.settle();
            let theirs = self.theirs.poll_timeout();
            let theirs = (theirs != SocketTime::infinite_future()).then(|| theirs - SocketTime::zero());
            let ours = self.ours.poll_timeout().map(|at| at - Instant::ZERO);
            let next = [ours, theirs, self.wire.keys().next().map(|(at, _)| *at)].into_iter().flatten().min();
            let next = next.filter(|at| *at < end);
            let state = || format!("{:?} {:?}", self.ours.stats(), self.ours.counters());
            self.now = self.now.max(next.unwrap_or_else(|| panic!("never: {what}: {}", state())));
            self.theirs.advance_time(SocketTime::zero() + self.now);
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to_us, packet) = entry.remove();
                match to_us {
                    true => self.ours.handle_packet(Instant::ZERO + self.now, &packet),
                    false => self.theirs.handle_input(&packet),
                }
            }
            self.ours.handle_timeout(Instant::ZERO + self.now);
        }
    }

    /// Takes what both have to say.
    fn settle(&mut self) {
        let mut packet = Vec::new();
        while self.ours.poll_transmit(Instant::ZERO + self.now, &mut packet).is_some() {
            self.post(false, std::mem::take(&mut packet));
        }
        self.events.extend(std::iter::from_fn(|| self.ours.poll_event()));
        while let Some(event) = self.theirs.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.post(true, packet),
                SocketEvent::OnConnected() => self.connected = true,
                SocketEvent::OnClosed() => self.closed = true,
                SocketEvent::OnIncomingStreamReset(streams) => {
                    // As peers in WebRTC do.
                    self.theirs.reset_streams(&streams).expect("it can");
                }
                SocketEvent::OnStreamsResetPerformed(streams) => {
                    self.reset.extend(streams.iter().map(|stream| stream.0));
                }
                SocketEvent::OnAborted(kind, why) => panic!("{kind:?}: {why}"),
                _ => {}
            }
        }
        while let Some(message) = self.theirs.get_next_message() {
            self.heard.entry(message.stream_id.0).or_default().push(message.payload);
        }
    }

    fn post(&mut self, to_us: bool, packet: Vec<u8>) {
        if self.rng.next_u32() % 1000 < self.loss {
            return;
        }
        let late = Duration::from_micros(u64::from(self.rng.next_u32() % (self.jitter + 1)));
        self.count += 1;
        self.wire.insert((self.now + DELAY + late, self.count), (to_us, packet));
    }

    /// Messages of all sizes on several streams both ways, one of them unordered.
    fn exchange(&mut self, salt: usize) {
        let sizes = [1, 100, 1160, 1161, 5000, 60_000, 200_000];
        let mut expected: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
        for (number, size) in sizes.into_iter().enumerate() {
            for stream in [0, 1, 2] {
                let message: Vec<u8> =
                    (0..size).map(|at| ((at * 31) ^ (salt + number * 7 + stream)) as u8).collect();
                let stream = stream as u16;
                let options = SendOptions { ordered: stream != 2, ..SendOptions::default() };
                let now = self.at();
                self.ours.send(now, StreamId(stream), Ppid(53), message.clone().into(), options).unwrap();
                let options = DcSendOptions { unordered: stream == 2, ..DcSendOptions::default() };
                self.theirs
                    .send(Message::new(DcStream(stream), PpId(53), message.clone()), &options)
                    .unwrap();
                expected.entry(stream).or_default().push(message);
            }
        }
        self.heard.clear();
        let mut got: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
        self.until("all messages arrive", |meeting| {
            for stream in [0, 1, 2] {
                while let Some(message) = meeting.ours.recv(StreamId(stream)) {
                    got.entry(stream).or_default().push(message.payload.to_vec());
                }
            }
            let count =
                |messages: &BTreeMap<u16, Vec<Vec<u8>>>| messages.values().map(Vec::len).sum::<usize>();
            count(&got) == sizes.len() * 3 && count(&meeting.heard) == sizes.len() * 3
        });
        for messages in [&mut got, &mut self.heard] {
            messages.entry(2).and_modify(|messages| messages.sort_by_key(Vec::len));
            assert!(*messages == expected, "messages are not what they were");
        }
    }

    /// We reset two streams, and the other side its own.
    fn reset_streams(&mut self) {
        let (now, streams) = (self.at(), [StreamId(0), StreamId(2)]);
        self.events.clear();
        self.reset.clear();
        self.ours.reset_streams(now, &streams);
        let done = |meeting: &Self, by_peer: bool| {
            let all = meeting.events.iter().flat_map(|event| match event {
                Event::StreamsResetByPeer(streams) if by_peer => streams.clone(),
                Event::StreamsReset(streams) if !by_peer => streams.clone(),
                _ => Vec::new(),
            });
            all.collect::<BTreeSet<_>>() == streams.into_iter().collect()
        };
        self.until("both have reset", |meeting| {
            done(meeting, true) && done(meeting, false) && meeting.reset == BTreeSet::from([0, 2])
        });
    }

    /// Messages that are not repeated: some are lost, none comes twice, and what comes after them comes.
    fn give_up(&mut self) {
        self.heard.clear();
        for number in 0..60_u8 {
            let size = if number % 3 == 0 { 4000 } else { 50 };
            let now = self.at();
            let once = SendOptions { reliability: Reliability::MaxRetransmits(0), ..SendOptions::default() };
            self.ours.send(now, StreamId(5), Ppid(53), vec![number; size].into(), once).unwrap();
            let once = DcSendOptions { max_retransmissions: Some(0), ..DcSendOptions::default() };
            self.theirs.send(Message::new(DcStream(5), PpId(53), vec![number; size]), &once).unwrap();
        }
        let now = self.at();
        self.ours.send(now, StreamId(5), Ppid(53), vec![255].into(), SendOptions::default()).unwrap();
        self.theirs.send(Message::new(DcStream(5), PpId(53), vec![255]), &DcSendOptions::default()).unwrap();
        let mut got = Vec::new();
        self.until("the last message arrives", |meeting| {
            got.extend(std::iter::from_fn(|| meeting.ours.recv(StreamId(5))).map(|m| m.payload[0]));
            let last = |messages: Option<&Vec<Vec<u8>>>| {
                messages.and_then(|m| m.last()).is_some_and(|m| m[0] == 255)
            };
            got.last() == Some(&255) && last(meeting.heard.get(&5))
        });
        let heard: Vec<u8> = self.heard[&5].iter().map(|message| message[0]).collect();
        for order in [got, heard] {
            assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        }
    }
}

#[test]
fn libwebrtcs_sctp_is_understood() {
    for seed in 0..24 {
        let (interleaving, we_begin, we_end) = (seed & 1 != 0, seed & 2 != 0, seed & 4 != 0);
        let loss = [0, 20, 100][seed as usize / 8];
        let mut meeting = Meeting::new(seed, loss, interleaving);
        if we_begin || seed & 8 != 0 {
            meeting.ours.connect(Instant::ZERO);
        }
        if !we_begin || seed & 8 != 0 {
            meeting.theirs.connect();
        }
        meeting.until("both are connected", |m| m.connected && m.ours.state() == State::Established);
        assert_eq!(meeting.theirs.get_metrics().map(|m| m.uses_message_interleaving), Some(interleaving));
        meeting.exchange(1);
        meeting.reset_streams();
        meeting.exchange(2);
        meeting.give_up();
        match we_end {
            true => meeting.ours.shutdown(meeting.at()),
            false => meeting.theirs.shutdown(),
        }
        meeting.until("both are closed", |m| m.closed && m.ours.state() == State::Closed);
        assert!(meeting.events.contains(&Event::Closed(CloseReason::Shutdown)), "seed {seed}");
    }
}
