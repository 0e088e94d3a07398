//! A game server's loop: sixty ticks a second on a `mio::Poll` of its own, with every player behind one port.
//!
//! Each tick the server moves the world by what the players asked for, and tells them all how it stands, on channels that
//! are unordered and never send anything twice: a state that is late is of no use. The players are in this program too, on
//! a thread.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use pavane_mio::{
    Builder, ChannelInit, DataChannel, Event, Loop, Message, PeerConnection, Port, Reactor, block_on,
};

type Failure = Box<dyn Error + Send + Sync>;

const TICK: Duration = Duration::from_micros(16_667);
const TICKS: u32 = 60;
const PLAYERS: usize = 4;

/// A player, as the server sees it.
struct Player {
    peer: PeerConnection,
    channel: Option<DataChannel>,
    position: i64,
}

struct Server {
    poll: Poll,
    reactor: Reactor,
    players: Vec<Player>,
}

impl Server {
    fn run(mut self) -> Result<Vec<i64>, Failure> {
        let mut events = Events::with_capacity(256);
        let mut next = Instant::now();
        let mut tick = 0;
        while tick < TICKS {
            // The poll waits for a socket, for a deadline of a connection, or for the next tick.
            let until_tick = next.saturating_duration_since(Instant::now());
            let timeout = self.reactor.turn().map_or(until_tick, |timeout| timeout.min(until_tick));
            self.poll.poll(&mut events, Some(timeout))?;
            for event in &events {
                self.reactor.handle_event(event);
            }
            if Instant::now() >= next && self.all_are_here() {
                self.tick(tick);
                tick += 1;
                next += TICK;
            }
            next = next.max(Instant::now() - TICK);
        }
        Ok(self.players.iter().map(|player| player.position).collect())
    }

    fn all_are_here(&mut self) -> bool {
        for player in &mut self.players {
            while let Some(event) = player.peer.try_next_event() {
                if let Event::Channel(channel) = event {
                    player.channel = Some(channel);
                }
            }
        }
        self.players.iter().all(|player| player.channel.is_some())
    }

    fn tick(&mut self, number: u32) {
        for player in &mut self.players {
            while let Some(message) = player.channel.as_ref().and_then(DataChannel::try_recv) {
                player.position += i64::from(message.as_bytes() == b"right");
            }
        }
        let positions: Vec<_> = self.players.iter().map(|player| player.position.to_string()).collect();
        let state = format!("{number}: {}", positions.join(" "));
        for channel in self.players.iter().filter_map(|player| player.channel.as_ref()) {
            // A player whose channel is full misses this state and gets the next.
            let _ = channel.try_send(Message::text(state.as_str()));
        }
    }
}

/// Plays: answers each state with a move.
fn play(players: &Loop, offers: impl FnOnce(PeerConnection) -> PeerConnection) -> Result<u32, Failure> {
    let peer = players.peer(builder())?;
    let init = ChannelInit { ordered: false, max_retransmits: Some(0), ..ChannelInit::default() };
    let game = peer.create_data_channel("game", init)?;
    let peer = offers(peer);
    block_on(peer.connected())?;
    let mut states = 0;
    game.try_send(Message::text("here")).ok();
    while block_on(game.recv()).is_some() {
        states += 1;
        game.try_send(Message::text("right")).ok();
    }
    Ok(states)
}

fn builder() -> Builder {
    Builder::new().addresses([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
}

/// An exchange of descriptions; with one side in another process it would go over a wire.
fn introduce(port: &Port, player: &PeerConnection) -> Result<PeerConnection, Failure> {
    let peer = port.peer()?;
    player.set_local_description(None)?;
    peer.set_remote_description(player.local_description().ok_or("it was just set")?)?;
    peer.set_local_description(None)?;
    player.set_remote_description(peer.local_description().ok_or("it was just set")?)?;
    Ok(peer)
}

pub(crate) fn main() -> Result<(), Failure> {
    const WAKE: Token = Token(0);
    const FIRST_SOCKET: Token = Token(1);
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    let mut reactor = Reactor::new(poll.registry(), waker, FIRST_SOCKET)?;
    let port = reactor.port(builder())?;
    let mut server = Server { poll, reactor, players: Vec::new() };
    let players = Loop::spawn()?;
    let mut threads = Vec::new();
    for _ in 0..PLAYERS {
        let (introduced, peers) = std::sync::mpsc::channel();
        let (players, port) = (players.clone(), port.clone());
        threads.push(thread::spawn(move || {
            play(&players, |player| {
                let peer = introduce(&port, &player).expect("both are on this machine");
                introduced.send(peer).expect("the server waits for it");
                player
            })
        }));
        server.players.push(Player { peer: peers.recv()?, channel: None, position: 0 });
    }
    let positions = server.run()?;
    println!("after {TICKS} ticks the players stand at {positions:?}");
    assert!(positions.iter().all(|position| *position > 0), "everybody has moved");
    Ok(())
}
