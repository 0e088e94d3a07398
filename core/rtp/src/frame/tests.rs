use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::payload::{H264Mode, PayloadFormat};
use crate::{Header, HeaderBuilder, RtpTimestamp, SequenceNumber, Ssrc};

const VIDEO: PayloadType = PayloadType::from_low_bits(96);
/// The number before the first packet's.
const START: u64 = 1 << 16;
const KEY: u8 = 0;
const DELTA: u8 = 1;

fn millis(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn video(format: PayloadFormat) -> FrameBuffer {
    let delay = Duration::ZERO..=Duration::from_millis(200);
    let config = Config { retransmission: false, delay, ..Config::video(vec![(VIDEO, format)]) };
    FrameBuffer::new(config)
}

fn vp8() -> FrameBuffer {
    video(PayloadFormat::Vp8)
}

fn sound(playout: Playout) -> FrameBuffer {
    FrameBuffer::new(Config { playout, ..Config::audio(vec![(VIDEO, PayloadFormat::G711)]) })
}

/// Gives a packet: a frame every 30 ms.
fn give(buffer: &mut FrameBuffer, now: Instant, sequence: u64, frame: u64, marker: bool, payload: &[u8]) {
    let place = Place { sequence: START + sequence, timestamp: frame * 2700, clock_rate: 90_000 };
    let header = Header {
        marker,
        payload_type: VIDEO,
        sequence_number: SequenceNumber(place.sequence as u16),
        timestamp: RtpTimestamp(place.timestamp as u32),
        ssrc: Ssrc(1),
    };
    let mut bytes = Vec::new();
    HeaderBuilder::new(&mut bytes, &header).finish();
    bytes.extend(payload);
    let packet = Packet::parse(&bytes).unwrap();
    buffer.handle_packet(now, place, &packet, &ExtensionValues::default());
}

/// Gives a frame of VP8 in two packets.
fn give_two(buffer: &mut FrameBuffer, now: Instant, sequence: u64, frame: u64, kind: u8) {
    give(buffer, now, sequence, frame, false, &[0x10, kind]);
    give(buffer, now, sequence + 1, frame, true, &[0x00, 7]);
}

/// The frames that are due, by their numbers and how many packets were lost before them.
fn take(buffer: &mut FrameBuffer, now: Instant) -> Vec<(u64, u64)> {
    let frames = core::iter::from_fn(|| buffer.poll_frame(now));
    frames.map(|frame| (frame.timestamp / 2700, frame.lost_packets)).collect()
}

#[test]
fn packets_may_overtake_each_other() {
    let mut buffer = vp8();
    give(&mut buffer, millis(0), 4, 2, true, &[0x00, 7]);
    give(&mut buffer, millis(1), 2, 1, true, &[0x00, 7]);
    give(&mut buffer, millis(2), 3, 2, false, &[0x10, DELTA]);
    assert_eq!(take(&mut buffer, millis(2)), []);
    give(&mut buffer, millis(3), 1, 1, false, &[0x10, KEY]);
    let frame = buffer.poll_frame(millis(3)).unwrap();
    assert_eq!((&frame.data[..], frame.keyframe), (&[KEY, 7][..], true));
    assert_eq!(frame.sequence, START + 1..=START + 2);
    assert_eq!((frame.first_received_at, frame.received_at), (millis(1), millis(3)));
    assert_eq!(take(&mut buffer, millis(3)), [(2, 0)]);
    assert!(!buffer.needs_keyframe() && buffer.poll_timeout().is_none());
}

#[test]
fn a_frame_ends_with_its_marker_or_where_another_begins() {
    let mut buffer = video(PayloadFormat::H264(H264Mode::NonInterleaved));
    give(&mut buffer, millis(0), 1, 1, false, &[0x67, 1]);
    give(&mut buffer, millis(0), 2, 1, false, &[0x65, 1]);
    assert_eq!(take(&mut buffer, millis(0)), []);
    give(&mut buffer, millis(30), 3, 2, false, &[0x61, 1]);
    let frame = buffer.poll_frame(millis(30)).unwrap();
    assert_eq!(frame.data, [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65, 1][..]);
    give(&mut buffer, millis(31), 4, 2, true, &[0x61, 2]);
    assert_eq!(take(&mut buffer, millis(31)), [(2, 0)]);
}

#[test]
fn what_fills_the_network_is_passed_over() {
    let mut buffer = vp8();
    give(&mut buffer, millis(0), 1, 0, false, &[]);
    give_two(&mut buffer, millis(0), 2, 1, KEY);
    give(&mut buffer, millis(1), 4, 1, false, &[]);
    give(&mut buffer, millis(1), 5, 1, false, &[]);
    give_two(&mut buffer, millis(30), 6, 2, DELTA);
    assert_eq!(take(&mut buffer, millis(30)), [(1, 0), (2, 0)]);
    assert_eq!(buffer.statistics().frames_dropped, 0);
}

#[test]
fn a_loss_is_waited_for_and_then_a_key_frame() {
    let mut buffer = vp8();
    give_two(&mut buffer, millis(0), 1, 1, KEY);
    give(&mut buffer, millis(30), 4, 2, true, &[0x00, 7]);
    give_two(&mut buffer, millis(35), 5, 3, DELTA);
    assert_eq!(take(&mut buffer, millis(35)), [(1, 0)]);
    let until = buffer.poll_timeout().unwrap();
    assert_eq!(until, millis(30) + output::REORDERING);
    buffer.handle_timeout(until - Duration::from_nanos(1));
    assert!(!buffer.needs_keyframe());
    buffer.handle_timeout(until);
    assert!(buffer.needs_keyframe() && buffer.poll_timeout().is_none());
    give_two(&mut buffer, millis(60), 7, 4, DELTA);
    // A key frame, of which the second packet comes first.
    give(&mut buffer, millis(90), 10, 5, true, &[0x00, 7]);
    assert!(buffer.needs_keyframe());
    give(&mut buffer, millis(91), 9, 5, false, &[0x10, KEY]);
    assert!(!buffer.needs_keyframe());
    assert_eq!(take(&mut buffer, millis(91)), [(5, 1)]);
    let statistics = buffer.statistics();
    assert_eq!((statistics.packets_lost, statistics.frames_dropped, statistics.frames), (1, 3, 2));
}

#[test]
fn what_comes_again_is_waited_for_some_round_trips() {
    let mut buffer = vp8();
    buffer.set_config(Config {
        delay: Duration::ZERO..=Duration::from_secs(2),
        ..Config::video(vec![(VIDEO, PayloadFormat::Vp8)])
    });
    buffer.set_round_trip_time(Duration::from_millis(50));
    give_two(&mut buffer, millis(0), 1, 1, KEY);
    give_two(&mut buffer, millis(30), 5, 3, DELTA);
    assert_eq!(take(&mut buffer, millis(30)), [(1, 0)]);
    assert_eq!(buffer.poll_timeout(), Some(millis(30 + 50 * 10) + output::REORDERING));
    give_two(&mut buffer, millis(300), 3, 2, DELTA);
    assert_eq!(take(&mut buffer, millis(300)), [(2, 0), (3, 0)]);
    buffer.set_round_trip_time(Duration::MAX);
    give_two(&mut buffer, millis(330), 9, 5, DELTA);
    assert_eq!(buffer.poll_timeout(), Some(millis(330 + 2000)));
}

#[test]
fn a_key_frame_behind_a_loss_is_taken_once_nothing_else_helps() {
    let mut buffer = vp8();
    give_two(&mut buffer, millis(0), 1, 1, KEY);
    give_two(&mut buffer, millis(30), 5, 3, DELTA);
    give_two(&mut buffer, millis(60), 9, 5, KEY);
    assert_eq!(take(&mut buffer, millis(60)), [(1, 0), (5, 4)]);
    assert!(!buffer.needs_keyframe());
}

#[test]
fn layers_that_nothing_refers_to_may_be_lost() {
    // Two temporal layers: descriptor with TL0PICIDX and TID; the upper one's frames refer to the lower one's alone.
    let frame = |layer: u8, base: u8, kind: u8| [0x90, 0x60, base, layer << 6 | layer << 5, kind];
    let mut buffer = vp8();
    give(&mut buffer, millis(0), 1, 1, true, &frame(0, 0, KEY));
    give(&mut buffer, millis(30), 2, 2, true, &frame(1, 0, DELTA));
    give(&mut buffer, millis(60), 3, 3, true, &frame(0, 1, DELTA));
    // The frame of the upper layer is lost.
    give(&mut buffer, millis(120), 5, 5, true, &frame(0, 2, DELTA));
    buffer.handle_timeout(millis(150));
    give(&mut buffer, millis(150), 6, 6, true, &frame(1, 2, DELTA));
    assert_eq!(take(&mut buffer, millis(150)), [(1, 0), (2, 0), (3, 0), (5, 1), (6, 0)]);
    assert!(!buffer.needs_keyframe());
    // One of the lower is.
    give(&mut buffer, millis(210), 8, 8, true, &frame(1, 3, DELTA));
    buffer.handle_timeout(millis(240));
    assert!(buffer.needs_keyframe());
}

#[test]
fn sound_goes_on_and_says_what_is_lost() {
    let mut buffer = sound(Playout::Immediate);
    for sequence in [1, 2, 5] {
        give(&mut buffer, millis(sequence * 30), sequence, sequence, false, b"sound");
    }
    assert_eq!(take(&mut buffer, millis(150)), [(1, 0), (2, 0)]);
    let until = buffer.poll_timeout().unwrap();
    buffer.handle_timeout(until);
    assert_eq!(take(&mut buffer, until), [(5, 2)]);
    give(&mut buffer, until, 3, 3, false, b"sound");
    assert_eq!((take(&mut buffer, until), buffer.statistics().packets_late), (vec![], 1));
    assert!(!buffer.needs_keyframe());
}

#[test]
fn frames_come_evenly_where_packets_do_not() {
    let mut buffer = sound(Playout::Smooth);
    let jitter = |number: u64| number * 7 % 5 * 10;
    let mut arrivals: Vec<_> = (0..400).map(|number| (number * 30 + jitter(number), number)).collect();
    arrivals.sort_unstable();
    let mut moments = Vec::new();
    for now in 0..400 * 30 {
        for (_, number) in arrivals.iter().filter(|(at, _)| *at == now) {
            give(&mut buffer, millis(now), *number, *number, false, b"sound");
        }
        if buffer.poll_timeout().is_some_and(|at| at <= millis(now)) {
            buffer.handle_timeout(millis(now));
        }
        moments.extend(take(&mut buffer, millis(now)).iter().map(|(number, _)| now - number * 30));
    }
    let settled = &moments[100..];
    assert!(settled.len() > 290, "{}", settled.len());
    assert!(settled.iter().all(|delay| *delay == settled[0]), "{settled:?}");
    assert!((40..=56).contains(&settled[0]), "{}", settled[0]);
    assert_eq!(buffer.statistics().packets_late, 0);
}

#[test]
fn a_stream_may_begin_anew_elsewhere() {
    let mut buffer = vp8();
    give_two(&mut buffer, millis(0), 1, 1, KEY);
    give(&mut buffer, millis(10), 3, 2, false, &[0x10, DELTA]);
    give_two(&mut buffer, millis(30), 9001, 90_000, DELTA);
    assert_eq!(take(&mut buffer, millis(30)), [(1, 0)]);
    assert!(buffer.needs_keyframe());
    give_two(&mut buffer, millis(60), 9003, 90_001, KEY);
    assert_eq!(take(&mut buffer, millis(60)), [(90_001, 0)]);
}

#[test]
fn nothing_grows_without_bound() {
    // A frame without an end.
    let mut buffer = vp8();
    give(&mut buffer, millis(0), 1, 1, false, &[0x10, KEY]);
    for sequence in 2..10_000 {
        give(&mut buffer, millis(sequence), sequence, 1, false, &[0x00; 1000]);
        assert!(buffer.window.bytes() <= MAX_BYTES + 1000);
    }
    assert!(buffer.needs_keyframe());
    give_two(&mut buffer, millis(20_000), 10_000, 2, KEY);
    assert_eq!(take(&mut buffer, millis(20_000)), [(2, 0)]);
    // Frames that nobody takes.
    let mut buffer = vp8();
    (0..1000).for_each(|number| give_two(&mut buffer, millis(number), 2 * number, number, KEY));
    assert_eq!(take(&mut buffer, millis(1000)).len(), MAX_FRAMES);
    assert!(buffer.needs_keyframe());
}
