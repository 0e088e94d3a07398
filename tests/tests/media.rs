//! Media between two peers: what is written to a sender comes out of the other end's receiver, and nothing else does.

use std::time::Duration;

use pavane::rtp::send::{MediaExtensions, Outgoing};
use pavane::rtp::{PayloadType, RtpTimestamp};
use pavane::{Direction, Event, Instant, ReceiverId, SenderId, TrackInit, WriteError};
use pavane_tests::{End, Link, Pair};

use End::{Alice, Bob};

const RTT: Duration = Duration::from_millis(100);

/// Alice sends pictures to Bob.
struct Call {
    pair: Pair,
    sender: SenderId,
    written: u32,
}

impl Call {
    fn new(seed: u64, link: Link) -> Self {
        let mut pair = Pair::new(seed, link);
        pair.add_addresses();
        let sender = pair.connection(Alice).add_track(TrackInit::video().stream("dance")).unwrap();
        pair.exchange(Alice);
        Self { pair, sender, written: 0 }
    }

    fn connected(seed: u64, link: Link) -> Self {
        let mut call = Self::new(seed, link);
        let ready = |pair: &mut Pair, end| {
            pair.connection(end).connection_state() == pavane::ConnectionState::Connected
        };
        assert!(call.pair.run(Duration::from_secs(60), |pair| ready(pair, Alice) && ready(pair, Bob)));
        call
    }

    /// Writes a packet that tells its number.
    fn write(&mut self) -> Result<(), WriteError> {
        let now = self.pair.now;
        let mut sender = self.pair.connection(Alice).sender(self.sender).unwrap();
        let packet = packet(sender.codecs().first().map_or(96, |codec| codec.payload_type), self.written);
        sender.write(now, packet)?;
        self.written += 1;
        Ok(())
    }

    /// Writes so many packets, ten milliseconds apart, and lets the last arrive.
    fn stream(&mut self, count: usize) {
        for _ in 0..count {
            self.write().unwrap();
            self.pair.idle(Duration::from_millis(10));
        }
        self.pair.idle(RTT * 20);
    }

    /// The numbers that Bob has heard.
    fn heard(&mut self) -> Vec<u32> {
        self.pair
            .peer(Bob)
            .media
            .iter()
            .map(|heard| u32::from_be_bytes(heard.payload[..4].try_into().unwrap()))
            .collect()
    }

    fn receiver(&mut self) -> ReceiverId {
        self.pair.connection(Bob).transceivers().next().unwrap().receiver()
    }
}

fn packet(payload_type: u8, number: u32) -> Outgoing {
    let mut payload = vec![0; 1000];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    Outgoing {
        payload_type: PayloadType::new(payload_type).unwrap(),
        marker: true,
        timestamp: RtpTimestamp(number.wrapping_mul(900)),
        payload: payload.into(),
        extensions: MediaExtensions::default(),
        captured_at: None,
    }
}

fn when(pair: &mut Pair, end: End, is: impl Fn(&Event) -> bool) -> Option<Instant> {
    pair.peer(end).events.iter().find(|(_, event)| is(event)).map(|(at, _)| *at)
}

#[test]
fn media_flows_as_soon_as_srtp_has_keys_and_not_before() {
    let mut call = Call::new(1, Link::with_delay(RTT / 2));
    assert_eq!(call.write(), Err(WriteError::NotConnected));
    call.pair.run(Duration::from_secs(10), |pair| {
        pair.connection(Alice).connection_state() == pavane::ConnectionState::Connected
    });
    call.write().unwrap();
    let sent = call.pair.now;
    assert!(call.pair.run(RTT, |pair| !pair.peer(Bob).media.is_empty()));
    assert_eq!(call.pair.now, sent + RTT / 2, "it waits for nothing");
    assert_eq!(call.heard(), [0]);
}

#[test]
fn before_any_rtp_arrives_there_is_no_packet_event() {
    let mut call = Call::connected(2, Link::with_delay(RTT / 2));
    call.pair.idle(Duration::from_secs(5));
    let receiver = call.receiver();
    assert!(when(&mut call.pair, Bob, |event| matches!(event, Event::Track(_))).is_some());
    assert_eq!(when(&mut call.pair, Bob, |event| *event == Event::TrackUnmuted(receiver)), None);
    call.write().unwrap();
    call.pair.idle(RTT);
    assert!(when(&mut call.pair, Bob, |event| *event == Event::TrackUnmuted(receiver)).is_some());
}

#[test]
fn what_is_lost_is_sent_again() {
    for seed in 0..20 {
        let mut call = Call::connected(seed, Link::with_delay(RTT / 2).loss(0.1));
        call.stream(300);
        let mut heard = call.heard();
        heard.sort_unstable();
        // Nobody knows of what was lost before the first that came, or behind the last.
        let (first, last) = (heard[0], *heard.last().unwrap());
        assert!(first < 5 && last > 290);
        assert_eq!(heard, (first..=last).collect::<Vec<_>>(), "seed {seed}: each once");
        assert!(call.pair.peer(Bob).media.iter().any(|heard| heard.repaired));
    }
}

#[test]
fn a_picture_lost_leads_to_a_key_frame_within_a_round_trip() {
    let mut call = Call::connected(3, Link::with_delay(RTT / 2));
    call.stream(10);
    let receiver = call.receiver();
    let now = call.pair.now;
    call.pair.connection(Bob).receiver(receiver).unwrap().request_keyframe(now);
    let sender = call.sender;
    assert!(call.pair.run(RTT, |pair| pair.peer(Alice).saw(|event| *event == Event::KeyframeWanted(sender))));
    assert_eq!(call.pair.now, now + RTT / 2);
}

#[test]
fn what_no_exchange_agreed_on_is_not_sent() {
    let mut call = Call::connected(4, Link::with_delay(RTT / 2));
    let now = call.pair.now;
    let sender = call.sender;
    let mut view = call.pair.connection(Alice).sender(sender).unwrap();
    assert_eq!(view.write(now, packet(77, 0)), Err(WriteError::UnknownPayloadType));
    // Bob receives only.
    let bobs = call.pair.connection(Bob).transceivers().next().unwrap().sender();
    assert_eq!(
        call.pair.connection(Bob).sender(bobs).unwrap().write(now, packet(96, 0)),
        Err(WriteError::NotSending)
    );
    call.pair.connection(Alice).remove_track(sender).unwrap();
    assert_eq!(call.write(), Err(WriteError::NotSending), "at once, whatever the peer knows");
}

#[test]
fn tracks_are_added_to_a_live_connection_from_either_side() {
    let (mut pair, _) = Pair::connected(5, Link::with_delay(RTT / 2));
    for end in [Bob, Alice] {
        let sender = pair.connection(end).add_track(TrackInit::audio()).unwrap();
        pair.exchange(end);
        let now = pair.now;
        pair.connection(end).sender(sender).unwrap().write(now, packet(111, 7)).unwrap();
        pair.idle(RTT);
        assert_eq!(pair.peer(end.other()).media.len(), 1, "what {end:?} sends");
    }
}

#[test]
fn a_stream_goes_on_where_it_was_after_a_pause() {
    let mut call = Call::connected(6, Link::with_delay(RTT / 2));
    call.stream(5);
    let id = call.sender.transceiver();
    for direction in [Direction::Inactive, Direction::Sendonly] {
        call.pair.connection(Alice).transceiver(id).unwrap().set_direction(direction);
        call.pair.exchange(Alice);
        call.pair.idle(RTT);
        assert_eq!(call.write().is_ok(), direction == Direction::Sendonly);
    }
    call.stream(5);
    let sequences: Vec<_> = call.pair.peer(Bob).media.iter().map(|heard| heard.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
    assert_eq!(sequences.len(), 11);
}

#[test]
fn a_peer_that_stops_or_closes_says_goodbye() {
    let mut call = Call::connected(7, Link::with_delay(RTT / 2));
    call.stream(5);
    let receiver = call.receiver();
    let now = call.pair.now;
    call.pair.connection(Alice).close(now);
    assert!(call.pair.run(RTT, |pair| pair.peer(Bob).saw(|event| *event == Event::TrackMuted(receiver))));
    assert!(call.pair.run(RTT, |pair| pair.peer(Bob).saw(|event| matches!(event, Event::Closed(_)))));
}

#[test]
fn reports_tell_each_end_what_the_other_counts() {
    let mut call = Call::connected(8, Link::with_delay(RTT / 2).loss(0.05));
    call.stream(600);
    let sender = call.sender;
    let view = call.pair.connection(Alice).sender(sender).unwrap();
    let sent = *view.stream().unwrap().statistics();
    assert_eq!(sent.packets_sent, 600);
    assert!(sent.remote_report_at.is_some() && sent.nacks_received > 5);
    let rtt = sent.round_trip_time.unwrap();
    assert!(rtt >= RTT && rtt < RTT + RTT / 2, "{rtt:?}");
    let receiver = call.receiver();
    let view = call.pair.connection(Bob).receiver(receiver).unwrap();
    let received = *view.rtp_streams().next().unwrap().statistics();
    assert!(received.reports_received > 3 && received.remote_packets_sent > 500);
}
