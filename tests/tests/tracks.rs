//! Tracks in descriptions: which sections, transceivers and events they make, as RFC 8829 and W3C's text have it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use pavane::sdp::{Attribute, MediaDescription, SessionDescription};
use pavane::{
    Description, Direction, Event, MediaKind, SdpType, SenderId, SignalingError, SignalingState, TrackError,
    TrackEvent, TrackInit, TransceiverId, TransceiverInit,
};
use pavane_tests::{End, Link, Pair};

use End::{Alice, Bob};

const DELAY: Duration = Duration::from_millis(10);

fn pair() -> Pair {
    let mut pair = Pair::new(1, Link::with_delay(DELAY));
    pair.add_addresses();
    pair
}

/// What happened to a peer since it was asked last.
fn events(pair: &mut Pair, end: End) -> Vec<Event> {
    let connection = pair.connection(end);
    std::iter::from_fn(|| connection.poll_event()).collect()
}

fn tracks(events: &[Event]) -> Vec<&TrackEvent> {
    let mut tracks = Vec::new();
    for event in events {
        if let Event::Track(track) = event {
            tracks.push(track);
        }
    }
    tracks
}

fn offer(pair: &mut Pair, end: End) -> SessionDescription {
    pair.connection(end).create_offer().unwrap().sdp.parse().unwrap()
}

fn local(pair: &mut Pair, end: End) -> SessionDescription {
    pair.connection(end).local_description().unwrap().sdp.parse().unwrap()
}

/// The sections as kind, mid, direction; those that are rejected in brackets.
fn outline(sdp: &SessionDescription) -> Vec<String> {
    let outline = |section: &MediaDescription| {
        let direction = section.direction().map_or("", |direction| direction.as_str());
        let text = format!("{} {} {direction}", section.kind, section.mid().unwrap_or("-"));
        match section.port {
            0 => format!("({})", text.trim_end()),
            _ => text.trim_end().to_owned(),
        }
    };
    sdp.media.iter().map(outline).collect()
}

fn ssrcs(section: &MediaDescription) -> Vec<u32> {
    let mut ssrcs: Vec<_> = section
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            Attribute::Ssrc(line) => Some(line.ssrc),
            _ => None,
        })
        .collect();
    ssrcs.dedup();
    ssrcs
}

fn direction(pair: &mut Pair, end: End, id: TransceiverId) -> (Direction, Option<Direction>) {
    let view = pair.connection(end).transceiver(id).unwrap();
    (view.direction(), view.current_direction())
}

fn only_transceiver(pair: &mut Pair, end: End) -> TransceiverId {
    let all: Vec<_> = pair.connection(end).transceivers().collect();
    assert_eq!(all.len(), 1);
    all[0]
}

#[test]
fn add_track_makes_an_rtp_stream_with_a_random_ssrc_and_its_own_media_section() {
    let mut pair = pair();
    let alice = pair.connection(Alice);
    let senders: Vec<SenderId> = (0..6)
        .map(|n| if n % 2 == 0 { TrackInit::audio() } else { TrackInit::video() })
        .map(|track| alice.add_track(track.stream("dance")).unwrap())
        .collect();
    assert_eq!(senders.iter().collect::<BTreeSet<_>>().len(), 6);
    let offer = offer(&mut pair, Alice);
    assert_eq!(
        outline(&offer),
        [
            "audio 0 sendrecv",
            "video 1 sendrecv",
            "audio 2 sendrecv",
            "video 3 sendrecv",
            "audio 4 sendrecv",
            "video 5 sendrecv"
        ]
    );
    // Sound has one source, pictures one more for their retransmissions.
    let all: Vec<u32> = offer.media.iter().flat_map(ssrcs).collect();
    assert_eq!(all.len(), 9);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 9, "no two are alike");
    let mut another = Pair::new(2, Link::with_delay(DELAY));
    another.connection(Alice).add_track(TrackInit::audio()).unwrap();
    assert_ne!(ssrcs(&offer.media[0]), ssrcs(&self::offer(&mut another, Alice).media[0]));
}

#[test]
fn add_track_uses_a_transceiver_that_has_not_sent_before_it_makes_one() {
    let mut pair = pair();
    let alice = pair.connection(Alice);
    let idle = alice.add_transceiver(MediaKind::Audio, TransceiverInit::new(Direction::Recvonly)).unwrap();
    let video = alice.add_track(TrackInit::video()).unwrap();
    assert_ne!(video.transceiver(), idle, "another kind");
    assert_eq!(alice.add_track(TrackInit::audio()).unwrap().transceiver(), idle);
    assert_eq!(direction(&mut pair, Alice, idle).0, Direction::Sendrecv);
    assert_ne!(
        pair.connection(Alice).add_track(TrackInit::audio()).unwrap().transceiver(),
        idle,
        "it has a track"
    );
    // One that has sent is not used again: the peer knows its track by another name.
    pair.exchange(Alice);
    pair.connection(Alice).remove_track(video).unwrap();
    assert_ne!(pair.connection(Alice).add_track(TrackInit::video()).unwrap(), video);
}

#[test]
fn on_track_fires_for_what_the_remote_description_announces() {
    let mut pair = pair();
    let now = pair.now;
    pair.connection(Alice).add_track(TrackInit::audio().stream("dance").id("lute")).unwrap();
    pair.connection(Alice).add_track(TrackInit::video().stream("dance").stream("steps")).unwrap();
    pair.connection(Alice)
        .add_transceiver(MediaKind::Video, TransceiverInit::new(Direction::Recvonly))
        .unwrap();
    pair.connection(Alice).set_local_description(now, None).unwrap();
    let offer = pair.connection(Alice).local_description().unwrap();
    events(&mut pair, Bob);
    pair.connection(Bob).set_remote_description(now, offer).unwrap();
    let told = events(&mut pair, Bob);
    assert_eq!(
        told[0],
        Event::SignalingStateChanged(SignalingState::HaveRemoteOffer),
        "the state comes first"
    );
    let announced = tracks(&told);
    let kinds: Vec<_> = announced.iter().map(|track| (track.kind, &track.streams[..])).collect();
    let (dance, steps) = ("dance".to_owned(), "steps".to_owned());
    assert_eq!(
        kinds,
        [(MediaKind::Audio, &[dance.clone()][..]), (MediaKind::Video, &[dance, steps][..])],
        "one for each that is sent, in the order of the sections; none for what is only received"
    );
    let bobs: Vec<_> = pair.connection(Bob).transceivers().collect();
    assert_eq!(bobs.len(), 3);
    assert_eq!(
        direction(&mut pair, Bob, bobs[0]),
        (Direction::Recvonly, None),
        "until the answer nothing is in force"
    );
    // The answer announces nothing: Bob sends nothing.
    pair.connection(Bob).set_local_description(now, None).unwrap();
    let answer = pair.connection(Bob).local_description().unwrap();
    assert_eq!(
        outline(&answer.sdp.parse().unwrap()),
        ["audio 0 recvonly", "video 1 recvonly", "video 2 inactive"]
    );
    events(&mut pair, Alice);
    pair.connection(Alice).set_remote_description(now, answer).unwrap();
    assert!(tracks(&events(&mut pair, Alice)).is_empty());
    assert_eq!(direction(&mut pair, Bob, bobs[0]).1, Some(Direction::Recvonly));
}

#[test]
fn a_track_of_the_answerers_rides_in_the_section_that_the_offer_has_for_it() {
    let mut pair = pair();
    pair.connection(Alice).add_track(TrackInit::audio()).unwrap();
    let sender = pair.connection(Bob).add_track(TrackInit::audio().stream("echo")).unwrap();
    let other = pair.connection(Bob).add_track(TrackInit::video()).unwrap();
    pair.exchange(Alice);
    assert_eq!(
        direction(&mut pair, Bob, sender.transceiver()),
        (Direction::Sendrecv, Some(Direction::Sendrecv))
    );
    assert_eq!(tracks(&events(&mut pair, Alice))[0].streams, ["echo"]);
    assert_eq!(direction(&mut pair, Bob, other.transceiver()), (Direction::Sendrecv, None));
    assert!(pair.connection(Bob).negotiation_needed(), "the picture has no section yet");
    pair.exchange(Bob);
    assert_eq!(outline(&local(&mut pair, Bob)), ["audio 0 sendrecv", "video 1 sendrecv"]);
    assert!(!pair.connection(Bob).negotiation_needed());
    assert!(!pair.connection(Alice).negotiation_needed());
}

#[test]
fn directions_change_by_further_exchanges_from_either_side() {
    let mut pair = pair();
    let alices = pair.connection(Alice).add_track(TrackInit::video().stream("dance")).unwrap();
    let bobs = pair.connection(Bob).add_track(TrackInit::video().stream("echo")).unwrap();
    pair.exchange(Alice);
    let alice = only_transceiver(&mut pair, Alice);
    events(&mut pair, Alice);
    events(&mut pair, Bob);

    pair.connection(Bob).remove_track(bobs).unwrap();
    assert!(events(&mut pair, Bob).contains(&Event::NegotiationNeeded));
    pair.exchange(Bob);
    assert_eq!(direction(&mut pair, Alice, alice), (Direction::Sendrecv, Some(Direction::Sendonly)));
    assert!(events(&mut pair, Alice).contains(&Event::TrackMuted(alice.receiver())));

    pair.connection(Alice).transceiver(alice).unwrap().set_direction(Direction::Inactive);
    pair.exchange(Alice);
    assert_eq!(direction(&mut pair, Alice, alice).1, Some(Direction::Inactive));
    let bob = only_transceiver(&mut pair, Bob);
    assert!(events(&mut pair, Bob).contains(&Event::TrackMuted(bob.receiver())));

    pair.connection(Alice).transceiver(alice).unwrap().set_direction(Direction::Sendonly);
    pair.exchange(Alice);
    let told = events(&mut pair, Bob);
    assert_eq!(tracks(&told)[0].streams, ["dance"]);
    assert_eq!(alices.transceiver(), alice);
}

#[test]
fn a_stopped_transceivers_section_is_rejected_and_used_again() {
    let mut pair = pair();
    let now = pair.now;
    let audio = pair.connection(Alice).add_track(TrackInit::audio()).unwrap().transceiver();
    pair.connection(Alice).add_track(TrackInit::video()).unwrap();
    pair.connection(Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    pair.exchange(Alice);
    pair.connection(Alice).transceiver(audio).unwrap().stop(now);
    assert!(pair.connection(Alice).negotiation_needed());
    let bobs = pair.connection(Bob).transceivers().next().unwrap();
    pair.exchange(Alice);
    assert_eq!(
        outline(&local(&mut pair, Alice)),
        ["(audio 0 inactive)", "video 1 sendrecv", "application 2"]
    );
    assert_eq!(outline(&local(&mut pair, Bob)), ["(audio 0 inactive)", "video 1 recvonly", "application 2"]);
    assert!(pair.connection(Alice).transceiver(audio).is_none());
    assert!(events(&mut pair, Bob).contains(&Event::TransceiverStopped(bobs)));
    // Its place is taken by the next, of whatever kind, under a name of its own; the transport has moved on.
    pair.connection(Bob).add_track(TrackInit::video()).unwrap();
    pair.connection(Bob).add_track(TrackInit::video()).unwrap();
    pair.exchange(Bob);
    assert_eq!(
        outline(&local(&mut pair, Bob)),
        ["video 3 sendrecv", "video 1 sendrecv", "application 2"],
        "the first of them goes to the section that waits for it"
    );
}

#[test]
fn what_an_offer_made_is_undone_by_rollback() {
    let mut pair = pair();
    let now = pair.now;
    pair.connection(Alice).add_track(TrackInit::audio()).unwrap();
    pair.connection(Alice).set_local_description(now, None).unwrap();
    let offered = pair.connection(Alice).local_description().unwrap();
    pair.connection(Bob).set_remote_description(now, offered.clone()).unwrap();
    let bobs = only_transceiver(&mut pair, Bob);
    let rollback = Description { kind: SdpType::Rollback, sdp: String::new() };
    pair.connection(Bob).set_remote_description(now, rollback.clone()).unwrap();
    assert_eq!(pair.connection(Bob).transceivers().count(), 0);
    assert!(events(&mut pair, Bob).contains(&Event::TransceiverStopped(bobs)));
    // With a track of its own it stays, without a section.
    pair.connection(Bob).set_remote_description(now, offered).unwrap();
    let bobs = only_transceiver(&mut pair, Bob);
    assert_eq!(pair.connection(Bob).add_track(TrackInit::audio()).unwrap().transceiver(), bobs);
    pair.connection(Bob).set_remote_description(now, rollback.clone()).unwrap();
    assert_eq!(pair.connection(Bob).transceiver(bobs).unwrap().mid(), None);
    pair.connection(Alice).set_local_description(now, Some(rollback)).unwrap();
    let alices = only_transceiver(&mut pair, Alice);
    assert_eq!(pair.connection(Alice).transceiver(alices).unwrap().mid(), None);
    pair.exchange(Bob);
    assert_eq!(outline(&local(&mut pair, Alice)), ["audio 0 sendrecv"]);
}

#[test]
fn crossing_offers_end_well() {
    let mut pair = pair();
    let now = pair.now;
    for (end, track) in [(Alice, TrackInit::audio()), (Bob, TrackInit::video())] {
        pair.connection(end).add_track(track).unwrap();
        pair.connection(end).set_local_description(now, None).unwrap();
    }
    // Bob is polite.
    let offer = pair.connection(Alice).local_description().unwrap();
    pair.connection(Bob).set_remote_description(now, offer).unwrap();
    pair.connection(Bob).set_local_description(now, None).unwrap();
    let answer = pair.connection(Bob).local_description().unwrap();
    pair.connection(Alice).set_remote_description(now, answer).unwrap();
    assert!(pair.connection(Bob).negotiation_needed());
    pair.exchange(Bob);
    assert_eq!(outline(&local(&mut pair, Alice)), ["audio 0 sendonly", "video 1 recvonly"]);
}

#[test]
fn create_offer_with_tracks_changes_nothing_and_an_earlier_one_may_still_be_set() {
    let mut pair = pair();
    let now = pair.now;
    let alice = pair.connection(Alice);
    alice.add_track(TrackInit::audio()).unwrap();
    let first = alice.create_offer().unwrap();
    assert_eq!(alice.create_offer().unwrap(), first);
    alice.add_track(TrackInit::video()).unwrap();
    alice.create_data_channel(now, "chat", Default::default()).unwrap();
    assert_ne!(alice.create_offer().unwrap(), first);
    alice.set_local_description(now, Some(first)).unwrap();
    assert_eq!(outline(&local(&mut pair, Alice)), ["audio 0 sendrecv"]);
    assert_eq!(
        outline(&offer(&mut pair, Alice)),
        ["audio 0 sendrecv", "video 1 sendrecv", "application 2"],
        "the rest follows in the next"
    );
    let munged = pair.connection(Alice).create_offer().unwrap().sdp.replace("a=sendrecv", "a=sendonly");
    let munged = pair.connection(Alice).set_local_description(now, Some(Description::offer(munged)));
    assert_eq!(munged, Err(SignalingError::Modified));
}

#[test]
fn what_cannot_be_is_refused_and_leaves_no_trace() {
    let mut pair = pair();
    let alice = pair.connection(Alice);
    let before = alice.create_offer().unwrap();
    let long = "x".repeat(65);
    for name in ["", "-", "two words", "new\r\nline", &long] {
        assert!(
            matches!(alice.add_track(TrackInit::audio().id(name)), Err(TrackError::InvalidName(_))),
            "{name:?}"
        );
        let init = TransceiverInit::default().stream(name);
        assert!(matches!(alice.add_transceiver(MediaKind::Audio, init), Err(TrackError::InvalidName(_))));
    }
    let init = TransceiverInit::default().track(TrackInit::audio());
    assert_eq!(alice.add_transceiver(MediaKind::Video, init), Err(TrackError::WrongKind));
    assert_eq!(alice.create_offer().unwrap(), before);
    assert_eq!(alice.transceivers().count(), 0);
    assert!(!alice.negotiation_needed());
}

#[test]
fn codec_preferences_choose_and_order() {
    let mut pair = pair();
    let vp9 = pavane::Codec::video("VP9").with_parameters("profile-id=0");
    let vp8 = pavane::Codec::video("VP8");
    let id = pair.connection(Alice).add_transceiver(MediaKind::Video, TransceiverInit::default()).unwrap();
    let mut view = pair.connection(Alice).transceiver(id).unwrap();
    assert_eq!(view.set_codec_preferences(&[pavane::Codec::video("XYZ")]), Err(TrackError::UnknownCodec));
    view.set_codec_preferences(&[vp9, vp8]).unwrap();
    assert_eq!(offer(&mut pair, Alice).media[0].formats, ["98", "99", "96", "97"]);
}

/// What real browsers offer is answered, every section of it that is not rejected.
#[test]
fn browsers_offers_are_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/sdp/testdata/browsers");
    let mut answered = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".offer.sdp") || name.contains("second") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let offered: SessionDescription = text.parse().unwrap();
        let mut pair = pair();
        let now = pair.now;
        pair.connection(Bob).set_remote_description(now, Description::offer(text)).unwrap();
        pair.connection(Bob).set_local_description(now, None).unwrap();
        let answer = local(&mut pair, Bob);
        assert_eq!(answer.media.len(), offered.media.len(), "{name}");
        for (ours, theirs) in answer.media.iter().zip(&offered.media) {
            let live = theirs.port != 0 || theirs.attributes.contains(&Attribute::BundleOnly);
            assert_eq!(ours.port != 0, live, "{name}: {}", theirs.kind);
            assert_eq!(ours.mid(), theirs.mid());
            assert!(ours.formats.iter().all(|format| theirs.formats.contains(format)), "{name}");
        }
        answered += 1;
    }
    assert!(answered > 20);
}
