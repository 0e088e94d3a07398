//! An adapter from nothing: a thread a connection, which blocks in `recv_from` of the standard library's socket. It is what
//! a runtime that nobody has thought of takes, and it is held to what every adapter is held to.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use pavane::Transmit;
use pavane_drive::{Driver, Host, NoStream, PeerConnection, ReceiveMeta, Socket, Turn};

type Builder = pavane_drive::Builder<Blocking>;

enum Blocking {}

impl Host for Blocking {
    type Socket = BlockingSocket;
    type Stream = NoStream;
    type Listener = NoStream;

    fn socket(socket: UdpSocket) -> io::Result<BlockingSocket> {
        socket.set_nonblocking(false)?;
        Ok(BlockingSocket { socket, received: Mutex::new(None) })
    }

    fn stream(_: TcpStream) -> io::Result<NoStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn listener(_: TcpListener) -> io::Result<NoStream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

struct BlockingSocket {
    socket: UdpSocket,
    /// What came while the thread slept.
    received: Mutex<Option<(Vec<u8>, SocketAddr)>>,
}

impl Socket for BlockingSocket {
    fn local_addr(&self) -> SocketAddr {
        self.socket.local_addr().expect("the socket is bound")
    }

    fn try_send(&self, transmit: &Transmit, contents: &[u8]) -> io::Result<()> {
        self.socket.send_to(contents, transmit.path.remote).map(drop)
    }

    fn try_recv(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [ReceiveMeta]) -> io::Result<usize> {
        let received = self.received.lock().expect("no panic").take();
        let (bytes, source) = received.ok_or(io::ErrorKind::WouldBlock)?;
        buffers[0][..bytes.len()].copy_from_slice(&bytes);
        meta[0] = ReceiveMeta { source, len: bytes.len(), stride: bytes.len(), ecn: None };
        Ok(1)
    }
}

impl BlockingSocket {
    /// Sleeps until something comes, a waker's datagram among others, or the deadline passes.
    fn wait(&self, deadline: Option<Instant>) {
        const SOON: Duration = Duration::from_micros(1);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).max(SOON));
        self.socket.set_read_timeout(left).expect("the time is not zero");
        let mut buffer = vec![0; 2048];
        if let Ok((len, source)) = self.socket.recv_from(&mut buffer)
            && len > 0
        {
            buffer.truncate(len);
            *self.received.lock().expect("no panic") = Some((buffer, source));
        }
    }
}

/// Wakes the thread with a datagram of nothing.
struct Nudge {
    from: UdpSocket,
    to: SocketAddr,
}

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        let _ = self.from.send_to(&[], self.to);
    }
}

fn drive(mut driver: Driver<Blocking>) {
    let from = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    let to = driver.socket(0).local_addr();
    let waker = Waker::from(Arc::new(Nudge { from, to }));
    loop {
        let turn = driver.turn(&waker);
        match turn {
            Turn::Done => return,
            Turn::Again => {}
            Turn::Wait { deadline } => {
                driver.socket(0).wait(deadline);
                driver.set_readable(0);
            }
        }
    }
}

fn build(builder: Builder) -> PeerConnection {
    let (driver, peer) = builder.into_driver().expect("the loopback interface is there");
    thread::spawn(|| drive(driver));
    peer
}

mod suite;
