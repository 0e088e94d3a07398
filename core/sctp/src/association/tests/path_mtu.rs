//! Larger packets where the path takes them (RFC 8899).

use super::*;

const MOST: usize = 1460;

fn pair(mtu: usize) -> Pair {
    let config = || Config { max_probe: MOST, ..Config::default() };
    let mut pair = Pair::with(1, Weather::CLEAR, config(), config());
    pair.mtu = mtu;
    pair.connect();
    pair
}

/// Sends so many messages and waits until they have arrived.
fn transfer(pair: &mut Pair, count: u32) {
    for number in 0..count {
        pair.send(Side::A, 0, numbered(number, 50_000), SendOptions::default());
    }
    let mut next = 0;
    let arrived = pair.run(Duration::from_secs(60), |pair| {
        while let Some(message) = pair.recv(Side::B, 0) {
            assert_eq!(number_of(&message), next);
            next += 1;
        }
        next == count
    });
    assert!(arrived, "{next} {:?} {:?}", pair.a.stats(), pair.a.counters());
}

#[test]
fn a_wide_path_is_used() {
    let mut pair = pair(usize::MAX);
    transfer(&mut pair, 40);
    assert_eq!((pair.a.max_packet(), pair.a.counters().retransmissions), (MOST, 0));
    pair.record = true;
    transfer(&mut pair, 4);
    assert!(pair.sent.iter().any(|(_, packet)| packet.len() > MOST - 8), "packets are filled");
}

/// A packet of chunks cut to size is as large as any, so that callers can batch them.
#[test]
fn full_packets_are_of_the_largest_size() {
    for most in [1424, 1432, 1452, 1460, 2900, 8924] {
        let config = || Config { max_probe: most, ..Config::default() };
        let mut pair = Pair::with(1, Weather::CLEAR, config(), config());
        pair.connect();
        transfer(&mut pair, 40);
        let largest = pair.a.max_packet();
        assert!(largest > most - 32, "{largest} of {most}");
        pair.record = true;
        transfer(&mut pair, 4);
        let full = pair.sent.iter().filter(|(_, packet)| packet.len() == largest).count();
        let data = pair.sent.iter().filter(|(_, packet)| packet.len() > largest / 2).count();
        assert!(full * 10 > data * 8, "{full} of {data} packets are full, of {most} bytes");
    }
}

/// What passes is found to within a few bytes, and no data is lost for it.
#[test]
fn a_narrow_path_is_measured() {
    for mtu in [1191, 1250, 1300, 1399, 1457] {
        let mut pair = pair(mtu);
        transfer(&mut pair, 10);
        pair.run_for(Duration::from_secs(30));
        let found = pair.a.max_packet();
        assert!(found <= mtu && mtu - found < 36, "{found} of {mtu}");
        transfer(&mut pair, 10);
        assert_eq!(pair.a.counters().retransmissions, 0);
    }
}

/// Whoever has nothing to send does not ask.
#[test]
fn an_idle_association_sends_no_probes() {
    let mut pair = pair(usize::MAX);
    pair.record = true;
    pair.send(Side::A, 0, numbered(0, 1000), SendOptions::default());
    pair.run_for(Duration::from_secs(20));
    assert!(pair.sent.iter().all(|(_, packet)| packet.len() < 1200));
}

/// RFC 8899 §4.3: a path that becomes narrower swallows what is too large, and everything is sent again in smaller packets.
#[test]
fn a_path_that_becomes_narrower_swallows_nothing() {
    let mut pair = pair(usize::MAX);
    transfer(&mut pair, 20);
    assert_eq!(pair.a.max_packet(), MOST);
    pair.mtu = 1191;
    let before = pair.now;
    transfer(&mut pair, 20);
    assert!(pair.a.max_packet() <= 1191);
    assert!(pair.now - before < Duration::from_secs(5), "{:?}", pair.now - before);
    pair.mtu = usize::MAX;
    pair.run_for(Duration::from_secs(700));
    transfer(&mut pair, 1);
    assert_eq!(pair.a.max_packet(), MOST, "the path is looked at again");
}

/// Small messages get through and large ones do not: that is noticed as well.
#[test]
fn a_black_hole_between_small_messages_is_noticed() {
    let mut pair = pair(usize::MAX);
    transfer(&mut pair, 20);
    pair.mtu = 1191;
    pair.send(Side::A, 0, numbered(0, 50_000), SendOptions::default());
    for number in 0..100 {
        pair.send(Side::A, 1, numbered(number, 10), UNORDERED);
        pair.run_for(Duration::from_millis(40));
    }
    assert!(pair.recv(Side::B, 0).is_some(), "{:?}", pair.a.counters());
}
