//! Making TCP sockets.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Begins to connect, from this address of ours if it is given; returns the socket and the address that it has.
pub(super) fn connect(local: Option<IpAddr>, remote: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(remote), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    tune(SockRef::from(&socket));
    if let Some(local) = local {
        socket.bind(&SocketAddr::new(local, 0).into())?;
    }
    match socket.connect(&remote.into()) {
        Err(error) if !is_under_way(&error) => return Err(error),
        _ => {}
    }
    let stream = TcpStream::from(socket);
    let local = stream.local_addr()?;
    Ok((stream, local))
}

/// A socket that listens. What it accepts is tuned as it is.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    tune(SockRef::from(&listener));
    Ok(listener)
}

/// Has messages leave when they are written, and few of them wait in the system, where nothing can be dropped any more.
fn tune(socket: SockRef<'_>) {
    let _ = socket.set_tcp_nodelay(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
}

/// Bytes that the system keeps beside those that are under way.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 64 * 1024;

/// Whether connecting goes on by itself.
fn is_under_way(error: &io::Error) -> bool {
    const EINPROGRESS: [i32; 3] = [115, 36, 10036];
    error.kind() == io::ErrorKind::WouldBlock
        || error.raw_os_error().is_some_and(|code| EINPROGRESS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_leave_at_once_at_both_ends() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback is there");
        let (connecting, _) = connect(None, listener.local_addr().expect("it is bound")).expect("it listens");
        let accepted = loop {
            match listener.accept() {
                Ok((accepted, _)) => break accepted,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        };
        assert!(connecting.nodelay().expect("it is a socket"));
        assert!(accepted.nodelay().expect("it is a socket"));
    }
}
