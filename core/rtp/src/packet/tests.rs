use alloc::vec;
use alloc::vec::Vec;

use super::rewrite::unwrap_retransmission;
use super::*;
use crate::{
    AbsoluteCaptureTime, AbsoluteSendTime, AudioLevel, ExtensionKind, ExtensionMap, ExtensionValues, NtpTime,
    PlayoutDelay, TransportSequence, VideoOrientation,
};

const CAPTURED: [(&str, &[u8]); 9] = [
    ("plain", include_bytes!("../../testdata/rtp/rtp.bin")),
    ("dtmf", include_bytes!("../../testdata/rtp/rtp_dtmf.bin")),
    ("padding", include_bytes!("../../testdata/rtp/rtp_only_padding.bin")),
    ("padding+ext", include_bytes!("../../testdata/rtp/rtp_only_padding_with_header_extensions.bin")),
    ("csrc", include_bytes!("../../testdata/rtp/rtp_with_csrc.bin")),
    ("mid", include_bytes!("../../testdata/rtp/rtp_with_sdes_mid.bin")),
    ("fuzz 0", include_bytes!("../../testdata/rtp/rtp-0")),
    ("fuzz 1", include_bytes!("../../testdata/rtp/rtp-1")),
    ("fuzz 2", include_bytes!("../../testdata/rtp/rtp-2")),
];

fn captured(name: &str) -> &'static [u8] {
    CAPTURED.iter().find(|(found, _)| *found == name).unwrap().1
}

fn id(number: u8) -> ExtensionId {
    ExtensionId::new(number).unwrap()
}

fn header() -> Header {
    Header {
        marker: true,
        payload_type: PayloadType::new(96).unwrap(),
        sequence_number: SequenceNumber(0xfffe),
        timestamp: RtpTimestamp(0x0102_0304),
        ssrc: Ssrc(0xdead_beef),
    }
}

#[test]
fn captured_packets_are_read() {
    let plain = Packet::parse(captured("plain")).unwrap();
    assert_eq!(plain.payload_type().get(), 0);
    assert_eq!((plain.sequence_number(), plain.timestamp().0), (SequenceNumber(15743), 3_937_035_252));
    assert_eq!((plain.payload().len(), plain.csrcs().len()), (160, 0));

    let padding = Packet::parse(captured("padding")).unwrap();
    assert_eq!((padding.payload().len(), padding.padding_len()), (0, 224));

    let csrc = Packet::parse(captured("csrc")).unwrap();
    assert_eq!(csrc.csrcs().collect::<Vec<_>>(), [Ssrc(2_882_400_001), Ssrc(3_735_928_559)]);

    let mid = Packet::parse(captured("mid")).unwrap();
    assert_eq!(mid.extensions().collect::<Vec<_>>(), [(id(9), &b"0"[..])]);
}

#[test]
fn what_is_written_is_read_back() {
    for csrcs in [0, 1, 15] {
        for elements in
            [&[][..], &[(1, 1)], &[(14, 16), (2, 3)], &[(15, 1)], &[(1, 0)], &[(3, 17), (255, 255)]]
        {
            let mut out = vec![7; 3];
            let mut builder = HeaderBuilder::new(&mut out, &header());
            for csrc in 0..csrcs {
                builder = builder.csrc(Ssrc(csrc));
            }
            for (number, len) in elements {
                builder = builder.extension(id(*number), &vec![*number; *len]);
            }
            let len = builder.finish();
            out.extend_from_slice(b"payload");
            let packet = Packet::parse(&out[3..]).unwrap();
            assert_eq!(
                (packet.header(), packet.header_len(), packet.payload()),
                (header(), len, &b"payload"[..])
            );
            assert_eq!(packet.csrcs().collect::<Vec<_>>(), (0..csrcs).map(Ssrc).collect::<Vec<_>>());
            let read: Vec<_> = packet.extensions().map(|(id, v)| (id.get(), v.len())).collect();
            assert_eq!(read, elements);
            assert!(packet.extensions().all(|(id, v)| v.iter().all(|b| *b == id.get())));
        }
    }
}

/// RFC 8285 §4.1.2: the one-byte form, until an element needs the other.
#[test]
fn elements_are_widened_when_one_does_not_fit() {
    let mut out = Vec::new();
    let builder = HeaderBuilder::new(&mut out, &header()).extension(id(1), b"abc").extension(id(2), b"d");
    builder.extension(id(20), b"e").extension(id(3), b"f").finish();
    let packet = Packet::parse(&out).unwrap();
    assert_eq!(packet.raw_extension().unwrap().0, 0x1000);
    let read: Vec<_> = packet.extensions().collect();
    assert_eq!(read, [(id(1), &b"abc"[..]), (id(2), b"d"), (id(20), b"e"), (id(3), b"f")]);

    let mut out = Vec::new();
    HeaderBuilder::new(&mut out, &header()).extension(id(1), b"abc").finish();
    assert_eq!(Packet::parse(&out).unwrap().raw_extension(), Some((0xbede, &b"\x12abc"[..])));
}

/// RFC 8285 §4.2: padding between elements is skipped, id 15 and a long id 0 end the block.
#[test]
fn odd_elements_end_the_block_where_they_should() {
    let table: [(u16, &[u8], &[u8]); 8] = [
        (0xbede, &[0, 0, 0x10, 1, 0, 0x20, 2, 0], &[1, 2]),
        (0xbede, &[0x10, 1, 0xf0, 1, 0x20, 2, 0, 0], &[1]),
        (0xbede, &[0x10, 1, 0x01, 1, 0x20, 2, 0, 0], &[1]),
        (0xbede, &[0x10, 1, 0x2f, 1], &[1]),
        (0x1000, &[0, 1, 1, 9, 15, 0, 0, 0], &[1, 15]),
        (0x100f, &[1, 0, 2, 9], &[1]),
        (0x1001, &[1, 0, 0, 2], &[1]),
        (0xc0de, &[0x10, 1, 0, 0], &[]),
    ];
    for (profile, block, expected) in table {
        let mut out = Vec::new();
        HeaderBuilder::new(&mut out, &header()).finish();
        out[0] |= EXTENSION_BIT;
        out.extend_from_slice(&profile.to_be_bytes());
        out.extend_from_slice(&((block.len() / 4) as u16).to_be_bytes());
        out.extend_from_slice(block);
        let packet = Packet::parse(&out).unwrap();
        let ids: Vec<_> = packet.extensions().map(|(id, _)| id.get()).collect();
        assert_eq!(ids, expected, "{profile:x} {block:?}");
    }
}

fn every_extension() -> (ExtensionMap, ExtensionValues<'static>) {
    let mut map = ExtensionMap::new();
    for (index, kind) in ExtensionKind::ALL.into_iter().enumerate() {
        map.insert(id(index as u8 + 1), kind).unwrap();
    }
    let values = ExtensionValues {
        mid: Some("video"),
        rid: Some("hi"),
        repaired_rid: Some("lo"),
        audio_level: Some(AudioLevel { voice: true, below_full: 20 }),
        absolute_send_time: Some(AbsoluteSendTime::from_ntp(NtpTime(0x1234_5678_9abc_def0))),
        transport_sequence: Some(TransportSequence(500)),
        video_orientation: Some(VideoOrientation::default()),
        playout_delay: Some(PlayoutDelay { min: 1, max: 2 }),
        capture_time: Some(AbsoluteCaptureTime { at: NtpTime(1), clock_offset: Some(2) }),
        dependency_descriptor: Some(&[1; 40]),
        ..ExtensionValues::default()
    };
    (map, values)
}

#[test]
fn values_are_written_and_read_by_the_sessions_ids() {
    let (map, values) = every_extension();
    let mut out = Vec::new();
    let mut builder = HeaderBuilder::new(&mut out, &header());
    values.write(&map, &mut builder);
    builder.finish();
    let packet = Packet::parse(&out).unwrap();
    assert_eq!(ExtensionValues::read(&packet, &map), values);
    assert_eq!(ExtensionValues::read(&packet, &ExtensionMap::new()), ExtensionValues::default());

    let mut few = ExtensionMap::new();
    few.insert(id(4), ExtensionKind::Mid).unwrap();
    let mut out = Vec::new();
    let mut builder = HeaderBuilder::new(&mut out, &header());
    values.write(&few, &mut builder);
    builder.finish();
    assert_eq!(Packet::parse(&out).unwrap().raw_extension(), Some((0xbede, &b"\x44video\0\0"[..])));
}

#[test]
fn headers_are_rewritten_in_place() {
    let mut out = Vec::new();
    HeaderBuilder::new(&mut out, &header()).extension(id(1), b"abc").extension(id(5), b"zz").finish();
    out.extend_from_slice(b"xyz");
    let mut packet = PacketMut::parse(&mut out).unwrap();
    packet.set_marker(false);
    packet.set_payload_type(PayloadType::new(111).unwrap());
    packet.set_sequence_number(SequenceNumber(1));
    packet.set_timestamp(RtpTimestamp(2));
    packet.set_ssrc(Ssrc(3));
    assert!(packet.set_extension(id(1), b"ABC"));
    assert!(packet.set_extension(id(5), b"ZZ"));
    assert!(!packet.set_extension(id(5), b"longer") && !packet.set_extension(id(6), b"zz"));
    let packet = Packet::parse(&out).unwrap();
    assert_eq!(
        packet.header(),
        Header {
            marker: false,
            payload_type: PayloadType::new(111).unwrap(),
            sequence_number: SequenceNumber(1),
            timestamp: RtpTimestamp(2),
            ssrc: Ssrc(3),
        }
    );
    assert_eq!(packet.extensions().collect::<Vec<_>>(), [(id(1), &b"ABC"[..]), (id(5), b"ZZ")]);
    assert_eq!(packet.payload(), b"xyz");
}

/// RFC 4588 §4
#[test]
fn a_retransmission_becomes_the_original() {
    let mut out = Vec::new();
    HeaderBuilder::new(&mut out, &header()).csrc(Ssrc(9)).extension(id(1), b"abc").finish();
    out.extend_from_slice(&[0x12, 0x34]);
    out.extend_from_slice(b"payload");
    pad(&mut out, 0, 5);
    let bytes = unwrap_retransmission(&mut out, Ssrc(7), PayloadType::new(100).unwrap()).unwrap();
    let packet = Packet::parse(bytes).unwrap();
    assert_eq!((packet.ssrc(), packet.sequence_number()), (Ssrc(7), SequenceNumber(0x1234)));
    assert_eq!((packet.payload_type().get(), packet.marker()), (100, true));
    assert_eq!((packet.payload(), packet.padding_len()), (&b"payload"[..], 0));
    assert_eq!(packet.timestamp(), header().timestamp);
    assert_eq!(packet.extension(id(1)), Some(&b"abc"[..]));

    for probe in [&[][..], &[1], &[1, 2]] {
        let mut out = Vec::new();
        HeaderBuilder::new(&mut out, &header()).finish();
        out.extend_from_slice(probe);
        assert_eq!(unwrap_retransmission(&mut out, Ssrc(7), PayloadType::new(100).unwrap()), None);
    }
}

#[test]
fn padding_that_does_not_fit_is_refused() {
    let mut out = Vec::new();
    HeaderBuilder::new(&mut out, &header()).finish();
    pad(&mut out, 0, 4);
    assert_eq!(Packet::parse(&out).unwrap().padding_len(), 4);
    for wrong in [0, 5, 255] {
        *out.last_mut().unwrap() = wrong;
        assert_eq!(Packet::parse(&out).unwrap_err(), ParseError::Padding);
    }
    assert_eq!(Packet::parse(&out[..12]).unwrap_err(), ParseError::Padding);
    out[0] = 0x40;
    assert_eq!(Packet::parse(&out).unwrap_err(), ParseError::Version);
}

#[test]
fn no_prefix_and_no_corruption_panics() {
    for (_, bytes) in CAPTURED {
        for len in 0..bytes.len() {
            crate::fuzzing::rtp_packet(&bytes[..len]);
        }
        let mut bytes = bytes.to_vec();
        for at in 0..bytes.len().min(200) {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                crate::fuzzing::rtp_packet(&bytes);
                bytes[at] ^= 1 << bit;
            }
        }
    }
}
