//! Bad input: truncations and corruptions of a recorded session, and floods of garbage.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use pavane::{Datagram, Event, Instant, Message, Path, Transport};
use pavane_tests::{End, Link, Pair};

type Recording = Vec<(Instant, End, Vec<u8>)>;

/// Every datagram of a session from the first check to the farewell.
fn record() -> Recording {
    let (mut pair, channel) = Pair::introduced(1, Link::with_delay(Duration::from_millis(10)));
    let recording = Rc::new(RefCell::new(Recording::new()));
    let tape = Rc::clone(&recording);
    pair.tap = Some(Box::new(move |at, end, bytes| tape.borrow_mut().push((at, end, bytes.to_vec()))));
    assert!(pair.run(Duration::from_secs(5), Pair::open_at_both_ends));
    let now = pair.now;
    pair.connection(End::Alice).channel(channel).unwrap().send(now, Message::text("hello")).unwrap();
    pair.idle(Duration::from_secs(1));
    let now = pair.now;
    pair.connection(End::Alice).close(now);
    pair.idle(Duration::from_secs(1));
    pair.tap = None;
    recording.take()
}

/// Plays the session anew, with one datagram of it first in a mangled form and then as it should be: whatever the form,
/// the session goes on as if nothing had been.
fn survives(recording: &Recording, mangle: impl Fn(usize, &[u8]) -> Option<Vec<u8>>) {
    for (nth, (_, from, bytes)) in recording.iter().enumerate() {
        let Some(mut mangled) = mangle(nth, bytes) else { continue };
        let (mut pair, _) = Pair::introduced(1, Link::with_delay(Duration::from_millis(10)));
        let sent = Rc::new(RefCell::new(0));
        let counter = Rc::clone(&sent);
        pair.tap = Some(Box::new(move |_, _, _| *counter.borrow_mut() += 1));
        pair.run(Duration::from_secs(5), |_| *sent.borrow() >= nth);
        let now = pair.now;
        let to = from.other();
        let path = Path { local: pair.address(to), remote: pair.address(*from), transport: Transport::Udp };
        pair.connection(to).handle_datagram(now, Datagram { path, ecn: None, payload: &mut mangled });
        let ended = pair.peer(to).saw(|event| matches!(event, Event::Closed(_)));
        let opened = pair.run(Duration::from_secs(20), Pair::open_at_both_ends);
        let closed = pair.peer(to).saw(|event| matches!(event, Event::Closed(_)));
        assert!(opened || closed || ended, "datagram {nth}: neither open nor closed with a reason");
    }
}

#[test]
fn truncations_of_every_datagram_are_survived() {
    let recording = record();
    assert!(recording.len() > 15, "a whole session was recorded");
    for divisor in [1, 2, 3, 5] {
        survives(&recording, |_, bytes| {
            Some(bytes[..bytes.len() - bytes.len().div_ceil(divisor).min(bytes.len())].to_vec())
        });
    }
    survives(&recording, |_, bytes| Some(bytes[..bytes.len() - 1].to_vec()));
}

#[test]
fn every_corrupted_byte_of_every_datagram_is_survived() {
    let recording = record();
    // One peer of each end takes every corruption of every datagram that was meant for it, in mid-session: nothing of it
    // may be believed, so it must still talk afterwards.
    let (mut pair, channels) = Pair::connected(1, Link::with_delay(Duration::from_millis(10)));
    let now = pair.now;
    let mut tried = 0;
    for (_, from, bytes) in &recording {
        let to = from.other();
        let path = Path { local: pair.address(to), remote: pair.address(*from), transport: Transport::Udp };
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut mangled = bytes.clone();
                mangled[at] ^= flip;
                let datagram = Datagram { path, ecn: None, payload: &mut mangled };
                pair.connection(to).handle_datagram(now, datagram);
                tried += 1;
            }
            let mut short = bytes[..at].to_vec();
            pair.connection(to).handle_datagram(now, Datagram { path, ecn: None, payload: &mut short });
        }
    }
    println!("{tried} corruptions of {} datagrams", recording.len());
    for end in End::BOTH {
        assert!(
            !pair.peer(end).saw(|event| matches!(event, Event::Closed(_))),
            "{end:?} believed one of them"
        );
    }
    pair.connection(End::Alice).channel(channels[0]).unwrap().send(now, Message::text("still here")).unwrap();
    assert!(pair.run(Duration::from_secs(5), |pair| !pair.peer(End::Bob).heard.is_empty()));
}

#[test]
fn every_corrupted_byte_of_a_description_is_refused_or_harmless() {
    let mut pair = Pair::new(1, Link::with_delay(Duration::ZERO));
    let now = pair.now;
    pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    pair.add_addresses();
    pair.connection(End::Alice).set_local_description(now, None).unwrap();
    let offer = pair.connection(End::Alice).local_description().unwrap().sdp;
    for at in 0..offer.len() {
        for byte in [b'\0', b' ', b'9', b'=', b'\n', b'z'] {
            let mut bytes = offer.clone().into_bytes();
            bytes[at] = byte;
            let Ok(sdp) = String::from_utf8(bytes) else { continue };
            let bob = pair.connection(End::Bob);
            if bob.set_remote_description(now, pavane::Description::offer(sdp)).is_ok() {
                bob.create_answer().unwrap();
            }
        }
        let short = pavane::Description::offer(&offer[..at]);
        let _ = pair.connection(End::Bob).set_remote_description(now, short);
    }
}
