//! Two peers over a simulated network, in virtual time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pavane::rtp::receive::Via;
use pavane::{
    ChannelId, Config, Datagram, Epoch, Event, Instant, Message, PeerConnection, Received, ReceivedRtp,
    ReceiverId,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::net::{Link, Net};

/// One of the two peers, with what it has heard so far.
pub struct Peer {
    /// The peer itself.
    pub connection: PeerConnection,
    /// Every event, with the moment of it.
    pub events: Vec<(Instant, Event)>,
    /// Every message that was read, by channel.
    pub heard: Vec<(ChannelId, Message)>,
    /// Every packet of media that was handed over.
    pub media: Vec<HeardRtp>,
    /// Whether messages are read as soon as they arrive.
    pub reads: bool,
}

/// A packet of media that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardRtp {
    /// When.
    pub at: Instant,
    /// To whom.
    pub receiver: ReceiverId,
    /// Its number in the stream.
    pub sequence: u64,
    /// Whether it came by retransmission.
    pub repaired: bool,
    /// The marker.
    pub marker: bool,
    /// What it carried.
    pub payload: Vec<u8>,
}

impl HeardRtp {
    fn of(at: Instant, received: &ReceivedRtp<'_>) -> Self {
        Self {
            at,
            receiver: received.receiver,
            sequence: received.place.sequence,
            repaired: received.via == Via::Retransmission,
            marker: received.packet.marker(),
            payload: received.packet.payload().to_vec(),
        }
    }
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The one that offers first.
    Alice,
    /// The other.
    Bob,
}

impl End {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::Alice, Self::Bob];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// Told of each datagram: when, by whom, and what.
pub type Tap = Box<dyn FnMut(Instant, End, &[u8])>;

/// Two peers and the network between them.
pub struct Pair {
    /// What time it is.
    pub now: Instant,
    /// The network.
    pub net: Net,
    peers: [Peer; 2],
    addresses: [SocketAddr; 2],
    buf: Vec<u8>,
    /// Called with every datagram that a peer sends, before the network has it.
    pub tap: Option<Tap>,
}

impl Pair {
    /// Two peers that know nothing of each other, over a link of this kind in both directions.
    pub fn new(seed: u64, link: Link) -> Self {
        Self::with_provider(seed, link, pavane_crypto_rustls::provider(), |config| config)
    }

    /// The same, with another provider and changes to the configuration.
    pub fn with_provider(
        seed: u64,
        link: Link,
        provider: Arc<dyn pavane::crypto::Provider>,
        configure: impl Fn(Config) -> Config,
    ) -> Self {
        let now = Instant::from_millis(1);
        let epoch = Epoch { at: now, unix: Duration::from_secs(1_790_000_000) };
        let addresses = ["192.0.2.1:4001", "192.0.2.2:4002"].map(|text| text.parse().unwrap());
        let peers = [0, 1].map(|n| {
            let mut rng = ChaCha20Rng::seed_from_u64(seed * 2 + n);
            let config = configure(Config::new(provider.clone(), &mut rng, &epoch));
            let connection = PeerConnection::new(Arc::new(config), Box::new(rng), epoch).unwrap();
            Peer::new(connection)
        });
        Self { now, net: Net::new(seed, link), peers, addresses, buf: Vec::new(), tap: None }
    }

    /// A peer.
    pub fn peer(&mut self, end: End) -> &mut Peer {
        &mut self.peers[end as usize]
    }

    /// A peer's connection.
    pub fn connection(&mut self, end: End) -> &mut PeerConnection {
        &mut self.peer(end).connection
    }

    /// A peer's one address.
    pub const fn address(&self, end: End) -> SocketAddr {
        self.addresses[end as usize]
    }

    /// Names both peers' sockets to them.
    pub fn add_addresses(&mut self) {
        let now = self.now;
        for end in End::BOTH {
            let address = self.addresses[end as usize];
            let connection = self.connection(end);
            connection.add_local_address(now, address).unwrap();
            connection.end_of_local_addresses(now);
        }
    }

    /// Has `end` offer and the other answer, without a moment passing.
    pub fn exchange(&mut self, end: End) {
        let now = self.now;
        let offerer = self.connection(end);
        offerer.set_local_description(now, None).unwrap();
        let offer = offerer.local_description().unwrap();
        let answerer = self.connection(end.other());
        answerer.set_remote_description(now, offer).unwrap();
        answerer.set_local_description(now, None).unwrap();
        let answer = answerer.local_description().unwrap();
        self.connection(end).set_remote_description(now, answer).unwrap();
    }

    /// Sends what is to be sent and takes note of what happened, at this moment.
    pub fn flush(&mut self) {
        for end in End::BOTH {
            let now = self.now;
            let peer = &mut self.peers[end as usize];
            while let Some(transmit) = peer.connection.poll_transmit(now, 1, &mut self.buf) {
                if let Some(tap) = &mut self.tap {
                    tap(now, end, &self.buf);
                }
                self.net.send(now, transmit.path, &self.buf);
                self.buf.clear();
            }
            peer.note_events(now);
        }
    }

    /// The next moment at which anything is due.
    pub fn next(&self) -> Option<Instant> {
        let timeouts = self.peers.iter().filter_map(|peer| peer.connection.poll_timeout());
        timeouts.chain(self.net.next_arrival()).min()
    }

    /// Moves on to the next moment, and does what is due then; false when nothing ever is.
    pub fn step(&mut self) -> bool {
        self.flush();
        let Some(next) = self.next() else { return false };
        self.now = self.now.max(next);
        self.deliver();
        for peer in &mut self.peers {
            if peer.connection.poll_timeout().is_some_and(|at| at <= self.now) {
                peer.connection.handle_timeout(self.now);
            }
        }
        self.flush();
        true
    }

    /// Hands what arrives at this moment to whom it is for.
    fn deliver(&mut self) {
        while let Some((path, mut payload)) = self.net.receive(self.now) {
            let to = self.addresses.iter().position(|address| *address == path.local);
            if let Some(peer) = to.map(|n| &mut self.peers[n]) {
                let datagram = Datagram { path, ecn: None, payload: &mut payload };
                if let Received::Rtp(received) = peer.connection.handle_datagram(self.now, datagram) {
                    peer.media.push(HeardRtp::of(self.now, &received));
                }
                peer.note_events(self.now);
            }
            self.net.recycle(payload);
        }
    }

    /// Goes on until `done` holds; false if `patience` passes, or nothing more is due, before it does.
    pub fn run(&mut self, patience: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let deadline = self.now + patience;
        self.flush();
        loop {
            if done(self) {
                return true;
            }
            if self.next().is_none_or(|next| next > deadline) {
                self.now = deadline;
                return false;
            }
            self.step();
        }
    }

    /// Lets time pass.
    pub fn idle(&mut self, duration: Duration) {
        self.run(duration, |_| false);
    }

    /// Two peers that have just exchanged descriptions, with one channel that Alice created; no time has passed since.
    pub fn introduced(seed: u64, link: Link) -> (Self, ChannelId) {
        let mut pair = Self::new(seed, link);
        let now = pair.now;
        let channel =
            pair.connection(End::Alice).create_data_channel(now, "chat", Default::default()).unwrap();
        pair.add_addresses();
        pair.exchange(End::Alice);
        (pair, channel)
    }

    /// Two peers whose channel is open at both ends; with the channel's ids at Alice's and Bob's end.
    ///
    /// # Panics
    /// If it is not within a virtual minute.
    pub fn connected(seed: u64, link: Link) -> (Self, [ChannelId; 2]) {
        let (mut pair, channel) = Self::introduced(seed, link);
        assert!(pair.run(Duration::from_secs(60), Self::open_at_both_ends), "seed {seed} did not connect");
        let announced = pair.peer(End::Bob).announced().expect("open at both ends");
        (pair, [channel, announced])
    }

    /// Whether Alice's channel is open and Bob has been told of it.
    pub fn open_at_both_ends(&mut self) -> bool {
        self.peer(End::Alice).saw(|event| matches!(event, Event::ChannelOpened(_)))
            && self.peer(End::Bob).announced().is_some()
    }
}

impl Peer {
    pub(crate) fn new(connection: PeerConnection) -> Self {
        let (events, heard, media) = (Vec::new(), Vec::new(), Vec::new());
        Self { connection, events, heard, media, reads: true }
    }

    /// Whether an event like this has happened.
    pub fn saw(&self, is: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(_, event)| is(event))
    }

    /// The first channel that the other end announced.
    pub fn announced(&self) -> Option<ChannelId> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::ChannelAnnounced(id) => Some(*id),
            _ => None,
        })
    }

    /// Reads what waits on a channel.
    pub fn read(&mut self, now: Instant, id: ChannelId) {
        while let Some(message) = self.connection.channel(id).and_then(|mut channel| channel.recv(now)) {
            self.heard.push((id, message));
        }
    }

    pub(crate) fn note_events(&mut self, now: Instant) {
        while let Some(event) = self.connection.poll_event() {
            if let Event::ChannelReadable(id) = event
                && self.reads
            {
                self.read(now, id);
            }
            self.events.push((now, event));
        }
    }
}
