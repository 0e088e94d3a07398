use alloc::vec;

use bytes::Bytes;

use super::*;
use crate::payload::{PacketizeError, PayloadFormat};
use crate::rtcp::{self, Packets, write_nack};
use crate::{
    AbsoluteSendTime, ExtensionId, ExtensionKind, ExtensionMap, ExtensionValues, NtpShort, Packet,
    TransportSequence,
};

const VIDEO: Ssrc = Ssrc(1);
const RTX: Ssrc = Ssrc(2);

fn pt(number: u8) -> PayloadType {
    PayloadType::new(number).unwrap()
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn config(rtx: bool) -> Config {
    let first_sequence_number = SequenceNumber(500);
    let rtx = rtx.then(|| Retransmission { ssrc: RTX, types: vec![(pt(96), pt(97))], first_sequence_number });
    Config {
        ssrc: VIDEO,
        clock_rate: 90_000,
        nack: true,
        retransmission: rtx,
        mid: Some("0".into()),
        rid: Some("hi".into()),
        history: HistoryLimits { packets: 8, age: Duration::from_secs(2) },
        first_sequence_number: SequenceNumber(65_534),
        timestamp_offset: 1000,
    }
}

fn outgoing(payload: &'static [u8]) -> Outgoing {
    Outgoing {
        payload_type: pt(96),
        marker: true,
        timestamp: RtpTimestamp(5),
        payload: payload.into(),
        extensions: MediaExtensions {
            dependency_descriptor: Some(Bytes::from_static(b"dd")),
            ..Default::default()
        },
        captured_at: None,
    }
}

fn map() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    let kinds = [
        ExtensionKind::Mid,
        ExtensionKind::RtpStreamId,
        ExtensionKind::RepairedRtpStreamId,
        ExtensionKind::TransportSequence,
        ExtensionKind::AbsoluteSendTime,
        ExtensionKind::DependencyDescriptor,
    ];
    for (kind, id) in kinds.into_iter().zip(1..) {
        map.insert(ExtensionId::new(id).unwrap(), kind).unwrap();
    }
    map
}

/// A stream and the transport it goes out by.
struct Out {
    stream: Stream,
    map: ExtensionMap,
    transport: TransportSequence,
}

impl Out {
    fn new(config: Config) -> Self {
        Self { stream: Stream::new(config), map: map(), transport: TransportSequence(0) }
    }

    fn poll(&mut self, ms: u64) -> Option<(Sent, Vec<u8>)> {
        let mut out = vec![0xaa; 3];
        let time = AbsoluteSendTime::from_ntp(NtpTime::from_unix(Duration::from_millis(ms)));
        let hop = Hop {
            extensions: &self.map,
            transport_sequence: Some(self.transport),
            absolute_send_time: Some(time),
        };
        let sent = self.stream.poll_transmit(at(ms), &hop, &mut out)?;
        assert_eq!(sent.len, out.len() - 3);
        if sent.transport_sequence.is_some() {
            self.transport = self.transport.next();
        }
        Some((sent, out.split_off(3)))
    }

    fn nack(&mut self, ms: u64, numbers: &[u16]) {
        let mut out = Vec::new();
        write_nack(&mut out, Ssrc(9), VIDEO, numbers.iter().copied().map(SequenceNumber), 100);
        match Packets::parse(&out).unwrap().next() {
            Some(rtcp::Packet::Nack(nack)) => self.stream.handle_nack(at(ms), &nack),
            other => panic!("{other:?}"),
        }
    }
}

fn block(ssrc: Ssrc, last_sr: NtpShort, delay: Duration) -> ReportBlock {
    ReportBlock {
        ssrc,
        fraction_lost: 10,
        cumulative_lost: 20,
        highest: 30,
        jitter: 40,
        last_sr,
        delay_since_last_sr: NtpShort::from_duration(delay),
    }
}

const EPOCH: Epoch = Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) };

#[test]
fn packets_are_numbered_and_named_until_a_report_comes() {
    let mut out = Out::new(config(true));
    for expected in [65_534, 65_535, 0] {
        assert_eq!(out.stream.push(at(0), outgoing(b"media")), Ok(SequenceNumber(expected)));
    }
    assert_eq!((out.stream.queued_packets(), out.stream.queued_bytes()), (3, 15));
    let (sent, bytes) = out.poll(0).unwrap();
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((sent.kind, sent.ssrc, sent.sequence as u16), (SentKind::Media, VIDEO, 65_534));
    assert_eq!((packet.sequence_number().0, packet.timestamp().0, packet.marker()), (65_534, 1005, true));
    assert_eq!(packet.payload(), b"media");
    let values = ExtensionValues::read(&packet, &out.map);
    assert_eq!((values.mid, values.rid, values.repaired_rid), (Some("0"), Some("hi"), None));
    assert_eq!(values.transport_sequence, Some(TransportSequence(0)));
    assert_eq!(values.dependency_descriptor, Some(&b"dd"[..]));

    out.stream.handle_report_block(at(10), &EPOCH, &block(VIDEO, NtpShort(0), Duration::ZERO));
    let (_, bytes) = out.poll(0).unwrap();
    let values = ExtensionValues::read(&Packet::parse(&bytes).unwrap(), &out.map);
    assert_eq!((values.mid, values.rid), (None, None));
    assert_eq!(values.transport_sequence, Some(TransportSequence(1)));
    assert!(out.poll(0).is_some() && out.poll(0).is_none());
    assert_eq!((out.stream.queued_packets(), out.stream.queued_bytes()), (0, 0));
    assert_eq!((out.stream.statistics().packets_sent, out.stream.statistics().bytes_sent), (3, 15));
}

/// RFC 4588 §4, §6.3
#[test]
fn missed_packets_are_sent_again_in_their_own_stream_once_a_round_trip() {
    let mut out = Out::new(config(true));
    for _ in 0..3 {
        out.stream.push(at(0), outgoing(b"media")).unwrap();
    }
    out.nack(0, &[65_534]);
    assert_eq!(out.stream.peek().unwrap().kind, SentKind::Media);
    while out.poll(0).is_some() {}
    out.nack(100, &[65_535, 0, 77]);
    assert_eq!(out.stream.peek().unwrap().kind, SentKind::Retransmission);
    let (sent, bytes) = out.poll(100).unwrap();
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((sent.kind, sent.ssrc, sent.sequence as u16), (SentKind::Retransmission, RTX, 65_535));
    assert_eq!((packet.ssrc(), packet.payload_type(), packet.sequence_number().0), (RTX, pt(97), 500));
    assert_eq!((packet.payload(), packet.timestamp().0), (&b"\xff\xffmedia"[..], 1005));
    let values = ExtensionValues::read(&packet, &out.map);
    assert_eq!((values.mid, values.rid, values.repaired_rid), (Some("0"), None, Some("hi")));
    assert_eq!(values.transport_sequence, Some(TransportSequence(3)));
    let (_, bytes) = out.poll(100).unwrap();
    assert_eq!(Packet::parse(&bytes).unwrap().sequence_number().0, 501);
    assert!(out.poll(100).is_none());
    // The round trip is thought to be 100 ms: nobody can miss them again yet.
    out.nack(199, &[65_535]);
    assert!(out.poll(199).is_none());
    out.nack(200, &[65_535]);
    assert!(out.poll(200).is_some());
    assert_eq!(out.stream.statistics().retransmitted_packets_sent, 3);
}

/// RFC 7714 §5.2: one number, one plaintext.
#[test]
fn a_packet_that_is_sent_again_under_its_number_is_the_same_to_the_bit() {
    let mut out = Out::new(config(false));
    out.stream.push(at(0), outgoing(b"media")).unwrap();
    let (_, first) = out.poll(0).unwrap();
    out.stream.handle_report_block(at(10), &EPOCH, &block(VIDEO, NtpShort(0), Duration::ZERO));
    out.nack(500, &[65_534]);
    let (sent, again) = out.poll(500).unwrap();
    assert_eq!((sent.kind, sent.transport_sequence), (SentKind::Retransmission, None));
    assert_eq!(again, first);
    out.stream.identify(Some("1".into()), None);
    out.nack(1000, &[65_534]);
    assert!(out.poll(1000).is_none());
}

#[test]
fn the_ring_lets_go_what_was_sent_and_keeps_what_waits() {
    let mut out = Out::new(config(true));
    for _ in 0..8 {
        out.stream.push(at(0), outgoing(b"a")).unwrap();
    }
    assert_eq!(out.stream.push(at(0), outgoing(b"a")), Err(SendError::Full));
    out.poll(0).unwrap();
    assert_eq!(out.stream.push(at(0), outgoing(b"a")), Ok(SequenceNumber(6)));
    out.nack(500, &[65_534]);
    assert_eq!(out.stream.peek().unwrap().kind, SentKind::Media);
    while out.poll(0).is_some() {}
    out.stream.push(at(3000), outgoing(b"b")).unwrap();
    out.nack(3000, &[4, 5, 6]);
    assert_eq!(out.stream.peek().unwrap().kind, SentKind::Media);
    out.stream.drop_queued();
    assert!(out.poll(3000).is_none());
    out.stream.end();
    assert_eq!(out.stream.push(at(3000), outgoing(b"b")), Err(SendError::Ended));
}

#[test]
fn a_forwarders_gaps_and_disorder_are_kept() {
    let mut out = Out::new(config(true));
    let push =
        |out: &mut Out, number| out.stream.push_numbered(at(0), SequenceNumber(number), outgoing(b"x"));
    for number in [65_533, 65_535, 2, 1, 65_534] {
        push(&mut out, number).unwrap();
    }
    assert_eq!(push(&mut out, 1), Err(SendError::TooOld));
    assert_eq!(push(&mut out, 65_532), Err(SendError::TooOld));
    let mut order = Vec::new();
    while let Some((sent, bytes)) = out.poll(0) {
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.sequence_number().0, packet.timestamp().0), (sent.sequence as u16, 5));
        order.push(sent.sequence as u16);
    }
    assert_eq!(order, [65_533, 65_535, 2, 1, 65_534]);
    out.nack(500, &[0, 1]);
    let (sent, _) = out.poll(500).unwrap();
    assert_eq!((sent.sequence as u16, out.poll(500).is_none()), (1, true));
    // The stream's own numbers go on behind the given ones; a leap empties the ring.
    assert_eq!(out.stream.push(at(500), outgoing(b"x")), Ok(SequenceNumber(3)));
    while out.poll(500).is_some() {}
    push(&mut out, 9000).unwrap();
    assert_eq!(out.poll(500).unwrap().0.sequence as u16, 9000);
}

#[test]
fn every_number_of_a_forwarder_is_kept_or_refused() {
    for distance in 0..=u16::MAX {
        let mut stream = Stream::new(config(true));
        stream.push_numbered(at(0), SequenceNumber(0xfff0), outgoing(b"x")).unwrap();
        let mut bytes = Vec::new();
        let map = ExtensionMap::new();
        let hop = Hop { extensions: &map, transport_sequence: None, absolute_send_time: None };
        let first = stream.poll_transmit(at(0), &hop, &mut bytes).unwrap().sequence;
        let pushed = stream.push_numbered(at(0), SequenceNumber(0xfff0).add(distance), outgoing(b"x"));
        match distance {
            1..=0x8001 => {
                let sent = stream.poll_transmit(at(0), &hop, &mut bytes).unwrap();
                assert_eq!((pushed, sent.sequence), (Ok(()), first + u64::from(distance)));
            }
            _ => assert_eq!(pushed, Err(SendError::TooOld), "{distance}"),
        }
    }
}

#[test]
fn retransmissions_cost_no_more_than_media_and_a_burst() {
    static LARGE: [u8; 60_000] = [0; 60_000];
    let mut out = Out::new(config(true));
    for _ in 0..8 {
        out.stream.push(at(0), outgoing(&LARGE)).unwrap();
    }
    while out.poll(0).is_some() {}
    let mut again = 0;
    for round in 1..10 {
        out.nack(round * 200, &[65_534, 65_535, 0, 1, 2, 3, 4, 5]);
        while out.poll(round * 200).is_some() {
            again += 1;
        }
    }
    assert_eq!(again, 256 * 1024 / 60_000);
    assert!(out.stream.statistics().retransmissions_refused > 0);
    // Media earns what retransmissions cost.
    out.stream.push(at(2000), outgoing(&LARGE)).unwrap();
    out.poll(2000).unwrap();
    out.nack(2200, &[6]);
    assert_eq!(out.poll(2200).unwrap().0.kind, SentKind::Retransmission);
}

/// RFC 3550 §6.4.1
#[test]
fn reports_give_the_round_trip() {
    let mut out = Out::new(config(true));
    assert_eq!(out.stream.sender_info(at(0), &EPOCH), None);
    out.stream.push(at(1000), outgoing(b"media")).unwrap();
    out.poll(1000).unwrap();
    let info = out.stream.sender_info(at(2000), &EPOCH).unwrap();
    assert_eq!((info.rtp.0, info.packets, info.octets), (1005 + 90_000, 1, 5));
    let report = block(VIDEO, info.ntp.middle(), Duration::from_millis(500));
    out.stream.handle_report_block(at(2600), &EPOCH, &report);
    let measured = out.stream.statistics().round_trip_time.unwrap();
    assert!(measured.abs_diff(Duration::from_millis(100)) < Duration::from_micros(50), "{measured:?}");
    assert_eq!(out.stream.statistics().remote_fraction_lost, 10);
    let impossible = block(VIDEO, NtpTime::at(at(9000), &EPOCH).middle(), Duration::ZERO);
    out.stream.handle_report_block(at(2700), &EPOCH, &impossible);
    assert_eq!(out.stream.statistics().round_trip_measurements, 1);
}

#[test]
fn wishes_for_key_frames_are_passed_on_now_and_then() {
    let mut out = Out::new(config(true));
    let stream = &mut out.stream;
    stream.handle_picture_loss(at(0));
    stream.handle_picture_loss(at(1));
    assert!(stream.take_keyframe_wanted() && !stream.take_keyframe_wanted());
    stream.handle_full_intra_request(at(100), Ssrc(9), 1);
    assert!(!stream.take_keyframe_wanted());
    assert_eq!(stream.poll_timeout(), Some(at(300)));
    stream.handle_timeout(at(300));
    assert!(stream.take_keyframe_wanted());
    // RFC 5104 §4.3.1.2
    stream.handle_full_intra_request(at(900), Ssrc(9), 1);
    assert!(!stream.take_keyframe_wanted() && stream.poll_timeout().is_none());
    assert_eq!((stream.statistics().plis_received, stream.statistics().firs_received), (2, 2));
}

#[test]
fn probes_are_retransmissions_or_padding() {
    let mut out = Out::new(config(true));
    let map = map();
    let hop =
        Hop { extensions: &map, transport_sequence: Some(TransportSequence(7)), absolute_send_time: None };
    let mut bytes = Vec::new();
    assert_eq!(out.stream.poll_padding(200, &hop, &mut bytes), None);
    out.stream.push(at(0), outgoing(b"media")).unwrap();
    out.poll(0).unwrap();
    let sent = out.stream.poll_padding(200, &hop, &mut bytes).unwrap();
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((sent.kind, sent.ssrc, sent.len), (SentKind::Padding, RTX, bytes.len()));
    assert_eq!((packet.payload().len(), packet.padding_len(), packet.payload_type()), (0, 200, pt(97)));
    let mut bytes = Vec::new();
    out.stream.poll_padding(8, &hop, &mut bytes).unwrap();
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((packet.payload(), packet.sequence_number().0), (&b"\xff\xfemedia"[..], 501));
}

#[test]
fn a_frame_becomes_packets_under_one_timestamp() {
    let mut out = Out::new(config(false));
    let frame = OutgoingFrame::new(pt(96), RtpTimestamp(5), vec![0x90; 2500]);
    out.stream.push_frame(at(0), PayloadFormat::Vp8, frame).unwrap();
    let mut data = Vec::new();
    for number in [65_534, 65_535, 0] {
        let (_, packet) = out.poll(0).unwrap();
        let packet = Packet::parse(&packet).unwrap();
        assert_eq!(packet.sequence_number(), SequenceNumber(number));
        assert_eq!((packet.timestamp(), packet.marker()), (RtpTimestamp(1005), number == 0));
        let (_, piece) = crate::payload::Vp8Descriptor::parse(packet.payload()).unwrap();
        data.extend_from_slice(piece);
    }
    assert_eq!(data, vec![0x90; 2500]);
    assert_eq!(out.poll(0), None);
}

#[test]
fn of_a_frame_that_is_not_taken_nothing_is_sent() {
    let mut out = Out::new(config(false));
    let frame = |len| OutgoingFrame::new(pt(96), RtpTimestamp(5), vec![0x90; len]);
    out.stream.push_frame(at(0), PayloadFormat::Vp8, frame(3000)).unwrap();
    // Eight packets are kept at most, and three wait.
    let refused = out.stream.push_frame(at(0), PayloadFormat::Vp8, frame(7000));
    assert_eq!(refused, Err(FrameError::Send(SendError::Full)));
    assert_eq!(
        out.stream.push_frame(at(0), PayloadFormat::Vp8, frame(0)).unwrap_err(),
        FrameError::Packetize(PacketizeError::Malformed)
    );
    assert_eq!((out.stream.queued_packets(), out.stream.next_sequence_number()), (3, SequenceNumber(1)));
    out.stream.push_frame(at(0), PayloadFormat::Vp8, frame(1000)).unwrap();
    let mut pictures = Vec::new();
    while let Some((_, packet)) = out.poll(0) {
        let packet = Packet::parse(&packet).unwrap();
        pictures.push(crate::payload::Vp8Descriptor::parse(packet.payload()).unwrap().0.picture_id.unwrap());
    }
    let first = pictures[0];
    assert_eq!(pictures, [first, first, first, first + 1], "the number of the refused one is not used up");
}
