//! Fuzzing of payload formats and of what puts frames together.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use pavane_base::{Instant, Reader, WriteExt};

use crate::frame::{Config, Frame, FrameBuffer, Playout};
use crate::payload::{
    Depacketizer, H264Mode, Packetizer, PayloadFormat, Vp8Descriptor, Vp9Descriptor, opus_duration,
};
use crate::receive::Place;
use crate::{
    ExtensionValues, Header, HeaderBuilder, Packet, PayloadType, RtpTimestamp, SequenceNumber, Ssrc,
};

const H264: PayloadFormat = PayloadFormat::H264(H264Mode::NonInterleaved);

/// Reads payloads of Opus and VP8, each behind its length in a byte.
pub fn rtp_payload_vp8(data: &[u8]) {
    // Whatever they are, nothing breaks.
    let _ = opus_duration(data);
    let _ = Vp8Descriptor::parse(data);
    take_apart(PayloadFormat::Vp8, data);
}

/// Reads payloads of VP9, each behind its length in a byte.
pub fn rtp_payload_vp9(data: &[u8]) {
    if let Ok((descriptor, media)) = Vp9Descriptor::parse(data) {
        assert!(!media.is_empty());
        if let Some(structure) = descriptor.structure {
            let layers = structure.spatial_layers();
            assert!(layers.sizes().count() <= layers.count().into());
            assert!(structure.pictures().all(|picture| picture.references().len() <= 3));
        }
    }
    take_apart(PayloadFormat::Vp9, data);
}

/// Reads payloads of H.264, each behind its length in a byte.
pub fn rtp_payload_h264(data: &[u8]) {
    take_apart(H264, data);
}

/// Reads payloads of H.265, each behind its length in a byte.
pub fn rtp_payload_h265(data: &[u8]) {
    take_apart(PayloadFormat::H265, data);
}

/// Reads payloads of AV1, each behind its length in a byte.
pub fn rtp_payload_av1(data: &[u8]) {
    take_apart(PayloadFormat::Av1, data);
}

/// Puts payloads together to frames; each payload is one that the description takes too, and adds what that said.
fn take_apart(format: PayloadFormat, data: &[u8]) {
    let mut payloads = Reader::new(data);
    let mut depacketizer = Depacketizer::new(format);
    let (mut frame, mut most) = (Vec::new(), 0);
    while let Ok(payload) = payloads.prefixed_u8() {
        let described = format.describe(payload);
        let pushed = depacketizer.push(payload, &mut frame);
        match (described, pushed) {
            (Ok(descriptor), Ok(())) => {
                most += descriptor.media_len;
                assert!(frame.len() <= most, "a frame is not longer than it was said to be");
            }
            (Err(_), Ok(())) => panic!("what cannot be described cannot be taken"),
            (_, Err(_)) => {
                depacketizer = Depacketizer::new(format);
                frame.clear();
                most = 0;
            }
        }
    }
    if depacketizer.finish().is_ok() && !frame.is_empty() {
        // What comes out of packets goes into packets again, and comes out the same.
        again(format, frame, 64);
    }
}

/// Puts a frame into packets: the first byte chooses the format, the second how large they are.
pub fn rtp_packetizer(data: &[u8]) {
    let [format, max_len, frame @ ..] = data else { return };
    let format = match format % 7 {
        0 => PayloadFormat::Opus,
        1 => PayloadFormat::G711,
        2 => PayloadFormat::Vp8,
        3 => PayloadFormat::Vp9,
        4 => H264,
        5 => PayloadFormat::H265,
        _ => PayloadFormat::Av1,
    };
    let max_len = usize::from(*max_len).max(Packetizer::MIN_MAX_LEN);
    if let Some(out) = over(format, Bytes::copy_from_slice(frame), max_len) {
        let is_verbatim =
            !matches!(format, PayloadFormat::H264(_) | PayloadFormat::H265 | PayloadFormat::Av1);
        assert!(!is_verbatim || out == frame);
        again(format, out, max_len);
    }
}

/// A frame that came out of packets comes out of others as it is. One of H.264 or H.265 may lose zeros behind its units.
fn again(format: PayloadFormat, frame: Vec<u8>, max_len: usize) {
    if let Some(out) = over(format, frame.into(), max_len) {
        let last = over(format, out.clone().into(), max_len);
        assert!(last.as_ref() == Some(&out));
    }
}

/// The frame that comes out of a frame's packets.
fn over(format: PayloadFormat, frame: Bytes, max_len: usize) -> Option<Vec<u8>> {
    let parts = Packetizer::new(format, max_len).packetize(frame).ok()?;
    let mut depacketizer = Depacketizer::new(format);
    let mut out = Vec::new();
    for part in parts {
        let payload = part.payload.to_bytes();
        assert!(!payload.is_empty() && payload.len() <= max_len);
        if format != PayloadFormat::Opus {
            format.describe(&payload).expect("what was written is a payload");
        }
        depacketizer.push(&payload, &mut out).ok()?;
    }
    depacketizer.finish().expect("the frame is whole");
    Some(out)
}

/// How many packets a frame has.
const FRAME: u64 = 4;

fn payload_type() -> PayloadType {
    PayloadType::from_low_bits(96)
}

/// A packet of a stream whose packets are known by their numbers: every fifth frame is a key frame, every seventh only fills
/// the network.
fn packet(sequence: u64) -> (Place, Vec<u8>) {
    let (frame, index) = (sequence / FRAME, sequence % FRAME);
    let place = Place { sequence, timestamp: frame * 3000, clock_rate: 90_000 };
    let header = Header {
        marker: index == FRAME - 1,
        payload_type: payload_type(),
        sequence_number: SequenceNumber(sequence as u16),
        timestamp: RtpTimestamp(place.timestamp as u32),
        ssrc: Ssrc(1),
    };
    let mut out = Vec::new();
    HeaderBuilder::new(&mut out, &header).finish();
    if frame % 7 != 6 {
        out.put_u8(u8::from(index == 0) << 4);
        out.put(&media(sequence));
    }
    (place, out)
}

fn media(sequence: u64) -> [u8; 9] {
    let mut bytes = [u8::from(!(sequence / FRAME).is_multiple_of(5)); 9];
    bytes[1..].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

/// Operates a buffer of frames: each command is a byte, and two bytes that it takes.
pub fn rtp_frames(data: &[u8]) {
    let mut commands = Reader::new(data);
    let Ok(kind) = commands.u8() else { return };
    let formats = vec![(payload_type(), PayloadFormat::Vp8)];
    let playout = if kind & 1 == 0 { Playout::Immediate } else { Playout::Smooth };
    let mut buffer =
        FrameBuffer::new(Config { playout, retransmission: kind & 2 == 0, ..Config::video(formats) });
    let mut now = Instant::ZERO;
    let (mut sequence, mut before) = (1_u64 << 16, None);
    while let (Ok(command), Ok(argument)) = (commands.u8(), commands.u16()) {
        let distance = u64::from(argument);
        match command % 8 {
            0..=2 => {
                for _ in 0..=distance % 16 {
                    sequence += 1;
                    give(&mut buffer, now, sequence);
                }
            }
            3 => sequence += distance % 8,
            4 => give(&mut buffer, now, sequence.saturating_sub(distance % 300)),
            5 => sequence += distance % 6000,
            6 => now += Duration::from_millis(distance % 2000),
            _ => buffer.set_round_trip_time(Duration::from_millis(distance)),
        }
        buffer.handle_timeout(now);
        if command & 8 == 0 {
            while let Some(frame) = buffer.poll_frame(now) {
                check(&frame, before, now);
                before = Some(*frame.sequence.end());
            }
            assert!(buffer.poll_timeout().is_none_or(|at| at > now), "what was due is done");
        }
    }
    let statistics = buffer.statistics();
    assert!(statistics.keyframes <= statistics.frames && statistics.packets_malformed == 0);
}

fn give(buffer: &mut FrameBuffer, now: Instant, sequence: u64) {
    let (place, bytes) = packet(sequence);
    let packet = Packet::parse(&bytes).expect("it was written here");
    buffer.handle_packet(now, place, &packet, &ExtensionValues::default());
}

fn check(frame: &Frame, before: Option<u64>, now: Instant) {
    let number = frame.timestamp / 3000;
    let all: Vec<_> = (number * FRAME..(number + 1) * FRAME).flat_map(media).collect();
    assert!(frame.data == all, "a frame is whole");
    assert!(before.is_none_or(|before| before < *frame.sequence.start()), "frames are in order");
    assert_eq!(frame.keyframe, number.is_multiple_of(5));
    assert!(frame.first_received_at <= frame.received_at && frame.received_at <= now);
    let gap = before.map_or(0, |before| frame.sequence.start() - before - 1);
    assert!(frame.keyframe || before.is_some(), "a stream begins with a key frame");
    // Between a frame and the one that follows from it lie packets that fill the network.
    assert!(frame.keyframe || frame.lost_packets == 0 && gap <= FRAME, "nothing follows from what was lost");
}
