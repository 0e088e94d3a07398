//! From nothing to a way that works.

use std::time::Duration;

use pavane_ice::{Mode, Role, State};

use crate::pair::{Pair, RTT, address};

const A4: &str = "192.0.2.1:4001";
const B4: &str = "192.0.2.2:4002";
const A6: &str = "[2001:db8::1]:6001";
const B6: &str = "[2001:db8::2]:6002";
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_way_is_found_in_one_round_trip() {
    let mut pair = Pair::introduced(1, [&[A4], &[B4]]);
    let start = pair.now;
    assert!(pair.run(PATIENCE, Pair::both_selected));
    assert_eq!(pair.now - start, RTT);
    assert!(pair.both_completed(), "the check that proves the best pair nominates it as well");
    assert_eq!(pair.agents[0].round_trip_time(), Some(RTT));
    assert_eq!(pair.states(0), [State::Checking, State::Completed]);
}

/// Every pair that is tried before it delays the one that works by Ta, and by no more.
#[test]
fn a_way_is_found_in_one_round_trip_and_its_pacing() {
    const OURS: [&str; 3] = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"];
    const THEIRS: [&str; 3] = ["192.0.2.2:1", "192.0.2.2:2", "192.0.2.2:3"];
    let pairs: Vec<_> = OURS.into_iter().flat_map(|ours| THEIRS.map(|theirs| (ours, theirs))).collect();
    for works in &pairs {
        let mut pair = Pair::introduced(1, [&OURS, &THEIRS]);
        let others = pairs.iter().filter(|other| *other != works);
        pair.cut.extend(others.map(|(ours, theirs)| (address(ours), address(theirs))));
        let start = pair.now;
        assert!(pair.run(PATIENCE, Pair::both_selected));
        let pacing = 50 * (pairs.len() as u32 - 1);
        assert!(pair.now - start <= RTT + Duration::from_millis(pacing.into()), "{:?}", pair.now - start);
    }
}

#[test]
fn nothing_is_done_before_both_sides_are_known() {
    let mut pair = Pair::strangers(1, [&[A4], &[B4]]);
    for n in 0..2 {
        assert_eq!(pair.agents[n].poll_timeout(), None);
        assert_eq!(pair.agents[n].state(), State::New);
    }
    pair.agents[0].start_gathering(pair.now, &mut pair.rngs[0]);
    pair.tell_candidates(0);
    pair.flush();
    assert!(pair.trace.is_empty());
    assert_eq!(pair.agents[1].poll_timeout(), None);
}

#[test]
fn losses_delay_and_do_not_prevent() {
    let mut times: Vec<Duration> = (0..1000)
        .map(|seed| {
            let mut pair = Pair::introduced(seed, [&[A4], &[B4]]);
            pair.loss = 0.3;
            let start = pair.now;
            assert!(pair.run(PATIENCE, Pair::both_selected), "seed {seed}");
            pair.now - start
        })
        .collect();
    times.sort();
    println!("30 % loss: median {:?}, 99th percentile {:?}, worst {:?}", times[500], times[990], times[999]);
    assert!(times[500] < Duration::from_millis(500));
    assert!(times[990] < Duration::from_secs(3));
}

#[test]
fn ipv6_is_preferred_where_both_have_it() {
    let mut pair = Pair::introduced(1, [&[A4, A6], &[B4, B6]]);
    assert!(pair.run(PATIENCE, |pair| pair.both_completed() && pair.agree()));
    assert!(pair.agents[0].selected_path().unwrap().local.is_ipv6());
}

#[test]
fn the_slowest_pair_is_not_waited_for() {
    let mut pair = Pair::introduced(1, [&[A4, A6], &[B4, B6]]);
    pair.cut.push((address(A6), address(B6)));
    let start = pair.now;
    assert!(pair.run(PATIENCE, Pair::both_completed));
    assert!(pair.now - start < Duration::from_millis(500), "{:?}", pair.now - start);
    assert!(pair.agents[0].selected_path().unwrap().local.is_ipv4());
}

#[test]
fn a_better_pair_is_moved_to_when_it_begins_to_work() {
    let mut pair = Pair::introduced(1, [&[A4, A6], &[B4, B6]]);
    pair.cut.push((address(A6), address(B6)));
    assert!(pair.run(PATIENCE, Pair::both_completed));
    pair.cut.clear();
    assert!(
        pair.run(PATIENCE, |pair| pair.agree() && pair.agents[0].selected_path().unwrap().local.is_ipv6())
    );
}

#[test]
fn several_addresses_each_find_what_works() {
    let (a, b) = (["10.0.0.1:1", "10.1.0.1:1", "10.2.0.1:1"], ["10.0.0.2:2", "10.1.0.2:2", "10.2.0.2:2"]);
    let mut pair = Pair::introduced(1, [&a, &b]);
    for from in a {
        for to in b {
            if from[..5] != to[..5] || !from.starts_with("10.1") {
                pair.cut.push((address(from), address(to)));
            }
        }
    }
    assert!(pair.run(PATIENCE, |pair| pair.both_completed() && pair.agree()));
    assert_eq!(pair.agents[0].selected_path().unwrap().local, address("10.1.0.1:1"));
}

#[test]
fn equal_roles_are_resolved() {
    for role in [Role::Controlling, Role::Controlled] {
        for seed in 0..20 {
            let mut pair = Pair::strangers(seed, [&[A4, A6], &[B4, B6]]);
            pair.agents.iter_mut().for_each(|agent| agent.set_role(role));
            pair.introduce();
            assert!(
                pair.run(PATIENCE, |pair| pair.both_completed() && pair.agree()),
                "seed {seed}, both {role:?}"
            );
            assert_ne!(pair.agents[0].role(), pair.agents[1].role());
        }
    }
}

#[test]
fn news_may_come_in_any_order() {
    type News = fn(&mut Pair, usize);
    let news: [News; 3] = [
        |pair, n| pair.agents[n].start_gathering(pair.now, &mut pair.rngs[n]),
        |pair, n| pair.tell_credentials(n),
        |pair, n| {
            pair.agents[n].start_gathering(pair.now, &mut pair.rngs[n]);
            pair.tell_candidates(n);
        },
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for gap in [0, 30, 400] {
            let mut pair = Pair::strangers(1, [&[A4], &[B4]]);
            for step in order {
                for n in 0..2 {
                    news[step](&mut pair, n);
                    pair.idle(Duration::from_millis(gap));
                }
            }
            assert!(pair.run(PATIENCE, Pair::both_selected), "{order:?} with gaps of {gap} ms");
        }
    }
}

#[test]
fn a_peer_behind_a_nat_is_learnt_from_its_checks() {
    let mut pair = Pair::strangers(1, [&["10.0.0.1:1000"], &[B4]]);
    pair.nat.insert(address("10.0.0.1:1000"), address("203.0.113.1:2000"));
    pair.cut.push((address(B4), address("10.0.0.1:1000")));
    pair.introduce();
    // The datagrams towards the inside address go nowhere, those from it and back through the NAT arrive.
    pair.cut.clear();
    assert!(pair.run(PATIENCE, Pair::both_selected));
    assert!(pair.run(PATIENCE, |pair| {
        pair.agents[1].selected_path().is_some_and(|path| path.remote == address("203.0.113.1:2000"))
    }));
}

#[test]
fn a_peer_may_hide_all_its_candidates() {
    let mut pair = Pair::strangers(1, [&[A4], &[B4]]);
    for n in 0..2 {
        pair.agents[n].start_gathering(pair.now, &mut pair.rngs[n]);
        pair.tell_credentials(n);
    }
    pair.tell_candidates(1);
    assert!(pair.run(PATIENCE, Pair::both_selected), "the one who knows nothing is found by the other");
}

#[test]
fn names_are_resolved_or_passed_over() {
    use pavane_ice::{Action, ActionOutcome, CandidateKind, NamedCandidate, RemoteCandidate};
    for answer in [Some("192.0.2.2".parse().unwrap()), None] {
        let mut pair = Pair::strangers(1, [&[A4], &[B4]]);
        for n in 0..2 {
            pair.agents[n].start_gathering(pair.now, &mut pair.rngs[n]);
            pair.tell_credentials(n);
        }
        let named = NamedCandidate {
            name: "3b5a1c.local".into(),
            port: 4002,
            foundation: "1".into(),
            component: 1,
            transport: pavane_base::Transport::Udp,
            tcp_type: None,
            priority: 1,
            kind: CandidateKind::Host,
        };
        let (now, rng) = (pair.now, &mut pair.rngs[0]);
        pair.agents[0].add_remote_candidate(now, rng, RemoteCandidate::Name(named)).unwrap();
        let (id, action) = pair.agents[0].poll_action().unwrap();
        assert_eq!(action, Action::ResolveMdns { name: "3b5a1c.local".into() });
        let outcome = answer.map_or(ActionOutcome::Failed, |ip| ActionOutcome::Resolved(vec![ip]));
        pair.agents[0].handle_action(now, rng, id, outcome);
        assert_eq!(pair.run(Duration::from_secs(5), Pair::both_selected), answer.is_some());
    }
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let trace = |seed| {
        let mut pair = Pair::introduced(seed, [&[A4, A6], &[B4, B6]]);
        pair.loss = 0.2;
        pair.idle(Duration::from_secs(30));
        pair.trace
    };
    assert!(trace(1) == trace(1));
    assert!(trace(1) != trace(2));
}

/// A lite agent checks nothing, and is found all the same; it follows the nominations, and notices when nobody asks any more.
#[test]
fn a_lite_agent_is_found() {
    for seed in 0..20 {
        let mut pair = Pair::configured(seed, [&[A4], &[B4]], [Mode::Full, Mode::Lite]);
        pair.loss = 0.2;
        pair.introduce();
        assert!(pair.run(Duration::from_secs(10), Pair::both_completed), "seed {seed}");
        assert!(pair.agree());
        pair.idle(Duration::from_secs(120));
        assert!(pair.both_completed() && pair.agents[1].counters().checks_sent == 0);
        pair.cut.push((address(A4), address(B4)));
        pair.idle(Duration::from_secs(31));
        assert_eq!(pair.agents[1].state(), State::Failed);
    }
}
