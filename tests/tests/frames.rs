//! Whole frames: what is written to a sender comes out of a receiver that wants frames, whole and in order, or not at all.

use std::time::Duration;

use pavane::rtp::frame::Frame;
use pavane::rtp::payload::PacketizeError;
use pavane::rtp::send::OutgoingFrame;
use pavane::rtp::{PayloadType, RtpTimestamp};
use pavane::{
    Event, FrameOptions, Instant, MediaKind, ReceiverId, SenderId, StatsObject, TrackInit, WriteError,
};
use pavane_tests::{End, Link, Pair};

use End::{Alice, Bob};

const RTT: Duration = Duration::from_millis(60);

/// Alice sends frames to Bob.
struct Call {
    pair: Pair,
    kind: MediaKind,
    sender: SenderId,
    receiver: ReceiverId,
    /// What was written, by its number.
    written: Vec<Vec<u8>>,
    /// What came.
    came: Vec<Frame>,
    /// And when.
    handed_over: Vec<Instant>,
    /// How often Alice was asked for a key frame.
    wishes: usize,
}

impl Call {
    fn new(seed: u64, link: Link, kind: MediaKind) -> Self {
        let mut pair = Pair::new(seed, link);
        pair.add_addresses();
        let sender = pair.connection(Alice).add_track(TrackInit::new(kind)).unwrap();
        pair.exchange(Alice);
        let connected = |pair: &mut Pair, end| {
            pair.connection(end).connection_state() == pavane::ConnectionState::Connected
        };
        assert!(pair.run(Duration::from_secs(60), |pair| connected(pair, Alice) && connected(pair, Bob)));
        let receiver = pair.connection(Bob).transceivers().next().unwrap().receiver();
        pair.connection(Bob).receiver(receiver).unwrap().receive_frames(FrameOptions::default());
        Self {
            pair,
            kind,
            sender,
            receiver,
            written: Vec::new(),
            came: Vec::new(),
            handed_over: Vec::new(),
            wishes: 0,
        }
    }

    fn payload_type(&mut self) -> PayloadType {
        let codecs = self.pair.connection(Alice).sender(self.sender).unwrap().codecs().to_vec();
        PayloadType::new(codecs[0].payload_type).unwrap()
    }

    /// Writes a frame of this length; of video, a key frame or one that needs those before.
    fn write(&mut self, len: usize, key: bool) -> Result<(), WriteError> {
        let number = self.written.len() as u32;
        let mut data: Vec<u8> = number.to_be_bytes().into_iter().cycle().skip(3).take(len).collect();
        if let Some(first) = data.first_mut() {
            // VP8's first bit says whether it is a delta frame (RFC 6386 §9.1), Opus's first byte that the packet is one frame
            // (RFC 6716 §3.1).
            *first = if self.kind == MediaKind::Audio { 0x78 } else { 0x50 | u8::from(!key) };
        }
        let ticks = if self.kind == MediaKind::Video { 3600 } else { 960 };
        let payload_type = self.payload_type();
        let frame = OutgoingFrame::new(payload_type, RtpTimestamp(number.wrapping_mul(ticks)), data.clone());
        let now = self.pair.now;
        self.pair.connection(Alice).sender(self.sender).unwrap().write_frame(now, frame)?;
        self.written.push(data);
        Ok(())
    }

    /// Lets time pass, reading as events tell; a key frame is sent as soon as one is wanted.
    fn pass(&mut self, time: Duration) {
        let end = self.pair.now + time;
        while self.pair.now < end {
            self.pair.idle(Duration::from_millis(1).min(end - self.pair.now));
            let now = self.pair.now;
            let readable = Event::FrameReadable(self.receiver);
            let told = drain(&mut self.pair, Bob).into_iter().filter(|event| *event == readable).count();
            if told > 0 {
                let mut receiver = self.pair.connection(Bob).receiver(self.receiver).unwrap();
                while let Some(frame) = receiver.recv_frame(now) {
                    self.came.push(frame);
                    self.handed_over.push(now);
                }
            }
            let wanted = Event::KeyframeWanted(self.sender);
            if drain(&mut self.pair, Alice).contains(&wanted) {
                self.wishes += 1;
                self.write(4000, true).unwrap();
            }
        }
    }

    fn numbers(&self) -> Vec<usize> {
        self.came.iter().map(|frame| self.number(frame)).collect()
    }

    /// Which of those that were written a frame is; it must be one, byte for byte.
    fn number(&self, frame: &Frame) -> usize {
        let found = self.written.iter().position(|data| *data == frame.data);
        found.unwrap_or_else(|| panic!("{} bytes were never written so", frame.data.len()))
    }
}

fn drain(pair: &mut Pair, end: End) -> Vec<Event> {
    pair.peer(end).events.drain(..).map(|(_, event)| event).collect()
}

#[test]
fn frames_come_whole_and_in_order() {
    let mut call = Call::new(1, Link::with_delay(RTT / 2), MediaKind::Video);
    for number in 0..200 {
        call.write(if number % 50 == 0 { 9000 } else { 1500 + number }, number % 50 == 0).unwrap();
        call.pass(Duration::from_millis(40));
    }
    call.pass(RTT);
    assert_eq!(call.numbers(), (0..200).collect::<Vec<_>>());
    assert!(call.came.iter().all(|frame| frame.lost_packets == 0));
    let keys: Vec<_> =
        call.came.iter().enumerate().filter(|(_, frame)| frame.keyframe).map(|(n, _)| n).collect();
    assert_eq!(keys, [0, 50, 100, 150]);
    assert!(call.pair.peer(Bob).media.is_empty(), "packets are not handed over beside them");
    assert_eq!(call.wishes, 0);
}

#[test]
fn what_is_lost_is_waited_for_and_nothing_comes_broken() {
    for seed in 0..20 {
        let link = Link::with_delay(RTT / 2).loss(0.05).jitter(Duration::from_millis(10));
        let mut call = Call::new(seed, link, MediaKind::Video);
        for number in 0..300 {
            call.write(3000 + number, number == 0).unwrap();
            call.pass(Duration::from_millis(33));
        }
        call.pass(Duration::from_secs(2));
        let numbers = call.numbers();
        assert!(numbers.is_sorted(), "seed {seed}: {numbers:?}");
        let lost = call.written.len() - numbers.len();
        assert!(lost <= 2 * call.wishes + 1, "seed {seed}: {lost} lost with {} wishes", call.wishes);
        // Whatever follows a frame that did not come can be decoded without it.
        for (index, pair) in numbers.windows(2).enumerate() {
            assert!(pair[1] == pair[0] + 1 || call.came[index + 1].keyframe, "seed {seed}: {pair:?}");
        }
    }
}

#[test]
fn after_a_loss_for_good_a_key_frame_is_asked_for() {
    let mut call = Call::new(3, Link::with_delay(RTT / 2), MediaKind::Video);
    for number in 0..50 {
        call.write(3000, number == 0).unwrap();
        call.pass(Duration::from_millis(33));
    }
    // All is lost for longer than anything is kept to be sent again.
    call.pair.net.set_link(Link::with_delay(RTT / 2).loss(1.0));
    for _ in 0..90 {
        call.write(3000, false).unwrap();
        call.pass(Duration::from_millis(33));
    }
    call.pair.net.set_link(Link::with_delay(RTT / 2));
    let before = call.came.len();
    for _ in 0..90 {
        call.write(3000, false).unwrap();
        call.pass(Duration::from_millis(33));
    }
    call.pass(Duration::from_secs(1));
    assert!((1..=3).contains(&call.wishes), "{}", call.wishes);
    let first = &call.came[before];
    assert!(first.keyframe && first.lost_packets > 50, "{}", first.lost_packets);
    assert!(call.came.len() - before > 50, "{} frames came", call.came.len() - before);
    assert_eq!(call.number(call.came.last().unwrap()), call.written.len() - 1);
}

#[test]
fn sound_is_handed_over_evenly() {
    let link = Link::with_delay(RTT / 2).jitter(Duration::from_millis(30));
    let mut call = Call::new(4, link, MediaKind::Audio);
    for _ in 0..500 {
        call.write(120, true).unwrap();
        call.pass(Duration::from_millis(20));
    }
    call.pass(Duration::from_secs(1));
    let numbers = call.numbers();
    assert!(numbers.len() >= 495, "{} came", numbers.len());
    // Once the jitter is known they are handed over as they were captured, to the millisecond in which they are looked for.
    let late = &call.handed_over[100..];
    let expected = |n: usize| late[0] + Duration::from_millis(20) * (numbers[n + 100] - numbers[100]) as u32;
    let uneven =
        late.iter().enumerate().filter(|(n, at)| at.as_nanos().abs_diff(expected(*n).as_nanos()) > 9_000_000);
    assert!(uneven.clone().count() < 20, "{:?}", uneven.collect::<Vec<_>>());
}

#[test]
fn a_frame_that_cannot_be_sent_is_refused_whole() {
    let mut call = Call::new(5, Link::with_delay(RTT / 2), MediaKind::Video);
    assert_eq!(call.write(0, true), Err(WriteError::Packetize(PacketizeError::Malformed)));
    assert_eq!(call.write(4_000_000, true), Err(WriteError::Full));
    call.write(100, true).unwrap();
    call.pass(RTT);
    assert_eq!(call.numbers(), [0]);
    let unknown = OutgoingFrame::new(PayloadType::new(77).unwrap(), RtpTimestamp(0), vec![1]);
    let now = call.pair.now;
    let mut sender = call.pair.connection(Alice).sender(call.sender).unwrap();
    assert_eq!(sender.write_frame(now, unknown), Err(WriteError::UnknownPayloadType));
}

#[test]
fn frames_are_counted() {
    let mut call = Call::new(6, Link::with_delay(RTT / 2), MediaKind::Video);
    for number in 0..30 {
        call.write(3000, number == 0).unwrap();
        call.pass(Duration::from_millis(33));
    }
    call.pass(RTT);
    let now = call.pair.now;
    let report = call.pair.connection(Bob).stats_report(now);
    let frames = report.iter().find_map(|entry| match &entry.object {
        StatsObject::InboundRtp(stream) => Some((stream.frames_received, stream.frames_dropped)),
        _ => None,
    });
    assert_eq!(frames, Some((Some(30), Some(0))));
}

#[test]
fn packets_come_again_when_frames_are_no_longer_wanted() {
    let mut call = Call::new(7, Link::with_delay(RTT / 2), MediaKind::Video);
    call.write(3000, true).unwrap();
    call.pass(RTT);
    assert_eq!(call.came.len(), 1);
    call.pair.connection(Bob).receiver(call.receiver).unwrap().receive_packets();
    call.write(3000, false).unwrap();
    call.pass(RTT);
    assert_eq!((call.came.len(), call.pair.peer(Bob).media.len()), (1, 3));
}
