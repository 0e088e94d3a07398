//! Frames go into packets and come out of them with one allocation a frame, however many packets.

use std::alloc::System;
use std::time::Duration;

use bytes::Bytes;
use pavane_base::Instant;
use pavane_base::rand_core::SeedableRng;
use pavane_rtp::frame::{Config, FrameBuffer};
use pavane_rtp::payload::{H264Mode, Packetizer, PayloadFormat};
use pavane_rtp::receive::{self, Format, KeyframeMethod, Via};
use pavane_rtp::send::{self, Hop, MediaExtensions, Outgoing};
use pavane_rtp::{ExtensionMap, ExtensionValues, Packet, PayloadType, RtpTimestamp, Ssrc};
use rand_chacha::ChaCha8Rng;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LEN: usize = 30_000;
const MAX_LEN: usize = 1100;

struct Way {
    payload_type: PayloadType,
    packetizer: Packetizer,
    sender: send::Stream,
    receiver: receive::Stream,
    frames: FrameBuffer,
    datagram: Vec<u8>,
    now: Instant,
    packets: usize,
}

impl Way {
    fn new(format: PayloadFormat) -> Self {
        let payload_type = PayloadType::new(96).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Self {
            payload_type,
            packetizer: Packetizer::new(format, MAX_LEN),
            sender: send::Stream::new(send::Config::new(Ssrc(1), 90_000, &mut rng)),
            receiver: receive::Stream::new(receive::Config {
                ssrc: Ssrc(1),
                formats: vec![Format {
                    payload_type,
                    clock_rate: 90_000,
                    retransmission: None,
                    payload: None,
                }],
                nack: true,
                keyframes: KeyframeMethod::Pli,
            }),
            frames: FrameBuffer::new(Config::video(vec![(payload_type, format)])),
            datagram: Vec::with_capacity(1500),
            now: Instant::ZERO,
            packets: 0,
        }
    }

    fn carry(&mut self, frame: &Bytes) {
        self.now += Duration::from_millis(33);
        let timestamp = RtpTimestamp((self.now.as_nanos() / 1_000_000 * 90) as u32);
        for part in self.packetizer.packetize(frame.clone()).unwrap() {
            let (payload_type, marker, payload) = (self.payload_type, part.marker, part.payload);
            let extensions = MediaExtensions::default();
            let packet = Outgoing { payload_type, marker, timestamp, payload, extensions, captured_at: None };
            self.sender.push(self.now, packet).unwrap();
        }
        let extensions = &ExtensionMap::default();
        let hop = Hop { extensions, transport_sequence: None, absolute_send_time: None };
        while self.sender.poll_transmit(self.now, &hop, &mut self.datagram).is_some() {
            let packet = Packet::parse(&self.datagram).unwrap();
            let place = self.receiver.handle_packet(self.now, &packet, Via::Original).unwrap();
            self.frames.handle_packet(self.now, place, &packet, &ExtensionValues::default());
            self.datagram.clear();
            self.packets += 1;
        }
        let received = self.frames.poll_frame(self.now).unwrap();
        assert!(received.data == frame);
    }
}

#[test]
fn a_frame_is_one_allocation() {
    let vp8 = vec![0; LEN];
    // Parameters, and a slice.
    let mut h264 = vec![0x65; LEN];
    h264[..12].copy_from_slice(&[0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 0, 1]);
    let mut vp9 = vec![0x55; LEN];
    vp9[..9].copy_from_slice(&[0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0b, 0x30]);
    let formats = [
        (PayloadFormat::Vp8, vp8),
        (PayloadFormat::Vp9, vp9),
        (PayloadFormat::H264(H264Mode::NonInterleaved), h264),
    ];
    for (format, frame) in formats {
        let frame = Bytes::from(frame);
        let mut way = Way::new(format);
        (0..100).for_each(|_| way.carry(&frame));
        way.packets = 0;
        let region = Region::new(GLOBAL);
        (0..1000).for_each(|_| way.carry(&frame));
        let change = region.change();
        assert!(way.packets >= 1000 * (LEN / MAX_LEN), "{format:?}: {}", way.packets);
        assert_eq!((change.allocations, change.reallocations), (1000, 0), "{format:?}: {change:?}");
    }
}
