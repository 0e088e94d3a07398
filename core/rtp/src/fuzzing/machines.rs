//! Fuzzing of what keeps state.

use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::time::Duration;

use pavane_base::rand_core::{TryCryptoRng, TryRng};
use pavane_base::{Epoch, Instant, Reader};

use super::some_map;
use crate::receive::{self, Format, KeyframeMethod, Via};
use crate::rtcp::{self, SenderInfo};
use crate::send::{self, MediaExtensions, Outgoing, Retransmission};
use crate::{
    Header, HeaderBuilder, NtpTime, Packet, PayloadType, ReportTiming, RtpTimestamp, SectionConfig,
    SectionId, SequenceNumber, Session, SessionConfig, Ssrc, TransportSequence,
};

/// Draws nothing but the same byte: what is fuzzed must not depend on chance.
struct NoChance;

impl TryRng for NoChance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x5555_5555)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x5555_5555_5555_5555)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0x55);
        Ok(())
    }
}

impl TryCryptoRng for NoChance {}

fn media_format() -> Format {
    let [payload_type, retransmission] = [96, 97].map(PayloadType::from_low_bits);
    Format { payload_type, clock_rate: 90_000, retransmission: Some(retransmission), payload: None }
}

fn media(number: u16, timestamp: u32) -> Vec<u8> {
    let header = Header {
        marker: false,
        payload_type: PayloadType::from_low_bits(96),
        sequence_number: SequenceNumber(number),
        timestamp: RtpTimestamp(timestamp),
        ssrc: Ssrc(1),
    };
    let mut out = Vec::new();
    HeaderBuilder::new(&mut out, &header).finish();
    out
}

/// Operates a received stream: each command is a byte, and bytes that it takes.
pub fn rtp_receive_stream(data: &[u8]) {
    let mut stream = receive::Stream::new(receive::Config {
        ssrc: Ssrc(1),
        formats: vec![media_format()],
        nack: true,
        keyframes: KeyframeMethod::Fir,
    });
    let mut commands = Reader::new(data);
    let mut now = Instant::ZERO;
    let mut number = 0_u16;
    while let (Ok(command), Ok(argument)) = (commands.u8(), commands.u16()) {
        match command % 8 {
            0..=2 => {
                number = number.wrapping_add(argument % 4);
                give(&mut stream, now, number, Via::Original);
            }
            3 => give(&mut stream, now, number.wrapping_sub(argument % 300), Via::Original),
            4 => give(&mut stream, now, number.wrapping_sub(argument % 300), Via::Retransmission),
            5 => {
                number = argument;
                give(&mut stream, now, number, Via::Original);
            }
            6 => now += Duration::from_millis(u64::from(argument % 500)),
            _ => talk(&mut stream, now, argument),
        }
        stream.handle_timeout(now);
        assert!(stream.poll_timeout().is_none_or(|at| at > now), "what was due is done");
        if stream.has_feedback() {
            let mut out = Vec::new();
            stream.write_feedback(now, Ssrc(2), &mut out);
            assert!(out.len() <= 240);
            assert!(out.is_empty() || rtcp::Packets::parse(&out).is_ok());
            assert!(!stream.has_feedback() || !out.is_empty(), "what cannot be said is not kept");
        }
    }
    assert!(stream.packets_lost() <= i64::from(u16::MAX) * data.len() as i64);
}

fn give(stream: &mut receive::Stream, now: Instant, number: u16, via: Via) {
    let bytes = media(number, u32::from(number) * 10);
    let packet = Packet::parse(&bytes).expect("it was written here");
    if let Ok(place) = stream.handle_packet(now, &packet, via) {
        assert_eq!((place.sequence as u16, place.timestamp as u32), (number, u32::from(number) * 10));
        let again = stream.handle_packet(now, &packet, via);
        assert_eq!(again, Err(receive::Rejected::Duplicate));
    }
}

fn talk(stream: &mut receive::Stream, now: Instant, argument: u16) {
    match argument % 6 {
        0 => stream.request_keyframe(now),
        1 => stream.keyframe_received(),
        2 => drop(stream.report_block(now)),
        3 => stream.handle_bye(),
        4 => stream.set_round_trip_time(Duration::from_millis(u64::from(argument))),
        _ => stream.handle_sender_report(
            now,
            &SenderInfo {
                ssrc: Ssrc(1),
                ntp: NtpTime(u64::from(argument) << 20),
                rtp: RtpTimestamp(0),
                packets: 0,
                octets: 0,
            },
        ),
    }
}

fn some_session() -> Session {
    let mut session = Session::new(
        SessionConfig {
            cname: "name".into(),
            epoch: Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) },
            reduced_size: true,
            reference_time: true,
            timing: ReportTiming::default(),
        },
        Instant::ZERO,
        &mut NoChance,
    );
    session.set_extensions(some_map());
    let section = SectionConfig {
        formats: vec![media_format()],
        nack: true,
        keyframes: KeyframeMethod::Pli,
        ..SectionConfig::default()
    };
    session.set_section(SectionId(0), section);
    session
}

/// Gives a session datagrams, each behind a byte of milliseconds and a byte of length, while it sends a stream itself.
pub fn rtp_session(data: &[u8]) {
    let mut session = some_session();
    let format = media_format();
    let retransmission = format.retransmission.map(|repair| Retransmission {
        ssrc: Ssrc(3),
        types: vec![(format.payload_type, repair)],
        first_sequence_number: SequenceNumber(0),
    });
    let sender =
        send::Config { nack: true, retransmission, ..send::Config::new(Ssrc(2), 90_000, &mut NoChance) };
    let sender = session.add_sender(sender).expect("the first stream");
    let mut rest = Reader::new(data);
    let mut now = Instant::ZERO;
    while let (Ok(wait), Ok(datagram)) = (rest.u8(), rest.prefixed_u8()) {
        now += Duration::from_millis(u64::from(wait));
        session.handle_timeout(now);
        let mut bytes = datagram.to_vec();
        match rtcp::is_rtcp(&bytes) {
            true => session.handle_rtcp(now, &bytes),
            false => drop(session.handle_rtp(now, &mut bytes)),
        }
        let packet = Outgoing {
            payload_type: format.payload_type,
            marker: false,
            timestamp: RtpTimestamp(0),
            payload: b"media".into(),
            extensions: MediaExtensions::default(),
            captured_at: None,
        };
        session.send(now, sender, packet).expect("everything was sent");
        let mut out = Vec::new();
        while session.poll_rtp(now, Some(TransportSequence(0)), &mut out).is_some() {
            assert!(Packet::parse(&out).is_ok());
            out.clear();
        }
        while session.poll_rtcp(now, 1200, &mut out, &mut NoChance).is_some() {
            assert!(out.len() <= 1200 && rtcp::Packets::parse(&out).is_ok());
            out.clear();
        }
        while session.poll_event().is_some() {}
    }
}
