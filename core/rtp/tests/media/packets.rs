//! What others sent: packets, each behind its length in two bytes (RFC 4571 §2).

use std::path::Path;
use std::time::Duration;

use pavane_base::{Instant, Reader};
use pavane_rtp::frame::{Config, Frame, FrameBuffer};
use pavane_rtp::payload::PayloadFormat;
use pavane_rtp::receive::{self, Format, KeyframeMethod, Via};
use pavane_rtp::{ExtensionValues, Packet};

/// The packets of a file.
pub(crate) fn packets(file: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/packets").join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = Reader::new(&bytes);
    let mut packets = Vec::new();
    while !reader.is_empty() {
        packets.push(reader.prefixed_u16().unwrap().to_vec());
    }
    packets
}

/// The frames of packets of one stream, which come in this order.
pub(crate) fn receive(packets: &[Vec<u8>], format: PayloadFormat) -> (Vec<Frame>, FrameBuffer) {
    let first = Packet::parse(&packets[0]).unwrap();
    let payload_type = first.payload_type();
    let mut stream = receive::Stream::new(receive::Config {
        ssrc: first.ssrc(),
        formats: vec![Format { payload_type, clock_rate: 90_000, retransmission: None, payload: None }],
        nack: false,
        keyframes: KeyframeMethod::None,
    });
    let formats = vec![(payload_type, format)];
    let config = if format.is_video() { Config::video(formats) } else { Config::audio(formats) };
    let mut buffer = FrameBuffer::new(config);
    let mut frames = Vec::new();
    let mut now = Instant::ZERO;
    for bytes in packets {
        now += Duration::from_millis(5);
        let packet = Packet::parse(bytes).unwrap();
        let place = stream.handle_packet(now, &packet, Via::Original).unwrap();
        buffer.handle_packet(now, place, &packet, &ExtensionValues::default());
        frames.extend(std::iter::from_fn(|| buffer.poll_frame(now)));
    }
    frames.extend(std::iter::from_fn(|| buffer.poll_frame(now + Duration::from_secs(10))));
    (frames, buffer)
}
