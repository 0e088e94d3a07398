//! W3C's statistics: the objects are there, they name each other, and what one end counts the other end does too.

use std::time::Duration;

use pavane::rtp::send::{MediaExtensions, Outgoing};
use pavane::rtp::{PayloadType, RtpTimestamp};
use pavane::{
    ChannelInit, ChannelState, DtlsRole, Event, IceCandidatePairStats, InboundRtpStats, Message,
    OutboundRtpStats, SenderId, StatsEntry, StatsId, StatsObject, StatsReport, StatsValue, TrackInit, ice,
};
use pavane_tests::{End, Link, Pair};

use End::{Alice, Bob};

const RTT: Duration = Duration::from_millis(100);

/// Alice sends pictures to Bob, and they chat.
fn session(loss: f64) -> (Pair, SenderId) {
    let mut pair = Pair::new(7, Link::with_delay(RTT / 2).loss(loss));
    pair.add_addresses();
    let now = pair.now;
    let sender = pair.connection(Alice).add_track(TrackInit::video().id("camera")).unwrap();
    let chat = pair.connection(Alice).create_data_channel(now, "chat", ChannelInit::default()).unwrap();
    pair.exchange(Alice);
    let opened = |pair: &mut Pair| {
        pair.peer(Alice).events.iter().any(|(_, event)| *event == Event::ChannelOpened(chat))
    };
    assert!(pair.run(Duration::from_secs(60), opened));
    for number in 0..500 {
        write(&mut pair, sender, number);
        pair.idle(Duration::from_millis(10));
    }
    let now = pair.now;
    pair.connection(Alice).channel(chat).unwrap().send(now, Message::text("hello")).unwrap();
    pair.idle(Duration::from_secs(6));
    (pair, sender)
}

fn write(pair: &mut Pair, sender: SenderId, number: u32) {
    let packet = Outgoing {
        payload_type: PayloadType::new(96).unwrap(),
        marker: true,
        timestamp: RtpTimestamp(number * 900),
        payload: vec![7; 1000].into(),
        extensions: MediaExtensions::default(),
        captured_at: None,
    };
    let now = pair.now;
    pair.connection(Alice).sender(sender).unwrap().write(now, packet).unwrap();
}

fn report(pair: &mut Pair, end: End) -> StatsReport {
    let now = pair.now;
    pair.connection(end).stats_report(now)
}

/// The one object of its kind.
macro_rules! only {
    ($report:expr, $kind:ident) => {{
        let mut found = $report.iter().filter_map(|entry| match &entry.object {
            StatsObject::$kind(object) => Some((entry, object)),
            _ => None,
        });
        let only = found.next().expect(concat!("there is one: ", stringify!($kind)));
        assert!(found.next().is_none(), "there is but one: {}", stringify!($kind));
        only
    }};
}

fn inbound(report: &StatsReport) -> &InboundRtpStats {
    only!(report, InboundRtp).1
}

fn outbound(report: &StatsReport) -> &OutboundRtpStats {
    only!(report, OutboundRtp).1
}

/// The pair that data takes.
fn selected(report: &StatsReport) -> &IceCandidatePairStats {
    let id = only!(report, Transport).1.selected_candidate_pair_id.as_ref().unwrap();
    match &report.get(id).unwrap().object {
        StatsObject::CandidatePair(pair) => pair,
        other => panic!("{other:?} is no pair"),
    }
}

#[test]
fn what_one_end_sends_the_other_counts() {
    let (mut pair, _) = session(0.0);
    let (alice, bob) = (report(&mut pair, Alice), report(&mut pair, Bob));
    let (sent, received) = (outbound(&alice), inbound(&bob));
    assert_eq!((sent.packets_sent, sent.bytes_sent, sent.frames_sent), (500, 500_000, Some(500)));
    assert_eq!((received.packets_received, received.bytes_received), (500, 500_000));
    assert_eq!((received.packets_lost, received.nack_count, sent.nack_count), (0, 0, 0));
    assert_eq!(received.header_bytes_received, sent.header_bytes_sent);
    assert_eq!((received.ssrc, &received.mid), (sent.ssrc, &sent.mid));
    assert_eq!(received.track_identifier, "camera");
    assert_eq!(only!(alice, MediaSource).1.track_identifier, "camera");
    assert!(sent.active && received.jitter < Duration::from_millis(1), "{received:?}");

    let (at, said) = only!(alice, RemoteInboundRtp);
    assert_eq!((said.packets_lost, said.fraction_lost), (0, 0.0));
    assert!(said.round_trip_time.unwrap().abs_diff(RTT) < Duration::from_millis(1), "{said:?}");
    assert!(at.timestamp < only!(alice, Transport).0.timestamp, "it is as old as the report");
    let (_, said) = only!(bob, RemoteOutboundRtp);
    assert_eq!((said.packets_sent, said.bytes_sent), (500, 500_000));
    assert!(said.reports_sent > 1);

    let (_, chat) = only!(alice, DataChannel);
    assert_eq!((chat.label.as_str(), chat.state), ("chat", ChannelState::Open));
    assert_eq!((chat.messages_sent, chat.bytes_sent), (1, 5));
    let (_, chat) = only!(bob, DataChannel);
    assert_eq!((chat.messages_received, chat.bytes_received), (1, 5));
}

#[test]
fn losses_and_repairs_are_counted_at_both_ends() {
    let (mut pair, _) = session(0.1);
    let (alice, bob) = (report(&mut pair, Alice), report(&mut pair, Bob));
    let (sent, received) = (outbound(&alice), inbound(&bob));
    // Of the first and the last packet nobody knows that they are missing.
    assert!((498..=500).contains(&received.packets_received), "{received:?}");
    assert!((30..80).contains(&received.retransmitted_packets_received), "{received:?}");
    assert!(sent.retransmitted_packets_sent >= received.retransmitted_packets_received);
    assert_eq!(sent.packets_sent, 500 + sent.retransmitted_packets_sent);
    assert!(sent.nack_count > 0 && sent.nack_count <= received.nack_count);
    assert_eq!(received.rtx_ssrc, sent.rtx_ssrc);
    assert!(received.rtx_ssrc.is_some());
}

#[test]
fn the_transport_is_described_down_to_its_candidates() {
    let (mut pair, _) = session(0.0);
    for end in End::BOTH {
        let report = report(&mut pair, end);
        let (_, transport) = only!(report, Transport);
        let role = if end == Alice { ice::Role::Controlling } else { ice::Role::Controlled };
        assert_eq!((transport.ice_role, transport.selected_candidate_pair_changes), (role, 1));
        assert_eq!(transport.tls_version.as_deref(), Some("FEFD"));
        assert_eq!(transport.srtp_cipher.as_deref(), Some("SRTP_AEAD_AES_128_GCM"));
        assert_ne!(transport.dtls_role, DtlsRole::Unknown);
        let selected = selected(&report);
        assert_eq!(selected.state, ice::PairState::Succeeded);
        assert_eq!(selected.current_round_trip_time, Some(RTT));
        assert!(selected.packets_sent > 0 && selected.packets_sent < transport.packets_sent, "checks aside");
        assert!(selected.packets_received > 0 && selected.packets_received < transport.packets_received);
        assert!(selected.responses_sent > 0 && selected.responses_sent <= selected.requests_received);
    }
    let (alice, bob) = (report(&mut pair, Alice), report(&mut pair, Bob));
    assert_eq!(selected(&alice).bytes_sent, selected(&bob).bytes_received);
    assert_eq!(selected(&bob).packets_sent, selected(&alice).packets_received);
    let certificate = |report: &StatsReport, id: &StatsId| match &report.get(id).unwrap().object {
        StatsObject::Certificate(certificate) => certificate.clone(),
        other => panic!("{other:?} is no certificate"),
    };
    let (ours, theirs) = (only!(alice, Transport).1, only!(bob, Transport).1);
    assert_eq!(
        certificate(&alice, &ours.local_certificate_id),
        certificate(&bob, theirs.remote_certificate_id.as_ref().unwrap())
    );
}

/// Every member whose name ends in `Id` names an object of the kind that the name says.
#[test]
fn every_id_that_is_named_is_there_and_of_its_kind() {
    let (mut pair, _) = session(0.05);
    for end in End::BOTH {
        let report = report(&mut pair, end);
        let mut named = 0;
        for entry in report.iter() {
            for (member, value) in entry.members() {
                let Some(kinds) = kinds_of(member, &entry.object) else { continue };
                let StatsValue::Text(text) = value else { panic!("{member} is no id") };
                let target = report.iter().find(|entry| entry.id.as_str() == text);
                let target = target.unwrap_or_else(|| panic!("{}'s {member} {text} is nowhere", entry.id));
                assert!(kinds.contains(&target.object.type_name()), "{}'s {member} is {target:?}", entry.id);
                named += 1;
            }
        }
        assert!(named > 10, "{named}");
        let mut ids: Vec<_> = report.iter().map(|entry| &entry.id).collect();
        ids.sort();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    }
}

/// What an id of this name may be of.
fn kinds_of(member: &str, of: &StatsObject) -> Option<&'static [&'static str]> {
    Some(match (member, of) {
        ("transportId", _) => &["transport"],
        ("codecId", _) => &["codec"],
        ("mediaSourceId", _) => &["media-source"],
        ("remoteId", StatsObject::InboundRtp(_)) => &["remote-outbound-rtp"],
        ("remoteId", _) => &["remote-inbound-rtp"],
        ("localId", StatsObject::RemoteInboundRtp(_)) => &["outbound-rtp"],
        ("localId", _) => &["inbound-rtp"],
        ("localCandidateId", _) => &["local-candidate"],
        ("remoteCandidateId", _) => &["remote-candidate"],
        ("selectedCandidatePairId", _) => &["candidate-pair"],
        ("localCertificateId" | "remoteCertificateId", _) => &["certificate"],
        _ => return None,
    })
}

#[test]
fn an_object_keeps_its_id_and_its_counts_never_fall() {
    let (mut pair, sender) = session(0.02);
    let before = report(&mut pair, Alice);
    for number in 500..600 {
        write(&mut pair, sender, number);
        pair.idle(Duration::from_millis(10));
    }
    let after = report(&mut pair, Alice);
    for entry in before.iter() {
        let later = after.get(&entry.id).unwrap_or_else(|| panic!("{} is gone", entry.id));
        assert!(later.timestamp >= entry.timestamp);
        for (name, value) in entry.members() {
            if let StatsValue::Unsigned(count) = value {
                let later = member(later, name);
                assert!(matches!(later, StatsValue::Unsigned(more) if more >= count), "{} {name}", entry.id);
            }
        }
    }
    assert_eq!(outbound(&after).frames_sent, Some(600));
}

fn member<'e>(entry: &'e StatsEntry, name: &str) -> StatsValue<'e> {
    let members = entry.members();
    members.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value).expect("it is still there")
}

#[test]
fn before_anything_happens_there_is_the_connection_its_transport_and_its_certificate() {
    let mut pair = Pair::new(1, Link::with_delay(RTT / 2));
    let report = report(&mut pair, Alice);
    let kinds: Vec<_> = report.iter().map(|entry| entry.object.type_name()).collect();
    assert_eq!(kinds, ["peer-connection", "transport", "certificate"]);
    let (entry, _) = only!(report, Transport);
    assert_eq!(member(entry, "dtlsState"), StatsValue::Text("new".into()));
    assert_eq!(member(entry, "dtlsRole"), StatsValue::Text("unknown".into()));
    assert_eq!(member(entry, "timestamp"), StatsValue::Float(1_790_000_000_000.0));
}
