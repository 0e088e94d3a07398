use alloc::vec;

use super::*;
use crate::{RtpTimestamp, SequenceNumber};

fn pt(number: u8) -> PayloadType {
    PayloadType::new(number).unwrap()
}

fn header(ssrc: u32, payload_type: u8) -> Header {
    Header {
        marker: false,
        payload_type: pt(payload_type),
        sequence_number: SequenceNumber(0),
        timestamp: RtpTimestamp(0),
        ssrc: Ssrc(ssrc),
    }
}

fn rules(mid: &str, media: &[u8], retransmissions: &[u8]) -> SectionRules {
    SectionRules {
        mid: Some(mid.into()),
        payload_types: media.iter().copied().map(pt).collect(),
        retransmission_types: retransmissions.iter().copied().map(pt).collect(),
        ..SectionRules::default()
    }
}

fn media(section: u16) -> Result<Route, Unroutable> {
    Ok(Route { section: SectionId(section), role: Role::Media })
}

fn repair(section: u16, of: u32) -> Result<Route, Unroutable> {
    Ok(Route { section: SectionId(section), role: Role::Retransmission { of: Ssrc(of) } })
}

const NOTHING: ExtensionValues<'static> = ExtensionValues {
    mid: None,
    rid: None,
    repaired_rid: None,
    audio_level: None,
    absolute_send_time: None,
    transport_sequence: None,
    feedback_request: None,
    video_orientation: None,
    playout_delay: None,
    capture_time: None,
    video_content_type: None,
    dependency_descriptor: None,
    video_layers_allocation: None,
};

fn mid(mid: &str) -> ExtensionValues<'_> {
    ExtensionValues { mid: Some(mid), ..NOTHING }
}

/// RFC 9143 §9.2
#[test]
fn sections_are_found_by_mid_then_source_then_payload_type() {
    let mut router = Router::new();
    router.set_section(SectionId(0), &rules("a", &[111], &[]));
    router.set_section(SectionId(1), &rules("b", &[96], &[97]));
    router.set_section(SectionId(2), &rules("c", &[96], &[97]));
    assert_eq!(router.route(&header(1, 111), &NOTHING), media(0));
    assert_eq!(router.route(&header(2, 96), &NOTHING), Err(Unroutable::PayloadType));
    assert_eq!(router.route(&header(2, 96), &mid("c")), media(2));
    assert_eq!(router.route(&header(2, 96), &NOTHING), media(2));
    assert_eq!(router.route(&header(2, 96), &mid("b")), media(1));
    assert_eq!(router.route(&header(2, 96), &NOTHING), media(1));
    assert_eq!(router.route(&header(3, 96), &mid("x")), Err(Unroutable::Mid));
    assert_eq!(router.route(&header(3, 100), &mid("b")), Err(Unroutable::PayloadType));
    router.remove_section(SectionId(1));
    assert_eq!(router.known(Ssrc(2)), None);
    assert_eq!(router.route(&header(4, 96), &NOTHING), media(2));
}

#[test]
fn retransmissions_find_what_they_repair() {
    let mut router = Router::new();
    let declared = DeclaredSource { ssrc: Ssrc(1), retransmission: Some(Ssrc(2)) };
    router.set_section(SectionId(0), &SectionRules { sources: vec![declared], ..rules("a", &[96], &[97]) });
    assert_eq!(router.route(&header(2, 97), &NOTHING), repair(0, 1));

    router.set_section(SectionId(1), &rules("b", &[98], &[99]));
    assert_eq!(router.route(&header(11, 99), &mid("b")), Err(Unroutable::Retransmission));
    assert_eq!(router.route(&header(10, 98), &mid("b")), media(1));
    assert_eq!(router.route(&header(11, 99), &mid("b")), repair(1, 10));
    assert_eq!(router.route(&header(12, 98), &mid("b")), media(1));
    assert_eq!(router.route(&header(14, 98), &mid("b")), media(1));
    assert_eq!(router.route(&header(13, 99), &mid("b")), Err(Unroutable::Retransmission));
    router.forget(Ssrc(10));
    assert_eq!((router.known(Ssrc(10)), router.known(Ssrc(11))), (None, None));
}

/// RFC 8852 §3
#[test]
fn layers_are_found_by_their_names() {
    let mut router = Router::new();
    let rids = vec!["hi".into(), "lo".into()];
    router.set_section(SectionId(0), &SectionRules { rids, ..rules("a", &[96], &[97]) });
    let with = |rid, repaired_rid| ExtensionValues { rid, repaired_rid, ..mid("a") };
    assert_eq!(router.route(&header(1, 96), &with(None, None)), Err(Unroutable::Rid));
    assert_eq!(router.route(&header(1, 96), &with(Some("no"), None)), Err(Unroutable::Rid));
    assert_eq!(router.route(&header(1, 96), &with(Some("hi"), None)), media(0));
    assert_eq!(router.route(&header(2, 96), &with(Some("lo"), None)), media(0));
    assert_eq!(router.route(&header(1, 96), &NOTHING), media(0));
    assert_eq!(router.route(&header(3, 97), &with(None, Some("lo"))), repair(0, 2));
    assert_eq!(router.route(&header(4, 97), &with(None, Some("hi"))), repair(0, 1));
    assert_eq!((router.rid(Ssrc(1)), router.rid(Ssrc(3))), (Some("hi"), Some("lo")));
}

#[test]
fn no_more_sources_are_remembered_than_the_bound() {
    let mut router = Router::new();
    router.set_section(SectionId(0), &rules("a", &[96], &[]));
    for ssrc in 0..MAX_SOURCES as u32 {
        assert_eq!(router.route(&header(ssrc, 96), &NOTHING), media(0));
    }
    assert_eq!(router.route(&header(9999, 96), &NOTHING), Err(Unroutable::Limit));
    router.forget(Ssrc(5));
    assert_eq!(router.route(&header(9999, 96), &NOTHING), media(0));
}

#[test]
fn a_declared_source_may_say_which_layer_it_is() {
    let mut router = Router::new();
    let sources = vec![DeclaredSource { ssrc: Ssrc(1), retransmission: None }];
    router.set_section(
        SectionId(0),
        &SectionRules { sources, rids: vec!["hi".into()], ..rules("a", &[96], &[97]) },
    );
    let with = |rid, repaired_rid| ExtensionValues { rid, repaired_rid, ..NOTHING };
    assert_eq!(router.route(&header(1, 96), &with(Some("no"), None)), media(0));
    assert_eq!(router.rid(Ssrc(1)), None);
    assert_eq!(router.route(&header(1, 96), &with(Some("hi"), None)), media(0));
    assert_eq!(router.rid(Ssrc(1)), Some("hi"));
    assert_eq!(router.route(&header(2, 97), &with(None, Some("hi"))), repair(0, 1));
}

/// A peer hears later than we do that a section is over: what it sends until then is nobody else's.
#[test]
fn what_comes_late_for_a_section_that_is_over_leads_nowhere() {
    let mut router = Router::new();
    router.set_section(SectionId(1), &rules("one", &[96], &[]));
    router.set_section(SectionId(3), &rules("three", &[96], &[]));
    assert_eq!(router.route(&header(10, 96), &mid("one")), media(1));
    assert_eq!(router.route(&header(30, 96), &mid("three")), media(3));
    router.remove_section(SectionId(1));
    assert_eq!(router.known(Ssrc(10)), None);
    assert_eq!(router.route(&header(10, 96), &NOTHING), Err(Unroutable::Over));
    assert_eq!(router.route(&header(10, 96), &mid("one")), Err(Unroutable::Over));
    assert_eq!(router.route(&header(30, 96), &NOTHING), media(3));
    assert_eq!(router.route(&header(11, 96), &NOTHING), media(3), "of somebody new the type tells");
    assert_eq!(router.route(&header(10, 96), &mid("three")), media(3), "one that says so moves");

    router.remove_section(SectionId(3));
    router.set_section(SectionId(3), &rules("three", &[96], &[]));
    router.set_section(SectionId(1), &rules("one", &[96], &[]));
    assert_eq!(
        router.route(&header(30, 96), &NOTHING),
        media(3),
        "a section that comes back has its sources"
    );
    router.remove_section(SectionId(3));
    router.set_section(SectionId(3), &rules("other", &[97], &[]));
    assert_eq!(router.route(&header(30, 96), &NOTHING), media(1), "they were not this one's");
}

#[test]
fn sources_of_sections_that_are_over_give_way() {
    let mut router = Router::new();
    router.set_section(SectionId(1), &rules("one", &[96], &[]));
    router.set_section(SectionId(2), &rules("two", &[97], &[]));
    for ssrc in 0..MAX_SOURCES as u32 {
        assert_eq!(router.route(&header(ssrc, 96), &NOTHING), media(1));
    }
    assert_eq!(router.route(&header(1000, 97), &NOTHING), Err(Unroutable::Limit));
    router.remove_section(SectionId(1));
    assert_eq!(router.route(&header(0, 96), &NOTHING), Err(Unroutable::Over));
    assert_eq!(router.route(&header(1000, 97), &NOTHING), media(2));
}
