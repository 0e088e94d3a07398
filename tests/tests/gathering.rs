//! What servers are asked, what becomes of their answers, and what the peer is told of it.

use std::net::SocketAddr;
use std::time::Duration;

use pavane::ice::CandidateKind;
use pavane::{
    CandidateFilter, CandidateOrigin, Config, Event, HostAddresses, IceCandidate, IceGatheringState,
    IceServer, IceTransportPolicy, Message, ServerFailure,
};
use pavane_stun::{ErrorCode, PasswordAlgorithm};
use pavane_tests::server::{PASSWORD, USER};
use pavane_tests::{Behaviour, Dependence, End, INTERNET, Server, World};

const ONE_WAY: Duration = Duration::from_millis(25);
const INSIDE: &str = "10.0.1.2:5000";
const OUTSIDE: &str = "203.0.113.1";
const BOB: &str = "192.0.2.9:5000";
const SERVERS: [&str; 2] = ["198.51.100.1:3478", "198.51.100.9:3478"];

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn server(n: usize) -> Server {
    let relay = ["198.51.100.2", "198.51.100.10"][n];
    Server::new(vec![address(SERVERS[n])], vec![relay.parse().unwrap(), "2001:db8::2".parse().unwrap()])
}

fn stun() -> IceServer {
    IceServer::new([format!("stun:{}", SERVERS[0])])
}

fn turn() -> IceServer {
    IceServer::new([format!("turn:{}", SERVERS[0])]).credentials(USER, PASSWORD)
}

/// Alice behind a translator, Bob in the Internet, both configured like this.
fn world(servers: Vec<Server>, configure: impl Fn(Config) -> Config) -> World {
    let mut world = World::new(1, ONE_WAY, 0.0, |_, config| configure(config));
    world.servers = servers;
    let realm = world.add_realm(INTERNET);
    world.add_nat(realm, Behaviour::nat(Dependence::Endpoint, Dependence::AddressAndPort), OUTSIDE);
    world.add_address(End::Alice, realm, address(INSIDE));
    world.add_address(End::Bob, INTERNET, address(BOB));
    world
}

/// The candidates that Alice has told of, as lines.
fn told(world: &mut World) -> Vec<String> {
    let events = &world.peer(End::Alice).events;
    let lines = events.iter().filter_map(|(_, event)| match event {
        Event::LocalCandidate(candidate) => Some(candidate.candidate.clone()),
        _ => None,
    });
    lines.collect()
}

fn failures(world: &mut World) -> Vec<ServerFailure> {
    let events = &world.peer(End::Alice).events;
    let failures = events.iter().filter_map(|(_, event)| match event {
        Event::IceServerFailed { failure, .. } => Some(*failure),
        _ => None,
    });
    failures.collect()
}

#[test]
fn candidates_of_every_kind_are_told_and_then_their_end() {
    let mut world = world(vec![server(0)], |config| config.ice_servers(&[stun(), turn()]).unwrap());
    world.introduce();
    assert!(world.run(Duration::from_secs(1), |world| {
        world.connection(End::Alice).ice_gathering_state() == IceGatheringState::Complete
    }));
    world.idle(Duration::ZERO);
    let told = told(&mut world);
    let kinds = ["typ host", "tcptype active", "typ srflx", "typ relay"];
    assert!(kinds.iter().all(|kind| told.iter().any(|line| line.contains(kind))), "{told:#?}");
    // RFC 8445 §5.1.3: what the relay sees is what the server for that purpose has seen already.
    assert_eq!(told.iter().filter(|line| line.contains("typ srflx")).count(), 1, "{told:#?}");
    assert_eq!(told.iter().filter(|line| line.contains("typ relay")).count(), 2, "one of each family");
    assert_eq!(told.iter().filter(|line| line.is_empty()).count(), 1);
    assert_eq!(told.last().map(String::as_str), Some(""));
    let parsed: Vec<pavane::sdp::Candidate> =
        told.iter().filter(|line| !line.is_empty()).map(|line| line.parse().unwrap()).collect();
    for (n, one) in parsed.iter().enumerate() {
        assert!(parsed[..n].iter().all(|other| other.priority != one.priority), "{told:#?}");
        assert!(parsed[..n].iter().all(|other| other.foundation != one.foundation), "{told:#?}");
    }
}

#[test]
fn a_dead_server_does_not_hold_up_the_end() {
    let mut world = world(vec![], |config| config.ice_servers(&[stun()]).unwrap());
    world.introduce();
    assert!(!world.run(Duration::from_secs(9), |world| {
        world.connection(End::Alice).ice_gathering_state() == IceGatheringState::Complete
    }));
    assert!(world.run(Duration::from_secs(2), |world| {
        world.connection(End::Alice).ice_gathering_state() == IceGatheringState::Complete
    }));
    world.idle(Duration::from_secs(40));
    assert_eq!(failures(&mut world), [ServerFailure::Unreachable]);
}

#[test]
fn a_pool_is_filled_before_anybody_asks() {
    let mut world = world(vec![server(0)], |config| {
        config.ice_servers(&[stun(), turn()]).unwrap().ice_candidate_pool_size(1)
    });
    world.idle(Duration::from_secs(1));
    assert!(told(&mut world).is_empty(), "nothing is told before its time");
    let now = world.now;
    world.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
    world.connection(End::Alice).set_local_description(now, None).unwrap();
    let sdp = world.connection(End::Alice).local_description().unwrap().sdp;
    assert!(sdp.contains("typ srflx") && sdp.contains("typ relay"), "{sdp}");
}

/// Host addresses are nobody's business, and yet what they look like from outside is of use.
#[test]
fn hidden_host_addresses_do_not_leak() {
    let mut world = world(vec![server(0)], |config| {
        let filter = CandidateFilter::new(|origin, candidate| {
            origin == CandidateOrigin::Remote || candidate.kind != CandidateKind::Host
        });
        config.ice_servers(&[stun(), turn()]).unwrap().candidate_filter(filter)
    });
    world.introduce();
    assert!(world.run(Duration::from_secs(5), World::is_open));
    let told = told(&mut world);
    assert!(told.iter().any(|line| line.contains("typ srflx raddr 0.0.0.0 rport 9")), "{told:#?}");
    assert!(told.iter().all(|line| !line.contains("10.0.1.2")), "{told:#?}");
    let path = world.connection(End::Alice).selected_path().unwrap();
    assert_eq!(path.local, address(INSIDE), "the way is direct");
}

#[test]
fn a_server_sends_us_on() {
    let mut first = server(0);
    first.config.alternate = Some(address(SERVERS[1]));
    let mut world = world(vec![first, server(1)], |config| {
        config.ice_servers(&[turn()]).unwrap().ice_transport_policy(IceTransportPolicy::Relay)
    });
    world.introduce();
    assert!(world.run(Duration::from_secs(5), World::is_open));
    assert!(told(&mut world).iter().any(|line| line.contains("198.51.100.10")));
    assert!(failures(&mut world).is_empty());
}

#[test]
fn servers_that_send_us_round_in_circles_are_left() {
    let mut servers = vec![server(0), server(1)];
    servers[0].config.alternate = Some(address(SERVERS[1]));
    servers[1].config.alternate = Some(address(SERVERS[0]));
    let mut world = world(servers, |config| config.ice_servers(&[turn()]).unwrap());
    world.introduce();
    world.idle(Duration::from_secs(5));
    assert_eq!(failures(&mut world), [ServerFailure::Redirected]);
}

#[test]
fn a_server_wants_sha256() {
    let mut strict = server(0);
    strict.config.algorithm = PasswordAlgorithm::Sha256;
    let mut world = world(vec![strict], |config| {
        config.ice_servers(&[turn()]).unwrap().ice_transport_policy(IceTransportPolicy::Relay)
    });
    world.introduce();
    assert!(world.run(Duration::from_secs(5), World::is_open));
}

#[test]
fn refusals_are_told() {
    let mut full = server(0);
    full.config.quota = 0;
    let mut scene = world(vec![full], |config| config.ice_servers(&[turn()]).unwrap());
    scene.introduce();
    scene.idle(Duration::from_secs(5));
    assert_eq!(failures(&mut scene), [ServerFailure::Refused(ErrorCode::QUOTA_REACHED)]);
    let stranger = IceServer::new([format!("turn:{}", SERVERS[0])]).credentials(USER, "wrong");
    let mut scene =
        world(vec![server(0)], |config| config.ice_servers(std::slice::from_ref(&stranger)).unwrap());
    scene.introduce();
    scene.idle(Duration::from_secs(5));
    assert_eq!(failures(&mut scene), [ServerFailure::Unauthorized]);
    let unknown = IceServer::new(["stun:nowhere.example"]);
    let mut scene =
        world(vec![server(0)], |config| config.ice_servers(std::slice::from_ref(&unknown)).unwrap());
    scene.introduce();
    scene.idle(Duration::from_secs(5));
    assert_eq!(failures(&mut scene), [ServerFailure::Unresolved]);
}

/// A relay that forgets us is asked again as soon as nothing comes through it, and data goes on.
#[test]
fn a_relay_is_restarted() {
    let mut world = world(vec![server(0)], |config| {
        config.ice_servers(&[turn()]).unwrap().ice_transport_policy(IceTransportPolicy::Relay)
    });
    let channel = world.introduce();
    assert!(world.run(Duration::from_secs(5), World::is_open));
    world.servers[0].forget();
    world.idle(Duration::from_secs(30));
    assert_eq!(world.servers[0].allocations(world.now), 2);
    let now = world.now;
    let mut channel = world.connection(End::Alice).channel(channel).unwrap();
    channel.send(now, Message::text("still there?")).unwrap();
    world.idle(Duration::from_secs(5));
    assert_eq!(world.peer(End::Bob).heard.len(), 1);
}

/// What hides behind a name is not shown to a relay.
#[test]
fn hidden_peers_are_not_told_to_relays() {
    let mut world = world(vec![server(0)], |config| config.ice_servers(&[turn()]).unwrap());
    world.introduce();
    let now = world.now;
    let lines = ["typ host", "typ srflx raddr 0.0.0.0 rport 9"];
    for (n, kind) in lines.into_iter().enumerate() {
        let line = format!("candidate:{n} 1 udp {} hidden{n}.local 7 {kind}", 1000 - n);
        let candidate = IceCandidate { candidate: line, sdp_m_line_index: Some(0), ..Default::default() };
        world.connection(End::Alice).add_ice_candidate(now, Some(candidate)).unwrap();
    }
    world.mdns.insert("hidden0.local".into(), "198.18.0.1".parse().unwrap());
    world.mdns.insert("hidden1.local".into(), "198.18.0.2".parse().unwrap());
    world.idle(Duration::from_secs(5));
    let pairs = world.connection(End::Alice).stats(now).pairs;
    let hidden: Vec<_> =
        pairs.iter().filter(|pair| pair.path.remote.ip().to_string().starts_with("198.18.")).collect();
    assert_eq!(hidden.len(), 2);
    assert!(hidden.iter().all(|pair| pair.path.local == address(INSIDE)));
}

/// Addresses that hide are found in nothing that leaves for the peer or the application, and peers find each other all the
/// same (draft-ietf-mmusic-mdns-ice-candidates §3.1).
#[test]
fn hidden_addresses_are_told_to_nobody() {
    let mut world = world(vec![server(0)], |config| {
        let config = config.ice_servers(&[stun(), turn()]).unwrap();
        config.host_addresses(HostAddresses::Hidden)
    });
    world.introduce();
    assert!(world.run(Duration::from_secs(5), World::is_open));
    world.idle(Duration::from_secs(2));
    let shows = |text: &str| text.contains("10.0.1.2");
    let lines = told(&mut world);
    assert!(!lines.is_empty() && !lines.iter().any(|line| shows(line)), "{lines:?}");
    for (kind, related) in
        [("host", None), ("srflx", Some("0.0.0.0 rport 9")), ("relay", Some("0.0.0.0 rport 9"))]
    {
        let line = lines.iter().find(|line| line.contains(&format!("typ {kind}"))).unwrap();
        assert_eq!(line.split(" raddr ").nth(1), related, "{line}");
    }
    let now = world.now;
    let description = world.connection(End::Alice).local_description().unwrap();
    assert!(!shows(&description.sdp), "{}", description.sdp);
    let report = world.connection(End::Alice).stats_report(now);
    assert!(!shows(&format!("{report:?}")), "{report:?}");
    let names: Vec<String> = world.mdns.keys().cloned().collect();
    assert_eq!(names.len(), 2);
    assert!(names.iter().any(|name| description.sdp.contains(name)));

    // The next generation has other names.
    world.connection(End::Alice).restart_ice();
    world.exchange(End::Alice);
    world.idle(Duration::from_secs(2));
    let description = world.connection(End::Alice).local_description().unwrap();
    assert!(!shows(&description.sdp) && !names.iter().any(|name| description.sdp.contains(name)));
    assert_eq!(world.mdns.len(), 2);
    for end in End::BOTH {
        let now = world.now;
        world.connection(end).close(now);
    }
    world.idle(Duration::from_secs(1));
    assert!(world.mdns.is_empty(), "nobody answers for what is closed");
    let report = world.connection(End::Alice).stats_report(now);
    assert!(!shows(&format!("{report:?}")), "nor is it shown then");
}

/// Numbers are for those who know them: so it is with Chromium, where the application wants them.
#[test]
fn renomination_is_spoken_of_with_those_who_do() {
    for (said, answered) in
        [("trickle", "trickle ice2"), ("trickle renomination", "trickle ice2 renomination")]
    {
        let mut world = world(vec![], |config| config);
        let now = world.now;
        let alice = world.connection(End::Alice);
        alice.create_data_channel(now, "chat", Default::default()).unwrap();
        alice.set_local_description(now, None).unwrap();
        let mut offer = alice.local_description().unwrap();
        assert!(offer.sdp.contains("a=ice-options:trickle ice2\r\n"));
        offer.sdp = offer.sdp.replace("ice-options:trickle ice2", &format!("ice-options:{said}"));
        let bob = world.connection(End::Bob);
        bob.set_remote_description(now, offer).unwrap();
        bob.set_local_description(now, None).unwrap();
        let answer = bob.local_description().unwrap();
        assert!(answer.sdp.contains(&format!("a=ice-options:{answered}\r\n")), "{}", answer.sdp);
    }
}
