//! A browser and a Rust program in conversation.
//!
//! ```sh
//! cargo run --release --example browser -p pavane-tokio
//! ```
//!
//! It prints an address. The page behind it (`index.html`, `app.js`) connects to this program by WebRTC, for which the two
//! exchange descriptions and candidates through a WebSocket; everything else goes over data channels and tracks. Each
//! WebSocket gets a peer of its own (`peer.rs`), each channel does what its label says (`channels.rs`), what is said in one
//! tab is heard in all (`room.rs`), and pictures and sound are sent back (`media.rs`).

mod channels;
mod clip;
mod media;
mod page;
mod peer;
mod room;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use room::Room;

/// A page on this machine with which a browser talks to this program by WebRTC.
#[derive(Parser)]
struct Arguments {
    /// The port of the page; the next free one if it is taken.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The address of the page instead of 127.0.0.1 and [::1].
    #[arg(long)]
    listen: Option<IpAddr>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let listeners = listen(&arguments).await?;
    let address = listeners[0].local_addr()?;
    println!("Open http://{} in a browser.", display(address));

    let app = Router::new().route("/signal", get(signal)).fallback(page::serve).with_state(Room::default());
    let mut servers = JoinSet::new();
    for listener in listeners {
        servers.spawn(axum::serve(listener, app.clone()).into_future());
    }
    while let Some(server) = servers.join_next().await {
        server??;
    }
    Ok(())
}

async fn signal(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    upgrade.on_upgrade(|socket| peer::serve(socket, room))
}

/// Listens on the first port that is free; on both loopback addresses, as `localhost` may be either.
async fn listen(arguments: &Arguments) -> io::Result<Vec<TcpListener>> {
    const TRIES: u16 = 100;

    let addresses = match arguments.listen {
        Some(address) => vec![address],
        None => vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)],
    };
    let last = arguments.port.saturating_add(TRIES);
    for port in arguments.port..last {
        match bind(&addresses, port).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
    bind(&addresses, last).await
}

/// Binds to all addresses that the machine has; it may be without IPv6.
async fn bind(addresses: &[IpAddr], port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    for address in addresses {
        // With port 0 the system has chosen for the first.
        let port =
            listeners.first().map_or(Ok(port), |first| first.local_addr().map(|address| address.port()))?;
        match TcpListener::bind(SocketAddr::new(*address, port)).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse || listeners.is_empty() => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
    Ok(listeners)
}

/// The address as a browser takes it: loopback ones count as a secure context under any name.
fn display(address: SocketAddr) -> String {
    match address.ip().is_loopback() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}
