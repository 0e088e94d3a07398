//! Two peers find each other through every kind of translator wherever there is a way in principle, and take the best kind
//! of way that there is.
//!
//! A table of what was found: `cargo test -p pavane-tests --test nat -- --nocapture`; with `PAVANE_NAT_SEEDS=100` over as
//! many seeds.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pavane::ice::CandidateKind;
use pavane::{IceServer, Path};
use pavane_tests::server::{PASSWORD, USER};
use pavane_tests::{Behaviour, Dependence, End, INTERNET, Server, World};

const ONE_WAY: Duration = Duration::from_millis(25);
const SERVER_V4: &str = "198.51.100.1:3478";
const SERVER_V6: &str = "[2001:db8:ffff::1]:3478";
const OUTSIDE: [&str; 2] = ["203.0.113.1", "203.0.113.2"];
const INSIDE_V4: [&str; 2] = ["10.0.1.2:5000", "10.0.2.2:5000"];
const INSIDE_V6: [&str; 2] = ["[2001:db8:1::2]:5000", "[2001:db8:2::2]:5000"];

/// What a peer is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Nothing,
    Nat(Dependence, Dependence),
}

impl Behind {
    fn all() -> Vec<Self> {
        let kinds = Dependence::ALL.into_iter();
        let nats = kinds.flat_map(|mapping| Dependence::ALL.map(|filtering| Self::Nat(mapping, filtering)));
        std::iter::once(Self::Nothing).chain(nats).collect()
    }

    fn name(self) -> String {
        let letter = |dependence| match dependence {
            Dependence::Endpoint => "EI",
            Dependence::Address => "AD",
            Dependence::AddressAndPort => "APD",
        };
        match self {
            Self::Nothing => "none".into(),
            Self::Nat(mapping, filtering) => format!("{}/{}", letter(mapping), letter(filtering)),
        }
    }
}

/// Which way two peers found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nothing,
    Relayed,
    Direct,
}

/// Whether two peers can reach each other without a relay, found out with no more than what translators are: addresses that
/// each side tries, what they become on the way, and who lets them in.
fn has_direct_way(sides: [Behind; 2]) -> bool {
    // What an address outside is: whose, and for which destination; `None` for the one that the server saw.
    type Outside = (usize, Option<(usize, Option<u32>)>);
    let ids = |outside: Outside| -> u32 {
        let (side, part) = outside;
        let part = part.map_or(0, |(other, id)| 1 + other as u32 * 1000 + id.map_or(0, |id| 1 + id));
        side as u32 * 1_000_000 + part
    };
    let maps = |side: usize, to: u32| -> u32 {
        let owner = (to / 1_000_000) as usize;
        match sides[side] {
            Behind::Nothing | Behind::Nat(Dependence::Endpoint, _) => ids((side, None)),
            Behind::Nat(Dependence::Address, _) => ids((side, Some((owner, None)))),
            Behind::Nat(Dependence::AddressAndPort, _) => ids((side, Some((owner, Some(to % 1_000_000))))),
        }
    };
    let mut known = [BTreeSet::from([ids((1, None))]), BTreeSet::from([ids((0, None))])];
    let mut sent: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut works: BTreeSet<(usize, u32, u32)> = BTreeSet::new();
    loop {
        let before = (known.clone(), sent.len(), works.len());
        for (side, targets) in known.iter().enumerate() {
            for to in targets.iter().copied() {
                // Beyond this, addresses only lead to further addresses.
                if to % 1_000_000 > 100_000 {
                    continue;
                }
                sent.insert((maps(side, to), to));
            }
        }
        for (from, to) in sent.clone() {
            let (sender, receiver) = ((from / 1_000_000) as usize, (to / 1_000_000) as usize);
            let lets_in = match sides[receiver] {
                Behind::Nothing | Behind::Nat(_, Dependence::Endpoint) => true,
                // All addresses outside of one side have the same IP address.
                Behind::Nat(_, Dependence::Address) => sent.iter().any(|(by, _)| *by == to),
                Behind::Nat(_, Dependence::AddressAndPort) => sent.contains(&(to, from)),
            };
            // The address that the server saw is there from the beginning.
            let is_there = to == ids((receiver, None)) || sent.iter().any(|(by, _)| *by == to);
            if lets_in && is_there {
                known[receiver].insert(from);
                if maps(receiver, from) == to {
                    works.insert((sender, from, to));
                }
            }
        }
        if before == (known.clone(), sent.len(), works.len()) {
            break;
        }
    }
    works.iter().any(|(side, from, to)| works.contains(&(1 - side, *to, *from)))
}

struct Case {
    sides: [Behind; 2],
    with_relay: bool,
    loss: f64,
    seed: u64,
}

fn server() -> Server {
    let addresses = [SERVER_V4, SERVER_V6].map(|text| text.parse().unwrap()).to_vec();
    let relays: Vec<IpAddr> = ["198.51.100.2", "2001:db8:ffff::2"].map(|text| text.parse().unwrap()).to_vec();
    Server::new(addresses, relays)
}

fn world(case: &Case) -> World {
    let mut world = World::new(case.seed, ONE_WAY, case.loss, |_, config| {
        let mut servers = vec![IceServer::new([format!("stun:{SERVER_V4}")])];
        if case.with_relay {
            servers.push(IceServer::new([format!("turn:{SERVER_V4}")]).credentials(USER, PASSWORD));
        }
        config.ice_servers(&servers).unwrap()
    });
    world.servers.push(server());
    for (n, end) in End::BOTH.into_iter().enumerate() {
        match case.sides[n] {
            Behind::Nothing => {
                let address: SocketAddr = format!("{}:5000", OUTSIDE[n]).parse().unwrap();
                world.add_address(end, INTERNET, address);
            }
            Behind::Nat(mapping, filtering) => {
                let realm = world.add_realm(INTERNET);
                world.add_nat(realm, Behaviour::nat(mapping, filtering), OUTSIDE[n]);
                world.add_address(end, realm, INSIDE_V4[n].parse::<SocketAddr>().unwrap());
            }
        }
    }
    world.introduce();
    world
}

/// What the pair in use is, on both sides.
fn found(world: &mut World) -> Found {
    let now = world.now;
    let kinds = End::BOTH.map(|end| {
        let pairs = world.connection(end).stats(now).pairs;
        let selected = pairs.into_iter().find(|pair| pair.selected);
        selected.map(|pair| [pair.local_kind, pair.remote_kind].contains(&CandidateKind::Relayed))
    });
    match kinds {
        [Some(false), Some(false)] => Found::Direct,
        [Some(_), Some(_)] => Found::Relayed,
        _ => Found::Nothing,
    }
}

/// How long two peers took, and the way that they take then and a while later.
fn run(case: &Case) -> (Option<Duration>, Found) {
    let mut world = world(case);
    let start = world.now;
    let is_open = world.run(Duration::from_secs(20), World::is_open);
    let took = is_open.then(|| world.now - start);
    if is_open {
        world.idle(Duration::from_secs(10));
    }
    (took, found(&mut world))
}

fn seeds() -> u64 {
    std::env::var("PAVANE_NAT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1)
}

#[test]
fn every_kind_of_translator_is_passed_where_that_can_be() {
    let kinds = Behind::all();
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (loss, limit) in [(0.0, Duration::from_secs(3)), (0.1, Duration::from_secs(15))] {
        for with_relay in [false, true] {
            let mut times = Vec::new();
            let _ = writeln!(table, "\nloss {:.0} %, relay: {with_relay}", loss * 100.0);
            for a in &kinds {
                let _ = write!(table, "{:>8}", a.name());
                for b in &kinds {
                    let sides = [*a, *b];
                    let expected = match (has_direct_way(sides), with_relay) {
                        (true, _) => Found::Direct,
                        (false, true) => Found::Relayed,
                        (false, false) => Found::Nothing,
                    };
                    let mut met = Vec::new();
                    for seed in 0..seeds() {
                        let case = Case { sides, with_relay, loss, seed };
                        let (took, found) = run(&case);
                        let in_time = took.is_none_or(|took| took <= limit);
                        if found != expected || !in_time || took.is_some() != (found != Found::Nothing) {
                            wrong.push(format!(
                                "{} - {}, relay {with_relay}, loss {loss}, seed {seed}: {found:?} in {took:?}, not {expected:?}",
                                a.name(), b.name(),
                            ));
                        }
                        times.extend(took);
                        met.push(found);
                    }
                    let letter = match met.iter().min() {
                        Some(Found::Direct) => "direct",
                        Some(Found::Relayed) => "relay",
                        _ => "-",
                    };
                    let _ = write!(table, "{letter:>8}");
                }
                table.push('\n');
            }
            times.sort_unstable();
            if let (Some(middle), Some(last)) = (times.get(times.len() / 2), times.last()) {
                let _ = writeln!(table, "open after: median {middle:?}, at most {last:?}");
            }
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Worlds in which the direct way leads through two addresses that nobody signalled, and what would show them is lost: each
/// request that comes through pays for one check or one answer, and half of the answers prove nothing.
#[test]
fn addresses_that_nobody_signalled_find_each_other_in_spite_of_losses() {
    use Dependence::{Address, AddressAndPort, Endpoint};
    for (mapping, seed) in [(Address, 7), (Address, 21), (AddressAndPort, 7), (AddressAndPort, 21)] {
        let sides = [Behind::Nat(mapping, Endpoint), Behind::Nat(Address, Address)];
        let case = Case { sides, with_relay: true, loss: 0.1, seed };
        assert_eq!(run(&case).1, Found::Direct, "{mapping:?}, seed {seed}");
    }
}

/// The oracle itself agrees with what is known of translators.
#[test]
fn what_is_known_of_translators_holds() {
    use Dependence::{Address, AddressAndPort as Both, Endpoint};
    let cone = |filtering| Behind::Nat(Endpoint, filtering);
    let symmetric = Behind::Nat(Both, Both);
    for filtering in Dependence::ALL {
        assert!(Dependence::ALL.iter().all(|other| has_direct_way([cone(filtering), cone(*other)])));
    }
    assert!(has_direct_way([symmetric, Behind::Nothing]));
    assert!(has_direct_way([symmetric, cone(Endpoint)]));
    assert!(has_direct_way([symmetric, cone(Address)]));
    assert!(!has_direct_way([symmetric, cone(Both)]));
    assert!(!has_direct_way([symmetric, symmetric]));
}

#[test]
fn firewalls_of_ipv6_are_passed() {
    for seed in 0..seeds().max(3) {
        let mut world = World::new(seed, ONE_WAY, 0.1, |_, config| config);
        for (n, end) in End::BOTH.into_iter().enumerate() {
            let realm = world.add_realm(INTERNET);
            let firewall =
                pavane_tests::Nat::new(Behaviour::firewall(), IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED));
            world.realm(realm).v6 = Some(firewall);
            world.add_address(end, realm, INSIDE_V6[n].parse::<SocketAddr>().unwrap());
        }
        world.introduce();
        assert!(world.run(Duration::from_secs(10), World::is_open), "seed {seed}");
        assert_eq!(found(&mut world), Found::Direct);
    }
}

/// Two peers behind one translator take the short way; through its address outside where it hides them from each other.
#[test]
fn neighbours_meet_inside() {
    for seed in 0..seeds() {
        let mut world = World::new(seed, ONE_WAY, 0.0, |_, config| {
            config.ice_servers(&[IceServer::new([format!("stun:{SERVER_V4}")])]).unwrap()
        });
        world.servers.push(server());
        let realm = world.add_realm(INTERNET);
        let kind = Behaviour::nat(Dependence::Endpoint, Dependence::AddressAndPort);
        world.add_nat(realm, kind, OUTSIDE[0]);
        let rooms = [realm, world.add_realm(realm)];
        world.add_nat(rooms[1], kind, "10.0.1.9");
        for (n, end) in End::BOTH.into_iter().enumerate() {
            world.add_address(end, rooms[n], INSIDE_V4[n].parse::<SocketAddr>().unwrap());
        }
        world.introduce();
        assert!(world.run(Duration::from_secs(5), World::is_open), "seed {seed}");
        world.idle(Duration::from_secs(5));
        let path = world.connection(End::Bob).selected_path().map(|path| path.remote);
        assert_eq!(path, Some(INSIDE_V4[0].parse().unwrap()), "the way within the outer network");
    }
}

/// A dual-stack peer whose IPv6 leads nowhere is not slower for it.
#[test]
fn a_broken_family_costs_nothing() {
    for seed in 0..seeds() {
        let mut world = World::new(seed, ONE_WAY, 0.0, |_, config| config);
        world.dead = |address| address.is_ipv6();
        for (n, end) in End::BOTH.into_iter().enumerate() {
            world.add_address(end, INTERNET, INSIDE_V6[n].parse::<SocketAddr>().unwrap());
            world.add_address(end, INTERNET, format!("{}:5000", OUTSIDE[n]).parse::<SocketAddr>().unwrap());
        }
        world.introduce();
        let start = world.now;
        assert!(world.run(Duration::from_secs(5), World::is_open), "seed {seed}");
        assert!(world.now - start < Duration::from_millis(700), "{:?}", world.now - start);
        assert!(world.connection(End::Alice).selected_path().is_some_and(|path: Path| path.local.is_ipv4()));
    }
}

/// A peer that has only IPv6 reaches one that has only IPv4.
#[test]
fn nat64_is_passed() {
    for with_relay in [false, true] {
        let mut world = World::new(1, ONE_WAY, 0.0, |_, config| {
            let stun = IceServer::new(["stun:server.example"]);
            let turn = IceServer::new(["turn:server.example"]).credentials(USER, PASSWORD);
            let servers = if with_relay { vec![stun, turn] } else { vec![stun] };
            config.ice_servers(&servers).unwrap()
        });
        world.servers.push(server());
        let v4: SocketAddr = SERVER_V4.parse().unwrap();
        // What DNS64 makes of the server's name stands beside what it really is.
        world.names.insert("server.example".into(), vec![pavane_tests::world::embed(v4).ip(), v4.ip()]);
        let realm = world.add_realm(INTERNET);
        let kind = Behaviour::nat(Dependence::Endpoint, Dependence::Endpoint);
        world.realm(realm).nat64 = Some(pavane_tests::Nat::new(kind, "203.0.113.64".parse().unwrap()));
        world.add_address(End::Alice, realm, INSIDE_V6[0].parse::<SocketAddr>().unwrap());
        world.add_address(End::Bob, INTERNET, format!("{}:5000", OUTSIDE[1]).parse::<SocketAddr>().unwrap());
        world.introduce();
        assert!(world.run(Duration::from_secs(5), World::is_open), "relay: {with_relay}");
        world.idle(Duration::from_secs(5));
        assert_eq!(found(&mut world), Found::Direct);
    }
}
