//! Pavane on tokio, its calls of the system counted.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use cpu_time::ProcessTime;
use pavane::{Message, Transmit};
use pavane_drive::{
    Builder, Clock, DataChannel, Event, Host, PeerConnection, Readiness, ReceiveMeta, Runtime, Socket,
};
use pavane_tokio::{Tokio, TokioListener, TokioSocket, TokioStream, TokioTimer};

use super::{Amount, Calls, ECHO, Round, SIZE};
use crate::stack::WINDOW;

/// tokio, as the adapter has it, with a tally of calls; `GSO` says whether a send may be of several datagrams.
enum Counted<const GSO: bool> {}

/// tokio's socket and the tally.
struct CountedSocket<const GSO: bool>(TokioSocket);

static SENDS: AtomicU64 = AtomicU64::new(0);
static RECEIVES: AtomicU64 = AtomicU64::new(0);
static DATAGRAMS: AtomicU64 = AtomicU64::new(0);

impl<const GSO: bool> Host for Counted<GSO> {
    type Socket = CountedSocket<GSO>;
    type Stream = TokioStream;
    type Listener = TokioListener;

    fn socket(socket: UdpSocket) -> io::Result<CountedSocket<GSO>> {
        Tokio::socket(socket).map(CountedSocket)
    }

    fn stream(stream: TcpStream) -> io::Result<TokioStream> {
        Tokio::stream(stream)
    }

    fn listener(listener: TcpListener) -> io::Result<TokioListener> {
        Tokio::listener(listener)
    }

    fn clock() -> Clock {
        Tokio::clock()
    }
}

impl<const GSO: bool> Runtime for Counted<GSO> {
    type Timer = TokioTimer;

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        Tokio::spawn(task);
    }

    fn resolve(name: String) -> impl Future<Output = io::Result<Vec<std::net::IpAddr>>> + Send + 'static {
        Tokio::resolve(name)
    }
}

impl<const GSO: bool> Readiness for CountedSocket<GSO> {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_readable(cx)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_writable(cx)
    }
}

impl<const GSO: bool> Socket for CountedSocket<GSO> {
    fn local_addr(&self) -> SocketAddr {
        self.0.local_addr()
    }

    fn max_segments(&self) -> usize {
        if GSO { self.0.max_segments() } else { 1 }
    }

    fn try_send(&self, transmit: &Transmit, contents: &[u8]) -> io::Result<()> {
        let segment = transmit.segment_size.unwrap_or(contents.len()).max(1);
        SENDS.fetch_add(1, Ordering::Relaxed);
        DATAGRAMS.fetch_add(contents.len().div_ceil(segment) as u64, Ordering::Relaxed);
        self.0.try_send(transmit, contents)
    }

    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize> {
        RECEIVES.fetch_add(1, Ordering::Relaxed);
        self.0.try_recv(buffers, meta)
    }
}

/// Connects two peers, and measures.
pub fn run<const GSO: bool>(amount: Amount) -> Round {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure::<GSO>(amount))
}

async fn measure<const GSO: bool>(amount: Amount) -> Round {
    let peer = || {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Builder::<Counted<GSO>>::new().addresses([address]).receive_window(WINDOW).build().unwrap()
    };
    let (alice, bob) = (peer(), peer());
    let near = alice.create_data_channel("bench", Default::default()).unwrap();
    introduce(&alice, &bob);
    let far = loop {
        if let Some(Event::Channel(channel)) = bob.next_event().await {
            break channel;
        }
    };
    transfer(&near, &far, amount.messages / 4).await;
    let before = calls();
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    transfer(&near, &far, amount.messages).await;
    let (cpu, wall, after) = (cpu.elapsed(), wall.elapsed(), calls());
    let calls = Calls {
        sends: after.sends - before.sends,
        receives: after.receives - before.receives,
        datagrams: after.datagrams - before.datagrams,
    };
    let echo = tokio::spawn(async move {
        while let Some(message) = far.recv().await {
            far.send(message).await.unwrap();
        }
    });
    let message = Bytes::from_static(&[7; ECHO]);
    let mut echoes = Vec::with_capacity(amount.echoes);
    for _ in 0..amount.echoes {
        let start = Instant::now();
        near.send(Message::Binary(message.clone())).await.unwrap();
        near.recv().await.unwrap();
        echoes.push(start.elapsed());
    }
    echo.abort();
    Round { cpu, wall, calls: Some(calls), echoes }
}

fn introduce(alice: &PeerConnection, bob: &PeerConnection) {
    alice.set_local_description(None).unwrap();
    bob.set_remote_description(alice.local_description().unwrap()).unwrap();
    bob.set_local_description(None).unwrap();
    alice.set_remote_description(bob.local_description().unwrap()).unwrap();
}

async fn transfer(near: &DataChannel, far: &DataChannel, messages: u64) {
    let sender = tokio::spawn({
        let near = near.clone();
        async move {
            let message = [7; SIZE];
            for _ in 0..messages {
                near.send(Message::Binary(Bytes::copy_from_slice(&message))).await.unwrap();
            }
        }
    });
    for _ in 0..messages {
        far.recv().await.unwrap();
    }
    sender.await.unwrap();
}

fn calls() -> Calls {
    Calls {
        sends: SENDS.load(Ordering::Relaxed),
        receives: RECEIVES.load(Ordering::Relaxed),
        datagrams: DATAGRAMS.load(Ordering::Relaxed),
    }
}
