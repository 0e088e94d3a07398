//! Packets are sent and received without allocating once the rings have grown; losses and their repair included.

use std::alloc::System;
use std::time::Duration;

use bytes::Bytes;
use pavane_base::rand_core::SeedableRng;
use pavane_base::{Epoch, Instant};
use pavane_rtp::receive::{Format, KeyframeMethod};
use pavane_rtp::send::{self, MediaExtensions, Outgoing, Retransmission};
use pavane_rtp::{
    AudioLevel, ExtensionId, ExtensionKind, ExtensionMap, PayloadType, ReportTiming, RtpTimestamp,
    SectionConfig, SectionId, SenderKey, SequenceNumber, Session, SessionConfig, Ssrc, TransportSequence,
};
use rand_chacha::ChaCha8Rng;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn session(rng: &mut ChaCha8Rng) -> Session {
    let config = SessionConfig {
        cname: "name".into(),
        epoch: Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) },
        reduced_size: true,
        reference_time: false,
        timing: ReportTiming::default(),
    };
    let mut session = Session::new(config, Instant::ZERO, rng);
    let mut map = ExtensionMap::new();
    for (kind, id) in [ExtensionKind::Mid, ExtensionKind::TransportSequence].into_iter().zip(1..) {
        map.insert(ExtensionId::new(id).unwrap(), kind).unwrap();
    }
    session.set_extensions(map);
    let section = SectionConfig {
        mid: Some("0".into()),
        formats: vec![Format {
            payload_type: PayloadType::new(96).unwrap(),
            clock_rate: 90_000,
            retransmission: PayloadType::new(97),
            payload: None,
        }],
        nack: true,
        keyframes: KeyframeMethod::Pli,
        ..SectionConfig::default()
    };
    session.set_section(SectionId(0), section);
    session
}

struct Way {
    rng: ChaCha8Rng,
    sender: Session,
    receiver: Session,
    key: SenderKey,
    payload: Bytes,
    buffer: Vec<u8>,
    number: u32,
    received: u32,
}

impl Way {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut sender, receiver) = (session(&mut rng), session(&mut rng));
        let config = send::Config {
            nack: true,
            retransmission: Some(Retransmission {
                ssrc: Ssrc(2),
                types: vec![(PayloadType::new(96).unwrap(), PayloadType::new(97).unwrap())],
                first_sequence_number: SequenceNumber(0),
            }),
            mid: Some("0".into()),
            ..send::Config::new(Ssrc(1), 90_000, &mut rng)
        };
        let key = sender.add_sender(config).unwrap();
        let payload = Bytes::from(vec![7; 1000]);
        Self { rng, sender, receiver, key, payload, buffer: Vec::with_capacity(2000), number: 0, received: 0 }
    }

    fn report(
        from: &mut Session,
        to: &mut Session,
        now: Instant,
        buffer: &mut Vec<u8>,
        rng: &mut ChaCha8Rng,
    ) {
        from.handle_timeout(now);
        buffer.clear();
        while from.poll_rtcp(now, 1200, buffer, rng).is_some() {
            to.handle_rtcp(now, buffer);
            buffer.clear();
        }
    }

    /// Sends one packet each millisecond; every hundredth is lost the first time.
    fn step(&mut self) {
        let now = Instant::from_millis(u64::from(self.number));
        let packet = Outgoing {
            payload_type: PayloadType::new(96).unwrap(),
            marker: true,
            timestamp: RtpTimestamp(self.number * 90),
            payload: self.payload.clone().into(),
            // Packets with extensions of their own are kept in another way than those without.
            extensions: MediaExtensions {
                audio_level: self
                    .number
                    .is_multiple_of(2)
                    .then_some(AudioLevel { voice: true, below_full: 30 }),
                ..MediaExtensions::default()
            },
            captured_at: None,
        };
        self.sender.send(now, self.key, packet).unwrap();
        loop {
            self.buffer.clear();
            let sequence = Some(TransportSequence(self.number as u16));
            let Some((_, sent)) = self.sender.poll_rtp(now, sequence, &mut self.buffer) else { break };
            let lost = sent.kind == send::SentKind::Media && self.number % 100 == 50;
            if !lost && self.receiver.handle_rtp(now, &mut self.buffer).is_ok() {
                self.received += 1;
            }
        }
        Self::report(&mut self.receiver, &mut self.sender, now, &mut self.buffer, &mut self.rng);
        Self::report(&mut self.sender, &mut self.receiver, now, &mut self.buffer, &mut self.rng);
        while self.receiver.poll_event().is_some() {}
        self.number += 1;
    }
}

#[test]
fn the_steady_state_allocates_nothing() {
    let mut way = Way::new();
    (0..5000).for_each(|_| way.step());
    let region = Region::new(GLOBAL);
    (0..20_000).for_each(|_| way.step());
    let change = region.change();
    // Two short lists for each report, of which both ends send about one a second.
    assert!(change.allocations + change.reallocations <= 2 * 60, "{change:?}");
    assert_eq!(way.received, way.number, "everything came, what was lost a little later");
}
