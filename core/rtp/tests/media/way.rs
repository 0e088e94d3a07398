//! A sender and a receiver over a network that loses and reorders, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use pavane_base::rand_core::{Rng, SeedableRng};
use pavane_base::{Epoch, Instant};
use pavane_rtp::frame::{Config, Frame, FrameBuffer, Playout};
use pavane_rtp::payload::Packetizer;
use pavane_rtp::receive::{Format, KeyframeMethod};
use pavane_rtp::send::{self, MediaExtensions, Outgoing, Retransmission, SentKind};
use pavane_rtp::{
    PayloadType, ReportTiming, RtpTimestamp, SectionConfig, SectionId, SenderKey, SequenceNumber, Session,
    SessionConfig, Ssrc,
};
use rand_chacha::ChaCha8Rng;

use crate::files::Sample;

/// What a network does to packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    /// How many of a hundred are lost.
    pub(crate) loss: u32,
    /// How much longer than others packets may take.
    pub(crate) jitter: Duration,
    pub(crate) seed: u64,
}

/// How long a packet takes at least.
const LATENCY: Duration = Duration::from_millis(25);
/// When the first frame is sent.
const BEGIN: Instant = Instant::from_millis(1000);
const MEDIA: u8 = 96;
const REPAIR: u8 = 97;

/// A sender and a receiver.
pub(crate) struct Way<'s> {
    sample: &'s Sample,
    network: Network,
    rng: ChaCha8Rng,
    sender: Session,
    receiver: Session,
    key: SenderKey,
    packetizer: Packetizer,
    pub(crate) frames: FrameBuffer,
    /// Datagrams on their way, to the receiver or back.
    flying: BTreeMap<(Instant, u64), (bool, Vec<u8>)>,
    flown: u64,
    last_frame: Instant,
    pub(crate) lost_media: u32,
    pub(crate) received: Vec<Frame>,
    pub(crate) keyframes_wanted: u32,
    wants_keyframe: bool,
}

fn session(sample: &Sample, nack: bool, rng: &mut ChaCha8Rng) -> Session {
    let config = SessionConfig {
        cname: "name".into(),
        epoch: Epoch { at: Instant::ZERO, unix: Duration::from_secs(1_700_000_000) },
        reduced_size: true,
        reference_time: true,
        timing: ReportTiming::default(),
    };
    let mut session = Session::new(config, Instant::ZERO, rng);
    let format = Format {
        payload_type: PayloadType::new(MEDIA).unwrap(),
        clock_rate: sample.clock_rate,
        retransmission: PayloadType::new(REPAIR),
        payload: None,
    };
    let section = SectionConfig {
        formats: vec![format],
        nack,
        keyframes: KeyframeMethod::Pli,
        ..SectionConfig::default()
    };
    session.set_section(SectionId(0), section);
    session
}

impl<'s> Way<'s> {
    pub(crate) fn new(sample: &'s Sample, network: Network, nack: bool) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(network.seed);
        let (mut sender, receiver) = (session(sample, nack, &mut rng), session(sample, nack, &mut rng));
        let types = vec![(PayloadType::new(MEDIA).unwrap(), PayloadType::new(REPAIR).unwrap())];
        let first_sequence_number = SequenceNumber(0);
        let retransmission = Retransmission { ssrc: Ssrc(2), types, first_sequence_number };
        // Both numbers wrap soon.
        let config = send::Config {
            nack,
            retransmission: Some(retransmission),
            first_sequence_number: SequenceNumber(0xffe0),
            timestamp_offset: u32::MAX - 10_000,
            ..send::Config::new(Ssrc(1), sample.clock_rate, &mut rng)
        };
        let key = sender.add_sender(config).unwrap();
        let formats = vec![(PayloadType::new(MEDIA).unwrap(), sample.format)];
        let config = if sample.format.is_video() { Config::video(formats) } else { Config::audio(formats) };
        // A second chance for what is lost ten times.
        let longest = if nack { Duration::from_secs(4) } else { Duration::from_millis(200) };
        // Sound that is played evenly does not wait for what is lost so often.
        let playout = if nack { Playout::Immediate } else { config.playout };
        let config = Config { retransmission: nack, delay: Duration::ZERO..=longest, playout, ..config };
        Self {
            sample,
            network,
            rng,
            sender,
            receiver,
            key,
            packetizer: Packetizer::new(sample.format, if nack { 400 } else { 1100 }),
            frames: FrameBuffer::new(config),
            flying: BTreeMap::new(),
            flown: 0,
            last_frame: BEGIN,
            lost_media: 0,
            received: Vec::new(),
            keyframes_wanted: 0,
            wants_keyframe: false,
        }
    }

    /// Sends that many frames, the sample's again and again, and waits for the last.
    pub(crate) fn run(&mut self, count: usize) {
        let interval = Duration::from_secs(1) * self.sample.ticks / self.sample.clock_rate;
        self.last_frame = BEGIN + interval * (count as u32 - 1);
        let end = self.last_frame + Duration::from_secs(5);
        let (mut now, mut sent) = (BEGIN, 0);
        while now < end {
            if sent < count && now >= BEGIN + interval * sent as u32 {
                self.send(now, sent);
                sent += 1;
            }
            self.turn(now);
            now += Duration::from_millis(1);
        }
    }

    fn send(&mut self, now: Instant, number: usize) {
        let frame = self.sample.frames[number % self.sample.frames.len()].clone();
        let parts = self.packetizer.packetize(frame).unwrap();
        for part in parts {
            let packet = Outgoing {
                payload_type: PayloadType::new(MEDIA).unwrap(),
                marker: part.marker,
                timestamp: RtpTimestamp(number as u32 * self.sample.ticks),
                payload: part.payload,
                extensions: MediaExtensions::default(),
                captured_at: None,
            };
            self.sender.send(now, self.key, packet).unwrap();
        }
    }

    fn turn(&mut self, now: Instant) {
        self.sender.handle_timeout(now);
        self.receiver.handle_timeout(now);
        let mut datagram = Vec::new();
        while let Some((_, sent)) = self.sender.poll_rtp(now, None, &mut datagram) {
            let is_lost = self.fly(now, true, std::mem::take(&mut datagram));
            self.lost_media += u32::from(is_lost && sent.kind == SentKind::Media);
        }
        while self.sender.poll_rtcp(now, 1200, &mut datagram, &mut self.rng).is_some() {
            self.fly(now, true, std::mem::take(&mut datagram));
        }
        while self.receiver.poll_rtcp(now, 1200, &mut datagram, &mut self.rng).is_some() {
            self.fly(now, false, std::mem::take(&mut datagram));
        }
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= now) {
            let (forth, datagram) = entry.remove();
            self.arrive(now, forth, datagram);
        }
        while self.receiver.poll_event().is_some() || self.sender.poll_event().is_some() {}
        if self.frames.poll_timeout().is_some_and(|at| at <= now) {
            self.frames.handle_timeout(now);
        }
        self.take(now);
    }

    fn fly(&mut self, now: Instant, forth: bool, datagram: Vec<u8>) -> bool {
        // Nobody misses what is lost before anything has come, or behind everything.
        let is_lost = now > BEGIN && now < self.last_frame && self.rng.next_u32() % 100 < self.network.loss;
        if !is_lost {
            let jitter = self.network.jitter * (self.rng.next_u32() % 1000) / 1000;
            self.flying.insert((now + LATENCY + jitter, self.flown), (forth, datagram));
            self.flown += 1;
        }
        is_lost
    }

    fn arrive(&mut self, now: Instant, forth: bool, mut datagram: Vec<u8>) {
        if !forth {
            return self.sender.handle_rtcp(now, &datagram);
        }
        if pavane_rtp::rtcp::is_rtcp(&datagram) {
            return self.receiver.handle_rtcp(now, &datagram);
        }
        if let Ok(received) = self.receiver.handle_rtp(now, &mut datagram) {
            self.frames.handle_packet(now, received.place, &received.packet, &received.values);
        }
    }

    fn take(&mut self, now: Instant) {
        let wanted = self.frames.needs_keyframe();
        self.keyframes_wanted += u32::from(wanted && !self.wants_keyframe);
        self.wants_keyframe = wanted;
        while let Some(frame) = self.frames.poll_frame(now) {
            self.received.push(frame);
        }
        let late = self.frames.poll_timeout().filter(|at| *at <= now);
        assert_eq!(late, None, "what is due is done");
    }

    fn number(&self, frame: &Frame) -> usize {
        let first = (1 << 32) + u64::from(u32::MAX - 10_000);
        ((frame.timestamp - first) / u64::from(self.sample.ticks)) as usize
    }

    /// Each frame is the one that was sent with its timestamp, and they are in order.
    pub(crate) fn check_frames(&self) {
        let mut next = 0;
        for frame in &self.received {
            let number = self.number(frame);
            assert!(number >= next, "{}: {number} after {next}", self.sample.name);
            next = number + 1;
            let index = number % self.sample.frames.len();
            assert!(frame.data == self.sample.frames[index], "{} {number}", self.sample.name);
            let is_key = !self.sample.format.is_video() || self.sample.keyframes.contains(&index);
            assert_eq!(frame.keyframe, is_key, "{} {number}", self.sample.name);
        }
    }

    /// A frame follows the one before, or is a key frame.
    pub(crate) fn check_decodable(&self) {
        let mut before = None;
        for frame in &self.received {
            let number = self.number(frame);
            let follows = before.is_some_and(|before: usize| before + 1 == number);
            assert!(follows || frame.keyframe, "{} {number}", self.sample.name);
            before = Some(number);
        }
    }
}
