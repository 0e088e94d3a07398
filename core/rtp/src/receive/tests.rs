use alloc::vec;

use super::*;
use crate::rtcp::{self, Packets};
use crate::{Header, HeaderBuilder, SequenceNumber};

const VIDEO: Ssrc = Ssrc(1);
const US: Ssrc = Ssrc(99);

fn stream() -> Stream {
    let format = |payload_type, rtx| Format {
        payload_type: PayloadType::new(payload_type).unwrap(),
        clock_rate: 90_000,
        retransmission: PayloadType::new(rtx),
        payload: None,
    };
    Stream::new(Config {
        ssrc: VIDEO,
        formats: vec![format(96, 97)],
        nack: true,
        keyframes: KeyframeMethod::Pli,
    })
}

fn bytes(number: u16, timestamp: u32) -> Vec<u8> {
    let header = Header {
        marker: false,
        payload_type: PayloadType::new(96).unwrap(),
        sequence_number: SequenceNumber(number),
        timestamp: RtpTimestamp(timestamp),
        ssrc: VIDEO,
    };
    let mut out = Vec::new();
    HeaderBuilder::new(&mut out, &header).finish();
    out.extend_from_slice(&[0; 100]);
    out
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn give(stream: &mut Stream, ms: u64, number: u16, via: Via) -> Result<u64, Rejected> {
    let bytes = bytes(number, (ms * 90) as u32);
    stream.handle_packet(at(ms), &Packet::parse(&bytes).unwrap(), via).map(|place| place.sequence & 0xffff)
}

/// What the stream asks for at this moment.
fn asked(stream: &mut Stream, ms: u64) -> Vec<u16> {
    stream.handle_timeout(at(ms));
    let mut out = Vec::new();
    if stream.has_feedback() {
        stream.write_feedback(at(ms), US, &mut out);
    }
    let packets = Packets::parse(&out).into_iter().flatten();
    packets
        .flat_map(|packet| match packet {
            rtcp::Packet::Nack(nack) => {
                assert_eq!((nack.sender(), nack.media()), (US, VIDEO));
                nack.missing().map(|number| number.0).collect()
            }
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn numbers_and_timestamps_are_extended_over_their_wraps() {
    let mut stream = stream();
    let mut last: Option<Place> = None;
    for step in 0..70_000_u32 {
        let timestamp = 0xfffe_0000_u32.wrapping_add(step * 3000);
        let bytes = bytes(65_000_u16.wrapping_add(step as u16), timestamp);
        let place = stream.handle_packet(at(0), &Packet::parse(&bytes).unwrap(), Via::Original).unwrap();
        if let Some(last) = last {
            assert_eq!((place.sequence, place.timestamp), (last.sequence + 1, last.timestamp + 3000));
        }
        last = Some(place);
    }
    let block = stream.report_block(at(0)).unwrap();
    assert_eq!(block.highest, 65_000 + 69_999);
    assert_eq!((block.cumulative_lost, block.fraction_lost), (0, 0));
}

#[test]
fn missing_packets_are_asked_for_with_back_off_and_given_up() {
    let mut stream = stream();
    give(&mut stream, 0, 65_534, Via::Original).unwrap();
    give(&mut stream, 10, 1, Via::Original).unwrap();
    assert!(asked(&mut stream, 10).is_empty());
    assert_eq!(stream.poll_timeout(), Some(at(15)));
    assert_eq!(asked(&mut stream, 15), [65_535, 0]);
    assert!(asked(&mut stream, 100).is_empty());
    give(&mut stream, 101, 0, Via::Retransmission).unwrap();
    assert_eq!(give(&mut stream, 102, 0, Via::Original), Err(Rejected::Duplicate));
    let mut requests = 1;
    let mut last = 15;
    let mut spacing = 0;
    while let Some(next) = stream.poll_timeout() {
        let ms = next.as_nanos().div_ceil(1_000_000);
        if asked(&mut stream, ms) == [65_535] {
            assert!(ms - last >= spacing && ms - last >= 100, "{last} {ms}");
            spacing = ms - last - 1;
            last = ms;
            requests += 1;
        }
        assert!(ms < 10_000);
    }
    assert_eq!(requests, MAX_TRIES as usize);
    assert_eq!(stream.statistics().given_up, 1);
    assert_eq!(stream.statistics().nacks_sent, 10);
    assert_eq!(stream.statistics().retransmitted_packets_received, 1);
}

#[test]
fn overtaken_packets_are_waited_for_as_long_as_they_were_late() {
    let mut stream = stream();
    give(&mut stream, 0, 1, Via::Original).unwrap();
    give(&mut stream, 0, 3, Via::Original).unwrap();
    give(&mut stream, 4, 2, Via::Original).unwrap();
    assert_eq!(stream.poll_timeout(), None);
    give(&mut stream, 10, 5, Via::Original).unwrap();
    assert_eq!(asked(&mut stream, 15), [4]);
    // It comes too soon to be an answer.
    give(&mut stream, 50, 4, Via::Original).unwrap();
    give(&mut stream, 60, 7, Via::Original).unwrap();
    assert_eq!(stream.poll_timeout(), Some(at(110)));
}

#[test]
fn no_more_is_waited_for_than_the_bound() {
    let mut stream = stream();
    give(&mut stream, 0, 0, Via::Original).unwrap();
    give(&mut stream, 0, 2500, Via::Original).unwrap();
    stream.handle_timeout(at(5));
    assert_eq!(stream.statistics().given_up, 2499 - missing::MAX_MISSING as u64);
    let mut all = Vec::new();
    loop {
        let some = asked(&mut stream, 5);
        if some.is_empty() {
            break;
        }
        all.extend(some);
    }
    assert!(all.iter().copied().eq(1500..2500));
}

/// RFC 3550 §A.1, for every distance and at every place of the wrap.
#[test]
fn every_number_has_its_place() {
    for first in [0, 1, 2999, 4096, 0x7fff, 0x8000, 0xfffe, 0xffff] {
        for distance in 0..=u16::MAX {
            let mut reception = Reception::default();
            let start = reception.place(SequenceNumber(first), Via::Original).unwrap().sequence();
            let placed = reception.place(SequenceNumber(first).add(distance), Via::Original);
            let expected = match distance {
                0 => Err(Rejected::Duplicate),
                1..=3000 => {
                    let sequence = start + u64::from(distance);
                    Ok(Placed::Newest { sequence, gap: start + 1..sequence })
                }
                0xf001.. => Ok(Placed::Late { sequence: start - u64::from(distance.wrapping_neg()) }),
                _ => Err(Rejected::Jump),
            };
            assert_eq!(placed, expected, "{first} {distance}");
        }
    }
}

/// RFC 3550 §A.1
#[test]
fn a_sender_that_begins_anew_needs_two_packets_in_order() {
    let mut stream = stream();
    give(&mut stream, 0, 100, Via::Original).unwrap();
    assert_eq!(give(&mut stream, 1, 20_000, Via::Original), Err(Rejected::Jump));
    assert_eq!(give(&mut stream, 2, 101, Via::Original), Ok(101));
    assert_eq!(give(&mut stream, 3, 40_000, Via::Original), Err(Rejected::Jump));
    assert_eq!(give(&mut stream, 4, 40_001, Via::Original), Ok(40_001));
    assert_eq!(give(&mut stream, 5, 40_003, Via::Original), Ok(40_003));
    assert_eq!(asked(&mut stream, 20), [40_002]);
    assert_eq!(give(&mut stream, 21, 30_000, Via::Retransmission), Err(Rejected::TooOld));
    assert_eq!(stream.packets_lost(), 1);
    assert_eq!(stream.statistics().packets_discarded, 3);
}

/// RFC 3550 §A.3
#[test]
fn reports_tell_losses_since_the_one_before() {
    let mut stream = stream();
    assert_eq!(stream.report_block(at(0)), None);
    for number in (0..100).filter(|number| number % 4 != 1) {
        give(&mut stream, u64::from(number), number, Via::Original).unwrap();
    }
    let block = stream.report_block(at(100)).unwrap();
    assert_eq!((block.fraction_lost, block.cumulative_lost, block.highest), (64, 25, 99));
    // What a retransmission brought was lost.
    give(&mut stream, 100, 1, Via::Retransmission).unwrap();
    for number in 100..200 {
        give(&mut stream, u64::from(number), number, Via::Original).unwrap();
    }
    let info = SenderInfo {
        ssrc: VIDEO,
        ntp: NtpTime(0x1234_5678_9abc_def0),
        rtp: RtpTimestamp(0),
        packets: 200,
        octets: 20_000,
    };
    stream.handle_sender_report(at(200), &info);
    let block = stream.report_block(at(1200)).unwrap();
    assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 25));
    assert_eq!((block.last_sr, block.delay_since_last_sr), (NtpShort(0x5678_9abc), NtpShort(0x1_0000)));
    assert_eq!(stream.sender_clock(), Some((info.ntp, info.rtp)));
}

/// RFC 3550 §A.8
#[test]
fn jitter_is_the_mean_deviation_of_transit_times() {
    let mut even = stream();
    let mut odd = stream();
    for number in 0..500_u16 {
        let ms = u64::from(number) * 20;
        give(&mut even, ms, number, Via::Original).unwrap();
        let packet = bytes(number, (ms * 90) as u32);
        let late = ms + u64::from(number % 2) * 10;
        odd.handle_packet(at(late), &Packet::parse(&packet).unwrap(), Via::Original).unwrap();
    }
    assert_eq!(even.jitter(), Duration::ZERO);
    assert!(
        odd.jitter().abs_diff(Duration::from_millis(10)) < Duration::from_micros(200),
        "{:?}",
        odd.jitter()
    );
    assert!((899..=900).contains(&odd.report_block(at(0)).unwrap().jitter));
}

#[test]
fn key_frames_are_asked_for_until_one_comes() {
    let mut stream = stream();
    let plis = |stream: &mut Stream, ms| {
        stream.handle_timeout(at(ms));
        let mut out = Vec::new();
        stream.write_feedback(at(ms), US, &mut out);
        out.len() / 12
    };
    stream.request_keyframe(at(0));
    stream.request_keyframe(at(0));
    assert_eq!((plis(&mut stream, 0), plis(&mut stream, 100), plis(&mut stream, 200)), (1, 0, 1));
    stream.keyframe_received();
    assert_eq!((stream.poll_timeout(), plis(&mut stream, 300)), (None, 0));
    stream.request_keyframe(at(310));
    assert_eq!((plis(&mut stream, 399), plis(&mut stream, 400)), (0, 1));
    stream.handle_bye();
    assert!(stream.has_ended() && stream.poll_timeout().is_none());
    assert_eq!(stream.statistics().plis_sent, 3);
}

#[test]
fn a_key_frame_that_begins_to_come_is_asked_for_no_more() {
    let mut stream = stream();
    let vp8 = PayloadFormat::named("VP8", "");
    let formats = stream.config.formats.iter().map(|format| Format { payload: vp8, ..*format }).collect();
    stream.set_formats(formats, true, KeyframeMethod::Pli);
    let give = |stream: &mut Stream, number, via, frame: &[u8]| {
        let mut packet = bytes(number, 0);
        packet.truncate(12);
        packet.extend_from_slice(frame);
        stream.handle_packet(at(10), &Packet::parse(&packet).unwrap(), via).unwrap();
        stream.keyframes.is_pending()
    };
    // RFC 7741 §4.2 and §4.3: a frame begins; the last bit of its first byte is 0 in a key frame.
    let (key, delta) = ([0x10, 0x50, 0x36, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0], [0x10, 0x31, 0, 0]);
    assert!(!give(&mut stream, 10, Via::Original, &key));
    stream.request_keyframe(at(5));
    assert!(give(&mut stream, 12, Via::Original, &delta));
    assert!(give(&mut stream, 11, Via::Retransmission, &key), "one that was sent before");
    assert!(!give(&mut stream, 13, Via::Original, &key));
}

/// RFC 5104 §4.3.1.1
#[test]
fn a_repeated_full_intra_request_keeps_its_number() {
    let mut stream = stream();
    stream.set_formats(Vec::new(), false, KeyframeMethod::Fir);
    let number = |stream: &mut Stream, ms| {
        stream.handle_timeout(at(ms));
        let mut out = Vec::new();
        stream.write_feedback(at(ms), US, &mut out);
        match Packets::parse(&out).unwrap().next() {
            Some(rtcp::Packet::FullIntraRequest(request)) => request.entries().next().unwrap().number,
            other => panic!("{other:?}"),
        }
    };
    stream.request_keyframe(at(0));
    assert_eq!((number(&mut stream, 0), number(&mut stream, 200)), (1, 1));
    stream.keyframe_received();
    stream.request_keyframe(at(1000));
    assert_eq!(number(&mut stream, 1000), 2);
}

#[test]
fn what_a_retransmission_overtakes_is_asked_for_as_well() {
    let mut stream = stream();
    give(&mut stream, 0, 10, Via::Original).unwrap();
    give(&mut stream, 1, 13, Via::Retransmission).unwrap();
    give(&mut stream, 2, 14, Via::Original).unwrap();
    assert_eq!(asked(&mut stream, 10), [11, 12]);
}

#[test]
fn retransmission_streams_are_reported_on_by_themselves() {
    let mut stream = stream();
    give(&mut stream, 0, 10, Via::Original).unwrap();
    assert_eq!(stream.repair_report_block(), None);
    for number in [1, 2, 5] {
        let header = Header {
            marker: false,
            payload_type: PayloadType::new(97).unwrap(),
            sequence_number: SequenceNumber(number),
            timestamp: RtpTimestamp(0),
            ssrc: Ssrc(55),
        };
        let mut out = Vec::new();
        HeaderBuilder::new(&mut out, &header).finish();
        assert_eq!(stream.unwrap_retransmission(&mut out), None);
    }
    let block = stream.repair_report_block().unwrap();
    assert_eq!((block.ssrc, block.highest, block.cumulative_lost), (Ssrc(55), 5, 2));
}
