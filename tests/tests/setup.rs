//! How soon a channel is open at both ends, counted from the moment at which both descriptions are set.

use std::time::Duration;

use pavane_tests::{Link, Pair};

const RTT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);
const SEEDS: u64 = 1000;

fn time_to_open(seed: u64, link: Link) -> Option<Duration> {
    let (mut pair, _) = Pair::introduced(seed, link);
    let start = pair.now;
    pair.run(PATIENCE, Pair::open_at_both_ends).then(|| pair.now - start)
}

/// The times over all seeds, in order, and how many never opened.
fn times(loss: f64) -> (Vec<Duration>, usize) {
    let mut times: Vec<_> =
        (0..SEEDS).filter_map(|seed| time_to_open(seed, Link::with_delay(RTT / 2).loss(loss))).collect();
    times.sort();
    let failed = SEEDS as usize - times.len();
    println!(
        "loss {:2.0} %: median {:?}, 99th percentile {:?}, worst {:?}, not open after {PATIENCE:?}: {failed}",
        loss * 100.0,
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        times[times.len() - 1],
    );
    (times, failed)
}

#[test]
fn without_loss_it_takes_at_most_five_round_trips() {
    let time = time_to_open(1, Link::with_delay(RTT / 2)).unwrap();
    println!("{:.1} round trips", time.as_secs_f64() / RTT.as_secs_f64());
    assert!(time <= 5 * RTT, "{time:?}");
}

#[test]
fn at_ten_percent_loss_the_median_is_below_800_ms_and_none_fails() {
    let (times, failed) = times(0.1);
    assert_eq!(failed, 0);
    assert!(times[times.len() / 2] < Duration::from_millis(800));
    assert!(times[times.len() * 99 / 100] < Duration::from_secs(3));
}

#[test]
fn at_thirty_percent_loss_fewer_than_one_in_a_hundred_fail() {
    let (_, failed) = times(0.3);
    assert!(failed < SEEDS as usize / 100, "{failed} of {SEEDS}");
}
