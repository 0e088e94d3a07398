//! Typed attributes, line by line: what is read, what is passed over, what is refused.

use pavane_sdp::{
    Attribute, BandwidthKind, Candidate, CandidateAddress, Direction, ParseErrorKind, PayloadTypes,
    RidDirection, SessionDescription,
};

const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

/// A description with one section that has these lines.
fn section(lines: &[&str]) -> Result<SessionDescription, pavane_sdp::ParseError> {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{HEAD}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n{lines}").parse()
}

fn attribute(line: &str) -> Attribute {
    let description = section(&[line]).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert!(description.to_string().ends_with(&format!("\r\n{line}\r\n")), "{line} is written as it was");
    description.media[0].attributes[0].clone()
}

#[test]
fn lines_of_browsers_are_typed() {
    let Attribute::Rtpmap(rtpmap) = attribute("a=rtpmap:111 opus/48000/2") else { panic!() };
    assert_eq!((rtpmap.payload_type, &*rtpmap.encoding, rtpmap.clock_rate), (111, "opus", 48000));
    assert_eq!(rtpmap.parameters.as_deref(), Some("2"));

    let Attribute::Fmtp(fmtp) = attribute("a=fmtp:111 minptime=10;useinbandfec=1;x") else { panic!() };
    let expected = [("minptime", Some("10")), ("useinbandfec", Some("1")), ("x", None)];
    assert!(fmtp.pairs().eq(expected));

    let Attribute::RtcpFeedback(feedback) = attribute("a=rtcp-fb:96 nack pli") else { panic!() };
    assert_eq!((feedback.payload_types, &*feedback.kind), (PayloadTypes::One(96), "nack"));
    assert_eq!(feedback.parameters.as_deref(), Some("pli"));

    let line = "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level vad=on";
    let Attribute::Extmap(extmap) = attribute(line) else { panic!() };
    assert_eq!((extmap.id, extmap.direction), (2, Some(Direction::Recvonly)));
    assert_eq!(extmap.attributes.as_deref(), Some("vad=on"));

    let Attribute::Ssrc(ssrc) = attribute("a=ssrc:4294967295 cname:{a:b}") else { panic!() };
    assert_eq!((ssrc.ssrc, &*ssrc.name, ssrc.value.as_deref()), (u32::MAX, "cname", Some("{a:b}")));
    let Attribute::SsrcGroup(group) = attribute("a=ssrc-group:FID 1 2") else { panic!() };
    assert_eq!((&*group.semantics, &*group.ssrcs), ("FID", &[1, 2][..]));

    let Attribute::Msid(msid) = attribute("a=msid:- {73ceb1f7}") else { panic!() };
    assert_eq!((&*msid.stream, msid.track.as_deref()), ("-", Some("{73ceb1f7}")));
    let Attribute::Rtcp(rtcp) = attribute("a=rtcp:9 IN IP4 0.0.0.0") else { panic!() };
    assert_eq!((rtcp.port, rtcp.address.as_deref()), (9, Some("IN IP4 0.0.0.0")));
}

#[test]
fn simulcast_is_read_with_alternatives_and_pauses() {
    let Attribute::Rid(rid) = attribute("a=rid:1 send pt=97,98;max-width=1280") else { panic!() };
    assert_eq!((&*rid.id, rid.direction), ("1", RidDirection::Send));
    assert!(rid.pairs().eq([("pt", Some("97,98")), ("max-width", Some("1280"))]));

    let Attribute::Simulcast(simulcast) = attribute("a=simulcast:send 1,~4;2;3 recv c") else { panic!() };
    let sent: Vec<Vec<_>> = simulcast
        .first
        .streams
        .iter()
        .map(|stream| stream.iter().map(|rid| (&*rid.id, rid.paused)).collect())
        .collect();
    assert_eq!(sent, [vec![("1", false), ("4", true)], vec![("2", false)], vec![("3", false)]]);
    assert_eq!(simulcast.second.map(|list| list.direction), Some(RidDirection::Recv));
}

#[test]
fn what_real_stacks_write_is_borne_with() {
    for (line, typed) in [
        // A draft's form of simulcast, as Firefox wrote it before version 60.
        ("a=simulcast: send rid=1,4;2;3 paused=4 recv rid=c", false),
        // Feedback for a payload type that the section does not have, as Firefox writes after codecs were chosen.
        ("a=rtcp-fb:120 nack", true),
        ("a=rtcp-fb:* transport-cc", true),
        ("a=msid-semantic: WMS", false),
        ("a=sctp-init:AQAAHjznWxwAUAAA/////95z", true),
        ("a=sctp-init:not base64", false),
        ("a=rtcp-xr:rcvr-rtt=all", false),
        ("a=ptime:0.125", false),
        ("a=rtpmap:107 OPUS/48000", true),
        ("a=candidate:1 1 dccp 1 example.org 9 typ other", true),
        ("a=candidate:1 1 udp 1 fe80::1 9 typ host tcptype so x y", true),
        ("a=extmap:4096 urn:x", true),
        ("a=x", false),
        ("a=x:", false),
        ("a=mid", false),
    ] {
        assert_eq!(!matches!(attribute(line), Attribute::Unknown { .. }), typed, "{line}");
    }
}

#[test]
fn known_attributes_that_are_malformed_are_errors() {
    for line in [
        "a=group:",
        "a=mid:a b",
        "a=rtpmap:96",
        "a=rtpmap:256 VP8/90000",
        "a=rtpmap:96 VP8",
        "a=rtpmap:96 VP8/90000/",
        "a=fmtp:96",
        "a=rtcp-fb:96",
        "a=rtcp-fb:x nack",
        "a=extmap:x urn:x",
        "a=extmap:1/up urn:x",
        "a=extmap:65536 urn:x",
        "a=ssrc:5000",
        "a=ssrc:4294967296 cname:x",
        "a=ssrc-group:FID x",
        "a=msid:",
        "a=msid:a b c",
        "a=rid:1 both",
        "a=rid:~1 send",
        "a=simulcast:send",
        "a=simulcast:send 1 send 2",
        "a=simulcast:send 1;;2",
        "a=rtcp:x",
        "a=sctpmap:5000",
        "a=max-message-size:-1",
        "a=candidate:1 1 udp 1 192.0.2.1 9 host",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host odd",
        "b=AS:",
        "b=100",
        "c=IN IP4",
        "a=:x",
    ] {
        let kind = if line.starts_with("a=") { ParseErrorKind::Attribute } else { ParseErrorKind::Value };
        let error = section(&[line]).expect_err(line);
        assert_eq!((error.line, error.kind), (6, kind), "{line}");
    }
}

#[test]
fn a_candidates_pairs_may_come_in_any_order_but_once() {
    let fixed = "candidate:1 1 udp 1 192.0.2.1 9 typ srflx";
    let read = |pairs: &str| format!("{fixed} {pairs}").parse::<Candidate>();
    let related = Some((CandidateAddress::Ip([10, 0, 0, 1].into()), 5));
    for pairs in ["raddr 10.0.0.1 rport 5", "rport 5 raddr 10.0.0.1", "rport 5 x y raddr 10.0.0.1"] {
        let candidate = read(pairs).unwrap();
        assert_eq!(candidate.related, related, "{pairs}");
        assert_eq!(candidate.to_string().parse(), Ok(candidate), "{pairs}");
    }
    let alone = read("x y rport 5").unwrap();
    assert_eq!(alone.related, None);
    assert_eq!(alone.to_string(), format!("{fixed} x y rport 5"));
    for pairs in ["rport 5 rport 6", "raddr a raddr b", "tcptype so tcptype so", "rport x", "raddr"] {
        assert!(read(pairs).is_err(), "{pairs}");
    }
}

#[test]
fn bandwidths_addresses_and_directions_are_told() {
    let description =
        section(&["c=IN IP6 2001:db8::1", "b=AS:500", "b=TIAS:480000", "b=X-Y:1", "a=recvonly"]).unwrap();
    let media = &description.media[0];
    assert_eq!(media.connection_address(), Some("2001:db8::1".parse().unwrap()));
    let kinds: Vec<_> = media.bandwidths().map(|bandwidth| (bandwidth.kind, bandwidth.value)).collect();
    let other = BandwidthKind::Other("X-Y".into());
    assert_eq!(
        kinds,
        [
            (BandwidthKind::ApplicationSpecific, 500),
            (BandwidthKind::TransportIndependent, 480_000),
            (other, 1)
        ]
    );
    assert_eq!(media.direction(), Some(Direction::Recvonly));
    let group = section(&["c=IN IP4 233.252.0.1/64", "b=AS:99999999999999999999"]).unwrap();
    assert_eq!(group.media[0].connection_address(), None);
    assert_eq!(group.media[0].bandwidths().count(), 0);
}

#[test]
fn sizes_are_bounded() {
    let error = |text: String| text.parse::<SessionDescription>().map_err(|error| error.kind).err();
    let line = |len: usize| format!("{HEAD}a=x:{}\r\n", "y".repeat(len));
    assert_eq!(error(line(32 * 1024 - 4)), None);
    assert_eq!(error(line(32 * 1024 - 3)), Some(ParseErrorKind::TooLarge));
    assert_eq!(error(HEAD.to_owned() + &"a=x\r\n".repeat(4096)), Some(ParseErrorKind::TooMany));
    assert_eq!(error(HEAD.to_owned() + &"m=audio 0 x 0\r\n".repeat(1025)), Some(ParseErrorKind::TooMany));
    let many_lines = format!("{HEAD}{}", format!("a={}\r\n", "x".repeat(16_000)).repeat(70));
    assert_eq!(error(many_lines), Some(ParseErrorKind::TooLarge));
}
