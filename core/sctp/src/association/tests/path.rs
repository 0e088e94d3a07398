//! Another path in the middle of an association (RFC 8261 §6.1).

use super::*;
use crate::CongestionAlgorithm;

/// Nothing is known of congestion on it, whatever the path before could do.
#[test]
fn a_new_path_is_begun_with_as_carefully_as_the_first() {
    for congestion in [CongestionAlgorithm::Model, CongestionAlgorithm::Cubic, CongestionAlgorithm::Rfc9260] {
        let config = || Config { congestion, max_probe: 0, ..Config::default() };
        let mut pair = Pair::with(1, Weather::CLEAR, config(), config());
        pair.connect();
        for number in 0..400 {
            pair.send(Side::A, 0, numbered(number, 20_000), SendOptions::default());
        }
        let fast = |pair: &mut Pair| pair.a.stats().in_flight > 200_000;
        assert!(pair.run(Duration::from_secs(10), fast), "{:?}", pair.a.stats());
        let now = pair.now;
        pair.a.handle_path_change(now);
        let initial = 10 * Config::default().max_packet as u64;
        assert!(pair.a.stats().congestion_window <= initial, "{congestion:?} {:?}", pair.a.stats());
        pair.run_for(Duration::from_millis(19));
        assert!(pair.a.stats().congestion_window <= initial, "what arrives was sent over the old path");
        let mut next = 0;
        let arrived = pair.run(Duration::from_secs(10), |pair| {
            while let Some(message) = pair.recv(Side::B, 0) {
                assert_eq!(number_of(&message), next);
                next += 1;
            }
            next == 400
        });
        assert!(arrived, "{congestion:?} {next} {:?}", pair.a.counters());
    }
}
