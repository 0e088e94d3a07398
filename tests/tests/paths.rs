//! Networks that come, go and change their minds while data flows: it goes on by another way, and nothing of it is lost.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pavane::{ChannelId, Event, IceConnectionState, IceServer, Instant, LocalAddress, Message};
use pavane_tests::server::{PASSWORD, USER};
use pavane_tests::{Behaviour, Dependence, End, INTERNET, Server, World};

const ONE_WAY: Duration = Duration::from_millis(25);
const ALICE: [&str; 2] = ["192.0.2.1:5000", "192.0.2.2:5000"];
const BOB: &str = "192.0.2.9:5000";
const SERVER: &str = "198.51.100.1:3478";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Messages with numbers, sent all the time in both directions.
struct Transfer {
    channels: [ChannelId; 2],
    sent: [u32; 2],
}

impl Transfer {
    fn begin(world: &mut World) -> Self {
        let alice = world.introduce();
        assert!(world.run(Duration::from_secs(20), World::is_open));
        let bob = world.peer(End::Bob).announced().unwrap();
        Self { channels: [alice, bob], sent: [0; 2] }
    }

    /// Sends for so long, a message of 1000 bytes every 10 ms at each end; says for how long at most each end heard nothing.
    fn run(&mut self, world: &mut World, duration: Duration) -> [Duration; 2] {
        let end = world.now + duration;
        let mut longest = [Duration::ZERO; 2];
        let mut heard: [(usize, Instant); 2] = End::BOTH.map(|end| (world.peer(end).heard.len(), world.now));
        while world.now < end {
            for (n, from) in End::BOTH.into_iter().enumerate() {
                let mut bytes = vec![0; 1000];
                bytes[..4].copy_from_slice(&self.sent[n].to_be_bytes());
                let (now, id) = (world.now, self.channels[n]);
                let mut channel = world.connection(from).channel(id).unwrap();
                if channel.send(now, Message::binary(bytes)).is_ok() {
                    self.sent[n] += 1;
                }
            }
            world.idle(Duration::from_millis(10));
            for (n, to) in End::BOTH.into_iter().enumerate() {
                let count = world.peer(to).heard.len();
                if count > heard[n].0 {
                    heard[n] = (count, world.now);
                }
                longest[n] = longest[n].max(world.now - heard[n].1);
            }
        }
        longest
    }

    /// Lets what is on its way arrive, and checks that all of it has, each once and in order.
    fn end(self, world: &mut World) {
        world.idle(Duration::from_secs(20));
        for (n, to) in [End::Bob, End::Alice].into_iter().enumerate() {
            let numbers: Vec<u32> = world
                .peer(to)
                .heard
                .iter()
                .map(|(_, message)| u32::from_be_bytes(*message.as_bytes().first_chunk().unwrap()))
                .collect();
            assert_eq!(numbers.len() as u32, self.sent[n], "everything arrives");
            assert!(numbers.iter().copied().eq(0..self.sent[n]), "in order");
        }
    }
}

/// Two peers, each of which has the given role; Alice has two interfaces.
fn two_ways(seed: u64) -> World {
    let mut world = World::new(seed, ONE_WAY, 0.0, |_, config| config);
    for text in ALICE {
        world.add_address(End::Alice, INTERNET, address(text));
    }
    world.add_address(End::Bob, INTERNET, address(BOB));
    world
}

/// The address of Alice's that data goes through.
fn in_use(world: &mut World) -> SocketAddr {
    world.connection(End::Alice).selected_path().unwrap().local
}

#[test]
fn an_interface_is_taken_away() {
    for seed in 0..5 {
        let mut world = two_ways(seed);
        let mut transfer = Transfer::begin(&mut world);
        transfer.run(&mut world, Duration::from_secs(3));
        let gone = in_use(&mut world);
        world.remove_address(End::Alice, gone);
        let gaps = transfer.run(&mut world, Duration::from_secs(8));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(2)), "seed {seed}: {gaps:?}");
        assert_ne!(in_use(&mut world), gone);
        transfer.end(&mut world);
    }
}

/// The controlled side loses its interface, so that the other one has to find out by itself.
#[test]
fn an_interface_is_taken_away_from_the_side_that_does_not_decide() {
    for seed in 0..5 {
        let mut world = World::new(seed, ONE_WAY, 0.0, |_, config| config);
        for text in ALICE {
            world.add_address(End::Bob, INTERNET, address(text));
        }
        world.add_address(End::Alice, INTERNET, address(BOB));
        let mut transfer = Transfer::begin(&mut world);
        transfer.run(&mut world, Duration::from_secs(3));
        let gone = world.connection(End::Bob).selected_path().unwrap().local;
        world.remove_address(End::Bob, gone);
        let gaps = transfer.run(&mut world, Duration::from_secs(8));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(2)), "seed {seed}: {gaps:?}");
        transfer.end(&mut world);
    }
}

/// Nobody is told: datagrams just do not arrive any more.
#[test]
fn an_interface_dies_silently() {
    for seed in 0..5 {
        let mut world = two_ways(seed);
        let mut transfer = Transfer::begin(&mut world);
        transfer.run(&mut world, Duration::from_secs(3));
        let used = in_use(&mut world);
        world.dead = if used == address(ALICE[0]) {
            |address| address.ip() == IpAddr::from([192, 0, 2, 1])
        } else {
            |address| address.ip() == IpAddr::from([192, 0, 2, 2])
        };
        let gaps = transfer.run(&mut world, Duration::from_secs(8));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(2)), "seed {seed}: {gaps:?}");
        transfer.end(&mut world);
    }
}

/// The only interface goes, and another one comes: the new address is signalled, and no restart is needed.
#[test]
fn an_interface_is_replaced() {
    let mut world = World::new(1, ONE_WAY, 0.0, |_, config| config);
    world.add_address(End::Alice, INTERNET, address(ALICE[0]));
    world.add_address(End::Bob, INTERNET, address(BOB));
    let mut transfer = Transfer::begin(&mut world);
    transfer.run(&mut world, Duration::from_secs(1));
    world.remove_address(End::Alice, address(ALICE[0]));
    assert_eq!(world.connection(End::Alice).ice_connection_state(), IceConnectionState::Disconnected);
    transfer.run(&mut world, Duration::from_secs(1));
    let advised = |event: &Event| matches!(event, Event::IceRestartAdvised);
    assert!(world.peer(End::Alice).saw(advised), "somebody may know a better way out");
    world.add_address(End::Alice, INTERNET, address(ALICE[1]));
    let gaps = transfer.run(&mut world, Duration::from_secs(5));
    assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(2)), "{gaps:?}");
    transfer.end(&mut world);
}

/// A translator is restarted: what comes from inside comes from another port.
#[test]
fn a_translator_forgets() {
    for (seed, behind) in [(1, End::Alice), (2, End::Bob)] {
        let mut world = World::new(seed, ONE_WAY, 0.0, |_, config| {
            config.ice_servers(&[IceServer::new([format!("stun:{SERVER}")])]).unwrap()
        });
        world.servers.push(Server::new(vec![address(SERVER)], vec![]));
        let realm = world.add_realm(INTERNET);
        let kind = Behaviour::nat(Dependence::Endpoint, Dependence::AddressAndPort);
        world.add_nat(realm, kind, "203.0.113.1");
        world.add_address(behind, realm, address("10.0.1.2:5000"));
        world.add_address(behind.other(), INTERNET, address(BOB));
        let mut transfer = Transfer::begin(&mut world);
        transfer.run(&mut world, Duration::from_secs(3));
        world.realm(realm).v4.as_mut().unwrap().forget();
        let gaps = transfer.run(&mut world, Duration::from_secs(8));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(3)), "{behind:?}: {gaps:?}");
        transfer.end(&mut world);
    }
}

/// Two peers that may use nothing but a relay: which they do, tell no address of their own, and give it back in the end.
#[test]
fn a_relay_carries_everything_and_is_given_back() {
    for seed in 0..3 {
        let mut world = World::new(seed, ONE_WAY, 0.05, |_, config| {
            let turn = IceServer::new([format!("turn:{SERVER}")]).credentials(USER, PASSWORD);
            config.ice_servers(&[turn]).unwrap().ice_transport_policy(pavane::IceTransportPolicy::Relay)
        });
        let mut server = Server::new(vec![address(SERVER)], vec!["198.51.100.2".parse().unwrap()]);
        server.config.nonce_lifetime = Duration::from_secs(90);
        world.servers.push(server);
        world.add_address(End::Alice, INTERNET, address(ALICE[0]));
        world.add_address(End::Bob, INTERNET, address(BOB));
        let mut transfer = Transfer::begin(&mut world);
        for end in End::BOTH {
            let told = world.connection(end).local_description().unwrap().sdp;
            assert!(!told.contains("192.0.2.") && told.contains("typ relay"), "{told}");
        }
        transfer.run(&mut world, Duration::from_secs(5));
        // Longer than permissions, channels, allocations and nonces live.
        world.idle(Duration::from_secs(1500));
        let gaps = transfer.run(&mut world, Duration::from_secs(5));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(2)), "seed {seed}: {gaps:?}");
        transfer.end(&mut world);
        assert!(world.servers[0].refusals.get(&438).is_some_and(|count| *count > 0), "nonces had their time");
        assert_eq!(world.servers[0].allocations(world.now), 2);
        let now = world.now;
        for end in End::BOTH {
            world.connection(end).close(now);
        }
        world.idle(Duration::from_secs(40));
        assert_eq!(world.servers[0].allocations(world.now), 0);
    }
}

/// A network that lets out nothing but TCP to port 443.
#[test]
fn a_strict_firewall_is_passed_by_tls() {
    use pavane_tests::Egress;
    let listens = "198.51.100.1:443";
    let mut world = World::new(1, ONE_WAY, 0.0, |_, config| {
        let turn = IceServer::new(["turns:server.example:443"]).credentials(USER, PASSWORD);
        config.ice_servers(&[turn]).unwrap()
    });
    world.names.insert("server.example".into(), vec!["198.51.100.1".parse().unwrap()]);
    world.servers.push(Server::new(vec![address(listens)], vec!["198.51.100.2".parse().unwrap()]));
    let realm = world.add_realm(INTERNET);
    let kind = Behaviour::nat(Dependence::Endpoint, Dependence::AddressAndPort);
    world.add_nat(realm, Behaviour { egress: Egress::Https, ..kind }, "203.0.113.1");
    world.add_address(End::Alice, realm, address("10.0.1.2:5000"));
    world.add_address(End::Bob, INTERNET, address(BOB));
    let mut transfer = Transfer::begin(&mut world);
    let gaps = transfer.run(&mut world, Duration::from_secs(5));
    assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(1)), "{gaps:?}");
    transfer.end(&mut world);
}

/// No datagram passes, but one side listens for streams.
#[test]
fn a_peer_is_reached_by_tcp() {
    for listening in End::BOTH {
        let mut world = World::new(1, ONE_WAY, 0.0, |_, config| config);
        world.add_address(listening.other(), INTERNET, address(ALICE[0]));
        world.add_address(listening, INTERNET, LocalAddress::tcp_listener(address(BOB)));
        let mut transfer = Transfer::begin(&mut world);
        let gaps = transfer.run(&mut world, Duration::from_secs(5));
        assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(1)), "{gaps:?}");
        transfer.end(&mut world);
    }
}
