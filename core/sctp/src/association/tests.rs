//! Two associations that talk to each other.

use std::vec::Vec;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::*;

fn pair() -> (Association, Association) {
    let make = |seed| Association::new(Config::default(), &mut ChaCha8Rng::seed_from_u64(seed));
    (make(1), make(2))
}

/// Carries packets at once until nobody has more.
fn settle(now: Instant, a: &mut Association, b: &mut Association) {
    for _ in 0..1000 {
        let mut quiet = true;
        for _ in 0..2 {
            let mut packet = Vec::new();
            if a.poll_transmit(now, &mut packet).is_some() {
                quiet = false;
                b.handle_packet(now, &packet);
            }
            std::mem::swap(a, b);
        }
        if quiet {
            return;
        }
    }
    panic!("they never fall silent");
}

#[test]
fn both_begin_at_once_and_exchange_messages() {
    let (mut a, mut b) = pair();
    let now = Instant::from_millis(1);
    a.connect(now);
    b.connect(now);
    for size in [1, 1000, 1160, 1161, 16_384, 200_000] {
        let payload = Bytes::from(std::vec![size as u8; size]);
        a.send(now, StreamId(1), Ppid(53), payload, SendOptions::default()).unwrap();
    }
    settle(now, &mut a, &mut b);
    assert_eq!((a.state(), b.state()), (State::Established, State::Established));
    for size in [1, 1000, 1160, 1161, 16_384, 200_000] {
        let message = b.recv(StreamId(1)).unwrap();
        assert_eq!((message.payload.len(), message.payload[size - 1]), (size, size as u8));
    }
    assert_eq!(a.poll_event(), Some(Event::Connected));
}
