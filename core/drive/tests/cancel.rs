//! Futures that are dropped at any moment, under an executor that follows a seed: nothing is lost, nothing is woken in vain,
//! and nobody waits for ever.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use pavane::base::rand_core::{Rng, SeedableRng};
use pavane::{ChannelInit, Message};
use pavane_drive::{DataChannel, Driver, Event, PeerConnection, Std, seeded_rng};
use rand_chacha::ChaCha8Rng;

type Builder = pavane_drive::Builder<Std>;

/// Remembers that it was woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A future, polled when it was woken and at no other time.
struct Polled<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    flag: Arc<Flag>,
}

impl<T> Polled<T> {
    fn new(future: impl Future<Output = T> + 'static) -> Self {
        let flag = Arc::new(Flag::default());
        flag.0.store(true, Ordering::Relaxed);
        Self { future: Box::pin(future), flag }
    }

    fn poll(&mut self) -> Option<T> {
        if !self.flag.0.swap(false, Ordering::Relaxed) {
            return None;
        }
        let waker = Waker::from(self.flag.clone());
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }
}

/// Two connections and their drivers, turned in one thread.
struct World {
    drivers: [Driver<Std>; 2],
    peers: [PeerConnection; 2],
}

impl World {
    fn new(seed: u64) -> Self {
        let make = |seed| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let builder = Builder::new().addresses([address]).rng(seeded_rng(seed)).receive_window(300_000);
            builder.into_driver().expect("the loopback interface is there")
        };
        let ((first, alice), (second, bob)) = (make(seed), make(seed + 1));
        Self { drivers: [first, second], peers: [alice, bob] }
    }

    fn turn(&mut self) {
        for driver in &mut self.drivers {
            driver.set_readable(0);
            driver.set_writable(0);
            let _ = driver.turn(Waker::noop());
        }
    }

    fn run<T>(&mut self, future: impl Future<Output = T> + 'static) -> T {
        let mut polled = Polled::new(future);
        loop {
            self.turn();
            if let Some(output) = polled.poll() {
                return output;
            }
        }
    }

    fn connect(&mut self) -> [DataChannel; 2] {
        let [alice, bob] = self.peers.clone();
        let ours = alice.create_data_channel("test", ChannelInit::default()).expect("it is possible");
        let describe = |peer: &PeerConnection| {
            peer.set_local_description(None).expect("it is due");
            peer.local_description().expect("it was just set")
        };
        bob.set_remote_description(describe(&alice)).expect("the offer is good");
        alice.set_remote_description(describe(&bob)).expect("the answer is good");
        let theirs = self.run(async move {
            loop {
                if let Event::Channel(channel) = bob.next_event().await.expect("the connection lives") {
                    break channel;
                }
            }
        });
        [ours, theirs]
    }
}

/// Whatever is dropped wherever: what was sent arrives once and in order, and what was given up never.
#[test]
fn futures_dropped_at_any_moment_lose_and_repeat_nothing() {
    const MESSAGES: u32 = 60;
    for seed in 0..30 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut world = World::new(2 * seed);
        let [ours, theirs] = world.connect();
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        let (mut sending, mut receiving) = (None, None);
        let mut number = 0_u32;
        while received.len() < MESSAGES as usize {
            if rng.next_u32() % 3 == 0 {
                world.turn();
            }
            if sending.is_none() && sent.len() < MESSAGES as usize {
                number += 1;
                // Large enough that sending has to wait again and again.
                let mut bytes = vec![0; 40_000];
                bytes[..4].copy_from_slice(&number.to_be_bytes());
                let channel = ours.clone();
                sending =
                    Some((number, Polled::new(async move { channel.send(Message::binary(bytes)).await })));
            }
            if receiving.is_none() {
                let channel = theirs.clone();
                receiving = Some(Polled::new(async move { channel.recv().await }));
            }
            if let Some((number, future)) = &mut sending {
                match future.poll() {
                    Some(result) => {
                        result.expect("the channel is open");
                        sent.push(*number);
                        sending = None;
                    }
                    None if rng.next_u32() % 4 == 0 => sending = None,
                    None => {}
                }
            }
            if let Some(future) = &mut receiving {
                match future.poll() {
                    Some(message) => {
                        let message = message.expect("the channel is open");
                        let number = message.as_bytes().first_chunk().expect("it was sent so");
                        received.push(u32::from_be_bytes(*number));
                        receiving = None;
                    }
                    None if rng.next_u32() % 3 == 0 => receiving = None,
                    None => {}
                }
            }
        }
        assert_eq!(received, sent, "seed {seed}");
    }
}

/// A future that is polled only when it was woken always ends: no wake-up is lost.
#[test]
fn no_wake_up_is_lost() {
    for seed in 0..20 {
        let mut world = World::new(1000 + 2 * seed);
        let [ours, theirs] = world.connect();
        for size in [0, 1, 1000, 100_000] {
            let (channel, other) = (ours.clone(), theirs.clone());
            let echo = async move {
                channel.send(Message::binary(vec![7; size])).await.expect("the channel is open");
                let heard = other.recv().await.expect("the channel is open");
                other.send(heard).await.expect("the channel is open");
                channel.buffered_below(0).await;
                channel.recv().await.expect("the channel is open")
            };
            assert_eq!(world.run(echo), Message::binary(vec![7; size]));
        }
        let (peer, other) = (world.peers[0].clone(), world.peers[1].clone());
        world.run(async move { peer.connected().await }).expect("it is");
        ours.close();
        world.run(async move {
            theirs.closed().await;
            ours.closed().await;
        });
        world.peers[0].close();
        world.run(async move { while other.next_event().await.is_some() {} });
    }
}
