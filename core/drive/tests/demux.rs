//! Many connections behind one socket: whose a datagram is, what strangers can do, and how it ends.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pavane::{ChannelInit, CloseReason, Config, Message};
use pavane_drive::{
    Builder, Clock, DataChannel, Demux, Drive, Driver, Event, PeerConnection, Port, Std, StdSocket, Turn,
    block_on, seeded_rng, thread_waker,
};

/// The simplest of loops: it asks the sockets again every millisecond.
fn drive(mut drive: impl Drive<Host = Std>) {
    const NAP: Duration = Duration::from_millis(1);
    loop {
        let turn = drive.turn(&thread_waker());
        match turn {
            Turn::Done => return,
            Turn::Again => {}
            Turn::Wait { deadline } => {
                let left =
                    deadline.map_or(NAP, |deadline| deadline.saturating_duration_since(Instant::now()));
                thread::park_timeout(left.min(NAP));
                for index in 0..drive.socket_count() {
                    drive.set_readable(index);
                    drive.set_writable(index);
                }
            }
        }
    }
}

fn config(seed: u64) -> (Arc<Config>, Clock) {
    let clock = Clock::system();
    let config = Config::new(pavane_crypto_rustls::provider(), &mut *seeded_rng(seed), &clock.epoch());
    (Arc::new(config), clock)
}

fn socket() -> StdSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    StdSocket::new(socket).expect("a socket")
}

fn port() -> (Port, JoinHandle<()>) {
    let (config, clock) = config(1);
    let (demux, port) =
        Demux::<Std>::new(config, seeded_rng(2), clock, vec![socket()], vec![]).expect("the address is good");
    (port, thread::spawn(|| drive(demux)))
}

/// A port that so many threads share.
fn shared_port(drivers: u16) -> (Port, Vec<JoinHandle<()>>) {
    let builder = Builder::<Std>::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let drivers = NonZeroU16::new(drivers).expect("there are some");
    let (demuxes, port) = builder.into_demuxes(drivers).expect("the loopback interface is there");
    (port, demuxes.into_iter().map(|demux| thread::spawn(|| drive(demux))).collect())
}

/// A peer with a socket of its own, and another handle of that socket.
fn client(seed: u64) -> (PeerConnection, UdpSocket) {
    let (config, clock) = config(seed);
    let (mut driver, peer) =
        Driver::<Std>::new(config, seeded_rng(seed), clock).expect("the defaults work together");
    let socket = socket();
    let other = socket.get_ref().try_clone().expect("a descriptor more");
    driver.add_socket(socket).expect("the address is good");
    driver.end_of_sockets();
    thread::spawn(|| drive(driver));
    (peer, other)
}

fn negotiate(offerer: &PeerConnection, answerer: &PeerConnection) {
    offerer.set_local_description(None).expect("an offer is possible");
    block_on(offerer.gathering_complete());
    answerer.set_remote_description(offerer.local_description().expect("it was set")).expect("it is good");
    answerer.set_local_description(None).expect("an answer is possible");
    block_on(answerer.gathering_complete());
    offerer.set_remote_description(answerer.local_description().expect("it was set")).expect("it is good");
}

fn next_channel(peer: &PeerConnection) -> DataChannel {
    loop {
        match block_on(peer.next_event()) {
            Some(Event::Channel(channel)) => return channel,
            Some(_) => {}
            None => panic!("the connection ended"),
        }
    }
}

struct Guest {
    peer: PeerConnection,
    channel: DataChannel,
    client: PeerConnection,
    clients: DataChannel,
    socket: UdpSocket,
}

fn guest(port: &Port, seed: u64) -> Guest {
    let peer = port.peer().expect("the configuration is good");
    let (client, socket) = client(seed);
    let clients = client.create_data_channel("test", ChannelInit::default()).expect("it is possible");
    negotiate(&client, &peer);
    let channel = next_channel(&peer);
    assert!(block_on(clients.opened()));
    Guest { peer, channel, client, clients, socket }
}

impl Guest {
    fn echo(&self, text: &str) {
        block_on(self.clients.send(Message::text(text))).expect("the channel is open");
        let heard = block_on(self.channel.recv()).expect("the channel is open");
        assert_eq!(heard, Message::text(text));
        block_on(self.channel.send(heard)).expect("the channel is open");
        assert_eq!(block_on(self.clients.recv()), Some(Message::text(text)));
    }
}

#[test]
fn each_gets_what_is_its_and_the_end_of_one_is_no_others() {
    let (port, thread) = port();
    let mut guests: Vec<Guest> = (0..20).map(|number| guest(&port, 100 + number)).collect();
    for round in 0..3 {
        for (number, guest) in guests.iter().enumerate() {
            guest.echo(&format!("{number} in round {round}"));
        }
    }
    let gone = guests.swap_remove(7);
    gone.client.close();
    assert_eq!(block_on(gone.peer.closed()), CloseReason::Peer);
    guests.iter().for_each(|guest| guest.echo("still there"));
    // A connection that its own side ends says so to the other side.
    let gone = guests.swap_remove(3);
    gone.peer.close();
    assert_eq!(block_on(gone.client.closed()), CloseReason::Peer);
    guests.iter().for_each(|guest| guest.echo("still there"));
    assert_eq!(port.counters().peers, 18);
    drop(port);
    guests.iter().for_each(|guest| guest.echo("the port lives as long as they do"));
    drop(guests);
    thread.join().expect("no panic");
}

#[test]
fn connections_go_over_to_the_driver_that_their_datagrams_come_to() {
    let (port, threads) = shared_port(3);
    let guests: Vec<Guest> = (0..12).map(|number| guest(&port, 600 + number)).collect();
    for round in 0..100 {
        guests.iter().for_each(|guest| guest.echo(&round.to_string()));
    }
    // A turn's figures are told by the next one.
    while port.counters().peers_moved == 0 {
        thread::yield_now();
    }
    guests.iter().for_each(|guest| guest.echo("at home"));
    thread::sleep(Duration::from_millis(20));
    let before = port.counters();
    assert_eq!((before.peers, before.forwards_dropped), (12, 0));
    assert!(before.peers_moved <= 12, "nobody moves twice: {before:?}");
    for round in 0..20 {
        guests.iter().for_each(|guest| guest.echo(&round.to_string()));
    }
    let after = port.counters();
    assert_eq!(
        (after.forwarded, after.peers_moved),
        (before.forwarded, before.peers_moved),
        "all are at home"
    );
    drop((port, guests));
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

#[test]
fn a_way_goes_to_a_connection_of_another_driver() {
    let (port, _threads) = shared_port(2);
    // Connections are made with the drivers in turn.
    let first = guest(&port, 700);
    first.echo("here");
    let address = first.socket.local_addr().expect("it is bound");
    first.client.close();
    block_on(first.client.closed());
    drop(first);
    // What comes to the same address next is another's, whichever of the two has it.
    for seed in 701..704 {
        let (config, clock) = config(seed);
        let (mut driver, client) = Driver::<Std>::new(config, seeded_rng(seed), clock).expect("it is good");
        let socket = bound_anew(address);
        driver.add_socket(socket).expect("the address is good");
        driver.end_of_sockets();
        let driving = thread::spawn(|| drive(driver));
        let clients = client.create_data_channel("test", ChannelInit::default()).expect("it is possible");
        let peer = port.peer().expect("the configuration is good");
        negotiate(&client, &peer);
        let channel = next_channel(&peer);
        block_on(clients.send(Message::text("mine"))).expect("the channel is open");
        assert_eq!(block_on(channel.recv()), Some(Message::text("mine")));
        client.close();
        driving.join().expect("no panic");
    }
}

/// A socket at an address that was another's just before.
fn bound_anew(address: SocketAddr) -> StdSocket {
    let started = Instant::now();
    loop {
        match UdpSocket::bind(address) {
            Ok(socket) => return StdSocket::new(socket).expect("a socket"),
            Err(error) => assert!(started.elapsed() < Duration::from_secs(5), "{error}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_panic_of_the_application_is_no_other_peers() {
    let (port, _thread) = port();
    let (first, second) = (guest(&port, 800), guest(&port, 801));
    let channel = first.channel.clone();
    let panicked = thread::spawn(move || {
        block_on(async {
            channel.recv().await;
            panic!("an application's own");
        });
    });
    block_on(first.clients.send(Message::text("boo"))).expect("the channel is open");
    panicked.join().expect_err("it panics");
    second.echo("unharmed");
    first.echo("even this one");
}

#[test]
fn a_restart_of_ice_brings_another_name() {
    let (port, _thread) = port();
    let guest = guest(&port, 200);
    for _ in 0..3 {
        guest.client.restart_ice();
        negotiate(&guest.client, &guest.peer);
        guest.echo("before it is settled");
        thread::sleep(Duration::from_millis(200));
        guest.echo("and after");
    }
    assert!(port.counters().table <= 4, "{:?}", port.counters());
}

#[test]
fn strangers_are_neither_answered_nor_remembered() {
    let (port, _thread) = port();
    let guest = guest(&port, 300);
    let table = port.counters().table;
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    stranger.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    let request =
        [&[0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[0, 6, 0, 9], b"none:here", &[0; 3]].concat();
    let record = [&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4][..], &[1; 4]].concat();
    for number in 0..1000_u32 {
        let garbage = number.to_be_bytes().repeat(1 + number as usize % 50);
        for datagram in [&request, &record, &garbage] {
            stranger.send_to(datagram, port.addresses()[0].address).expect("the loopback interface is there");
        }
    }
    assert!(stranger.recv_from(&mut [0; 2048]).is_err(), "nobody answers");
    guest.echo("undisturbed");
    let counters = port.counters();
    assert_eq!(counters.table, table);
    assert!(counters.unknown > 0);
}

#[test]
fn whoever_speaks_garbage_hurts_nobody_else() {
    let (port, _thread) = port();
    let (good, bad) = (guest(&port, 400), guest(&port, 401));
    for number in 0..2000_u32 {
        let mut garbage = number.to_be_bytes().repeat(10);
        // What looks like each of the protocols, from a way that a connection has.
        garbage[0] = [0, 22, 23, 130, 200, 255][number as usize % 6];
        bad.socket.send_to(&garbage, port.addresses()[0].address).expect("the loopback interface is there");
    }
    good.echo("undisturbed");
    bad.echo("and it may go on");
}

#[test]
fn a_way_goes_to_whoever_answers_an_authentic_request_from_it() {
    let (port, _thread) = port();
    let first = guest(&port, 500);
    let address = first.socket.local_addr().expect("it is bound");
    // The first client is gone without a word, and the next one has its address.
    let second = port.peer().expect("the configuration is good");
    let (config, clock) = config(501);
    let (mut driver, client) =
        Driver::<Std>::new(config, seeded_rng(501), clock).expect("the defaults work together");
    driver.add_socket(StdSocket::new(first.socket).expect("a socket")).expect("the address is good");
    driver.end_of_sockets();
    assert_eq!(driver.socket(0).get_ref().local_addr().expect("it is bound"), address);
    let channel = client.create_data_channel("test", ChannelInit::default()).expect("it is possible");
    negotiate(&client, &second);
    // Both clients read from one socket: each sees a part of what comes, and what is not its own it drops.
    thread::spawn(|| drive(driver));
    block_on(client.connected()).expect("checks are sent again until they are heard");
    assert!(block_on(channel.opened()));
    block_on(second.connected()).expect("the other side is");
    // A turn's figures are told by the next one.
    while port.counters().ways_moved == 0 {
        thread::yield_now();
    }
}

#[test]
fn a_port_that_is_not_driven_ends_its_connections() {
    let (config, clock) = config(1);
    let (demux, port) =
        Demux::<Std>::new(config, seeded_rng(2), clock, vec![socket()], vec![]).expect("the address is good");
    let before = port.peer().expect("the configuration is good");
    drop(demux);
    let after = port.peer().expect("the configuration is good");
    assert_eq!(block_on(before.closed()), CloseReason::Local);
    assert_eq!(block_on(after.closed()), CloseReason::Local);
}

#[test]
fn addresses_that_nobody_can_send_to_are_refused() {
    let (config, clock) = config(1);
    let wildcard = UdpSocket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))).expect("a socket");
    let sockets = vec![StdSocket::new(wildcard).expect("a socket")];
    assert!(Demux::<Std>::new(config, seeded_rng(2), clock, sockets, vec![]).is_err());
}

#[test]
fn a_driver_that_is_gone_gets_no_new_connections() {
    let builder = Builder::<Std>::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let (mut demuxes, port) =
        builder.into_demuxes(NonZeroU16::new(2).expect("two")).expect("the loopback interface is there");
    drop(demuxes.remove(0));
    let peers: Vec<_> = (0..4).map(|_| port.peer().expect("the configuration is good")).collect();
    for peer in &peers {
        let ended =
            std::iter::from_fn(|| peer.try_next_event()).any(|event| matches!(event, Event::Closed(_)));
        assert!(!ended, "there is a driver left for it");
    }
    drop(demuxes);
    assert!(peers.iter().all(|peer| block_on(peer.closed()) == CloseReason::Local));
    let late = port.peer().expect("the configuration is good");
    assert_eq!(block_on(late.closed()), CloseReason::Local, "nobody is left");
}
