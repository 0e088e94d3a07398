use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::*;

const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0x00];

/// An OBU with a size.
fn obu(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind << 3 | 2][..], &obu::leb128(body.len()).collect::<Vec<_>>(), body].concat()
}

fn payloads(frame: &[u8], max_len: usize) -> Vec<(Bytes, bool)> {
    let parts = Parts::new(Bytes::copy_from_slice(frame), max_len).unwrap();
    parts.map(|part| (part.payload.to_bytes(), part.marker)).collect()
}

fn assemble(payloads: &[(Bytes, bool)]) -> Result<Vec<u8>, Malformed> {
    let (mut assembly, mut frame) = (Assembly::default(), Vec::new());
    for (payload, _) in payloads {
        assembly.push(payload, &mut frame)?;
    }
    assembly.finish().map(|()| frame)
}

#[test]
fn a_key_frame_goes_with_its_sequence_header() {
    let (header, picture) = (obu(SEQUENCE_HEADER, &[1; 10]), obu(FRAME, &[0x10; 80]));
    let frame = [&TEMPORAL_DELIMITER[..], &header, &picture].concat();
    let packets = payloads(&frame, 200);
    let [(packet, true)] = &packets[..] else { panic!("{packets:?}") };
    // Two elements, a coded video sequence; the first has a length, neither a size.
    assert_eq!(packet[..3], [0b0010_1000, 11, 0x08]);
    assert_eq!(packet[13..15], [0x30, 0x10]);
    let descriptor = describe(packet).unwrap();
    assert!(descriptor.keyframe && descriptor.begins == Begins::Yes);
    assert_eq!(descriptor.media_len, frame.len() - 2);
    assert_eq!(assemble(&packets).unwrap(), frame[2..]);
}

#[test]
fn frames_of_every_size_come_out_as_they_went_in() {
    for len in (0..600).chain([16_383, 16_384, 70_000]) {
        let frame =
            [obu(5, &[3; 20]), obu(FRAME, &vec![0xff; len]), obu(5, &[4; 9]), obu(4, &[9; 40])].concat();
        let packets = payloads(&frame, 100);
        assert_eq!(assemble(&packets).unwrap(), frame, "{len}");
        for (index, (packet, marker)) in packets.iter().enumerate() {
            assert!(packet.len() <= 100);
            assert_eq!(*marker, index + 1 == packets.len());
            let descriptor = describe(packet).unwrap();
            assert!(!descriptor.keyframe);
            assert_eq!(descriptor.begins == Begins::No, packet[0] & 0x80 != 0);
        }
        let most = packets.iter().map(|(packet, _)| describe(packet).unwrap().media_len).sum::<usize>();
        assert!((frame.len()..frame.len() + 3).contains(&most), "{len}");
    }
}

#[test]
fn layers_do_not_share_a_packet() {
    let layer = |id: u8| [&[FRAME << 3 | 6, id << 3, 20][..], &[7; 20]].concat();
    let frame = [layer(0), layer(0), layer(1)].concat();
    let packets = payloads(&frame, 1000);
    assert_eq!(packets.iter().map(|(packet, _)| packet.len()).collect::<Vec<_>>(), [1 + 1 + 22 + 22, 1 + 22]);
    assert_eq!(assemble(&packets).unwrap(), frame);
}

#[test]
fn what_others_send_is_taken() {
    // Lengths everywhere, a size within, a temporal delimiter.
    let packet = [&[0x00, 1, 0x10, 4, 0x32, 2, 0xff, 0xfe, 2, 0x30, 0xaa][..]].concat();
    let frame = assemble(&[(packet.into(), true)]).unwrap();
    assert_eq!(frame, [0x32, 2, 0xff, 0xfe, 0x32, 1, 0xaa]);
}

#[test]
fn what_cannot_be_is_refused() {
    let bad: [&[u8]; 9] = [
        &[],
        &[0x10],
        &[0x88, 1],
        // Lengths beyond the end, none, too few elements, too many bytes of length.
        &[0x00, 5, 0x30],
        &[0x00, 0],
        &[0x20, 1, 0x30],
        &[0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0x30],
        // The forbidden bit, and an extension that is not there.
        &[0x10, 0xb0, 1],
        &[0x10, 0x34],
    ];
    for payload in bad {
        assert_eq!(describe(payload), Err(Malformed), "{payload:x?}");
        assert_eq!(Assembly::default().push(payload, &mut Vec::new()), Err(Malformed), "{payload:x?}");
    }
    let (first, rest) = (&[0x50, 0x30, 1][..], &[0x90, 2][..]);
    let mut assembly = Assembly::default();
    assert_eq!(assembly.push(rest, &mut Vec::new()), Err(Malformed));
    assembly.push(first, &mut Vec::new()).unwrap();
    assert_eq!(assembly.push(first, &mut Vec::new()), Err(Malformed));
    assert_eq!(assembly.finish(), Err(Malformed));
    let wrong_size = [0x10, 0x32, 3, 1, 1];
    assert_eq!(assemble(&[(Bytes::copy_from_slice(&wrong_size), true)]), Err(Malformed));
}
