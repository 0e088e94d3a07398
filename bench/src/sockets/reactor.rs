//! Pavane in a loop of the program's own: mio's `Poll`, and the adapter's reactor in it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cpu_time::ProcessTime;
use mio::{Events, Poll, Token, Waker};
use pavane::Message;
use pavane_drive::{DataChannel, Event};
use pavane_mio::{Builder, Reactor};

use super::{Amount, ECHO, Round, SIZE};
use crate::stack::WINDOW;

struct Loop {
    poll: Poll,
    events: Events,
    reactor: Reactor,
}

impl Loop {
    /// Lets both peers do what there is to do, and waits if there is nothing.
    fn turn(&mut self) {
        let timeout = self.reactor.turn();
        self.poll.poll(&mut self.events, timeout).unwrap();
        for event in &self.events {
            self.reactor.handle_event(event);
        }
    }

    fn transfer(&mut self, near: &DataChannel, far: &DataChannel, messages: u64) {
        let message = [7; SIZE];
        let (mut sent, mut received) = (0, 0);
        while received < messages {
            while sent < messages && near.try_send(Message::Binary(Bytes::copy_from_slice(&message))).is_ok()
            {
                sent += 1;
            }
            self.turn();
            received += std::iter::from_fn(|| far.try_recv()).count() as u64;
        }
    }

    /// The next message.
    fn receive(&mut self, channel: &DataChannel) -> Message {
        loop {
            if let Some(message) = channel.try_recv() {
                return message;
            }
            self.turn();
        }
    }

    fn echo(&mut self, near: &DataChannel, far: &DataChannel, message: &Bytes) -> Duration {
        let start = Instant::now();
        near.try_send(Message::Binary(message.clone())).unwrap();
        let heard = self.receive(far);
        far.try_send(heard).unwrap();
        self.receive(near);
        start.elapsed()
    }
}

/// Connects two peers, and measures.
pub fn run(amount: Amount) -> Round {
    let poll = Poll::new().unwrap();
    let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
    let mut reactor = Reactor::new(poll.registry(), waker, Token(1)).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut peer = || reactor.peer(Builder::new().addresses([address]).receive_window(WINDOW)).unwrap();
    let (alice, bob) = (peer(), peer());
    let mut this = Loop { poll, events: Events::with_capacity(8), reactor };
    let near = alice.create_data_channel("bench", Default::default()).unwrap();
    alice.set_local_description(None).unwrap();
    bob.set_remote_description(alice.local_description().unwrap()).unwrap();
    bob.set_local_description(None).unwrap();
    alice.set_remote_description(bob.local_description().unwrap()).unwrap();
    let far = loop {
        let channel = std::iter::from_fn(|| bob.try_next_event()).find_map(|event| match event {
            Event::Channel(channel) => Some(channel),
            _ => None,
        });
        match channel {
            Some(channel) => break channel,
            None => this.turn(),
        }
    };
    this.transfer(&near, &far, amount.messages / 4);
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    this.transfer(&near, &far, amount.messages);
    let (cpu, wall) = (cpu.elapsed(), wall.elapsed());
    let message = Bytes::from_static(&[7; ECHO]);
    let echoes = (0..amount.echoes).map(|_| this.echo(&near, &far, &message)).collect();
    Round { cpu, wall, calls: None, echoes }
}
