//! Our association beside usrsctp's, packets bare in UDP on the loopback interface: `usrsctp PEER`, where PEER is what
//! `tests/interop/usrsctp/run.sh` builds. Messages of all sizes go there and back, streams are reset on both sides, one side
//! begins anew, and either ends it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::UdpSocket;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant as Clock};

use pavane::Instant;
use pavane::sctp::{
    Association, CloseReason, Config, Event, Ppid, Reliability, SendOptions, State, StreamId,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn main() {
    let peer = std::env::args().nth(1).expect("the path of usrsctp's end");
    for form in ["plain", "interleaved"] {
        for role in ["listen", "connect"] {
            for ends in [Ends::We, Ends::They] {
                let began = Clock::now();
                Meeting::new(&peer, role, form).go_through(ends);
                println!("{form}, it begins by {role}, {ends:?} end it: {:?}", began.elapsed());
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Ends {
    We,
    They,
}

/// The two, and what is between them.
struct Meeting {
    socket: UdpSocket,
    peer: Child,
    news: Receiver<String>,
    association: Association,
    interleaved: bool,
    began: Clock,
    events: Vec<Event>,
    /// Which kinds of chunks came.
    kinds: BTreeMap<u8, u32>,
}

impl Meeting {
    fn new(program: &str, role: &str, form: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let other = UdpSocket::bind("127.0.0.1:0").expect("another");
        let [ours, theirs] = [&socket, &other].map(|socket| socket.local_addr().expect("it is bound"));
        drop(other);
        socket.connect(theirs).expect("loopback is there");
        socket.set_read_timeout(Some(Duration::from_millis(1))).expect("it is not zero");
        let mut peer = Command::new(program)
            .args([&theirs.port().to_string(), &ours.port().to_string(), role, form])
            .stdout(Stdio::piped())
            .spawn()
            .expect("usrsctp's end runs");
        let lines = BufReader::new(peer.stdout.take().expect("it is piped")).lines();
        let (tell, news) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        assert_eq!(news.recv_timeout(PATIENCE).as_deref(), Ok("ready"));
        let interleaved = form == "interleaved";
        let association = association(1, interleaved);
        let (began, events, kinds) = (Clock::now(), Vec::new(), BTreeMap::new());
        Self { socket, peer, news, association, interleaved, began, events, kinds }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    fn go_through(&mut self, ends: Ends) {
        self.begin();
        self.exchange(1);
        let data = if self.interleaved { 64 } else { 0 };
        assert!(self.kinds.contains_key(&data), "the form of data was agreed on: {:?}", self.kinds);
        self.reset();
        self.exchange(2);
        self.give_up();
        // Our side forgets everything and begins anew.
        self.association = association(2, self.interleaved);
        self.begin();
        self.hear("restart");
        self.exchange(3);
        self.end(ends);
    }

    fn begin(&mut self) {
        let now = self.now();
        self.association.connect(now);
        self.until("the association is there", |meeting| meeting.association.state() == State::Established);
    }

    /// Messages of all sizes on several streams, ordered and unordered; each comes back as it was.
    fn exchange(&mut self, salt: u32) {
        let mut expected: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
        for (number, size) in [1, 4, 100, 1172, 1173, 5000, 65_536, 262_144].into_iter().enumerate() {
            for stream in [0, 1, 2, 500] {
                let message = message(salt + number as u32 * 7 + u32::from(stream), size);
                let options = SendOptions { ordered: stream != 2, ..SendOptions::default() };
                let now = self.now();
                let sent =
                    self.association.send(now, StreamId(stream), Ppid(53), message.clone().into(), options);
                assert_eq!(sent, Ok(()));
                expected.entry(stream).or_default().push(message);
            }
        }
        let mut got: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
        self.until("everything comes back", |meeting| {
            for stream in expected.keys() {
                while let Some(message) = meeting.association.recv(StreamId(*stream)) {
                    got.entry(*stream).or_default().push(message.payload.to_vec());
                }
            }
            got.values().map(Vec::len).sum::<usize>() == expected.values().map(Vec::len).sum()
        });
        for (stream, messages) in &mut got {
            if *stream == 2 {
                messages.sort_by_key(Vec::len);
            }
            assert!(*messages == expected[stream], "stream {stream}: messages are not what they were");
        }
    }

    /// We reset two streams; the peer resets its own then, as peers in WebRTC do.
    fn reset(&mut self) {
        let (now, streams) = (self.now(), [StreamId(0), StreamId(500)]);
        self.events.clear();
        self.association.reset_streams(now, &streams);
        let mut left = [streams.to_vec(), streams.to_vec()];
        self.until("both sides have reset", |meeting| {
            for event in meeting.events.drain(..) {
                match event {
                    Event::StreamsReset(done) => left[0].retain(|stream| !done.contains(stream)),
                    Event::StreamsResetByPeer(done) => left[1].retain(|stream| !done.contains(stream)),
                    Event::ResetFailed(streams) => panic!("{streams:?} are not reset"),
                    _ => {}
                }
            }
            left.iter().all(Vec::is_empty)
        });
    }

    /// A message is given up before it is sent to its end; the one behind it comes back.
    fn give_up(&mut self) {
        let old = SendOptions {
            reliability: Reliability::MaxLifetime(Duration::from_micros(100)),
            ..SendOptions::default()
        };
        let now = self.now();
        self.association
            .send(now, StreamId(3), Ppid(53), vec![7; 250_000].into(), old)
            .expect("there is room");
        let mut packet = Vec::new();
        self.association.poll_transmit(now, &mut packet).expect("it begins");
        self.socket.send(&packet).expect("loopback takes it");
        std::thread::sleep(Duration::from_millis(2));
        let now = self.now();
        let next = message(9, 3000);
        self.association
            .send(now, StreamId(3), Ppid(53), next.clone().into(), SendOptions::default())
            .expect("there is room");
        self.until("what comes after it comes back", |meeting| {
            let got = meeting.association.recv(StreamId(3));
            got.is_some_and(|message| message.payload == next)
        });
        assert_eq!(self.association.counters().abandoned, 1);
    }

    fn end(&mut self, ends: Ends) {
        let now = self.now();
        match ends {
            Ends::We => self.association.shutdown(now),
            Ends::They => {
                let word = bytes::Bytes::from_static(b"shutdown");
                let sent = self.association.send(now, StreamId(0), Ppid(51), word, SendOptions::default());
                assert_eq!(sent, Ok(()));
            }
        }
        self.until("it is over", |meeting| meeting.events.contains(&Event::Closed(CloseReason::Shutdown)));
        self.hear("down");
        let status: ExitStatus = self.peer.wait().expect("it was started");
        assert!(status.success(), "{status}");
    }

    fn hear(&mut self, word: &str) {
        let until = Clock::now() + PATIENCE;
        while Clock::now() < until {
            self.turn();
            if self.news.try_iter().any(|line| line == word) {
                return;
            }
        }
        panic!("usrsctp never said {word:?}");
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let until = Clock::now() + PATIENCE;
        while !done(self) {
            assert!(
                Clock::now() < until,
                "not in time: {what}: {:?} {:?}",
                self.association.stats(),
                self.association.counters()
            );
            self.turn();
        }
    }

    fn turn(&mut self) {
        let now = self.now();
        if self.association.poll_timeout().is_some_and(|at| at <= now) {
            self.association.handle_timeout(now);
        }
        let mut packet = Vec::new();
        while self.association.poll_transmit(now, &mut packet).is_some()
            || self.association.poll_probe(&mut packet).is_some()
        {
            // A port that nobody listens on any more is the peer's end.
            let _ = self.socket.send(&packet);
            packet.clear();
        }
        while let Some(event) = self.association.poll_event() {
            self.events.push(event);
        }
        let mut buffer = [0; 65_536];
        for _ in 0..64 {
            match self.socket.recv(&mut buffer) {
                Ok(len) => {
                    self.note_kinds(&buffer[..len]);
                    let now = self.now();
                    self.association.handle_packet(now, &buffer[..len]);
                    let _ = self.socket.set_nonblocking(true);
                }
                Err(error) => {
                    assert!(
                        matches!(
                            error.kind(),
                            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused
                        ),
                        "{error}"
                    );
                    break;
                }
            }
        }
        let _ = self.socket.set_nonblocking(false);
    }

    fn note_kinds(&mut self, packet: &[u8]) {
        let mut rest = packet.get(12..).unwrap_or_default();
        while let [kind, _, high, low, ..] = *rest {
            *self.kinds.entry(kind).or_default() += 1;
            let len = usize::from(u16::from_be_bytes([high, low])).max(4).next_multiple_of(4);
            rest = rest.get(len..).unwrap_or_default();
        }
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        let _ = self.peer.kill();
        let _ = self.peer.wait();
    }
}

fn association(seed: u64, interleaving: bool) -> Association {
    let config = Config { interleaving, ..Config::default() };
    Association::new(config, &mut ChaCha20Rng::seed_from_u64(seed))
}

fn message(salt: u32, size: usize) -> Vec<u8> {
    (0..size as u32).map(|at| (at.wrapping_mul(31) ^ salt) as u8).collect()
}

/// How long anything may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(20);
