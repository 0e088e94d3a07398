//! What there is much of leaves in batches of equal datagrams, whatever size of packets the path has turned out to take.

use std::time::Duration;

use pavane::Message;
use pavane_tests::{End, Link, Pair};

#[test]
fn much_to_send_leaves_in_batches() {
    let (mut pair, [channel, _]) = Pair::connected(1, Link::with_delay(Duration::from_millis(5)));
    let send = |pair: &mut Pair, len: usize| {
        let now = pair.now;
        let mut channel = pair.connection(End::Alice).channel(channel).unwrap();
        channel.send(now, Message::binary(vec![7; len])).unwrap();
    };
    // Enough for larger packets to be looked for, and found.
    for _ in 0..10 {
        send(&mut pair, 100_000);
    }
    pair.idle(Duration::from_secs(5));
    send(&mut pair, 200_000);
    let (now, mut buf) = (pair.now, Vec::new());
    let transmit = pair.connection(End::Alice).poll_transmit(now, 32, &mut buf).unwrap();
    assert!(transmit.datagrams() >= 8, "{transmit:?}");
    let size = transmit.segment_size.unwrap();
    assert!(size > 1400, "{size}");
}
