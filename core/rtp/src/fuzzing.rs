//! What fuzzers call.

use alloc::vec::Vec;

use crate::packet::unwrap_retransmission;
use crate::{
    ExtensionId, ExtensionKind, ExtensionMap, ExtensionValues, HeaderBuilder, Packet, PacketMut, PayloadType,
    Ssrc, rtcp,
};

mod machines;
mod payloads;

pub use machines::{rtp_receive_stream, rtp_session};
pub use payloads::{
    rtp_frames, rtp_packetizer, rtp_payload_av1, rtp_payload_h264, rtp_payload_h265, rtp_payload_vp8,
    rtp_payload_vp9,
};

fn some_map() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for (kind, id) in
        ExtensionKind::ALL.into_iter().zip(1..).filter_map(|(k, n)| Some((k, ExtensionId::new(n)?)))
    {
        map.insert(id, kind).expect("each has its own id");
    }
    map
}

/// Reads any bytes, and everything that can be asked of a packet; what is written again reads the same.
pub fn rtp_packet(data: &[u8]) {
    let Ok(packet) = Packet::parse(data) else { return };
    assert_eq!(packet.header_len() + packet.payload().len() + usize::from(packet.padding_len()), data.len());
    let map = some_map();
    let values = ExtensionValues::read(&packet, &map);
    let mut out = Vec::new();
    let mut builder = HeaderBuilder::new(&mut out, &packet.header());
    values.write(&map, &mut builder);
    builder.finish();
    let again = Packet::parse(&out).expect("what was written is a packet");
    assert_eq!(again.header(), packet.header());
    assert_eq!(ExtensionValues::read(&again, &map), values);

    let mut bytes = data.to_vec();
    let mut changed = PacketMut::parse(&mut bytes).expect("it was a packet");
    for (id, value) in packet.extensions() {
        let first = packet.extension(id).expect("it has one");
        assert_eq!(changed.set_extension(id, value), first.len() == value.len());
    }
    assert_eq!(changed.as_packet().extensions().count(), packet.extensions().count());
    if let Some(whole) = unwrap_retransmission(&mut bytes, Ssrc(1), PayloadType::from_low_bits(96)) {
        assert_eq!(
            Packet::parse(whole).expect("it is a packet again").payload().len(),
            packet.payload().len() - 2
        );
    }
}

/// Reads any bytes as a datagram of RTCP, and everything that can be asked of its packets.
pub fn rtcp_compound(data: &[u8]) {
    let Ok(packets) = rtcp::Packets::parse(data) else { return };
    for packet in packets {
        match packet {
            rtcp::Packet::SenderReport(report) => report.blocks().for_each(drop),
            rtcp::Packet::ReceiverReport(report) => report.blocks().for_each(drop),
            rtcp::Packet::Description(description) => description.items().for_each(drop),
            rtcp::Packet::Bye(bye) => bye.sources().for_each(drop),
            rtcp::Packet::Nack(nack) => nack.missing().for_each(drop),
            rtcp::Packet::TransportFeedback(feedback) => feedback.statuses().for_each(drop),
            rtcp::Packet::CongestionFeedback(feedback) => {
                feedback.streams().for_each(|stream| stream.packets().for_each(drop));
            }
            rtcp::Packet::FullIntraRequest(request) => request.entries().for_each(drop),
            rtcp::Packet::BitRateBounds(bounds) => bounds.entries().for_each(drop),
            rtcp::Packet::Remb(remb) => remb.streams().for_each(drop),
            rtcp::Packet::ExtendedReport(report) => report.blocks().for_each(|block| {
                if let rtcp::ExtendedBlock::DelaySinceLastRr(data) = block {
                    rtcp::DelaySinceLastRr::read_all(data).for_each(drop);
                }
            }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use pavane_base::rand_core::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_bodies_run_on_a_few_seeds() {
        for seed in 0..200 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut data = alloc::vec![0; 600];
            rng.fill_bytes(&mut data);
            rtp_receive_stream(&data);
            rtp_session(&data);
            // Something that looks like RTP or RTCP at least.
            for chunk in data.chunks_mut(40) {
                let [wait, len, first, second, ..] = chunk else { continue };
                (*wait, *len, *first) = (*wait % 64, 38, 0x80 | *first & 0x1f);
                *second = [96, 97, 200, 201, 203, 205, 206, 207][usize::from(*second % 8)];
                if *second >= 200 {
                    chunk[4..6].copy_from_slice(&[0, 8]);
                    chunk[1] = 36;
                }
                chunk[10..14].copy_from_slice(&[0, 0, 0, 1 + (seed % 4) as u8]);
            }
            rtp_session(&data);
        }
    }

    #[test]
    fn frames_and_payloads_run_on_a_few_seeds() {
        for seed in 0..500 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut data = alloc::vec![0; 600];
            rng.fill_bytes(&mut data);
            rtp_frames(&data);
            rtp_packetizer(&data);
            // Payloads of a few bytes, so that they are put together.
            data.chunks_mut(12).for_each(|chunk| chunk[0] = 11);
            for body in
                [rtp_payload_av1, rtp_payload_h264, rtp_payload_h265, rtp_payload_vp8, rtp_payload_vp9]
            {
                body(&data);
            }
        }
    }
}
