//! No wake-up is lost between handles and drivers, whatever threads do to each other.
//!
//! The ordinary run has the system's threads do what they do. The thorough one, of ten thousand schedules each, is
//!
//! ```sh
//! RUSTFLAGS='--cfg shuttle' cargo test --release -p pavane-drive --test wake --target-dir target/shuttle
//! ```

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use pavane::{ChannelInit, CloseReason, Config, Transmit};
use pavane_drive::{
    Builder, Clock, Demux, Drive, Driver, Event, Host, NoStream, PeerConnection, ReceiveMeta, Socket, Std,
    Turn, default_provider, seeded_rng,
};
#[cfg(shuttle)]
use shuttle::thread;
#[cfg(not(shuttle))]
use std::thread;

/// How many schedules.
const RUNS: usize = if cfg!(shuttle) { 10_000 } else { 500 };

#[cfg(shuttle)]
fn try_out(model: fn()) {
    shuttle::check_random(model, RUNS);
}

#[cfg(not(shuttle))]
fn try_out(model: fn()) {
    let (done, is_done) = std::sync::mpsc::channel();
    thread::spawn(move || {
        (0..RUNS).for_each(|_| model());
        done.send(()).expect("the test waits");
    });
    is_done.recv_timeout(std::time::Duration::from_secs(60)).expect("somebody sleeps for ever");
}

/// Nobody is there.
struct Silence;

impl Socket for Silence {
    fn local_addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 9))
    }

    fn try_send(&self, _: &Transmit, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn try_recv(&self, _: &mut [IoSliceMut<'_>], _: &mut [ReceiveMeta]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

enum Nobody {}

impl Host for Nobody {
    type Socket = Silence;
    type Stream = NoStream;
    type Listener = NoStream;

    fn socket(_: UdpSocket) -> io::Result<Silence> {
        Ok(Silence)
    }

    fn stream(_: TcpStream) -> io::Result<NoStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn listener(_: TcpListener) -> io::Result<NoStream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

/// Turns when it is woken, and at no other time.
fn drive(mut driven: impl Drive) {
    let waker = waker();
    loop {
        match driven.turn(&waker) {
            Turn::Done => return,
            Turn::Again => {}
            Turn::Wait { .. } => thread::park(),
        }
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    let waker = waker();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn config() -> Arc<Config> {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    let make = || Config::new(default_provider(), &mut *seeded_rng(1), &Clock::system().epoch());
    Arc::new(CONFIG.get_or_init(make).clone())
}

/// Follows a connection to its end.
fn follow(peer: &PeerConnection) -> CloseReason {
    wait(async {
        while peer.next_event().await.is_some() {}
        peer.closed().await
    })
}

/// Gives the driver something to do, and ends the connection.
fn use_up(peer: PeerConnection) {
    let channel = peer.create_data_channel("channel", ChannelInit::default()).expect("it is possible");
    let follower = peer.clone();
    let following = thread::spawn(move || follow(&follower));
    peer.set_local_description(None).expect("an offer is possible");
    wait(peer.gathering_complete());
    peer.close();
    wait(channel.closed());
    assert_eq!(following.join().expect("no panic"), CloseReason::Local);
}

#[test]
fn a_connection_is_driven_to_its_end() {
    try_out(|| {
        let (mut driver, peer) =
            Driver::<Nobody>::new(config(), seeded_rng(2), Clock::system()).expect("it is good");
        driver.add_socket(Silence).expect("an address like any other");
        driver.end_of_sockets();
        let driving = thread::spawn(|| drive(driver));
        use_up(peer);
        driving.join().expect("no panic");
    });
}

#[test]
fn a_connection_whose_handles_are_dropped_ends() {
    try_out(|| {
        let (driver, peer) =
            Driver::<Nobody>::new(config(), seeded_rng(2), Clock::system()).expect("it is good");
        let driving = thread::spawn(|| drive(driver));
        let channel = peer.create_data_channel("channel", ChannelInit::default()).expect("it is possible");
        let dropping = thread::spawn(|| drop(peer));
        drop(channel);
        dropping.join().expect("no panic");
        driving.join().expect("no panic");
    });
}

#[test]
fn a_port_is_driven_to_its_end() {
    try_out(|| {
        let demux = Demux::<Nobody>::new(config(), seeded_rng(2), Clock::system(), vec![Silence], vec![]);
        let (demux, port) = demux.expect("it is good");
        let driving = thread::spawn(|| drive(demux));
        let peer = port.peer().expect("it is good");
        let dropping = thread::spawn(|| drop(port));
        use_up(peer);
        dropping.join().expect("no panic");
        driving.join().expect("no panic");
    });
}

#[test]
fn a_port_of_several_drivers_is_driven_to_its_end() {
    try_out(|| {
        let sockets = vec![vec![Silence], vec![Silence]];
        let demuxes = Demux::<Nobody>::several(config(), seeded_rng(2), Clock::system(), sockets);
        let (demuxes, port) = demuxes.expect("it is good");
        let driving: Vec<_> = demuxes.into_iter().map(|demux| thread::spawn(|| drive(demux))).collect();
        let (first, second) = (port.peer().expect("it is good"), port.peer().expect("it is good"));
        drop(port);
        let using = thread::spawn(|| use_up(first));
        drop(second);
        using.join().expect("no panic");
        for each in driving {
            each.join().expect("no panic");
        }
    });
}

/// Turns all the time, so that whatever happens falls in some part of a turn.
fn drive_restlessly(mut driven: impl Drive) {
    while turn(&mut driven) != Turn::Done {}
}

fn turn(driven: &mut impl Drive) -> Turn {
    for index in 0..driven.socket_count() {
        driven.set_readable(index);
    }
    driven.turn(Waker::noop())
}

/// Connects two over the loopback interface, turning both.
fn connect<D: Drive, E: Drive>(
    (alices, alice): (&mut D, &PeerConnection),
    (bobs, bob): (&mut E, &PeerConnection),
) {
    let _channel = alice.create_data_channel("channel", ChannelInit::default()).expect("it is possible");
    let describe = |peer: &PeerConnection| {
        peer.set_local_description(None).expect("it is due");
        peer.local_description().expect("it was just set")
    };
    bob.set_remote_description(describe(alice)).expect("the offer is good");
    alice.set_remote_description(describe(bob)).expect("the answer is good");
    while !matches!(bob.try_next_event(), Some(Event::Channel(_))) {
        turn(alices);
        turn(bobs);
    }
}

/// Closes one side while another thread drives it: when its driver has gone, the other side can hear why.
fn farewell<D: Drive + Send + 'static>((mut alices, alice): (D, PeerConnection)) {
    let (mut bobs, bob) = loopback(3).into_driver().expect("the loopback interface is there");
    connect((&mut alices, &alice), (&mut bobs, &bob));
    let driving = thread::spawn(|| drive_restlessly(alices));
    thread::yield_now();
    alice.close();
    driving.join().expect("no panic");
    while turn(&mut bobs) == Turn::Again {}
    let last = std::iter::from_fn(|| bob.try_next_event()).last();
    assert!(matches!(last, Some(Event::Closed(CloseReason::Peer))), "{last:?}");
}

fn loopback(seed: u64) -> Builder<Std> {
    Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]).rng(seeded_rng(seed))
}

#[test]
fn no_driver_goes_without_a_farewell() {
    try_out(|| farewell(loopback(2).into_driver().expect("the loopback interface is there")));
}

#[test]
fn no_port_lets_go_without_a_farewell() {
    try_out(|| {
        let (demux, port) = loopback(2).into_demux().expect("the loopback interface is there");
        let peer = port.peer().expect("it is good");
        drop(port);
        farewell((demux, peer));
    });
}
