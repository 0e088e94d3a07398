use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;

use bytes::Bytes;
use pavane_base::rand_core::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::receive::{Format, KeyframeMethod, Rejected, Via};
use crate::rtcp::{self, Packets, is_rtcp};
use crate::send::{MediaExtensions, Retransmission, SentKind};
use crate::{ExtensionId, ExtensionKind, Packet, PayloadType, RtpTimestamp};

const EPOCH: Epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) };
const MAX_LEN: usize = 1200;

fn pt(number: u8) -> PayloadType {
    PayloadType::new(number).unwrap()
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn config(name: &str) -> SessionConfig {
    SessionConfig {
        cname: name.into(),
        epoch: EPOCH,
        reduced_size: true,
        reference_time: false,
        timing: ReportTiming::default(),
    }
}

fn map() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for (kind, id) in ExtensionKind::ALL.into_iter().zip(1..) {
        map.insert(ExtensionId::new(id).unwrap(), kind).unwrap();
    }
    map
}

fn section(mid: &str) -> SectionConfig {
    SectionConfig {
        mid: Some(mid.into()),
        formats: vec![Format {
            payload_type: pt(96),
            clock_rate: 90_000,
            retransmission: Some(pt(97)),
            payload: None,
        }],
        nack: true,
        keyframes: KeyframeMethod::Pli,
        ..SectionConfig::default()
    }
}

fn session(name: &str) -> Session {
    let mut session = Session::new(config(name), at(0), &mut rng(1));
    session.set_extensions(map());
    session.set_section(SectionId(0), section("0"));
    session
}

fn sender(ssrc: u32, rtx: bool, first: u16) -> send::Config {
    let types = vec![(pt(96), pt(97))];
    let number = SequenceNumber(first ^ 0x55);
    let repair = Retransmission { ssrc: Ssrc(ssrc + 1), types, first_sequence_number: number };
    send::Config {
        nack: true,
        retransmission: rtx.then_some(repair),
        mid: Some("0".into()),
        first_sequence_number: SequenceNumber(first),
        ..send::Config::new(Ssrc(ssrc), 90_000, &mut rng(9))
    }
}

fn frame(number: u32) -> Outgoing {
    Outgoing {
        payload_type: pt(96),
        marker: false,
        timestamp: RtpTimestamp(number * 900),
        payload: number.to_be_bytes().repeat(20).into(),
        extensions: MediaExtensions::default(),
        captured_at: None,
    }
}

/// What the way between two sessions does to datagrams.
#[derive(Clone, Copy, Debug)]
struct Path {
    loss: u32,
    duplicates: u32,
    delay_ms: u64,
    disorder_ms: u64,
}

/// Two sessions, the first of which sends, and the way between them.
struct Pair {
    ends: [Session; 2],
    path: Path,
    rng: ChaCha8Rng,
    now: Instant,
    /// Datagrams on their way, by arrival and order: which end they go to.
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
    /// Each frame that arrived, by its extended number.
    arrived: BTreeMap<u64, u32>,
    events: Vec<(usize, Event)>,
}

impl Pair {
    fn new(seed: u64, path: Path) -> Self {
        Self {
            ends: [session("a"), session("b")],
            path,
            rng: rng(seed),
            now: at(0),
            flying: BTreeMap::new(),
            sent: 0,
            arrived: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.rng.next_u32() % 100 < percent
    }

    fn fly(&mut self, to: usize, bytes: Vec<u8>) {
        let copies = 1 + usize::from(self.percent(self.path.duplicates));
        for _ in 0..copies {
            if self.percent(self.path.loss) {
                continue;
            }
            let extra = self.rng.next_u64() % (self.path.disorder_ms * 1_000_000 + 1);
            let arrival = self.now + Duration::from_millis(self.path.delay_ms) + Duration::from_nanos(extra);
            self.sent += 1;
            self.flying.insert((arrival, self.sent), (to, bytes.clone()));
        }
    }

    fn flush(&mut self) {
        for end in 0..2 {
            let mut out = Vec::new();
            while self.ends[end].poll_rtcp(self.now, MAX_LEN, &mut out, &mut self.rng).is_some() {
                assert!(out.len() <= MAX_LEN && is_rtcp(&out));
                self.fly(1 - end, core::mem::take(&mut out));
            }
            while self.ends[end].poll_rtp(self.now, None, &mut out).is_some() {
                assert!(!is_rtcp(&out));
                self.fly(1 - end, core::mem::take(&mut out));
            }
            while let Some(event) = self.ends[end].poll_event() {
                self.events.push((end, event));
            }
        }
    }

    fn receive(&mut self, end: usize, mut bytes: Vec<u8>) {
        if is_rtcp(&bytes) {
            return self.ends[end].handle_rtcp(self.now, &bytes);
        }
        match self.ends[end].handle_rtp(self.now, &mut bytes) {
            Ok(received) => {
                let payload = received.packet.payload();
                let number = u32::from_be_bytes(*payload.first_chunk().unwrap());
                assert!(payload.chunks(4).all(|chunk| chunk == number.to_be_bytes()));
                assert_eq!(self.arrived.insert(received.place.sequence, number), None, "it comes once");
            }
            Err(Dropped::Rejected(Rejected::Duplicate | Rejected::TooOld)) => {}
            Err(dropped) => panic!("{dropped:?}"),
        }
    }

    fn run_until(&mut self, end: Instant) {
        loop {
            self.flush();
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let timeouts = earliest(self.ends[0].poll_timeout(), self.ends[1].poll_timeout());
            let next = earliest(arrival, timeouts).filter(|at| *at <= end);
            let Some(next) = next else { break };
            assert!(next >= self.now, "no deadline stays behind: {next:?} {:?}", self.now);
            self.now = next;
            while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, bytes) = entry.remove();
                self.receive(to, bytes);
            }
            self.ends.iter_mut().for_each(|session| session.handle_timeout(next));
        }
        self.now = end;
    }

    /// Sends `count` packets, one each `spacing`, and waits for what is missing.
    fn send_all(&mut self, key: SenderKey, count: u32, spacing: Duration) {
        for number in 0..count {
            self.ends[0].send(self.now, key, frame(number)).unwrap();
            self.run_until(self.now + spacing);
        }
        self.run_until(self.now + Duration::from_secs(4));
    }
}

#[test]
fn what_is_lost_is_made_good_over_seeds() {
    for seed in 0..40 {
        let path = Path {
            loss: (seed % 4) as u32 * 6,
            duplicates: (seed % 3) as u32 * 5,
            delay_ms: 5 + seed % 7 * 15,
            disorder_ms: seed % 5 * 8,
        };
        let rtx = seed % 2 == 0;
        let mut pair = Pair::new(seed, path);
        let key = pair.ends[0].add_sender(sender(0x100, rtx, 0xfff0 - (seed as u16 % 20))).unwrap();
        pair.send_all(key, 400, Duration::from_millis(5));
        let numbers: BTreeSet<_> = pair.arrived.values().copied().collect();
        // The first packets may be lost before the receiver knows of the stream, and nothing follows the last ones.
        let (first, last) = (*numbers.first().unwrap(), *numbers.last().unwrap());
        assert!(first < 15 && last > 385, "{seed}: {first} {last}");
        assert!(
            numbers.iter().copied().eq(first..=last),
            "{seed} {path:?}: {} of {}",
            numbers.len(),
            last - first
        );
        let places: Vec<_> = pair.arrived.iter().map(|(place, number)| place - u64::from(*number)).collect();
        assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "numbers do not wrap");
        check_statistics(&pair, key, rtx && path.loss > 0);
    }
}

fn check_statistics(pair: &Pair, key: SenderKey, retransmits: bool) {
    let sent = pair.ends[0].sender(key).unwrap().statistics();
    let (_, _, stream) = pair.ends[1].receivers().next().unwrap();
    let received = stream.statistics();
    assert_eq!(received.packets_received, pair.arrived.len() as u64);
    assert_eq!(received.given_up, 0);
    assert_eq!(sent.packets_sent, 400);
    assert!(sent.round_trip_measurements > 0 && received.reports_received > 0);
    let least = Duration::from_millis(2 * pair.path.delay_ms);
    let most = least + Duration::from_millis(2 * pair.path.disorder_ms + 1);
    let round_trip = sent.round_trip_time.unwrap();
    assert!(round_trip + Duration::from_millis(1) >= least && round_trip <= most, "{round_trip:?}");
    if retransmits {
        assert!(received.retransmitted_packets_received > 0 && sent.nacks_received > 0);
        assert!(stream.packets_lost() > 0);
    }
}

#[test]
fn a_session_can_go_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Session>();
}

#[test]
fn a_retransmission_stream_is_reported_on_beside_its_original() {
    let path = Path { loss: 10, duplicates: 0, delay_ms: 10, disorder_ms: 0 };
    let mut pair = Pair::new(5, path);
    let key = pair.ends[0].add_sender(sender(0x100, true, 7)).unwrap();
    pair.send_all(key, 300, Duration::from_millis(10));
    let (_, _, stream) = pair.ends[1].receivers().next().unwrap();
    assert!(stream.clone().repair_report_block().is_some());
}

#[test]
fn the_same_seed_brings_the_same_bytes() {
    let run = |seed| {
        let path = Path { loss: 10, duplicates: 5, delay_ms: 20, disorder_ms: 10 };
        let mut pair = Pair::new(seed, path);
        let key = pair.ends[0].add_sender(sender(0x100, true, 7)).unwrap();
        pair.send_all(key, 100, Duration::from_millis(5));
        (pair.sent, pair.now, pair.arrived, *pair.ends[0].sender(key).unwrap().statistics())
    };
    assert_eq!(run(3), run(3));
}

#[test]
fn a_stream_is_announced_asked_for_a_key_frame_and_ended() {
    let path = Path { loss: 0, duplicates: 0, delay_ms: 10, disorder_ms: 0 };
    let mut pair = Pair::new(1, path);
    let key = pair.ends[0].add_sender(sender(0x100, true, 7)).unwrap();
    pair.send_all(key, 3, Duration::from_millis(5));
    let Some((1, Event::StreamAdded { stream, section, ssrc, rid })) = pair.events.pop() else { panic!() };
    assert_eq!((section, ssrc, rid), (SectionId(0), Ssrc(0x100), None));
    pair.ends[1].request_keyframe(pair.now, stream);
    pair.run_until(pair.now + Duration::from_secs(1));
    let wishes =
        pair.events.drain(..).filter(|event| *event == (0, Event::KeyframeWanted { stream: key })).count();
    assert!((3..=5).contains(&wishes), "{wishes}");
    pair.ends[1].keyframe_received(stream);
    pair.run_until(pair.now + Duration::from_secs(1));
    assert!(pair.events.len() <= 1);
    pair.events.clear();
    pair.ends[0].remove_sender(key);
    pair.run_until(pair.now + Duration::from_millis(100));
    assert_eq!(pair.events, [(1, Event::StreamEnded { stream })]);
    assert!(pair.ends[1].receiver(stream).unwrap().has_ended());
    pair.ends[1].remove_section(SectionId(0));
    assert!(pair.ends[1].receiver(stream).is_none());
}

/// RFC 3550 §6.1: a report first, and our name in each.
#[test]
fn compounds_begin_with_a_report_and_carry_the_name() {
    let mut session = session("name");
    session.set_rtcp(false, true);
    let mut rng = rng(3);
    for ssrc in 0..40 {
        let mut bytes = Vec::new();
        write_media(&mut bytes, 1000 + ssrc, 5);
        session.handle_rtp(at(0), &mut bytes).unwrap();
        let mut bytes = Vec::new();
        write_media(&mut bytes, 1000 + ssrc, 7);
        session.handle_rtp(at(0), &mut bytes).unwrap();
    }
    let mut reported = BTreeSet::new();
    for ms in (0..6000).step_by(20) {
        session.handle_timeout(at(ms));
        let mut out = Vec::new();
        while session.poll_rtcp(at(ms), MAX_LEN, &mut out, &mut rng).is_some() {
            let out = core::mem::take(&mut out);
            assert!(out.len() <= MAX_LEN, "{}", out.len());
            let packets: Vec<_> = Packets::parse(&out).unwrap().collect();
            assert!(matches!(packets[0], rtcp::Packet::ReceiverReport(_)), "{packets:?}");
            let named = |packet: &rtcp::Packet<'_>| match packet {
                rtcp::Packet::Description(found) => found.cname(session.reporting_ssrc()) == Some(b"name"),
                _ => false,
            };
            assert!(packets.iter().any(named));
            let mut here = Vec::new();
            for packet in packets {
                if let rtcp::Packet::ReceiverReport(report) = packet {
                    here.extend(report.blocks().map(|block| block.ssrc));
                }
            }
            let different: BTreeSet<_> = here.iter().copied().collect();
            assert_eq!(different.len(), here.len(), "nobody is reported on twice");
            reported.extend(different);
        }
    }
    assert_eq!(reported.len(), 40, "all get their turn");
}

#[test]
fn a_report_speaks_of_each_stream_once() {
    let mut session = session("name");
    for ssrc in 0..3 {
        let mut bytes = Vec::new();
        write_media(&mut bytes, ssrc, 5);
        session.handle_rtp(at(0), &mut bytes).unwrap();
    }
    session.handle_timeout(at(2000));
    let mut out = Vec::new();
    session.poll_rtcp(at(2000), MAX_LEN, &mut out, &mut rng(1)).unwrap();
    let Some(rtcp::Packet::ReceiverReport(report)) = Packets::parse(&out).unwrap().next() else { panic!() };
    assert!(report.blocks().map(|block| block.ssrc.0).eq(0..3));
}

fn write_media(out: &mut Vec<u8>, ssrc: u32, number: u16) {
    let header = crate::Header {
        marker: false,
        payload_type: pt(96),
        sequence_number: SequenceNumber(number),
        timestamp: RtpTimestamp(0),
        ssrc: Ssrc(ssrc),
    };
    crate::HeaderBuilder::new(out, &header).finish();
    out.extend_from_slice(&[0; 10]);
}

#[test]
fn many_senders_take_turns_in_small_datagrams() {
    let mut session = session("a-rather-long-name-that-takes-room");
    let mut rng = rng(3);
    for ssrc in 0..20 {
        let key = session.add_sender(sender(1000 + 2 * ssrc, true, 5)).unwrap();
        session.send(at(0), key, frame(0)).unwrap();
        let mut bytes = Vec::new();
        write_media(&mut bytes, 5000 + ssrc, 5);
        session.handle_rtp(at(0), &mut bytes).unwrap();
    }
    assert_eq!(session.add_sender(sender(1001, true, 5)), Err(SsrcTaken(Ssrc(1001))));
    let mut out = Vec::new();
    let mut order = Vec::new();
    while let Some((key, sent)) = session.poll_rtp(at(0), None, &mut out) {
        assert_eq!(sent.kind, SentKind::Media);
        order.push(key);
    }
    assert_eq!((order.len(), BTreeSet::from_iter(order).len()), (20, 20));
    let (mut senders, mut receivers) = (BTreeSet::new(), BTreeSet::new());
    for ms in (0..12_000).step_by(50) {
        session.handle_timeout(at(ms));
        let mut out = Vec::new();
        while session.poll_rtcp(at(ms), 500, &mut out, &mut rng).is_some() {
            let out = core::mem::take(&mut out);
            assert!(out.len() <= 500, "{}", out.len());
            for packet in Packets::parse(&out).unwrap() {
                if let rtcp::Packet::SenderReport(report) = packet {
                    senders.insert(report.info().ssrc);
                    receivers.extend(report.blocks().map(|block| block.ssrc));
                }
            }
        }
    }
    assert_eq!((senders.len(), receivers.len()), (20, 20));
}

#[test]
fn an_end_that_only_receives_learns_the_round_trip() {
    let path = Path { loss: 0, duplicates: 0, delay_ms: 30, disorder_ms: 0 };
    let mut pair = Pair::new(1, path);
    pair.ends[1].set_rtcp(true, true);
    let key = pair.ends[0].add_sender(sender(0x100, true, 7)).unwrap();
    pair.send_all(key, 300, Duration::from_millis(10));
    let round_trip = pair.ends[1].round_trip.unwrap();
    assert!(round_trip.abs_diff(Duration::from_millis(60)) < Duration::from_millis(1), "{round_trip:?}");
}

/// RFC 3550 §8.2
#[test]
fn a_collision_is_told_once() {
    let mut session = session("a");
    let key = session.add_sender(sender(7, false, 5)).unwrap();
    for number in 0..3 {
        let mut bytes = Vec::new();
        write_media(&mut bytes, 7, number);
        assert_eq!(session.handle_rtp(at(0), &mut bytes).unwrap_err(), Dropped::Collision);
    }
    assert_eq!(session.poll_event(), Some(Event::SsrcCollision { stream: key }));
    assert_eq!(session.poll_event(), None);
}

#[test]
fn silent_streams_make_room_for_new_ones() {
    let mut session = session("a");
    let give = |session: &mut Session, ms, ssrc| {
        let mut bytes = Vec::new();
        write_media(&mut bytes, ssrc, 1);
        session.handle_rtp(at(ms), &mut bytes).map(|received| received.via)
    };
    for ssrc in 0..crate::MAX_SOURCES as u32 {
        give(&mut session, u64::from(ssrc), ssrc).unwrap();
    }
    let limit = Err(Dropped::Unroutable(crate::Unroutable::Limit));
    assert_eq!(give(&mut session, 1000, 9999), limit);
    assert_eq!(give(&mut session, 30_005, 9999), Ok(Via::Original));
    assert_eq!(session.receivers().count(), crate::MAX_SOURCES);
    assert_eq!(session.counters().unroutable, 1);
}

#[test]
fn one_publisher_serves_fifty_subscribers_from_one_payload() {
    let mut sessions: Vec<_> = (0..50).map(|_| session("sfu")).collect();
    let mut keys = Vec::new();
    for session in &mut sessions {
        keys.push(session.add_sender(sender(0x100, true, 0)).unwrap());
    }
    let payload = Bytes::from(vec![1; 1000]);
    for number in 0..3000_u32 {
        let packet = Outgoing { payload: payload.clone().into(), ..frame(number) };
        for (session, key) in sessions.iter_mut().zip(&keys) {
            session
                .forward(at(u64::from(number)), *key, SequenceNumber(number as u16), packet.clone())
                .unwrap();
            let mut out = Vec::new();
            let (_, sent) = session.poll_rtp(at(u64::from(number)), None, &mut out).unwrap();
            assert_eq!(sent.sequence as u32 & 0xffff, number);
            assert_eq!(Packet::parse(&out).unwrap().payload(), &payload[..]);
        }
    }
}
