//! Over a thousand seeds of bad network: every pair connects, delivers all reliable messages exactly once and in order,
//! and closes.

use std::time::Duration;

use pavane::{ChannelInit, ConnectionState, Event, Message};
use pavane_tests::{End, Link, Pair};

const SEEDS: u64 = 1000;
const MESSAGES: u32 = 40;

/// 0 to 30 % of loss, and jitter, duplication and reordering with it, differently for each seed.
fn bad_link(seed: u64) -> Link {
    let share = |n: u64| ((seed * n) % 31) as f64 / 100.0;
    Link::with_delay(Duration::from_millis(5 + seed % 60))
        .loss(share(1))
        .jitter(Duration::from_millis(seed % 20))
        .duplication(share(7) / 3.0)
        .reordering(share(11) / 3.0)
}

/// The `n`th message: of many sizes, from empty to some fragments long, and telling its number.
fn message(seed: u64, n: u32) -> Message {
    let len = (u64::from(n) * 977 + seed * 131) % 5000;
    match n % 8 {
        3 => Message::text(""),
        5 => Message::text(format!("message {n}")),
        _ => Message::binary((0..len).map(|i| (i as u32 + n) as u8).collect::<Vec<_>>()),
    }
}

#[test]
fn every_seed_connects_delivers_and_closes() {
    for seed in 0..SEEDS {
        let (mut pair, channels) = Pair::connected(seed, bad_link(seed));
        let now = pair.now;
        // A second channel, unordered but reliable, shares the association.
        let loose = ChannelInit { ordered: false, ..ChannelInit::default() };
        let loose = pair.connection(End::Bob).create_data_channel(now, "loose", loose).unwrap();
        for n in 0..MESSAGES {
            for (end, channel) in [(End::Alice, channels[0]), (End::Bob, channels[1]), (End::Bob, loose)] {
                let mut channel = pair.connection(end).channel(channel).unwrap();
                channel.send(now, message(seed, n)).unwrap();
            }
        }
        let all = MESSAGES as usize;
        let delivered = pair.run(Duration::from_secs(300), |pair| {
            pair.peer(End::Alice).heard.len() >= 2 * all && pair.peer(End::Bob).heard.len() >= all
        });
        assert!(delivered, "seed {seed}: not all messages arrived");
        let expected: Vec<_> = (0..MESSAGES).map(|n| message(seed, n)).collect();
        check(&pair.peer(End::Bob).heard, channels[1], &expected, true, seed);
        check(&pair.peer(End::Alice).heard, channels[0], &expected, true, seed);
        let loose_at_alice =
            pair.peer(End::Alice).heard.iter().map(|(id, _)| *id).find(|id| *id != channels[0]);
        check(&pair.peer(End::Alice).heard, loose_at_alice.unwrap(), &expected, false, seed);
        close(&mut pair, seed);
    }
}

fn check(
    heard: &[(pavane::ChannelId, Message)],
    channel: pavane::ChannelId,
    expected: &[Message],
    in_order: bool,
    seed: u64,
) {
    let heard: Vec<_> =
        heard.iter().filter(|(id, _)| *id == channel).map(|(_, message)| message.clone()).collect();
    if in_order {
        assert!(heard == expected, "seed {seed}: not exactly the messages in their order");
    } else {
        let sorted = |messages: &[Message]| {
            let mut texts: Vec<_> = messages.iter().map(|message| format!("{message:?}")).collect();
            texts.sort();
            texts
        };
        assert!(sorted(&heard) == sorted(expected), "seed {seed}: not exactly the messages");
    }
}

/// The farewell is sent once and may be lost; consent tells the other end then.
fn close(pair: &mut Pair, seed: u64) {
    let now = pair.now;
    pair.connection(End::Alice).close(now);
    let told = pair.run(Duration::from_secs(120), |pair| {
        pair.peer(End::Bob).saw(|event| {
            matches!(event, Event::Closed(_) | Event::ConnectionStateChanged(ConnectionState::Failed))
        })
    });
    assert!(told, "seed {seed}: the other end never learnt of it");
    assert_eq!(pair.connection(End::Alice).connection_state(), ConnectionState::Closed);
}
