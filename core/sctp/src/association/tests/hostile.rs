//! Packets that nobody should send, and packets that others do.

use super::*;
use crate::chunk::{Data, ForwardTsn, IData, RawChunk, Sack, ShutdownAck, Skipped};
use crate::crc32c;
use crate::event::{CauseCode, Misbehaved};
use crate::packet::{Header, Packet, PacketWriter};
use crate::types::{Mid, RequestSeq};

/// A packet for A, under its tag, as if B had sent it.
fn forge(pair: &Pair, write: impl FnOnce(&mut PacketWriter<'_>)) -> Vec<u8> {
    let header = Header { source_port: 5000, destination_port: 5000, tag: pair.a.identity.tag };
    let mut packet = Vec::new();
    let mut w = PacketWriter::new(&mut packet, header, 1200);
    write(&mut w);
    w.finish().unwrap();
    packet
}

fn data(tsn: Tsn, payload: &[u8]) -> Data<'_> {
    Data {
        tsn,
        stream: StreamId(0),
        mid: Mid(0),
        fsn: 0,
        ppid: Ppid(53),
        unordered: false,
        begins: true,
        ends: true,
        immediate: false,
        payload,
    }
}

fn next_tsn(pair: &Pair) -> Tsn {
    pair.a.phase.link().unwrap().receiver.cumulative().next()
}

fn closed_with(pair: &mut Pair, how: Misbehaved) -> bool {
    pair.flush();
    pair.has_event(Side::A, &Event::Closed(CloseReason::Misbehaved(how)))
}

#[test]
fn an_empty_data_chunk_ends_it() {
    let mut pair = Pair::plain(1);
    let packet = forge(&pair, |w| _ = data(next_tsn(&pair), b"").write(w));
    pair.a.handle_packet(pair.now, &packet);
    assert!(closed_with(&mut pair, Misbehaved::NoUserData));
    pair.run_for(Duration::from_secs(1));
    assert!(pair.has_event(Side::B, &Event::Closed(CloseReason::PeerAborted(Some(CauseCode(9))))));
}

#[test]
fn acknowledging_what_was_not_sent_ends_it() {
    let mut pair = Pair::plain(1);
    let ahead = pair.a.identity.initial_tsn.add(5);
    let packet = forge(&pair, |w| Sack::write(w, ahead, 5000, core::iter::empty(), core::iter::empty()));
    pair.a.handle_packet(pair.now, &packet);
    assert!(closed_with(&mut pair, Misbehaved::AckBeyondSent));
}

#[test]
fn contradicting_fragments_end_it() {
    for (first, second) in [((true, false), (true, true)), ((true, true), (false, true))] {
        let mut pair = Pair::plain(1);
        let tsn = next_tsn(&pair);
        let part = |tsn, (begins, ends)| Data { begins, ends, ..data(tsn, b"part") };
        // The second comes first, then what it contradicts.
        let packet = forge(&pair, |w| {
            part(tsn.next(), second).write(w);
            part(tsn, first).write(w);
            part(tsn.add(2), (true, true)).write(w);
        });
        pair.a.handle_packet(pair.now, &packet);
        let over = closed_with(&mut pair, Misbehaved::Fragments);
        // A fragment with nothing before it is noticed at the latest when its forerunner is complete.
        assert!(over || pair.recv(Side::A, 0).is_some());
    }
}

/// Fragments of interleaved messages whose numbers contradict each other (RFC 8260 §2.1).
#[test]
fn contradicting_numbers_of_fragments_end_it() {
    let part = |tsn, fsn, begins, ends| Data { begins, ends, fsn, ..data(tsn, b"part") };
    let first = |tsn| part(tsn, 0, true, false);
    type Part = fn(Tsn) -> (u32, bool, bool);
    let wrong: [Part; 4] =
        [|_| (0, false, false), |_| (0, true, false), |_| (1, false, true), |_| (3, false, false)];
    for (case, wrong) in wrong.into_iter().enumerate() {
        let mut pair = Pair::connected(1);
        let tsn = next_tsn(&pair);
        let (fsn, begins, ends) = wrong(tsn);
        let packet = forge(&pair, |w| {
            _ = IData::write(&first(tsn), w);
            _ = IData::write(&part(tsn.next(), 1, false, false), w);
            _ = IData::write(&part(tsn.add(2), fsn, begins, ends), w);
            _ = IData::write(&part(tsn.add(3), 2, false, true), w);
        });
        pair.a.handle_packet(pair.now, &packet);
        assert!(closed_with(&mut pair, Misbehaved::Fragments), "case {case}");
    }
}

/// RFC 8260 §2.2.1, §2.3.1: DATA and FORWARD TSN where I-DATA was agreed on; I-DATA where it was not is unknown.
#[test]
fn the_other_form_of_data_ends_it() {
    let mut pair = Pair::connected(1);
    let packet = forge(&pair, |w| _ = data(next_tsn(&pair), b"x").write(w));
    pair.a.handle_packet(pair.now, &packet);
    assert!(closed_with(&mut pair, Misbehaved::NotAgreed));
    let mut pair = Pair::connected(1);
    let packet = forge(&pair, |w| ForwardTsn::write(w, next_tsn(&pair), &[]));
    pair.a.handle_packet(pair.now, &packet);
    assert!(closed_with(&mut pair, Misbehaved::NotAgreed));
    let mut pair = Pair::plain(1);
    let packet = forge(&pair, |w| _ = IData::write(&data(next_tsn(&pair), b"x"), w));
    pair.a.handle_packet(pair.now, &packet);
    assert_eq!((pair.a.counters().dropped.unknown_chunks, pair.a.state()), (1, State::Established));
}

/// RFC 9260 §6.5: counted as arrived, complained about, thrown away.
#[test]
fn data_on_a_missing_stream_is_acknowledged_and_reported() {
    let few = Config { incoming_streams: 3, interleaving: false, ..Config::default() };
    let mut pair = Pair::with(1, Weather::CLEAR, few, Config::default());
    pair.connect();
    let tsn = next_tsn(&pair);
    let packet = forge(&pair, |w| _ = Data { stream: StreamId(3), ..data(tsn, b"x") }.write(w));
    pair.a.handle_packet(pair.now, &packet);
    assert_eq!(next_tsn(&pair), tsn.next());
    let mut answer = Vec::new();
    pair.a.poll_transmit(pair.now, &mut answer).unwrap();
    let kinds: Vec<u8> = Packet::parse(&answer).unwrap().chunks().map(|c| c.kind).collect();
    assert_eq!(kinds, [3, 9]);
    assert_eq!(pair.a.counters().dropped.invalid_streams, 1);
}

/// RFC 9260 §3.2: what follows an unknown chunk, and whether its sender hears of it, is in the upper bits of its type.
#[test]
fn unknown_chunks_are_treated_as_their_types_say() {
    for (kind, goes_on, reports) in
        [(0x3e, false, false), (0x7e, false, true), (0xbe, true, false), (0xfe, true, true)]
    {
        let mut pair = Pair::plain(1);
        let tsn = next_tsn(&pair);
        let packet = forge(&pair, |w| {
            w.chunk(kind, 0, |out| out.extend_from_slice(b"what?"));
            data(tsn, b"hello").write(w);
        });
        pair.a.handle_packet(pair.now, &packet);
        assert_eq!(pair.recv(Side::A, 0).is_some(), goes_on, "{kind:x}");
        let mut answer = Vec::new();
        let reported = pair.a.poll_transmit(pair.now, &mut answer).is_some()
            && Packet::parse(&answer).unwrap().chunks().any(|c| c.kind == 9);
        assert_eq!(reported, reports, "{kind:x}");
    }
}

/// RFC 9260 §8.5: a packet under a tag that is not ours is nothing.
#[test]
fn wrong_tags_and_ports_are_dropped() {
    let mut pair = Pair::plain(1);
    let tsn = next_tsn(&pair);
    let packet = forge(&pair, |w| _ = data(tsn, b"hello").write(w));
    let bend = |at: usize| {
        let mut bent = packet.clone();
        bent[at] ^= 1;
        bent[8..12].fill(0);
        let checksum = crc32c::checksum(&bent);
        bent[8..12].copy_from_slice(&checksum);
        bent
    };
    for at in [0, 1, 2, 3, 4, 5, 6, 7] {
        pair.a.handle_packet(pair.now, &bend(at));
    }
    let dropped = pair.a.counters().dropped;
    assert_eq!((dropped.ports, dropped.tag), (4, 4));
    assert!(pair.recv(Side::A, 0).is_none());
    pair.a.handle_packet(pair.now, &packet);
    assert!(pair.recv(Side::A, 0).is_some());
}

/// RFC 9260 §8.4: SHUTDOWN ACK out of the blue is answered in kind, others are not before there was anything.
#[test]
fn out_of_the_blue() {
    let header = Header { source_port: 5000, destination_port: 5000, tag: VerificationTag(77) };
    let mut packet = Vec::new();
    let mut w = PacketWriter::new(&mut packet, header, 1200);
    ShutdownAck::write(&mut w);
    w.finish().unwrap();
    let mut a = Association::new(Config::default(), &mut ChaCha8Rng::seed_from_u64(1));
    a.handle_packet(Instant::ZERO, &packet);
    let mut answer = Vec::new();
    a.poll_transmit(Instant::ZERO, &mut answer).unwrap();
    let answer = Packet::parse(&answer).unwrap();
    assert_eq!(answer.header.tag, header.tag);
    assert_eq!(answer.chunks().next(), Some(RawChunk { kind: 14, flags: 1, value: b"" }));
}

/// A FORWARD TSN far ahead, or behind, moves nothing that it should not.
#[test]
fn skips_beyond_reason_are_ignored() {
    let mut pair = Pair::plain(1);
    let tsn = next_tsn(&pair);
    for ahead in [1 << 20, 1 << 30, u32::MAX / 2, u32::MAX] {
        let skipped = [Skipped { stream: StreamId(0), unordered: false, mid: Mid(65535) }];
        let packet = forge(&pair, |w| ForwardTsn::write(w, tsn.add(ahead), &skipped));
        pair.a.handle_packet(pair.now, &packet);
    }
    assert_eq!(next_tsn(&pair), tsn);
    let packet = forge(&pair, |w| _ = data(tsn, b"hello").write(w));
    pair.a.handle_packet(pair.now, &packet);
    assert!(pair.recv(Side::A, 0).is_some());
}

/// A request that comes again gets the same answer, one out of turn is refused (RFC 6525 §5.2.1).
#[test]
fn repeated_requests_get_the_same_answer() {
    let mut pair = Pair::plain(1);
    let seq = RequestSeq(pair.b.identity.initial_tsn.0);
    let last = next_tsn(&pair).sub(1);
    let ask = |pair: &mut Pair, seq: RequestSeq| {
        let packet = forge(pair, |w| {
            crate::chunk::OutgoingReset::write(w, seq, RequestSeq(0), last, &[StreamId(4)]);
        });
        pair.a.handle_packet(pair.now, &packet);
        let mut answer = Vec::new();
        pair.a.poll_transmit(pair.now, &mut answer).unwrap();
        let parsed = Packet::parse(&answer).unwrap();
        let raw = parsed.chunks().find(|c| c.kind == 130).unwrap();
        raw.value[raw.value.len() - 1]
    };
    assert_eq!(ask(&mut pair, seq.next()), 5, "out of turn");
    assert_eq!(ask(&mut pair, seq), 1);
    assert_eq!(ask(&mut pair, seq), 1, "again");
    pair.flush();
    assert_eq!(pair.count_events(Side::A, &Event::StreamsResetByPeer(std::vec![StreamId(4)])), 1);
}

/// Packets of aiortc and libwebrtc: each is parsed, or refused, and taken by an association in any state without a word.
#[test]
fn captures_of_others_are_taken() {
    for (name, bytes) in CAPTURES {
        // Some captures have a checksum of their time; with the right one what is inside counts.
        let mut fixed = bytes.to_vec();
        if let Some(field) = fixed.get_mut(8..12) {
            field.fill(0);
            let checksum = crc32c::checksum(&fixed);
            fixed[8..12].copy_from_slice(&checksum);
        }
        let parsed = Packet::parse(&fixed);
        // Two of the four cookies with data are cut.
        if !name.contains("echo-data") {
            let bad = name.contains("truncated") || name.contains("zero_length");
            assert_eq!(parsed.is_ok(), !bad, "{name}");
        }
        for packet in [&fixed[..], bytes] {
            feed_everywhere(packet);
        }
    }
}

/// Hands a packet to associations in several states, under its own tag and under theirs.
fn feed_everywhere(packet: &[u8]) {
    let mut pair = Pair::new(1, Weather::CLEAR);
    for _ in 0..6 {
        let now = pair.now;
        let mut ours = packet.to_vec();
        if ours.len() >= 12 {
            ours[..4].copy_from_slice(&[0x13, 0x88, 0x13, 0x88]);
            ours[4..8].copy_from_slice(&pair.a.identity.tag.0.to_be_bytes());
            ours[8..12].fill(0);
            let checksum = crc32c::checksum(&ours);
            ours[8..12].copy_from_slice(&checksum);
        }
        pair.a.handle_packet(now, packet);
        pair.a.handle_packet(now, &ours);
        pair.a.connect(now);
        pair.b.connect(now);
        pair.run_for(Duration::from_millis(7));
    }
}

/// Every packet of a recorded session, cut at every length and with every byte bent, under a right checksum: no panic,
/// and the association either goes on or ends with a reason.
#[test]
fn every_packet_cut_and_bent_is_survived() {
    let mut pair = Pair::new(9, Weather { loss: 100, ..Weather::CLEAR });
    pair.record = true;
    pair.connect();
    for number in 0..6 {
        let options = SendOptions { reliability: crate::send::Reliability::MaxRetransmits(0), ..UNORDERED };
        pair.send(Side::A, 1, numbered(number, 2500), SendOptions::default());
        pair.send(Side::A, 2, numbered(number, 300), options);
        pair.run_for(Duration::from_millis(15));
    }
    pair.a.reset_streams(pair.now, &[StreamId(1)]);
    pair.run_for(Duration::from_secs(3));
    pair.a.shutdown(pair.now);
    pair.run_for(Duration::from_secs(3));
    let mut seen = BTreeSet::new();
    for (from, packet) in core::mem::take(&mut pair.sent) {
        // One packet of each make-up says it all.
        let make_up: Vec<u8> = Packet::parse(&packet).unwrap().chunks().map(|c| c.kind).collect();
        if seen.insert((from, make_up)) {
            maltreat(from, &packet);
        }
    }
    assert!(seen.len() > 12, "{seen:?}");
}

fn maltreat(from: Side, packet: &[u8]) {
    let lengths = (0..packet.len().min(80)).map(|len| packet[..len].to_vec());
    let bent = (0..packet.len().min(80)).flat_map(|at| {
        [0, 1, 4, 0x7f, 0xff].map(|value| {
            let mut bent = packet.to_vec();
            bent[at] = value;
            bent
        })
    });
    for mut bytes in lengths.chain(bent) {
        if bytes.len() >= 12 {
            bytes[8..12].fill(0);
            let checksum = crc32c::checksum(&bytes);
            bytes[8..12].copy_from_slice(&checksum);
        }
        // The same seed gives the same tags, so that the packet means something here.
        let mut pair = Pair::new(9, Weather::CLEAR);
        pair.connect();
        pair.send(Side::A, 1, numbered(0, 2500), SendOptions::default());
        pair.run_for(Duration::from_millis(5));
        let to = if from == Side::A { Side::B } else { Side::A };
        let now = pair.now;
        pair.side(to).handle_packet(now, &bytes);
        pair.run_for(Duration::from_millis(100));
    }
}

macro_rules! captures {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../../testdata/", $name)) as &[u8])),*]
    };
}

const CAPTURES: [(&str, &[u8]); 30] = captures![
    "aiortc/sctp_abort.bin",
    "aiortc/sctp_cookie_echo.bin",
    "aiortc/sctp_data.bin",
    "aiortc/sctp_data_padding.bin",
    "aiortc/sctp_data_truncated.bin",
    "aiortc/sctp_data_zero_length.bin",
    "aiortc/sctp_error.bin",
    "aiortc/sctp_forward_tsn.bin",
    "aiortc/sctp_heartbeat.bin",
    "aiortc/sctp_init.bin",
    "aiortc/sctp_init_bad_verification.bin",
    "aiortc/sctp_reconfig_add_out.bin",
    "aiortc/sctp_reconfig_reset_out.bin",
    "aiortc/sctp_reconfig_response.bin",
    "aiortc/sctp_sack.bin",
    "aiortc/sctp_shutdown.bin",
    "aiortc/sctp_shutdown_ack.bin",
    "libwebrtc/cookie-ack-sack.bin",
    "libwebrtc/cookie-echo-data.bin",
    "libwebrtc/cookie-echo-data-data.bin",
    "libwebrtc/cookie-echo-data-data-data.bin",
    "libwebrtc/data-fragment1.bin",
    "libwebrtc/forward-tsn.bin",
    "libwebrtc/heartbeat.bin",
    "libwebrtc/heartbeat-ack.bin",
    "libwebrtc/init.bin",
    "libwebrtc/init-ack.bin",
    "libwebrtc/re-config.bin",
    "libwebrtc/sack-data.bin",
    "libwebrtc/sack-gap-ack-1.bin",
];
