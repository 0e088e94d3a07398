//! A captured simulcast layer of VP8 goes through a session as it went over the network.

use std::time::Duration;

use pavane_base::rand_core::SeedableRng;
use pavane_base::{Epoch, Instant, Reader};
use pavane_rtp::receive::{Format, Rejected};
use pavane_rtp::{
    Dropped, ExtensionId, ExtensionKind, ExtensionMap, PayloadType, ReportTiming, SectionConfig, SectionId,
    Session, SessionConfig,
};
use rand_chacha::ChaCha8Rng;

/// The moments and UDP payloads of a capture in the old format, little-endian, of Ethernet and IPv4.
fn datagrams(capture: &[u8]) -> Vec<(Instant, Vec<u8>)> {
    const ETHERNET_IP_UDP: usize = 14 + 20 + 8;
    let mut reader = Reader::new(capture);
    reader.take(24).unwrap();
    let mut found = Vec::new();
    while !reader.is_empty() {
        let mut word = || u64::from(reader.u32().unwrap().swap_bytes());
        let (seconds, micros, len, _) = (word(), word(), word(), word());
        let frame = reader.take(len as usize).unwrap();
        let at = Instant::from_nanos(seconds * 1_000_000_000 + micros * 1000);
        found.push((at, frame[ETHERNET_IP_UDP..].to_vec()));
    }
    found
}

fn session(rng: &mut ChaCha8Rng) -> Session {
    let config = SessionConfig {
        cname: "name".into(),
        epoch: Epoch { at: Instant::ZERO, unix: Duration::ZERO },
        reduced_size: true,
        reference_time: false,
        timing: ReportTiming::default(),
    };
    let mut session = Session::new(config, Instant::ZERO, rng);
    let mut map = ExtensionMap::new();
    let kinds = [
        (2, ExtensionKind::AbsoluteSendTime),
        (4, ExtensionKind::TransportSequence),
        (9, ExtensionKind::Mid),
        (10, ExtensionKind::RtpStreamId),
    ];
    for (id, kind) in kinds {
        map.insert(ExtensionId::new(id).unwrap(), kind).unwrap();
    }
    session.set_extensions(map);
    let format = Format {
        payload_type: PayloadType::new(96).unwrap(),
        clock_rate: 90_000,
        retransmission: None,
        payload: None,
    };
    let (mid, rids) = (Some("1".into()), vec!["l".into()]);
    session
        .set_section(SectionId(1), SectionConfig { mid, rids, formats: vec![format], ..Default::default() });
    session
}

#[test]
fn a_captured_stream_is_received_whole() {
    let mut session = session(&mut ChaCha8Rng::seed_from_u64(1));
    let (mut places, mut send_times) = (Vec::new(), Vec::new());
    for (at, mut bytes) in datagrams(include_bytes!("../testdata/rtp/vp8.pcap")) {
        let mut again = bytes.clone();
        let received = session.handle_rtp(at, &mut bytes).unwrap();
        places.push(received.place.sequence);
        send_times.push((at, received.values.absolute_send_time.unwrap()));
        assert!(received.values.transport_sequence.is_some() && received.packet.payload().len() > 10);
        let duplicate = session.handle_rtp(at, &mut again).unwrap_err();
        assert_eq!(duplicate, Dropped::Rejected(Rejected::Duplicate));
    }
    assert_eq!(places.len(), 104);
    let whole = places.windows(2).all(|pair| pair[1] == pair[0] + 1);
    assert!(whole);
    for pair in send_times.windows(2) {
        let (sent, came) = (pair[1].1.since(pair[0].1), pair[1].0 - pair[0].0);
        assert!(sent.abs_diff(came) < Duration::from_millis(100), "{sent:?} {came:?}");
    }
    let (_, section, stream) = session.receivers().next().unwrap();
    assert_eq!((section, stream.packets_lost()), (SectionId(1), 0));
    assert_eq!(stream.statistics().packets_duplicated, 104);
}
