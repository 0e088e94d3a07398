use alloc::vec::Vec;
use core::time::Duration;
use std::format;
use std::path::Path;
use std::string::String;

use pavane_base::rand_core::{Rng, SeedableRng};
use pavane_base::{Ecn, Instant};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{NtpShort, NtpTime, RtpTimestamp, SequenceNumber, TransportSequence};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn only(bytes: &[u8]) -> Packet<'_> {
    let mut packets = Packets::parse(bytes).unwrap();
    let packet = packets.next().unwrap();
    assert!(packets.next().is_none());
    packet
}

/// Names, bytes and whether they are to be refused.
fn published() -> Vec<(String, Vec<u8>, bool)> {
    let text = include_str!("../../testdata/rtcp/unit.json");
    let entries: serde_json::Value = serde_json::from_str(text).unwrap();
    let entry = |e: &serde_json::Value| {
        let refused = e["expected_error"].as_str().is_some_and(|error| error != "nil");
        (format!("{} {}", e["file"], e["name"]), hex(e["hex"].as_str().unwrap()), refused)
    };
    entries.as_array().unwrap().iter().map(entry).collect()
}

/// Files of captured and of fuzzed packets.
fn files() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rtcp");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().into(), std::fs::read(&path).unwrap())
    };
    std::fs::read_dir(folder)
        .unwrap()
        .map(read)
        .filter(|(name, _): &(String, _)| !name.ends_with("json"))
        .collect()
}

fn file(name: &str) -> Vec<u8> {
    files().into_iter().find(|(found, _)| found == name).unwrap().1
}

#[test]
fn captured_packets_are_read() {
    let bytes = file("rtcp_sr.bin");
    let Packet::SenderReport(report) = only(&bytes) else { panic!() };
    assert_eq!(report.info().ssrc, Ssrc(1_831_097_322));
    assert_eq!(report.info().ntp, NtpTime(16_016_567_581_311_369_308));
    assert_eq!(
        (report.info().rtp.0, report.info().packets, report.info().octets),
        (1_722_342_718, 269, 13557)
    );
    assert_eq!(report.blocks().next().unwrap().ssrc, Ssrc(2_398_654_957));
    assert_eq!(report.blocks().next().unwrap().highest, 246);

    let bytes = file("rtcp_rr.bin");
    let Packet::ReceiverReport(report) = only(&bytes) else { panic!() };
    let block = report.blocks().next().unwrap();
    assert_eq!((report.ssrc(), block.ssrc), (Ssrc(817_267_719), Ssrc(1_200_895_919)));
    assert_eq!((block.highest, block.jitter, block.cumulative_lost), (630, 1906, 0));

    let bytes = file("rtcp_sdes.bin");
    let Packet::Description(description) = only(&bytes) else { panic!() };
    assert_eq!(description.cname(Ssrc(1_831_097_322)), Some(&b"{63f459ea-41fe-4474-9d33-9707c9ee79d1}"[..]));

    let bytes = file("rtcp_bye.bin");
    let Packet::Bye(bye) = only(&bytes) else { panic!() };
    assert_eq!(bye.sources().collect::<Vec<_>>(), [Ssrc(2_924_645_187)]);

    let bytes = file("rtcp_psfb_pli.bin");
    let expected = PictureLoss { sender: Ssrc(1_414_554_213), media: Ssrc(587_284_409) };
    assert!(matches!(only(&bytes), Packet::PictureLoss(found) if found == expected));

    let bytes = file("rtcp_rtpfb.bin");
    let Packet::Nack(nack) = only(&bytes) else { panic!() };
    assert_eq!((nack.sender(), nack.media()), (Ssrc(2_336_520_123), Ssrc(4_145_934_052)));
    let missing: Vec<_> = nack.missing().map(|number| number.0).collect();
    assert_eq!(missing, [12, 32, 39, 54, 76, 110, 123, 142, 183, 187, 223, 236, 271, 292]);
}

#[test]
fn invalid_files_are_refused() {
    for (name, bytes) in
        files().into_iter().filter(|(name, _)| name.contains("invalid") || name.contains("truncated"))
    {
        let refused = match Packets::parse(&bytes) {
            Ok(mut packets) => packets.all(|packet| matches!(packet, Packet::Malformed(_))),
            Err(_) => true,
        };
        assert!(refused, "{name}");
    }
}

#[test]
fn published_packets_are_read_or_refused() {
    // Bytes that another parser refuses because it expects another type are fine here.
    let fine =
        |bytes: &[u8]| Packets::parse(bytes).is_ok_and(|mut p| !p.any(|p| matches!(p, Packet::Malformed(_))));
    for (name, bytes, refused) in published() {
        let known = bytes.get(1).is_some_and(|kind| (200..=207).contains(kind));
        if name.contains("wrong type") || name.contains("wrong fmt") || !known {
            continue;
        }
        if refused {
            assert!(!fine(&bytes) || name.contains("rapid") || name.contains("slice"), "{name}");
        }
    }
}

#[test]
fn transport_feedback_of_others_is_read() {
    let bytes = hex("afcd0005fa17fa1743032fa0009900013de8021720019401");
    let Packet::TransportFeedback(feedback) = only(&bytes) else { panic!() };
    assert_eq!(
        feedback.header(),
        FeedbackHeader { base: TransportSequence(153), reference: 4_057_090, count: 23 }
    );
    let statuses: Vec<_> = feedback.statuses().collect();
    assert_eq!(statuses, [Status { sequence: TransportSequence(153), arrival: Some(0x94) }]);
    let time = statuses[0].arrival_time(&feedback.header()).unwrap();
    assert_eq!(time, Duration::from_millis(4_057_090 * 64 + 37));

    let bytes = hex("afcd0007fa17fa17193dd8bb0004000710636e0120074c2424100c0c10000003");
    let Packet::TransportFeedback(feedback) = only(&bytes) else { panic!() };
    let arrivals: Vec<_> = feedback.statuses().map(|status| status.arrival.unwrap()).collect();
    assert_eq!(arrivals, [0x4c, 0x70, 0x94, 0xa4, 0xb0, 0xbc, 0xcc]);
}

fn block(number: u32) -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(number),
        fraction_lost: 7,
        cumulative_lost: -3,
        highest: 0x1_0005,
        jitter: 99,
        last_sr: NtpShort(1),
        delay_since_last_sr: NtpShort(2),
    }
}

#[test]
fn reports_come_back() {
    let info = SenderInfo { ssrc: Ssrc(5), ntp: NtpTime(6), rtp: RtpTimestamp(7), packets: 8, octets: 9 };
    for count in [0, 1, MAX_REPORT_BLOCKS as u32] {
        let mut out = Vec::new();
        let mut writer = ReportWriter::sender(&mut out, &info);
        (0..count).for_each(|number| writer.block(&block(number)));
        assert_eq!(writer.has_room(), count < 31);
        writer.finish();
        let Packet::SenderReport(report) = only(&out) else { panic!() };
        assert_eq!(report.info(), info);
        assert!(report.blocks().eq((0..count).map(block)));

        let mut out = Vec::new();
        let mut writer = ReportWriter::receiver(&mut out, Ssrc(4));
        (0..count).for_each(|number| writer.block(&block(number)));
        writer.finish();
        let Packet::ReceiverReport(report) = only(&out) else { panic!() };
        assert_eq!(report.ssrc(), Ssrc(4));
        assert!(report.blocks().eq((0..count).map(block)));
    }
}

#[test]
fn descriptions_come_back_whatever_their_length() {
    for len in 0..20 {
        let name = "x".repeat(len);
        let mut out = Vec::new();
        write_cname(&mut out, Ssrc(3), &name);
        let Packet::Description(description) = only(&out) else { panic!() };
        assert_eq!(description.cname(Ssrc(3)), Some(name.as_bytes()));
        assert_eq!(description.cname(Ssrc(4)), None);
    }
    let items = [(ItemKind::MID, &b"0"[..]), (ItemKind::RTP_STREAM_ID, b"hi")];
    let mut out = Vec::new();
    write_items(&mut out, Ssrc(3), &items);
    let Packet::Description(description) = only(&out) else { panic!() };
    assert!(description.items().map(|item| (item.kind, item.value)).eq(items));
}

#[test]
fn goodbyes_and_application_packets_come_back() {
    for reason in [None, Some("teardown"), Some("")] {
        let mut out = Vec::new();
        write_bye(&mut out, &[Ssrc(1), Ssrc(2)], reason);
        let Packet::Bye(bye) = only(&out) else { panic!() };
        assert_eq!(bye.sources().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
        assert_eq!(bye.reason(), reason.map(str::as_bytes));
    }
    let app = App { ssrc: Ssrc(1), subtype: 31, name: *b"name", data: b"dataDATA" };
    let mut out = Vec::new();
    write_app(&mut out, &app);
    assert!(matches!(only(&out), Packet::App(found) if found == app));
}

#[test]
fn negative_acknowledgements_name_what_was_given() {
    let cases: [&[u16]; 4] = [&[1], &[1, 2, 17, 18], &[0xfffe, 0xffff, 0, 14], &[5, 22, 39]];
    for missing in cases {
        let mut out = Vec::new();
        let numbers = missing.iter().copied().map(SequenceNumber);
        let named = write_nack(&mut out, Ssrc(1), Ssrc(2), numbers, 100);
        assert_eq!(named, missing.len());
        let Packet::Nack(nack) = only(&out) else { panic!() };
        assert!(nack.missing().map(|number| number.0).eq(missing.iter().copied()));
    }
    let mut out = Vec::new();
    assert_eq!(write_nack(&mut out, Ssrc(1), Ssrc(2), core::iter::empty(), 2), 0);
    assert!(out.is_empty());
    let named = write_nack(&mut out, Ssrc(1), Ssrc(2), (0..100).map(SequenceNumber), 2);
    assert_eq!((named, out.len()), (34, 20));
    let Packet::Nack(nack) = only(&out) else { panic!() };
    assert!(nack.missing().map(|number| number.0).eq(0..34));
}

#[test]
fn requests_and_estimates_come_back() {
    let mut out = Vec::new();
    write_pli(&mut out, Ssrc(1), Ssrc(2));
    assert!(matches!(only(&out), Packet::PictureLoss(PictureLoss { sender: Ssrc(1), media: Ssrc(2) })));

    let entry = IntraEntry { ssrc: Ssrc(9), number: 200 };
    let mut out = Vec::new();
    write_fir(&mut out, Ssrc(1), entry);
    let Packet::FullIntraRequest(request) = only(&out) else { panic!() };
    assert_eq!((request.sender(), request.entries().collect::<Vec<_>>()), (Ssrc(1), [entry].into()));

    for rate in [0, 1, 0x3_ffff, 0x4_0000, 2_500_000, u64::MAX] {
        let mut out = Vec::new();
        write_remb(&mut out, Ssrc(1), rate, &[Ssrc(2), Ssrc(3)]);
        let Packet::Remb(remb) = only(&out) else { panic!() };
        assert!(remb.bits_per_second() <= rate && rate - remb.bits_per_second() <= rate >> 17);
        assert!(remb.streams().eq([Ssrc(2), Ssrc(3)]));
    }
}

/// RFC 5104 §4.2
#[test]
fn bounds_of_bit_rates_come_back() {
    for message in [BitRateMessage::Request, BitRateMessage::Notification] {
        let bound = |bits_per_second| BitRateBound { ssrc: Ssrc(2), bits_per_second, overhead: 40 };
        let bounds = [bound(0), bound(0x1_ffff), bound(0x1_ffff << 20), bound(123_456)];
        let mut out = Vec::new();
        write_bit_rate_bounds(&mut out, message, Ssrc(1), &bounds);
        let Packet::BitRateBounds(found) = only(&out) else { panic!() };
        assert_eq!((found.message(), found.sender()), (message, Ssrc(1)));
        assert!(found.entries().eq(bounds));
    }
}

#[test]
fn extended_reports_come_back() {
    let mut out = Vec::new();
    write_rrtr(&mut out, Ssrc(1), NtpTime(77));
    let Packet::ExtendedReport(report) = only(&out) else { panic!() };
    assert!(report.blocks().eq([ExtendedBlock::ReceiverReferenceTime(NtpTime(77))]));

    let entry = DelaySinceLastRr { ssrc: Ssrc(2), last_rr: NtpShort(3), delay: NtpShort(4) };
    let mut out = Vec::new();
    write_dlrr(&mut out, Ssrc(1), &[entry, entry]);
    let Packet::ExtendedReport(report) = only(&out) else { panic!() };
    let Some(ExtendedBlock::DelaySinceLastRr(data)) = report.blocks().next() else { panic!() };
    assert!(DelaySinceLastRr::read_all(data).eq([entry, entry]));
}

#[test]
fn congestion_feedback_comes_back() {
    let metric = |ecn, offset| Some(PacketMetric { ecn, offset });
    let first = [
        metric(None, ArrivalOffset::Known(0)),
        None,
        metric(Some(Ecn::Ce), ArrivalOffset::OverRange),
        metric(Some(Ecn::Ect1), ArrivalOffset::Unknown),
        metric(Some(Ecn::Ect0), ArrivalOffset::Known(0x1ffd)),
    ];
    let mut out = Vec::new();
    let mut writer = CongestionFeedbackWriter::new(&mut out, Ssrc(1));
    writer.stream(Ssrc(2), SequenceNumber(0xfffe), first.into_iter());
    writer.stream(Ssrc(3), SequenceNumber(1), [None; 2].into_iter());
    writer.finish(NtpShort(99));
    let Packet::CongestionFeedback(feedback) = only(&out) else { panic!() };
    assert_eq!((feedback.sender(), feedback.time()), (Ssrc(1), NtpShort(99)));
    let streams: Vec<_> = feedback.streams().collect();
    assert_eq!((streams[0].ssrc(), streams[1].ssrc(), streams.len()), (Ssrc(2), Ssrc(3), 2));
    assert!(streams[0].packets().map(|(_, metric)| metric).eq(first));
    assert_eq!(streams[0].packets().nth(2).unwrap().0, SequenceNumber(0));
    let before = ArrivalOffset::from_duration(Duration::from_millis(500));
    assert_eq!((before, before.to_duration()), (ArrivalOffset::Known(512), Some(Duration::from_millis(500))));
    assert_eq!(ArrivalOffset::from_duration(Duration::from_secs(8)), ArrivalOffset::OverRange);
}

#[test]
fn transport_feedback_comes_back_over_seeds() {
    for seed in 0..300 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let base = TransportSequence(rng.next_u32() as u16);
        let (mut sequence, mut at) = (base, Instant::from_millis(u64::from(rng.next_u32() % 100_000)));
        let (loss, late) = (rng.next_u32() % 6, rng.next_u32() % 5);
        let mut arrivals = Vec::new();
        for _ in 0..rng.next_u32() % 200 {
            while rng.next_u32() % 8 < loss {
                sequence =
                    sequence.add(1 + (rng.next_u32() % 30) as u16 * u16::from(rng.next_u32() % 50 == 0));
            }
            match rng.next_u32() % 8 < late {
                true => at += Duration::from_millis(u64::from(rng.next_u32() % 500)),
                false => at += Duration::from_micros(u64::from(rng.next_u32() % 20_000)),
            }
            if rng.next_u32() % 10 == 0 {
                at = at - Duration::from_millis(30);
            }
            arrivals.push(Arrival { sequence, at });
            sequence = sequence.next();
        }
        round_trip(base, &arrivals, 60 + (rng.next_u32() % 1100) as usize);
    }
}

fn round_trip(mut base: TransportSequence, arrivals: &[Arrival], max_len: usize) {
    let mut left = arrivals;
    while !left.is_empty() {
        let mut out = Vec::new();
        let told = write_transport_feedback(&mut out, Ssrc(1), Ssrc(2), base, 9, left, max_len);
        assert!(told > 0 && out.len() <= max_len, "{told} {} {max_len}", out.len());
        let Packet::TransportFeedback(feedback) = only(&out) else { panic!("{:?}", only(&out)) };
        assert_eq!((feedback.sender(), feedback.media(), feedback.header().base), (Ssrc(1), Ssrc(2), base));
        let read: Vec<_> = feedback.statuses().filter(|status| status.arrival.is_some()).collect();
        assert_eq!(read.len(), told);
        for (status, arrival) in read.iter().zip(left) {
            assert_eq!(status.sequence, arrival.sequence);
            let at = Instant::ZERO + status.arrival_time(&feedback.header()).unwrap();
            assert!(arrival.at - at < Duration::from_micros(250) && arrival.at >= at);
        }
        base = left[told - 1].sequence.next();
        left = &left[told..];
    }
}

#[test]
fn feedback_ends_before_a_time_that_is_too_far() {
    let arrival =
        |sequence, ms| Arrival { sequence: TransportSequence(sequence), at: Instant::from_millis(ms) };
    let arrivals = [arrival(1, 1000), arrival(2, 10_000)];
    let mut out = Vec::new();
    let base = TransportSequence(1);
    assert_eq!(write_transport_feedback(&mut out, Ssrc(1), Ssrc(2), base, 0, &arrivals, 1200), 1);
    let arrivals = [arrival(20_000, 1000)];
    let mut out = Vec::new();
    assert_eq!(write_transport_feedback(&mut out, Ssrc(1), Ssrc(2), base, 0, &arrivals, 1200), 0);
    assert!(out.is_empty());
}

/// RFC 5761 §4
#[test]
fn rtcp_is_told_from_rtp_by_its_second_byte() {
    for second in 0..=255_u8 {
        assert_eq!(is_rtcp(&[0x80, second]), (192..=223).contains(&second));
    }
    assert!(!is_rtcp(&[0x80]));
}

#[test]
fn a_compound_is_walked_in_order_and_must_add_up() {
    let mut out = Vec::new();
    ReportWriter::receiver(&mut out, Ssrc(1)).finish();
    write_cname(&mut out, Ssrc(1), "name");
    write_pli(&mut out, Ssrc(1), Ssrc(2));
    let packets: Vec<_> = Packets::parse(&out).unwrap().collect();
    assert!(matches!(
        packets[..],
        [Packet::ReceiverReport(_), Packet::Description(_), Packet::PictureLoss(_)]
    ));
    for len in (0..out.len()).filter(|len| ![8, 24].contains(len)) {
        assert_eq!(Packets::parse(&out[..len]).unwrap_err(), ParseError::Length, "{len}");
    }
    out[8] = 0;
    assert_eq!(Packets::parse(&out).unwrap_err(), ParseError::Version);
    assert_eq!(Packets::parse(&[0xa0, 201, 0, 1, 0, 0, 0, 5]).unwrap_err(), ParseError::Padding);
    assert_eq!(Packets::parse(&[0xa0, 201, 0, 1, 0, 0, 0, 0]).unwrap_err(), ParseError::Padding);
}

#[test]
fn no_prefix_and_no_corruption_panics() {
    let all =
        files().into_iter().map(|(_, bytes)| bytes).chain(published().into_iter().map(|(_, bytes, _)| bytes));
    for mut bytes in all {
        for len in 0..=bytes.len() {
            crate::fuzzing::rtcp_compound(&bytes[..len]);
        }
        for at in 0..bytes.len().min(120) {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                crate::fuzzing::rtcp_compound(&bytes);
                bytes[at] ^= 1 << bit;
            }
        }
    }
}
