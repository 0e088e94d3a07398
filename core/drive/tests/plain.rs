//! Two peers on the standard library's sockets and threads: neither the driver nor the handles need a runtime.

use std::future::Future;
use std::net::{Ipv4Addr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use pavane::{ChannelInit, CloseReason, Config, Message};
use pavane_drive::{Clock, Driver, Event, PeerConnection, StdSocket, Turn, seeded_rng};

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = waker();
    let mut future = pin!(future);
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(Instant::now() < deadline, "it takes too long");
        thread::park_timeout(Duration::from_secs(1));
    }
}

/// The simplest of adapters: it asks the socket again every millisecond.
fn drive(mut driver: Driver<StdSocket>) {
    const NAP: Duration = Duration::from_millis(1);
    loop {
        match driver.turn(&waker()) {
            Turn::Done => return,
            Turn::Again => {}
            Turn::Wait { deadline } => {
                let left =
                    deadline.map_or(NAP, |deadline| deadline.saturating_duration_since(Instant::now()));
                thread::park_timeout(left.min(NAP));
                driver.set_readable(0);
                driver.set_writable(0);
            }
        }
    }
}

fn peer(seed: u64) -> (PeerConnection, thread::JoinHandle<()>) {
    let (mut rng, clock) = (seeded_rng(seed), Clock::system());
    let config = Config::new(pavane_crypto_rustls::provider(), &mut *rng, &clock.epoch());
    let (mut driver, peer) = Driver::new(Arc::new(config), rng, clock).expect("the defaults work together");
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    driver.add_socket(StdSocket::new(socket).expect("a socket")).expect("the address is good");
    driver.end_of_sockets();
    (peer, thread::spawn(|| drive(driver)))
}

#[test]
fn two_peers_talk_without_a_runtime() {
    let (alice, alices_thread) = peer(1);
    let (bob, bobs_thread) = peer(2);
    let chat = alice.create_data_channel("chat", ChannelInit::default()).expect("a channel is possible");
    alice.set_local_description(None).expect("an offer is possible");
    block_on(alice.gathering_complete());
    bob.set_remote_description(alice.local_description().expect("it was just set"))
        .expect("the offer is good");
    bob.set_local_description(None).expect("an answer is possible");
    block_on(bob.gathering_complete());
    alice
        .set_remote_description(bob.local_description().expect("it was just set"))
        .expect("the answer is good");

    block_on(chat.send(Message::text("Shall we dance?"))).expect("the channel opens");
    let channel = loop {
        match block_on(bob.next_event()) {
            Some(Event::Channel(channel)) => break channel,
            Some(_) => {}
            None => panic!("the connection ended"),
        }
    };
    assert_eq!(block_on(channel.recv()), Some(Message::text("Shall we dance?")));

    alice.close();
    assert_eq!(block_on(alice.closed()), CloseReason::Local);
    assert_eq!(block_on(bob.closed()), CloseReason::Peer);
    alices_thread.join().expect("no panic");
    bobs_thread.join().expect("no panic");
}
