//! Messages whose fragments alternate (RFC 8260).

use super::*;
use crate::packet::Packet;

/// Two that interleave, or do not, and have connected.
fn pair(interleaving: bool, window: u32) -> Pair {
    let config = || Config {
        interleaving,
        receive_window: window,
        max_receive_window: window,
        max_message_size: 2 << 20,
        ..Config::default()
    };
    let mut pair = Pair::with(1, Weather::CLEAR, config(), config());
    pair.connect();
    pair
}

/// A small message behind a large one on another stream arrives as if it were alone; without interleaving it waits.
#[test]
fn a_large_message_keeps_no_other_stream_waiting() {
    for interleaving in [true, false] {
        let mut pair = pair(interleaving, 8 << 20);
        pair.send(Side::A, 0, numbered(0, 1 << 20), SendOptions::default());
        pair.run_for(Duration::from_millis(5));
        pair.send(Side::A, 1, numbered(1, 100), SendOptions::default());
        let sent_at = pair.now;
        let mut arrived = [None; 2];
        assert!(pair.run(Duration::from_secs(10), |pair| {
            for stream in 0..2 {
                if pair.recv(Side::B, stream).is_some() {
                    arrived[usize::from(stream)] = Some(pair.now - sent_at);
                }
            }
            arrived.iter().all(Option::is_some)
        }));
        let [large, small] = arrived.map(Option::unwrap);
        assert_eq!(small < large, interleaving);
        // It waits for the acknowledgement that makes room in the window, and is next.
        assert!(!interleaving || small <= Duration::from_millis(26), "{small:?} {large:?}");
    }
}

/// Streams of one connection share it by their weights, whether fragments or messages alternate.
#[test]
fn weights_share_the_path() {
    for (interleaving, size) in [(true, 1_000_000), (false, 20_000)] {
        let mut pair = pair(interleaving, 8 << 20);
        let weights = [128, 256, 512, 1024];
        let amount = 2_000_000;
        for (stream, weight) in weights.into_iter().enumerate() {
            pair.a.set_weight(StreamId(stream as u16), weight);
            for number in 0..amount / size {
                pair.send(Side::A, stream as u16, numbered(number, size as usize), SendOptions::default());
            }
        }
        let left = |pair: &Pair, stream: u16| pair.a.buffered_amount(StreamId(stream));
        pair.run(Duration::from_secs(60), |pair| left(pair, 3) < 500_000);
        let sent = [0, 1, 2, 3].map(|stream| amount as usize - left(&pair, stream));
        for (sent, weight) in sent.into_iter().zip(weights) {
            let due = 1_500_000 * usize::from(weight) / 1024;
            assert!(sent.abs_diff(due) < 60_000, "{sent:?} {due}");
        }
    }
}

/// Unfinished messages stay in the peer's window; that there are many does not fill it for good.
#[test]
fn many_large_messages_do_not_block_each_other_for_ever() {
    for (loss, jitter) in [(0, 0), (50, 15)] {
        let small = || Config {
            receive_window: 512 << 10,
            max_receive_window: 512 << 10,
            max_message_size: 256 << 10,
            max_buffered_send: 64 << 20,
            ..Config::default()
        };
        let weather = Weather { loss, jitter: Duration::from_millis(jitter), ..Weather::CLEAR };
        let mut pair = Pair::with(1, weather, small(), small());
        pair.connect();
        for stream in 0..60 {
            pair.send(Side::A, stream, numbered(u32::from(stream), 250_000), SendOptions::default());
            pair.send(Side::A, 100 + stream, numbered(0, 500), UNORDERED);
        }
        let mut got = 0;
        assert!(
            pair.run(Duration::from_secs(120), |pair| {
                for stream in 0..60 {
                    for stream in [stream, 100 + stream] {
                        while let Some(message) = pair.recv(Side::B, stream) {
                            number_of(&message);
                            got += 1;
                        }
                    }
                }
                got == 120
            }),
            "{got} {:?} {:?}",
            pair.a.stats(),
            pair.a.counters()
        );
        assert_eq!(pair.a.counters().timeouts, 0);
    }
}

/// Ordered and unordered messages of a stream are numbered apart, and skipped apart.
#[test]
fn what_is_given_up_is_skipped_by_number_and_kind() {
    for seed in 0..60 {
        let weather = Weather { loss: 150, jitter: Duration::from_millis(5), ..Weather::CLEAR };
        let mut pair = Pair::new(seed * 2, weather);
        pair.connect();
        let once = |ordered| SendOptions {
            ordered,
            reliability: crate::send::Reliability::MaxRetransmits(0),
            counted: true,
        };
        for number in 0..40 {
            let size = [10, 5000][pair.random(2) as usize];
            pair.send(Side::A, 3, numbered(number, size), once(number % 2 == 0));
            pair.run_for(Duration::from_millis(4));
        }
        pair.weather.loss = 0;
        pair.run_for(Duration::from_secs(10));
        assert!(!pair.a.sender.is_waiting(), "seed {seed}");
        assert_eq!(pair.b.link_mut().unwrap().receiver.unfinished(), 0, "seed {seed}");
        pair.send(Side::A, 3, numbered(98, 3000), SendOptions::default());
        pair.send(Side::A, 3, numbered(99, 3000), UNORDERED);
        pair.run_for(Duration::from_secs(1));
        let mut got = Vec::new();
        while let Some(message) = pair.recv(Side::B, 3) {
            got.push(number_of(&message));
        }
        assert!(got.contains(&98) && got.contains(&99), "seed {seed} {got:?}");
        let ordered: Vec<_> = got.iter().filter(|number| *number % 2 == 0).collect();
        assert!(ordered.is_sorted() && ordered.len() < 21, "seed {seed} {ordered:?}");
        let distinct: BTreeSet<_> = got.iter().collect();
        assert_eq!(distinct.len(), got.len());
    }
}

/// It takes both sides.
#[test]
fn one_side_alone_does_not_interleave() {
    for who in [Side::A, Side::B] {
        let config = |side| Config { interleaving: side == who, ..Config::default() };
        let mut pair = Pair::with(1, Weather::CLEAR, config(Side::A), config(Side::B));
        pair.connect();
        pair.record = true;
        pair.send(Side::A, 0, numbered(0, 5000), SendOptions::default());
        assert!(pair.run(Duration::from_secs(1), |pair| pair.recv(Side::B, 0).is_some()));
        let kinds: BTreeSet<u8> = pair
            .sent
            .iter()
            .flat_map(|(_, packet)| {
                Packet::parse(packet).unwrap().chunks().map(|c| c.kind).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [0, 3]);
    }
}

/// A fragment of a message that was given up comes after the news of that, among those of others: nobody waits for the rest.
#[test]
fn late_fragments_of_what_was_given_up_are_not_kept() {
    for ordered in [true, false] {
        let mut pair = pair(true, 8 << 20);
        let once =
            SendOptions { ordered, reliability: crate::send::Reliability::MaxRetransmits(0), counted: true };
        pair.send(Side::A, 0, numbered(0, 3000), once);
        pair.send(Side::A, 1, numbered(1, 3000), SendOptions::default());
        pair.flush();
        let mut packets: Vec<_> =
            core::mem::take(&mut pair.wire).into_values().map(|(_, packet)| packet).collect();
        // The first packet, with the beginning of the first message, is lost; its end is late.
        let late = packets.remove(4);
        packets.remove(0);
        for packet in packets {
            pair.b.handle_packet(pair.now, &packet);
        }
        pair.run_for(Duration::from_secs(2));
        pair.b.handle_packet(pair.now, &late);
        pair.run_for(Duration::from_secs(2));
        assert!(pair.recv(Side::B, 1).is_some());
        assert_eq!(pair.b.link_mut().unwrap().receiver.unfinished(), 0);
        pair.send(Side::A, 0, numbered(2, 3000), once);
        assert!(pair.run(Duration::from_secs(1), |pair| pair.recv(Side::B, 0).is_some()));
    }
}
