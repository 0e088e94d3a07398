use pavane::Transport;

use super::*;

fn path() -> Path {
    let (local, remote) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.2:2".parse().unwrap());
    Path { local, remote, transport: Transport::Udp }
}

/// The numbers of the datagrams in the order of their arrival, with the times of it.
fn run(seed: u64, link: Link, count: u32) -> Vec<(u32, Duration)> {
    let mut net = Net::new(seed, link);
    let start = Instant::from_millis(1);
    for n in 0..count {
        net.send(start, path(), &n.to_be_bytes());
    }
    let mut arrived = Vec::new();
    while let Some(at) = net.next_arrival() {
        let (seen, payload) = net.receive(at).unwrap();
        assert_eq!((seen.local, seen.remote), (path().remote, path().local));
        arrived.push((u32::from_be_bytes(payload.try_into().unwrap()), at - start));
    }
    arrived
}

#[test]
fn a_perfect_link_delivers_all_in_order_after_its_delay() {
    let delay = Duration::from_millis(7);
    let expected: Vec<_> = (0..100).map(|n| (n, delay)).collect();
    assert_eq!(run(1, Link::with_delay(delay), 100), expected);
}

#[test]
fn shares_of_loss_and_duplication_are_kept() {
    let link = Link::with_delay(Duration::from_millis(1));
    let arrived = run(2, link.loss(0.3), 10_000).len();
    assert!((6_800..7_200).contains(&arrived), "{arrived}");
    let arrived = run(3, link.duplication(0.1), 10_000).len();
    assert!((10_800..11_200).contains(&arrived), "{arrived}");
}

#[test]
fn jitter_keeps_the_order_and_reordering_does_not() {
    let sorted = |arrived: &[(u32, Duration)]| arrived.windows(2).all(|w| w[0].0 < w[1].0);
    let link = Link::with_delay(Duration::from_millis(10)).jitter(Duration::from_millis(10));
    let arrived = run(4, link, 1000);
    assert!(sorted(&arrived));
    assert!(arrived.iter().all(|(_, at)| (10..20).contains(&at.as_millis())));
    assert!(!sorted(&run(5, link.reordering(0.1), 1000)));
}

#[test]
fn a_bottleneck_spreads_what_passes_and_drops_what_does_not_fit() {
    let link = Link::with_delay(Duration::ZERO).bottleneck(1000, 40);
    let arrived = run(6, link, 100);
    assert_eq!(arrived.len(), 11, "one on the way and forty bytes in the queue");
    assert_eq!(arrived[10].1, Duration::from_millis(44));
}

#[test]
fn all_or_nothing_is_exact() {
    let link = Link::with_delay(Duration::from_millis(1));
    assert_eq!(run(9, link.loss(1.0), 10_000).len(), 0);
    assert_eq!(run(9, link.loss(0.0), 10_000).len(), 10_000);
}

#[test]
fn bursts_have_their_share_and_length() {
    let bursts = Bursts { begin: 0.01, end: 0.1, loss: 1.0 };
    let arrived = run(10, Link::with_delay(Duration::ZERO).bursts(bursts), 100_000);
    let mut gaps: Vec<_> = arrived.windows(2).map(|w| w[1].0 - w[0].0 - 1).collect();
    gaps.retain(|gap| *gap > 0);
    let lost: u32 = gaps.iter().sum();
    // A burst of ten begins with every hundredth datagram of those between: ten in a hundred and nine.
    assert!((8_400..9_900).contains(&lost), "{lost}");
    let mean = f64::from(lost) / gaps.len() as f64;
    assert!((9.0..11.5).contains(&mean), "{mean}");
}

#[test]
fn what_is_too_large_or_sent_while_down_does_not_arrive() {
    let mut net = Net::new(11, Link::with_delay(Duration::from_millis(1)).mtu(10));
    let now = Instant::from_millis(1);
    net.send(now, path(), &[0; 10]);
    net.send(now, path(), &[0; 11]);
    net.set_down(true);
    net.send(now, path(), &[0]);
    net.set_down(false);
    net.send(now, path(), &[1]);
    let later = now + Duration::from_millis(1);
    let lengths: Vec<_> =
        std::iter::from_fn(|| net.receive(later)).map(|(_, payload)| payload.len()).collect();
    assert_eq!(lengths, [10, 1]);
    assert_eq!(net.sent(), 4);
    assert_eq!(net.next_arrival(), None);
}

#[test]
fn a_way_may_differ_from_the_way_back() {
    let mut net = Net::new(12, Link::with_delay(Duration::from_millis(1)));
    let Path { local, remote, transport } = path();
    net.set_way(remote, local, Link::with_delay(Duration::from_millis(100)));
    let now = Instant::from_millis(1);
    net.send(now, Path { local: remote, remote: local, transport }, b"back");
    net.send(now, path(), b"forth");
    assert_eq!(net.next_arrival(), Some(now + Duration::from_millis(1)));
    assert_eq!(net.receive(now), None, "nothing arrives before its time");
    let later = now + Duration::from_millis(100);
    let arrived = [net.receive(later), net.receive(later)].map(|arrived| arrived.unwrap().1);
    assert_eq!(arrived, [b"forth".to_vec(), b"back".to_vec()]);
}

#[test]
fn the_trace_tells_moments_paths_and_bytes_apart() {
    let trace = |now: u64, path: Path, payload: &[u8]| {
        let mut net = Net::new(13, Link::with_delay(Duration::ZERO));
        net.send(Instant::from_millis(now), path, payload);
        net.trace_hash()
    };
    let Path { local, remote, transport } = path();
    let back = Path { local: remote, remote: local, transport };
    let traces =
        [trace(1, path(), b"a"), trace(2, path(), b"a"), trace(1, back, b"a"), trace(1, path(), b"b")];
    assert_eq!(trace(1, path(), b"a"), traces[0]);
    assert!((0..4).all(|n| !traces[..n].contains(&traces[n])));
}

#[test]
fn the_same_seed_does_the_same() {
    let link = Link::with_delay(Duration::from_millis(10)).loss(0.2).duplication(0.1).reordering(0.2);
    assert_eq!(run(7, link, 500), run(7, link, 500));
    assert_ne!(run(7, link, 500), run(8, link, 500));
}
